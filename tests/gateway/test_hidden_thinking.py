"""A model that thinks out of sight has answered: the first content's deadline is no longer its own."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.fakes.upstream import Upstream, cut, stream
from tests.wire.answers import COMPLETED, CREATED, ITEM_DONE, OUTPUT_TEXT, event

from .conftest import Open, provider
from .wires import MESSAGE_END, MESSAGE_START, PING, message_request, message_text

BLOCK = {"type": "thinking", "thinking": "", "signature": ""}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": []}
HELLO = (MESSAGE_START, message_text("Hi"), MESSAGE_END)
WIRES = {
    "messages": (
        "/v1/messages",
        message_request(stream=True, thinking={"type": "adaptive", "display": "omitted"}),
        (MESSAGE_START, event({"type": "content_block_start", "index": 0, "content_block": BLOCK})),
        PING,
        HELLO,
    ),
    "responses": (
        "/v1/responses",
        json.dumps({"model": "gpt-5", "input": "hi", "stream": True}).encode(),
        (CREATED, event({"type": "response.output_item.added", "output_index": 0, "item": REASONING})),
        event({"type": "keepalive", "sequence_number": 3}),
        (OUTPUT_TEXT, ITEM_DONE, COMPLETED),
    ),
}


@pytest.mark.parametrize("wire", WIRES)
async def test_it_is_waited_for_beyond_the_first_deadline(house: Open, wire: str) -> None:
    path, body, begun, ping, said = WIRES[wire]
    gate = asyncio.Event()
    async with Upstream(stream(*begun, ping, gate, *said)) as first, Upstream(stream(*said)) as second:
        thinker = provider("a", first.url, wires=(wire,), first_byte_timeout_s=0.05)
        async with house(thinker, provider("b", second.url, wires=(wire,))) as gateway:
            asyncio.get_running_loop().call_later(0.2, gate.set)
            answer = await gateway.ask("POST", path, body)
            end = await gateway.end()
    assert answer.header("x-crtui-provider") == "a"
    assert answer.body == b"".join((*begun, ping, *said))
    assert (end.ok, second.requests) == (True, [])


@pytest.mark.parametrize("wire", WIRES)
async def test_one_that_says_nothing_more_is_left_for_the_next_provider(house: Open, wire: str) -> None:
    path, body, begun, _, said = WIRES[wire]
    async with Upstream(cut(*begun, how="stall")) as first, Upstream(stream(*said)) as second:
        stuck = provider("a", first.url, wires=(wire,), idle_timeout_s=0.05)
        async with house(stuck, provider("b", second.url, wires=(wire,))) as gateway:
            answer = await gateway.ask("POST", path, body)
            end = await gateway.end()
    assert (answer.header("x-crtui-provider"), answer.body) == ("b", b"".join(said))
    assert (end.error_kind, end.message, end.midstream) == ("timeout", "stalled for 0.05 s", False)


@pytest.mark.parametrize("wire", WIRES)
async def test_a_stream_that_has_only_begun_is_no_thinking(house: Open, wire: str) -> None:
    path, body, begun, ping, said = WIRES[wire]
    async with Upstream(cut(begun[0], ping, how="stall")) as first, Upstream(stream(*said)) as second:
        silent = provider("a", first.url, wires=(wire,), first_byte_timeout_s=0.05)
        async with house(silent, provider("b", second.url, wires=(wire,))) as gateway:
            answer = await gateway.ask("POST", path, body)
            end = await gateway.end()
    assert answer.header("x-crtui-provider") == "b"
    assert end.message == "no answer within 0.05 s"
