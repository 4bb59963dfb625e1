"""Agents in the state of a running gateway, before any request has come."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.agentlogs.logs import claude, write
from tests.cli.conftest import Place

CONFIG = """
[[provider]]
name = "local"
kind = "ollama"
base_url = "http://127.0.0.1:9"
poll_s = 0
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    now = time.time_ns() // 1_000_000
    write(tmp_path / ".claude" / "projects" / "p" / "s.jsonl", [claude("m1", now)])
    return Place(tmp_path)


def agents(place: Place, url: str) -> list[dict[str, object]]:
    return json.loads(place.run("status", "--json", url).stdout)["agents"]


def test_a_gateway_without_traffic_tells_of_the_agents_on_its_machine(place: Place) -> None:
    with place.serving(place.config(CONFIG)) as serving:
        asked = (agents(place, serving.url) for _ in range(30))
        (agent,) = next(found for found in asked if found)

    assert (agent["name"], agent["files"], agent["today_tokens"]) == ("claude", 1, 2450)
    block = agent["block"]
    assert isinstance(block, dict)
    assert (block["output_tokens"], block["estimated"]) == (50, True)


def test_where_it_is_switched_off_no_log_is_read(place: Place) -> None:
    with place.serving(place.config(CONFIG + "[agents]\nlogs = false\n")) as serving:
        assert agents(place, serving.url) == []

    assert not (place.path / "state" / "agents.db").exists()
