"""Starting and stopping: a taken port is one clear line, and stopping cuts nobody off early or silently."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest
import uvloop

from crtui.errors import CrtuiError
from crtui.gateway.server import bind
from tests.fakes.upstream import Upstream, cut, ok_json, stall, stream

from .conftest import Open, open_house, until
from .wires import (
    CHAT_END,
    CHAT_START,
    COMPLETION,
    MESSAGE_START,
    chat_request,
    chat_text,
    message_request,
    message_text,
)


@pytest.mark.fault("X15")
def test_a_taken_port_is_one_line_with_the_address_and_the_remedy() -> None:
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(CrtuiError) as told:
            bind("127.0.0.1", port)
    remedy = "stop the other program or use --listen HOST:PORT"
    assert str(told.value) == f"cannot listen on 127.0.0.1:{port}: the port is taken; {remedy}"


@pytest.mark.fault("X15")
def test_an_address_that_is_not_ours_is_told_as_such() -> None:
    with pytest.raises(CrtuiError, match=r"192\.0\.2\.1:4747: this machine has no such address"):
        bind("192.0.2.1", 4747)


def test_a_name_that_does_not_exist_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(CrtuiError, match=r"nowhere\.invalid:4747: no such address"):
        bind("nowhere.invalid", 4747)


@pytest.mark.fault("L18")
async def test_stopping_waits_for_what_runs_and_refuses_what_is_new(house: Open) -> None:
    gate = asyncio.Event()
    async with Upstream(stream(chat_text("Hi"), gate, CHAT_END)) as upstream, house(upstream) as gateway:
        running = await gateway.connect()
        idle = await gateway.connect()
        await idle.ask("GET", "/healthz")
        await idle.read()
        listening = await gateway.connect()
        await listening.ask("GET", "/crtui/v1/events")
        await listening.read_some(b": crtui events\n\n")
        await running.ask("POST", "/v1/chat/completions", chat_request(stream=True))
        await running.read_some(b"Hi")
        stopping = asyncio.create_task(gateway.server.stop(drain_s=20))
        await until(lambda: gateway.engine.draining)
        await idle.ask("POST", "/v1/messages", message_request())
        refused = await idle.read()
        with pytest.raises(ConnectionRefusedError):
            await gateway.connect()
        await listening.rest()
        gate.set()
        rest = await running.read_some(b"0\r\n\r\n")
        await stopping
        end = await gateway.end()
    assert refused.status == 503
    assert refused.header("retry-after") == "1"
    assert refused.json["type"] == "error"
    assert b"[DONE]" in rest
    assert end.ok


@pytest.mark.fault("L18")
async def test_what_still_runs_after_the_drain_ends_with_an_error_and_blames_nobody(house: Open) -> None:
    async with (
        Upstream(cut(MESSAGE_START, message_text("Half"), how="stall")) as first,
        Upstream(stall) as second,
        house(first) as gateway,
    ):
        streaming = await gateway.connect()
        await streaming.ask("POST", "/v1/messages", message_request(stream=True))
        await streaming.read_some(b"Half")
        first.scripts = second.scripts
        waiting = await gateway.connect()
        await waiting.ask("POST", "/v1/messages", message_request())
        await first.request(1)
        await gateway.server.stop(drain_s=0)
        raw = await streaming.rest()
        refused = await waiting.read()
        ends = [await gateway.end(0), await gateway.end(1)]
        health = gateway.engine.provider_view("a").health
    assert b"event: error" in raw
    assert b"the gateway is stopping" in raw
    assert not raw.endswith(b"0\r\n\r\n")
    assert refused.status == 503
    assert [end.error_kind for end in ends] == ["client", "client"]
    assert health.consecutive_failures == 0


def test_it_all_holds_on_uvloop_as_the_program_runs_it() -> None:
    async def run() -> None:
        gate = asyncio.Event()
        scripts = (
            ok_json(COMPLETION),
            stream(CHAT_START, chat_text("hi"), CHAT_END),
            cut(CHAT_START, chat_text("half"), gate, how="reset"),
            stall,
        )
        async with Upstream(*scripts) as upstream, open_house(upstream) as gateway:
            plain = await gateway.chat(chat_request())
            whole = await gateway.chat(chat_request(stream=True))
            client = await gateway.connect()
            await client.ask("POST", "/v1/chat/completions", chat_request(stream=True))
            await client.read_some(b"half")
            gate.set()
            broken = await client.rest()
            leaving = await gateway.connect()
            await leaving.ask("POST", "/v1/chat/completions", chat_request())
            seen = await upstream.request(3)
            leaving.reset()
            await seen.gone.wait()
            end = await gateway.end(3)
        assert plain.status == 200
        assert whole.whole
        assert b'"error"' in broken
        assert not broken.endswith(b"0\r\n\r\n")
        assert end.error_kind == "client"

    uvloop.run(run())


@pytest.mark.fault("K12")
async def test_a_bug_of_ours_is_one_log_line_a_500_and_no_traceback(
    house: Open, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:

        def broken(*_args: object) -> str:
            raise RuntimeError("Bearer sk-secret")

        monkeypatch.setattr(type(gateway.engine.providers["a"]), "url", broken)
        answer = await gateway.chat(chat_request())
        end = await gateway.end()
        monkeypatch.undo()
        again = await gateway.chat(chat_request())
    assert answer.status == 500
    assert answer.json["error"]["message"] == "an internal error of the gateway"
    assert end.error_kind == "client"
    assert again.status == 200
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "RuntimeError in" in caplog.text
    assert "sk-secret" not in caplog.text + str(answer.json)
