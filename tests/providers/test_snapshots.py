"""Each kind, old and new: what a scripted server answers, and what the snapshot then tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from crtui.clock import ManualClock
from crtui.config.model import Config
from crtui.core.encode import snapshot_from_json, snapshot_json
from crtui.engine.engine import Engine
from crtui.engine.poller import Poller
from crtui.providers.machine import Machine
from crtui.providers.probing import Observation, observe, probe_client
from crtui.providers.provider import build_providers
from tests.fakes.upstream import Exchange, Script, Upstream, ok_json, status, whole
from tests.providers import bodies
from tests.providers.bodies import GIB

NOT_FOUND = status(404, {"error": "not found"})
NO_WINDOWS: list[dict[str, Any]] = []


@dataclass(frozen=True)
class Case:
    """A server's answers by path, and the row they make. A model: loaded, context, VRAM, disk, abilities."""

    kind: str
    age: str
    answers: Mapping[str, Script]
    models: dict[str, tuple[Any, ...]]
    server: dict[str, Any] | None = None
    windows: list[dict[str, Any]] = field(default_factory=list)


def text(page: bytes) -> Script:
    return whole(200, page, ("content-type", "text/plain; version=0.0.4"))


def told(**known: Any) -> dict[str, Any]:
    """A server's facts; what is not given is unknown."""
    return dict.fromkeys(("version", "running", "waiting", "slots", "cache_ratio", "asleep")) | known


CASES = [
    Case(
        "anthropic",
        "old",
        {"/v1/models?limit=1000": ok_json(bodies.ANTHROPIC_OLD)},
        {"claude-haiku-4-5": (None, None, None, None, None)},
    ),
    Case(
        "anthropic",
        "new",
        {"/v1/models?limit=1000": ok_json(bodies.ANTHROPIC_NEW)},
        {"claude-sonnet-4-6": (None, 200_000, None, None, ["vision", "thinking"])},
    ),
    Case(
        "openai",
        "only",
        {"/v1/models": ok_json(bodies.OPENAI_LIST)},
        {"gpt-5.6": (None, None, None, None, None)},
    ),
    Case(
        "openrouter",
        "only",
        {"/api/v1/key": ok_json(bodies.OPENROUTER_KEY), "/api/v1/models": ok_json(bodies.OPENROUTER_MODELS)},
        {"qwen/qwen3-coder:free": (None, 131_072, None, None, ["vision", "tools", "thinking"])},
        windows=[
            {"name": "credit", "used_percent": 25.5, "remaining": 74.5, "limit": 100.0, "source": "poll"}
        ],
    ),
    Case(
        "gemini",
        "only",
        {"/v1beta/models?pageSize=1000": ok_json(bodies.GEMINI)},
        {
            "gemini-3-pro": (None, 1_048_576, None, None, ["thinking"]),
            "gemini-embedding-001": (None, 2048, None, None, ["embedding"]),
        },
    ),
    Case(
        "ollama",
        "old",
        {
            "/api/tags": ok_json(bodies.OLLAMA_TAGS_OLD),
            "/api/ps": ok_json(bodies.OLLAMA_PS_OLD),
            "/api/version": ok_json({"version": "0.5.1"}),
            "/api/show": ok_json(bodies.OLLAMA_SHOW_OLD),
        },
        {"qwen3:4b": (True, 8192, 5_333_539_264, 2_620_788_260, None)},
        told(version="0.5.1"),
    ),
    Case(
        "ollama",
        "new",
        {
            "/api/tags": ok_json(bodies.OLLAMA_TAGS_NEW),
            "/api/ps": ok_json(bodies.OLLAMA_PS_NEW),
            "/api/version": ok_json({"version": "0.14.2"}),
            "/api/show": ok_json(bodies.OLLAMA_SHOW_NEW),
        },
        {
            "qwen3:4b": (True, 4096, 5_333_539_264, 2_620_788_260, ["tools", "thinking"]),
            "gpt-oss:120b-cloud": (False, None, None, None, ["tools", "thinking"]),
        },
        told(version="0.14.2"),
    ),
    Case(
        "lmstudio",
        "0.3",
        {
            "/v1/models": ok_json(bodies.LMSTUDIO_LIST),
            "/api/v0/models": ok_json(bodies.LMSTUDIO_V0),
            "/api/v1/models": ok_json(bodies.LMSTUDIO_UNEXPECTED),
        },
        {
            "qwen/qwen3.5-9b": (True, 4096, None, None, ["vision"]),
            "nomic": (False, 2048, None, None, ["embedding"]),
        },
    ),
    Case(
        "lmstudio",
        "0.4",
        {
            "/v1/models": ok_json(bodies.LMSTUDIO_LIST),
            "/api/v0/models": ok_json(bodies.LMSTUDIO_UNEXPECTED),
            "/api/v1/models": ok_json(bodies.LMSTUDIO_V1),
        },
        {
            "qwen/qwen3.5-9b": (True, 4096, None, 6_548_927_017, ["vision", "tools"]),
            "nomic": (False, 2048, None, 84_106_624, ["embedding"]),
        },
    ),
    Case(
        "lmstudio",
        "before 0.3.6",
        {"/v1/models": ok_json(bodies.LMSTUDIO_LIST)},
        {"qwen/qwen3.5-9b": (None, None, None, None, None), "nomic": (None, None, None, None, None)},
    ),
    Case(
        "llamacpp",
        "old",
        {
            "/health": ok_json({"status": "ok"}),
            "/v1/models": ok_json(bodies.LLAMACPP_LIST_OLD),
            "/metrics": text(bodies.LLAMACPP_METRICS_OLD),
            "/props": ok_json(bodies.LLAMACPP_PROPS_OLD),
            "/slots": ok_json(bodies.LLAMACPP_SLOTS_OLD),
        },
        {"/models/qwen3-4b.gguf": (True, 8192, None, 2_497_280_256, None)},
        told(version="b5200-abcdef0", running=1, waiting=3, slots=2, cache_ratio=0.25),
    ),
    Case(
        "llamacpp",
        "new",
        {
            "/health": ok_json({"status": "ok"}),
            "/v1/models": ok_json(bodies.LLAMACPP_LIST_NEW),
            "/metrics": status(501, bodies.LLAMACPP_UNSUPPORTED),
            "/props": ok_json(bodies.LLAMACPP_PROPS_NEW),
            "/slots": ok_json(bodies.LLAMACPP_SLOTS_NEW),
        },
        {"tiny": (True, 2048, None, 43_648, ["vision", "tools"])},
        told(version="b9100-1234567", running=1, slots=2, cache_ratio=0.25, asleep=False),
    ),
    Case(
        "vllm",
        "old",
        {
            "/health": whole(200, b""),
            "/v1/models": ok_json(bodies.VLLM_LIST),
            "/metrics": text(bodies.VLLM_METRICS_OLD),
        },
        {"Qwen/Qwen3-8B": (True, 32_768, None, None, None)},
        told(running=1, waiting=0, cache_ratio=0.125),
    ),
    Case(
        "vllm",
        "new",
        {
            "/health": whole(200, b""),
            "/v1/models": ok_json(bodies.VLLM_LIST),
            "/metrics": text(bodies.VLLM_METRICS_NEW),
            "/version": ok_json({"version": "0.11.0"}),
        },
        {"Qwen/Qwen3-8B": (True, 32_768, None, None, None)},
        told(version="0.11.0", running=5, waiting=1, cache_ratio=0.8125),
    ),
    Case(
        "openai-compatible",
        "only",
        {"/v1/models": ok_json({"data": [{"id": "m", "context_length": 65_536}]})},
        {"m": (None, 65_536, None, None, None)},
    ),
]


class Place:
    """One provider on a scripted server, its engine, and polls as the poller makes them."""

    def __init__(self, upstream: Upstream, kind: str) -> None:
        keyed = kind in ("anthropic", "openai", "openrouter", "gemini")
        table = {"name": "p", "kind": kind, "base_url": upstream.url, "poll_s": 0}
        config = Config.model_validate({"provider": [table | ({"api_key_env": "K"} if keyed else {})]})
        self.clock = ManualClock(wall=bodies.WALL)
        self.providers = build_providers(config, {"K": "sk-canary-0123456789"})[0]
        self.engine = Engine(config.to_core(), self.providers, self.clock, url="")

    async def poll(self) -> None:
        given = self.providers["p"]
        self.clock.advance(30_000)
        async with probe_client() as client:
            self.engine.observe(await observe(given, given.probes, client, self.clock.now(), 5, {}))

    @property
    def state(self) -> dict[str, Any]:
        return snapshot_json(self.engine.snapshot())

    @property
    def row(self) -> dict[str, Any]:
        return self.state["providers"][0]


def serving(answers: Mapping[str, Script]) -> Script:
    async def script(exchange: Exchange) -> None:
        await answers.get(exchange.seen.target, NOT_FOUND)(exchange)

    return script


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.age}")
async def test_a_kind_s_answers_become_models_load_and_windows_in_the_snapshot(case: Case) -> None:
    async with Upstream(serving(case.answers)) as upstream:
        place = Place(upstream, case.kind)
        await place.poll()
    row = place.row
    assert snapshot_json(snapshot_from_json(json.loads(json.dumps(place.state)))) == place.state
    columns = ("loaded", "context", "vram_bytes", "size_bytes", "capabilities")
    assert {model["name"]: tuple(model[key] for key in columns) for model in row["models"]} == case.models
    assert row["server"] == case.server
    shown = [{key: window[key] for key in case.windows[0]} for window in row["quota"]["windows"]]
    assert shown == case.windows if case.windows else row["quota"]["windows"] == NO_WINDOWS
    assert row["signal"]["status"] == "available"
    assert row["memory"]["used_bytes"] is None
    assert "poll.failed" not in [event.kind for event in place.engine.events_since(0)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.age}")
async def test_when_a_kind_stops_answering_its_models_stay_its_load_is_unknown_and_why_is_told(
    case: Case,
) -> None:
    async with Upstream(serving(case.answers)) as upstream:
        place = Place(upstream, case.kind)
        await place.poll()
        upstream.scripts = [status(503, {"error": {"message": "Loading model"}})]
        await place.poll()
    row, [*_, failed] = place.row, place.engine.events_since(0)
    assert [model["name"] for model in row["models"]] == list(case.models)
    assert row["server"] is None
    assert row["signal"]["status"] == "degraded"
    failures = [event for event in place.engine.events_since(0) if event.kind == "poll.failed"]
    assert [event.data["error"] for event in failures] == ["HTTP 503: Loading model"]
    assert "canary" not in str(row) + str(failed)


async def test_this_machine_s_memory_is_that_of_a_local_server_which_does_not_tell_its_own() -> None:
    answers = {"/api/tags": ok_json({"models": []})}
    async with Upstream(serving(answers)) as upstream, probe_client() as client:
        place = Place(upstream, "ollama")
        polls: asyncio.Queue[Observation] = asyncio.Queue()
        poller = Poller(place.providers, polls.put_nowait, place.clock, client, 1, Machine())
        poller.kick("p")
        task = asyncio.create_task(poller.run())
        place.engine.observe(await polls.get())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    memory = place.row["memory"]
    assert 0 < memory["used_bytes"] < memory["total_bytes"]
    assert memory["ratio"] == pytest.approx(memory["used_bytes"] / memory["total_bytes"], abs=1e-3)
    assert memory["total_bytes"] > GIB // 4
