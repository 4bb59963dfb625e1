from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from crtui.clock import SystemClock
from crtui.config.load import config_from_data
from crtui.demo.config import BURN_TOKENS_A_MINUTE, HEADROOM, SAFE_MINUTES, daily_tokens
from crtui.demo.world import DemoWorld
from crtui.providers.provider import build_providers

from .conftest import PatientClock


@pytest.fixture
async def world(clock: PatientClock) -> AsyncIterator[DemoWorld]:
    demo = DemoWorld(clock, seed=1)
    yield demo
    await demo.stop()


async def test_the_config_names_servers_that_answer_with_the_given_keys(world: DemoWorld):
    config: Any = await world.start()
    async with httpx.AsyncClient(trust_env=False) as http:
        for provider in config["provider"]:
            key = world.environ.get(provider.get("api_key_env", ""), "none")
            url = provider["base_url"].removesuffix("/v1") + "/v1/models"
            answer = await http.get(url, headers={"authorization": f"Bearer {key}"})
            assert answer.status_code == 200


async def test_the_config_is_valid_and_every_key_it_names_is_there(world: DemoWorld):
    config = config_from_data(await world.start(), "demo")
    providers, warnings = build_providers(config, world.environ)
    assert len(providers) == 5
    assert warnings == []


async def test_no_secret_stands_in_the_config(world: DemoWorld):
    config = await world.start()
    assert world.environ
    assert all(key not in repr(config) for key in world.environ.values())


@pytest.mark.fault("X24")
async def test_stopping_leaves_no_task_and_no_port_open():
    before = asyncio.all_tasks()
    world = DemoWorld(SystemClock(speed=50), seed=1)
    config: Any = await world.start()
    assert len(asyncio.all_tasks()) > len(before)
    await world.stop()
    assert asyncio.all_tasks() == before
    async with httpx.AsyncClient(trust_env=False) as http:
        for provider in config["provider"]:
            with pytest.raises(httpx.ConnectError):
                await http.get(provider["base_url"])


async def test_the_script_is_followed_by_itself(world: DemoWorld, clock: PatientClock):
    config: Any = await world.start()
    lab = next(provider for provider in config["provider"] if provider["name"] == "vllm-lab")
    port = int(lab["base_url"].rpartition(":")[2])
    await _until_listening(port, True)
    clock.advance(10_000)
    await _until_listening(port, False)
    clock.advance(12_000)
    await _until_listening(port, True)


async def _until_listening(port: int, wanted: bool) -> None:
    async with asyncio.timeout(5):
        while await _listening(port) != wanted:
            pass


async def _listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


def test_the_day_s_budget_is_not_projected_over_while_someone_watches():
    """The core's rule: not before 15 minutes of the day and a tenth of the budget have passed."""
    for minute, passed in itertools.product(range(24 * 60 - SAFE_MINUTES), range(1, SAFE_MINUTES + 1)):
        budget = daily_tokens(minute)
        used = HEADROOM * BURN_TOKENS_A_MINUTE * passed
        projected = used / (minute + passed) * 24 * 60
        assert budget >= 60 * BURN_TOKENS_A_MINUTE
        assert projected < budget * 1.000_001 or used < budget * 0.1 or minute + passed < 15
