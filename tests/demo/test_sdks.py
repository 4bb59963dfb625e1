"""The official SDKs, which validate strictly what they parse, accept the simulated answers."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest

from .conftest import PARTS, Opener

QUESTION: Any = [{"role": "user", "content": "Why is the build slow?"}]
SCHEMA: Any = {"type": "object", "properties": {"path": {"type": "string"}}}
ANTHROPIC_TOOLS: Any = [{"name": "read_file", "input_schema": SCHEMA}]
OPENAI_TOOLS: Any = [{"type": "function", "function": {"name": "read_file", "parameters": SCHEMA}}]


async def test_the_anthropic_sdk_reads_answers_and_streams(open_provider: Opener):
    provider = await open_provider("claude-max", 0)
    key, model = PARTS["claude-max"].key, PARTS["claude-max"].models[0]
    async with anthropic.AsyncAnthropic(api_key=key, base_url=provider.base_url) as sdk:
        message = await sdk.messages.create(model=model, max_tokens=64, messages=QUESTION)
        assert message.stop_reason == "end_turn"
        assert message.usage.input_tokens > 0
        reasons: set[str | None] = set()
        for _ in range(12):
            stream = sdk.messages.stream(model=model, max_tokens=64, messages=QUESTION, tools=ANTHROPIC_TOOLS)
            async with stream as events:
                final = await events.get_final_message()
            assert final.usage.output_tokens > 1
            assert any(block.type == "tool_use" and block.input for block in final.content) == (
                final.stop_reason == "tool_use"
            )
            reasons.add(final.stop_reason)
        assert reasons == {"tool_use", "end_turn"}
        assert [entry.id async for entry in sdk.models.list()] == list(PARTS["claude-max"].models)


@pytest.mark.parametrize("name", ["openrouter", "vllm-lab", "ollama"])
async def test_the_openai_sdk_reads_answers_and_streams(open_provider: Opener, name: str):
    provider = await open_provider(name, 0)
    part = PARTS[name]
    base_url = provider.base_url.removesuffix("/v1") + "/v1"
    async with openai.AsyncOpenAI(api_key=part.key or "none", base_url=base_url) as sdk:
        answer = await sdk.chat.completions.create(model=part.models[0], messages=QUESTION)
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage is not None
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
        reasons: set[str | None] = set()
        for _ in range(12):
            manager = sdk.chat.completions.stream(
                model=part.models[0],
                messages=QUESTION,
                tools=OPENAI_TOOLS,
                stream_options={"include_usage": True},
            )
            async with manager as stream:
                final = await stream.get_final_completion()
            assert final.usage is not None
            assert bool(final.choices[0].message.tool_calls) == (
                final.choices[0].finish_reason == "tool_calls"
            )
            reasons.add(final.choices[0].finish_reason)
        assert reasons == {"tool_calls", "stop"}
        assert part.models[0] in [entry.id async for entry in sdk.models.list()]


async def test_the_anthropic_sdk_sees_a_rate_limit(open_provider: Opener):
    provider = await open_provider("claude-max", 41)
    async with anthropic.AsyncAnthropic(
        api_key=PARTS["claude-max"].key, base_url=provider.base_url, max_retries=0
    ) as sdk:
        with pytest.raises(anthropic.RateLimitError):
            await sdk.messages.create(model="claude-sonnet-4-6", max_tokens=64, messages=QUESTION)


async def test_the_anthropic_sdk_sees_a_cut_stream(open_provider: Opener):
    provider = await open_provider("anthropic-api", 50)
    key, model = PARTS["anthropic-api"].key, PARTS["anthropic-api"].models[0]
    async with anthropic.AsyncAnthropic(api_key=key, base_url=provider.base_url, max_retries=0) as sdk:
        stream = sdk.messages.stream(model=model, max_tokens=64, messages=QUESTION)
        async with stream as events:
            with pytest.raises(Exception, match=r"peer closed connection|ReadError|[Cc]onnection error"):
                await events.get_final_message()
