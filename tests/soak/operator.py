"""Somebody who now and then turns a key: without it, providers that are limited again and again stay out."""

from __future__ import annotations

import asyncio

import httpx

from tests.cli.conftest import Place

RESET_S = 20.0
ORDERS = ("providers/p1/demote", "providers/p2/drain", "reset", "providers/p3/pin", "reset")


async def orders(url: str, place: Place, seconds: float) -> None:
    """One order after the other, all of them in the time or every twenty seconds."""
    token = (place.path / "state" / "token").read_text().strip()
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{url}/crtui/v1/", headers=headers) as client:
        while True:
            for order in ORDERS:
                await asyncio.sleep(min(RESET_S, seconds / len(ORDERS)))
                (await client.post(order, json={})).raise_for_status()
