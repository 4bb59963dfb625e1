"""A live engine with its journal, on a clock and a keeper that the test turns by hand."""

from __future__ import annotations

import contextlib
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from crtui.clock import ManualClock
from crtui.config.load import config_from_data
from crtui.core.encode import snapshot_json
from crtui.core.inputs import Attempt, Command, Usage
from crtui.core.plan import Ask, Content
from crtui.engine.database import open_reader
from crtui.engine.engine import Engine
from crtui.engine.export import trace_lines
from crtui.engine.history import newest_point, point_before
from crtui.engine.notices import Notices
from crtui.engine.recorder import TraceRecorder
from crtui.engine.retention import Retention
from crtui.engine.run import begin_run
from crtui.engine.state_dir import StateDir
from crtui.providers.provider import build_providers
from crtui.replay.run import Replay

PROVIDER: dict[str, object] = {
    "kind": "openai-compatible",
    "base_url": "http://127.0.0.1:9/v1",
    "auth": "none",
    "poll_s": 0,
    "threshold": 2,
    "recovery_s": 10.0,
}


def config_data(*names: str, **rest: object) -> dict[str, object]:
    return {"provider": [{"name": name, **PROVIDER} for name in names], **rest}


class Live:
    """One run after another on the same state directory."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.folder = folder
        self.clock = clock
        self.requests = 0

    def start(
        self,
        data: dict[str, object] | None = None,
        retention: Retention | None = None,
        trace: Path | None = None,
    ) -> None:
        config = config_from_data(data or config_data("a", "b"), "test")
        self.notices = Notices()
        settings = config.to_core()
        run = begin_run(
            StateDir(self.folder), settings, config.to_data(), self.clock, self.notices, retention=retention
        )
        self.journal, self.writer = run.journal, run.writer
        self.recorder = None
        if trace is not None:
            self.recorder = TraceRecorder(trace, config.to_data(), 0, self.notices)
            self.recorder.begin(run.state, run.events, run.now)
        providers, _ = build_providers(config, {})
        self.engine = Engine(
            settings, providers, self.clock, url="", record=self.recorder, run=run, notices=self.notices
        )

    def turn(self) -> None:
        assert self.writer is not None
        self.writer.turn()

    def stop(self) -> None:
        self.engine.close()
        assert self.writer is not None
        self.writer.close()

    def kill(self) -> None:
        """What a kill -9 leaves: nothing is written any more, and the kernel lifts the lock."""
        assert self.writer is not None
        self.writer._store.close()

    def ask(self, **ask: Any) -> str:
        """Plan a request and begin it at the first of its order; the provider's name."""
        self.requests += 1
        self.engine.opened()
        plan = self.engine.route(Ask("chat", f"r{self.requests}", **ask))
        self.ticket = self.engine.begin(plan.order[0], plan.profile, last_resort=plan.last_resort)
        self.profile = plan.profile
        return plan.order[0]

    def answer(self, provider: str, ok: bool = True, **attempt: Any) -> None:
        known = {"usage": Usage(100, 20), "latency_ms": 700, "status": 200} if ok else {"status": 500}
        self.engine.end(
            Attempt(provider, ok, **{"ticket": self.ticket, "profile": self.profile, **known, **attempt})
        )
        self.engine.closed()

    def serve(self, count: int = 1, **attempt: Any) -> None:
        for _ in range(count):
            self.clock.advance(37)
            provider = self.ask(model="m", session=f"s{self.requests % 3}")
            self.clock.advance(211)
            self.answer(provider, **attempt)

    def order(self, command: str, provider: str = "", **rest: Any) -> None:
        self.engine.command(Command(command, provider, **rest))  # type: ignore[arg-type]

    def shown(self) -> dict[str, Any]:
        """The state as the gateway would tell it, as far as its inputs tell it."""
        return core_part(snapshot_json(self.engine.snapshot()))

    @property
    def path(self) -> Path:
        return self.folder / "journal.db"

    def exported(self, wall: int | None = None, upto: int | None = None) -> list[bytes]:
        with contextlib.closing(open_reader(self.path)) as db:
            newest = newest_point(db)
            assert newest is not None
            point = point_before(db, newest.segment, wall)
            assert point is not None
            return list(trace_lines(db, point, upto))

    def replayed(self, wall: int | None = None) -> dict[str, Any]:
        """The final state of the journal's replay, moved on to this moment."""
        return replayed(self.exported(wall, self.clock.now().wall))


def replayed(lines: list[bytes]) -> dict[str, Any]:
    run = Replay(lines, "trace")
    for _ in run.outputs():
        pass
    return core_part(orjson.loads(orjson.dumps(snapshot_json(run.state()))))


OF_GATEWAY = ("version", "in_flight", "requests", "allow_paid", "default_profile")
"""What inputs tell of it: not where it listens, and what else is amiss."""


def core_part(state: dict[str, Any]) -> dict[str, Any]:
    """What the core is answerable for: no forecast or agents, and nothing polls told for show only."""
    kept = orjson.loads(orjson.dumps({k: v for k, v in state.items() if k not in ("forecast", "agents")}))
    kept["gateway"] = {key: kept["gateway"][key] for key in OF_GATEWAY}
    for row in kept["providers"]:
        row |= {"server": None, "declared": None, "pulls": []}
        row["models"] = [model | {"size_bytes": None, "capabilities": None} for model in row["models"]]
    return kept


@pytest.fixture
def small_files():
    """Turn the largest size a file may have down, as a full disk does, and back up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(
        resource.RLIMIT_FSIZE, (before[0] if size is None else size, before[1])
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, old)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(mono=123_456_789)


@pytest.fixture
def live(tmp_path: Path, clock: ManualClock) -> Iterator[Live]:
    live = Live(tmp_path / "state", clock)
    yield live
    if getattr(live, "writer", None) is not None:
        live.kill()


TEXT = Content(latest_text="please review ```x = 1```", chars=4_000)
