"""One exchange with httpx: what is left of it when it is over."""

from __future__ import annotations

import gc
import weakref

import httpx

from crtui.providers.exchange import exchange
from crtui.providers.probing import probe_client
from tests.fakes.upstream import Upstream, ok_json


async def test_an_exchange_that_is_over_is_gone_without_the_collector() -> None:
    gc.disable()
    try:
        async with Upstream(ok_json({"data": []})) as upstream, probe_client() as client:
            async with exchange(client, "GET", f"{upstream.url}/v1/models") as response:
                assert (await response.aread()) == b'{"data": []}'
            left: weakref.ref[httpx.Response] = weakref.ref(response)
            del response
            assert left() is None
    finally:
        gc.enable()
