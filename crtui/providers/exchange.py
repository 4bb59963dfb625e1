"""One exchange with httpx that leaves nothing behind for the garbage collector."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

_DONE: Final = httpx.ByteStream(b"")


@asynccontextmanager
async def exchange(
    client: httpx.AsyncClient, method: str, url: str, **rest: Any
) -> AsyncGenerator[httpx.Response]:
    """As ``client.stream``. The answer and its stream hold each other; afterwards they no longer do.

    Else both stay, with request, headers and body, until the collector happens on them.
    """
    async with client.stream(method, url, **rest) as response:
        try:
            yield response
        finally:
            await response.aclose()
            response.stream = _DONE
