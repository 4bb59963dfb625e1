"""The main job, end to end: the official SDKs through ``crtui serve`` to providers that misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.cli.conftest import Place, Serving
from tests.fakes.upstream import Upstream, cut, ok_json, reset, status, stream
from tests.gateway import wires

CALLERS_KEY = "sk-callers-own-0123456789abcdef"
OUR_KEY = "sk-ours-0123456789abcdefghijkl"
PROVIDER = """
[[provider]]
name = "{name}"
kind = "openai-compatible"
base_url = "{url}"
wires = ["messages", "chat"]
auth = "key"
api_key_env = "OUR_KEY"
poll_s = 0
"""


@dataclass
class Desk:
    """An agent's desk: the program serving, and its two SDK clients."""

    place: Place
    serving: Serving

    @property
    def openai(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.serving.url}/v1", api_key=CALLERS_KEY, max_retries=0)

    @property
    def anthropic(self) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(base_url=self.serving.url, api_key=CALLERS_KEY, max_retries=0)

    async def ask(self, wire: str, *, stream: bool = False, **more: Any) -> Any:
        """One request; the raw response for a plain one, the chunks' text for a streamed one."""
        body: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}], **more}
        if wire == "chat":
            async with self.openai as client:
                raw = client.chat.completions.with_raw_response
                return await _read_chat(client, body) if stream else await raw.create(**body)
        async with self.anthropic as client:
            body["max_tokens"] = 64
            raw = client.messages.with_raw_response
            return await _read_messages(client, body) if stream else await raw.create(**body)

    async def state(self) -> dict[str, Any]:
        done = await asyncio.to_thread(self.place.run, "status", "--json", self.serving.url)
        return {row["name"]: row for row in json.loads(done.stdout)["providers"]}

    async def logged(self, *words: str, within: float = 15) -> str:
        return await asyncio.to_thread(self.serving.logged, *words, within=within)


async def _read_chat(client: openai.AsyncOpenAI, body: dict[str, Any]) -> str:
    text = ""
    async for chunk in await client.chat.completions.create(stream=True, **body):
        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
    return text


async def _read_messages(client: anthropic.AsyncAnthropic, body: dict[str, Any]) -> str:
    async with client.messages.stream(**body) as events:
        return "".join([text async for text in events.text_stream])


@pytest.fixture
def open_desk(place: Place) -> Callable[..., Any]:
    @asynccontextmanager
    async def opened(*upstreams: Upstream) -> AsyncIterator[Desk]:
        text = "".join(
            PROVIDER.format(name="ab"[i], url=upstream.url) for i, upstream in enumerate(upstreams)
        )
        with place.serving(place.config(text), OUR_KEY=OUR_KEY) as serving:
            yield Desk(place, serving)

    return opened


def plain(wire: str, **more: Any) -> Any:
    return ok_json({**(wires.COMPLETION if wire == "chat" else wires.MESSAGE), **more})


def streamed(wire: str) -> Any:
    if wire == "chat":
        return stream(wires.CHAT_START, wires.chat_text("Hi "), wires.chat_text("there"), wires.CHAT_END)
    return stream(
        wires.MESSAGE_START, wires.message_text("Hi "), wires.message_text("there"), wires.MESSAGE_END
    )


def broken(wire: str) -> Any:
    if wire == "chat":
        return cut(wires.CHAT_START, wires.chat_text("Hi"), how="reset")
    return cut(wires.MESSAGE_START, wires.message_text("Hi"), how="reset")


BOTH = pytest.mark.parametrize("wire", ["chat", "messages"])
LIMITED = {"error": {"message": "slow down", "type": "rate_limit_error"}}


async def _rate_limited(open_desk: Any, wire: str, wait: int) -> None:
    limited = status(429, LIMITED, ("retry-after", str(wait)))
    async with (
        Upstream(limited, plain(wire)) as a,
        Upstream(plain(wire)) as b,
        open_desk(a, b) as desk,
    ):
        answer = await desk.ask(wire)
        assert answer.headers["x-crtui-provider"] == "b"
        assert answer.headers["x-crtui-attempts"] == "2"
        quota = (await desk.state())["a"]["quota"]
        if wait > 5:
            assert quota["state"] == "quota_exhausted"
            assert quota["source"] == "retry_after"
        exhausted = await desk.logged("quota.exhausted a")
        available = await desk.logged("quota.available a", within=wait + 10)
        assert 0.9 * wait <= _seconds(available) - _seconds(exhausted) <= wait + 1
        answer = await desk.ask(wire)
        assert answer.headers["x-crtui-provider"] == "a"
        assert answer.headers["x-crtui-attempts"] == "1"


def _seconds(line: str) -> float:
    hours, minutes, seconds = line.split("T")[1].split("Z")[0].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


@BOTH
async def test_a_rate_limit_moves_the_request_on_and_the_provider_serves_again_when_it_said(open_desk, wire):
    await _rate_limited(open_desk, wire, wait=2)


@pytest.mark.long
@pytest.mark.timeout(90)
@BOTH
async def test_a_rate_limit_of_20_seconds_lasts_20_seconds(open_desk, wire):
    await _rate_limited(open_desk, wire, wait=20)


@BOTH
async def test_streams_come_through_whole(open_desk, wire):
    async with Upstream(streamed(wire)) as a, open_desk(a) as desk:
        assert await desk.ask(wire, stream=True) == "Hi there"


@BOTH
async def test_a_provider_killed_in_mid_stream_raises_in_the_sdk_and_is_told(open_desk, wire):
    async with Upstream(broken(wire)) as a, open_desk(a) as desk:
        with pytest.raises((openai.APIError, anthropic.APIError, httpx.HTTPError)):
            await desk.ask(wire, stream=True)
        assert "provider" not in await desk.logged("attempt.interrupted a")
        assert (await desk.state())["a"]["health"]["consecutive_failures"] == 1


@BOTH
async def test_with_all_down_one_error_names_each_and_why(open_desk, wire):
    async with (
        Upstream(reset) as a,
        Upstream(status(503, {"error": {"message": "loading model"}})) as b,
        open_desk(a, b) as desk,
    ):
        with pytest.raises((openai.APIStatusError, anthropic.APIStatusError)) as caught:
            await desk.ask(wire)

    assert caught.value.status_code == 502
    assert "a: " in caught.value.message
    assert "b: 503 loading model" in caught.value.message


@BOTH
async def test_a_tool_call_comes_back_as_it_was_made(open_desk, wire):
    if wire == "chat":
        call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        more: dict[str, Any] = {"choices": [choice]}
        tools: Any = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    else:
        block = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": 1}}
        more = {"content": [block], "stop_reason": "tool_use"}
        tools = [{"name": "look", "input_schema": {"type": "object"}}]
    async with Upstream(plain(wire, **more)) as a, open_desk(a) as desk:
        raw = await desk.ask(wire, tools=tools)
        answer = raw.parse() if wire == "chat" else await raw.parse()

    if wire == "chat":
        assert answer.choices[0].message.tool_calls[0].function.arguments == '{"at":1}'
    else:
        assert answer.content[0].input == {"at": 1}


@BOTH
async def test_unknown_fields_arrive_and_the_callers_credential_does_not(open_desk, wire):
    async with Upstream(plain(wire)) as a, open_desk(a) as desk:
        await desk.ask(wire, extra_body={"from_the_future": {"deep": [1, None, "ü"]}})
        seen = await a.request()

    assert seen.json["from_the_future"] == {"deep": [1, None, "ü"]}
    assert CALLERS_KEY not in json.dumps([seen.headers, seen.body.decode()])
    assert OUR_KEY in json.dumps(seen.headers)


async def test_the_callers_own_credential_goes_to_the_provider_that_asks_for_it_and_no_other(place):
    async with Upstream(status(429, LIMITED)) as own, Upstream(plain("messages")) as other:
        text = PROVIDER.format(name="own", url=own.url).replace(
            'auth = "key"\napi_key_env = "OUR_KEY"', 'auth = "client"'
        )
        text += PROVIDER.format(name="other", url=other.url)
        with place.serving(place.config(text), OUR_KEY=OUR_KEY) as serving:
            await Desk(place, serving).ask("messages")
            first, second = await own.request(), await other.request()

    assert CALLERS_KEY in json.dumps(first.headers)
    assert OUR_KEY not in json.dumps(first.headers)
    assert CALLERS_KEY not in json.dumps(second.headers)
