"""Questions to a gateway and to the server behind it, and what an answer says."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import httpx

from crtui.core.now import Now
from crtui.core.settings import Wire
from crtui.core.views import ServerView
from crtui.providers.probing import Observation, observe, probe_client
from crtui.providers.provider import Provider
from tests.fakes.client import Answer
from tests.gateway.conftest import House
from tests.providers.bodies import WALL

SYSTEM: Final = {"role": "system", "content": "be brief"}
USER: Final = {"role": "user", "content": "does the gateway work ?"}
WIRES: Final[dict[Wire, tuple[str, dict[str, Any]]]] = {
    "messages": ("/v1/messages", {"max_tokens": 64, "messages": [USER]}),
    "chat": ("/v1/chat/completions", {"messages": [USER]}),
    "responses": ("/v1/responses", {"input": [USER]}),
}


async def ask(gateway: House, wire: Wire, **changes: Any) -> Answer:
    """The usual question, changed in some fields."""
    path, fields = WIRES[wire]
    return await gateway.ask("POST", path, json.dumps({"model": "tiny", **fields, **changes}).encode())


def text_of(wire: Wire, answer: Any) -> str:
    """A whole answer's words."""
    match wire:
        case "messages":
            return answer["content"][0]["text"]
        case "chat":
            return answer["choices"][0]["message"]["content"]
        case "responses":
            return answer["output"][0]["content"][0]["text"]


def streamed_text(wire: Wire, body: bytes) -> str:
    """A stream's words, joined."""
    lines = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: {")]
    events = [json.loads(line) for line in lines]
    match wire:
        case "messages":
            deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
            return "".join(delta["text"] for delta in deltas)
        case "chat":
            deltas = [choice["delta"] for event in events for choice in event["choices"]]
            return "".join(delta.get("content") or "" for delta in deltas)
        case "responses":
            deltas = [event for event in events if event["type"] == "response.output_text.delta"]
            return "".join(event["delta"] for event in deltas)


async def seen_at(provider: Provider, client: httpx.AsyncClient) -> Observation:
    """One poll."""
    return await observe(provider, provider.probes, client, Now(0, WALL), 5, {})


async def busy_while(provider: Provider, body: dict[str, Any]) -> ServerView:
    """What polls tell of a server once it works on a chat request and its cache fills.

    It is asked again for as long as it tells of its work only afterwards, as a busy machine's vLLM does.
    """
    url = f"{provider.base_url}/v1/chat/completions"
    async with probe_client() as client:
        while True:
            work = asyncio.create_task(client.post(url, json=body))
            while not work.done():
                seen = (await seen_at(provider, client)).server
                if seen is not None and seen.running and seen.cache_ratio:
                    work.cancel()
                    await asyncio.wait([work])
                    return seen
