"""One request of a simulated agent, and what became of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import httpx

from crtui.demo.dialogue import Dialogue, Heard, Json
from crtui.providers.exchange import exchange
from crtui.wire.jsonview import as_object

TIMEOUT: Final = httpx.Timeout(120, connect=5)
DEFAULT_RETRY_AFTER_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Failed:
    """No whole answer. ``retry_after_s`` is what the gateway told, or None."""

    retry_after_s: float | None = None


async def ask(
    http: httpx.AsyncClient,
    dialogue: Dialogue,
    body: Json,
    headers: dict[str, str],
    leave_after: int | None = None,
) -> Heard | Failed | None:
    """Send ``body`` and read the answer to its end; never raises for what a server or network does.

    ``leave_after``: hang up after that many events of a stream, as a user who presses escape does;
    None is returned then.
    """
    try:
        async with exchange(http, "POST", dialogue.path, json=body, headers=headers) as response:
            if response.status_code != 200:
                await response.aread()
                return Failed(_retry_after(response.headers.get("retry-after")))
            if not body.get("stream"):
                heard = dialogue.hear_answer(as_object(json.loads(await response.aread())))
                return heard if heard.whole else Failed()
            return await _read_stream(response, dialogue, leave_after)
    except (httpx.HTTPError, ValueError):
        return Failed()


async def _read_stream(
    response: httpx.Response, dialogue: Dialogue, leave_after: int | None
) -> Heard | Failed | None:
    heard, events = Heard(), 0
    async for event in _events(response):
        dialogue.hear(heard, event)
        events += 1
        if events == leave_after:
            return None
    return heard if heard.whole else Failed()


async def _events(response: httpx.Response) -> AsyncIterator[Json]:
    async for line in response.aiter_lines():
        data = line.removeprefix("data: ")
        if data != line and data != "[DONE]":
            yield as_object(json.loads(data))


def _retry_after(value: str | None) -> float | None:
    try:
        return None if value is None else max(0.0, float(value))
    except ValueError:
        return DEFAULT_RETRY_AFTER_S
