"""An error is read even where it comes packed, and something is said where it cannot be."""

from __future__ import annotations

import gzip
import json

import pytest
import zstandard

from tests.fakes.upstream import JSON, Upstream, whole

from .conftest import Open
from .wires import chat_request, message_request

BODY = json.dumps({"error": {"message": "maximum context length is 5 tokens"}}).encode()
PACKED = {"gzip": gzip.compress(BODY, mtime=0), "zstd": zstandard.ZstdCompressor().compress(BODY)}


@pytest.mark.parametrize("coding", PACKED)
async def test_a_packed_one_is_understood(house: Open, coding: str) -> None:
    packed = whole(400, PACKED[coding], JSON, ("content-encoding", coding))
    async with Upstream(packed) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request())
    assert answer.header("content-encoding") is None
    assert answer.json["error"]["code"] == "context_length_exceeded"
    assert answer.json["error"]["message"] == "maximum context length is 5 tokens"


async def test_a_packed_one_is_handed_on_unpacked(house: Open) -> None:
    said = json.dumps({"error": {"message": "tools: bad schema"}}).encode()
    packed = whole(400, gzip.compress(said), JSON, ("content-encoding", "gzip"))
    async with Upstream(packed) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request())
    assert (answer.status, answer.body, answer.header("content-encoding")) == (400, said, None)


@pytest.mark.parametrize(
    ("coding", "body"),
    [("br", b"\x8b\x0f"), ("gzip", b"\x1f\x8b\x08"), ("gzip", gzip.compress(bytes(2**24), mtime=0))],
    ids=["unknown", "cut", "a bomb"],
)
async def test_one_that_cannot_be_read_is_called_that(house: Open, coding: str, body: bytes) -> None:
    packed = whole(400, body, JSON, ("content-encoding", coding))
    async with Upstream(packed) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request())
    assert (answer.status, answer.header("content-encoding")) == (400, None)
    assert answer.json["error"]["message"] == "an error whose body is compressed"


async def test_an_empty_one_is_not_told_as_an_empty_message(house: Open) -> None:
    async with Upstream(whole(400, b"")) as upstream, house(upstream) as gateway:
        answer = await gateway.message(message_request())
        end = await gateway.end()
    assert answer.json["error"]["message"] == end.message == "an error without a message"
