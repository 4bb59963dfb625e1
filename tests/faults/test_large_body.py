"""A body as large as they come, and the streams that run beside it."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import orjson
import pytest

from tests.cli.conftest import Place
from tests.fakes.client import RudeClient
from tests.fakes.upstream import SSE, Exchange, Upstream
from tests.faults.rude import says, server
from tests.gateway.wires import CHAT_END, COMPLETION, chat_request, chat_text

BYTES = 20_000_000
EVERY_S = 0.01
LATE_S = 1.0
"""Some ten times what reading such a body takes, for machines that are slow or busy."""
CONFIG = """
[[provider]]
name = "ticking"
kind = "openai-compatible"
auth = "none"
poll_s = 0
base_url = "http://127.0.0.1:{}"
[[provider]]
name = "reading"
kind = "openai-compatible"
auth = "none"
poll_s = 0
base_url = "http://127.0.0.1:{}"
model = "another"
[[profile]]
name = "default"
chain = ["ticking"]
[[profile]]
name = "large"
chain = ["reading"]
"""


def large_request() -> bytes:
    """A conversation with as many words as an agent's, and then some."""
    message = {"role": "user", "content": 'a "word" and\na line ' * 50}
    return chat_request(messages=[message] * (BYTES // len(orjson.dumps(message))))


@pytest.mark.long
@pytest.mark.fault("L13")
async def test_while_a_body_of_20_mb_is_read_another_stream_is_late_once_and_not_by_much(
    place: Place,
) -> None:
    large, enough, times = large_request(), asyncio.Event(), list[float]()
    answer = orjson.dumps(COMPLETION)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer)

    async def ticking(exchange: Exchange) -> None:
        await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
        while not enough.is_set():
            await exchange.chunk(chat_text("tick"))
            await asyncio.sleep(EVERY_S)
        await exchange.chunk(CHAT_END)
        await exchange.end()

    async with Upstream(ticking) as ticks, server(says(head, answer, after=b"]}"), limit=2 * BYTES) as port:
        with place.serving(place.config(CONFIG.format(ticks.port, port))) as serving:
            here = int(serving.url.rpartition(":")[2])
            watching, asking = await RudeClient.connect(here), await RudeClient.connect(here)
            await watching.ask("POST", "/v1/chat/completions", chat_request(stream=True))
            listening = asyncio.create_task(arrivals(watching, times))
            await asking.ask("POST", "/v1/chat/completions", large, **{"x-crtui-profile": "large"})
            answered = await asking.read()
            enough.set()
            await listening
            for client in (watching, asking):
                client.close()
    assert answered.json == COMPLETION
    assert max(after - before for before, after in pairwise(times)) < LATE_S


async def arrivals(client: RudeClient, times: list[float]) -> None:
    """When pieces of a stream came, until its end."""
    now = asyncio.get_running_loop().time
    while b"[DONE]" not in await client.read_some(b"\n\n"):
        times.append(now())
