"""Embeddings are passed on like a chat request: same bytes, failover, usage."""

from __future__ import annotations

import json

import openai

from crtui.core.inputs import Usage
from tests.fakes.upstream import Upstream, ok_json, status

from .conftest import Open, provider

LIST = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.5]}],
    "model": "embed",
    "usage": {"prompt_tokens": 7, "total_tokens": 7},
}
BODY = json.dumps({"model": "embed", "input": ["hello"], "encoding_format": "float"}).encode()


async def test_the_next_provider_answers_when_the_first_fails(house: Open) -> None:
    async with (
        Upstream(status(503, {})) as first,
        Upstream(ok_json(LIST)) as second,
        house(first, second) as gateway,
    ):
        answer = await gateway.ask("POST", "/v1/embeddings", BODY)
        end = await gateway.end(1)
    assert (answer.json, answer.header("x-crtui-provider")) == (LIST, "b")
    assert (second.requests[0].target, second.requests[0].body) == ("/v1/embeddings", BODY)
    assert (end.ok, end.wire, end.usage) == (True, "chat", Usage(7))


async def test_only_those_that_speak_chat_are_asked(house: Open) -> None:
    async with house(provider("a", "http://127.0.0.1:9", wires=("messages",))) as gateway:
        answer = await gateway.ask("POST", "/v1/embeddings", BODY)
    assert answer.status == 503


async def test_openais_library_reads_them(house: Open) -> None:
    async with (
        Upstream(ok_json(LIST)) as upstream,
        house(upstream) as gateway,
        openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="k", max_retries=0) as sdk,
    ):
        told = await sdk.embeddings.create(model="embed", input="hello", encoding_format="float")
    assert told.data[0].embedding == [0.5, -0.5]
