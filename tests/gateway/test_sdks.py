"""The official SDKs work through the gateway: plain, streamed, with tools, and they see broken streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest

from tests.fakes.upstream import Upstream, cut, ok_json, status, stream

from .conftest import House, Open
from .wires import (
    CHAT_END,
    CHAT_START,
    COMPLETION,
    MESSAGE,
    MESSAGE_END,
    MESSAGE_START,
    PING,
    chat_chunk,
    chat_text,
    message_text,
    message_tool,
)

HELLO: list[Any] = [{"role": "user", "content": "hello"}]
MODEL = "claude-sonnet-4-6"


@asynccontextmanager
async def claude(gateway: House) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key="callers-own", max_retries=0) as sdk:
        yield sdk


@asynccontextmanager
async def gpt(gateway: House) -> AsyncIterator[openai.AsyncOpenAI]:
    base_url = f"{gateway.url}/v1"
    async with openai.AsyncOpenAI(base_url=base_url, api_key="callers-own", max_retries=0) as sdk:
        yield sdk


async def test_anthropic_plain(house: Open) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream) as gateway, claude(gateway) as sdk:
        message = await sdk.messages.create(model=MODEL, max_tokens=64, messages=HELLO)
    assert message.content[0].type == "text"
    assert message.content[0].text == "Hi there"
    assert message.usage.output_tokens == 3


async def test_anthropic_streamed_with_a_tool_call(house: Open) -> None:
    pieces = (
        MESSAGE_START,
        PING,
        message_tool("", start=True),
        message_tool('{"path":'),
        message_tool('"/tmp"}'),
        MESSAGE_END,
    )
    async with (
        Upstream(stream(*pieces)) as upstream,
        house(upstream) as gateway,
        claude(gateway) as sdk,
        sdk.messages.stream(model=MODEL, max_tokens=64, messages=HELLO) as streamed,
    ):
        message = await streamed.get_final_message()
        end = await gateway.end()
    tools = [block for block in message.content if block.type == "tool_use"]
    assert [tool.input for tool in tools] == [{"path": "/tmp"}]
    assert upstream.requests[0].json["stream"] is True
    assert end.ok


async def test_openai_plain_with_a_tool_call(house: Open) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    answer = COMPLETION | {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    async with Upstream(ok_json(answer)) as upstream, house(upstream) as gateway, gpt(gateway) as sdk:
        completion = await sdk.chat.completions.create(model="gpt-5", messages=HELLO)
    assert completion.choices[0].message.tool_calls is not None
    assert completion.choices[0].message.tool_calls[0].id == "call_1"


async def test_openai_streamed_with_text_and_a_tool_call(house: Open) -> None:
    start = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": ""}}
    part = {"index": 0, "function": {"arguments": '{"a":1}'}}
    pieces = (
        CHAT_START,
        chat_text("Hi"),
        chat_chunk({"tool_calls": [start]}),
        chat_chunk({"tool_calls": [part]}),
        CHAT_END,
    )
    async with Upstream(stream(*pieces)) as upstream, house(upstream) as gateway, gpt(gateway) as sdk:
        chunks = await sdk.chat.completions.create(model="gpt-5", messages=HELLO, stream=True)
        deltas = [chunk.choices[0].delta async for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == "Hi"
    arguments = [call.function for delta in deltas for call in delta.tool_calls or ()]
    assert "".join(part.arguments or "" for part in arguments if part) == '{"a":1}'


async def test_the_anthropic_sdk_raises_on_a_stream_that_was_cut(house: Open) -> None:
    gate = asyncio.Event()

    async def read(sdk: anthropic.AsyncAnthropic) -> None:
        async with sdk.messages.stream(model=MODEL, max_tokens=64, messages=HELLO) as streamed:
            async for event in streamed:
                if event.type == "text":
                    gate.set()

    script = cut(MESSAGE_START, message_text("Half"), gate, how="clean")
    async with Upstream(script) as upstream, house(upstream) as gateway, claude(gateway) as sdk:
        with pytest.raises(anthropic.APIError, match="a: stream cut before its end"):
            await read(sdk)


async def test_the_openai_sdk_raises_on_a_stream_that_was_cut(house: Open) -> None:
    gate = asyncio.Event()

    async def read(sdk: openai.AsyncOpenAI) -> None:
        async for chunk in await sdk.chat.completions.create(model="gpt-5", messages=HELLO, stream=True):
            if chunk.choices and chunk.choices[0].delta.content:
                gate.set()

    script = cut(CHAT_START, chat_text("Half"), gate, how="clean")
    async with Upstream(script) as upstream, house(upstream) as gateway, gpt(gateway) as sdk:
        with pytest.raises(openai.APIError, match="a: stream cut before its end"):
            await read(sdk)


async def test_both_understand_why_nobody_could_serve(house: Open) -> None:
    async with (
        Upstream(status(429, {"error": {"message": "slow down"}}, ("retry-after", "30"))) as upstream,
        house(upstream) as gateway,
        claude(gateway) as first,
        gpt(gateway) as second,
    ):
        with pytest.raises(anthropic.RateLimitError, match="a: 429 slow down until"):
            await first.messages.create(model=MODEL, max_tokens=64, messages=HELLO)
        with pytest.raises(openai.RateLimitError) as told:
            await second.chat.completions.create(model="gpt-5", messages=HELLO)
    assert told.value.code == "rate_limited"
    assert 1 <= int(told.value.response.headers["retry-after"]) <= 30


async def test_both_list_models(house: Open) -> None:
    async with (
        Upstream(ok_json(MESSAGE)) as upstream,
        house(upstream) as gateway,
        claude(gateway) as first,
        gpt(gateway) as second,
    ):
        assert [model.id async for model in first.models.list()] == []
        assert [model.id async for model in second.models.list()] == []
