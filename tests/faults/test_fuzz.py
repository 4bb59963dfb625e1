"""Bytes that nobody thought of: in requests, in answers, in traces. A value or one error, nothing else."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crtui.errors import CrtuiError
from crtui.replay.run import Replay
from tests.fakes.upstream import Upstream, ok_json
from tests.faults.rude import says, server
from tests.gateway.conftest import open_house, provider
from tests.gateway.wires import (
    CHAT_END,
    CHAT_START,
    COMPLETION,
    chat_request,
    chat_text,
)
from tests.replay.goldens import traces

LITTLE = 12
MUCH = 2_000
BODY = chat_request()
REQUEST = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\nx-a: b\r\n\r\n%b" % (len(BODY), BODY)
)
WHOLE = json.dumps(COMPLETION).encode()
STREAM = b"".join(
    b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (CHAT_START, chat_text("hi"), CHAT_END, b"")
)
ANSWERS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
    % (len(WHOLE), WHOLE),
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + STREAM,
    b'HTTP/1.1 429 No\r\nretry-after: 7\r\ncontent-length: 24\r\n\r\n{"error":{"message":"x"}}',
)
PIECES = [
    b"", b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"\xff", b"\x1b[2J", b"0", b"-1", b"99999999999999999999",
    b"content-length: 3\r\n", b"transfer-encoding: chunked\r\n", b"host: x\r\n", b"\r\n\r\n", b"data: ", b"{",
    b"[" * 500, b"\xe2\x80\xa8", b"HTTP/1.1 100 Continue\r\n\r\n", b"NaN", b"\\ud800",
]  # fmt: skip


def changed(whole: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with pieces put in, or in place of others."""
    change = st.tuples(
        st.integers(0, len(whole)), st.integers(0, 12), st.sampled_from(PIECES) | st.binary(max_size=9)
    )

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        data = whole
        for at, length, piece in changes:
            data = data[:at] + piece + data[at + length :]
        return data

    return st.lists(change, min_size=1, max_size=4).map(apply)


def fuzz(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=examples == LITTLE,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[list[logging.LogRecord]]:
    """Nothing here may be worth a line: strangers could fill a disk with it."""
    yield caplog.records
    assert caplog.records == []


async def request(data: bytes) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, open_house(upstream) as gateway:
        client = await gateway.connect()
        await client.send(data.replace(b"{host}", f"127.0.0.1:{gateway.port}".encode()))
        client._writer.write_eof()
        answer = await client.rest()
        again = await gateway.chat(BODY)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert b"HTTP/1.1 5" not in answer
    assert again.status == 200


async def answer(data: bytes, *, streamed: bool) -> None:
    async with server(says(data)) as port, Upstream(ok_json(COMPLETION)) as good:
        odd = provider("a", f"http://127.0.0.1:{port}", first_byte_timeout_s=2, idle_timeout_s=2)
        async with open_house(odd, provider("b", good.url)) as gateway:
            got = await gateway.chat(chat_request(stream=streamed))
            health = gateway.engine.provider_view("b").health
    failed = b'"error"' in got.body
    assert got.status in (200, 400, 413, 422) or failed
    assert got.whole or failed or streamed
    assert health.consecutive_failures == 0


SIZES = pytest.mark.parametrize("examples", [LITTLE, pytest.param(MUCH, marks=pytest.mark.long)])


@SIZES
@pytest.mark.timeout(600)
@pytest.mark.fault("K22", "P38")
@pytest.mark.usefixtures("log")
def test_no_request_breaks_the_gateway(examples: int) -> None:
    @fuzz(examples)
    @given(changed(REQUEST))
    def run(data: bytes) -> None:
        asyncio.run(request(data))

    run()


@SIZES
@pytest.mark.timeout(600)
@pytest.mark.fault("P34", "P35")
@pytest.mark.usefixtures("log")
def test_no_answer_of_a_provider_breaks_the_gateway(examples: int) -> None:
    @fuzz(examples)
    @given(st.sampled_from(ANSWERS).flatmap(changed), st.booleans())
    def run(data: bytes, streamed: bool) -> None:
        asyncio.run(answer(data, streamed=streamed))

    run()


LINES = [line for trace in traces()[::4] for line in trace.read_bytes().splitlines(keepends=True)]


@SIZES
@pytest.mark.timeout(600)
def test_no_trace_breaks_the_replay(examples: int) -> None:
    @fuzz(examples)
    @given(st.lists(st.sampled_from(LINES).flatmap(changed) | st.sampled_from(LINES), max_size=6))
    def run(lines: list[bytes]) -> None:
        assert (fault := fault_of([LINES[0], *lines])) is None or str(fault).isprintable()

    run()


def fault_of(trace: list[bytes]) -> CrtuiError | None:
    """Why it cannot be replayed to its end, if it cannot."""
    try:
        for _ in Replay(trace, "trace").outputs():
            pass
    except CrtuiError as fault:
        return fault
    return None
