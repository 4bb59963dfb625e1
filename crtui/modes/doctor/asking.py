"""Asking one provider over HTTP, with bounds on time and size."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx
import orjson

from crtui.clock import Clock
from crtui.providers.provider import Provider
from crtui.providers.reading import ProbeError

MAX_BODY: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and when: ``wall`` is milliseconds, ``first_ms`` how long its first bytes took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    wall: int
    first_ms: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """The way to one provider. ``ends_at`` is on the event loop's clock and holds for all that is asked."""

    provider: Provider
    client: httpx.AsyncClient
    clock: Clock
    ends_at: float

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Raises ``OSError`` (also for lateness), ``httpx.HTTPError`` or ``ProbeError``."""
        return await self._ask("GET", url, headers, None)

    async def post(self, url: str, headers: Mapping[str, str], body: Mapping[str, object]) -> Answer:
        """As ``get``, with a JSON body."""
        headers = {"content-type": "application/json", **headers}
        return await self._ask("POST", url, headers, orjson.dumps(body))

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        headers = {"accept-encoding": "identity", **headers}
        began = self.clock.now().mono
        async with (
            asyncio.timeout_at(self.ends_at),
            self.client.stream(method, url, headers=headers, content=content) as response,
        ):
            body, first = bytearray(), 0
            async for chunk in response.aiter_raw():
                first = first or max(1, self.clock.now().mono - began)
                body += chunk
                if len(body) > MAX_BODY:
                    raise ProbeError("the answer is larger than 4 MiB")
            wall = self.clock.now().wall
            return Answer(response.status_code, response.headers, bytes(body), wall, first)
