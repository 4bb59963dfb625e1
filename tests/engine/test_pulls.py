"""Fetching models from scripted Ollama servers over real connections, up to the snapshot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from crtui.clock import ManualClock, SystemClock
from crtui.config.model import Config
from crtui.core.inputs import Command
from crtui.core.now import Now
from crtui.core.views import DeclaredView, PullView
from crtui.engine.engine import Engine
from crtui.engine.pull_queue import FIRST_RETRY_MS
from crtui.engine.pull_store import PullStore, Wishes
from crtui.engine.puller import Puller
from crtui.providers.probing import observe, probe_client
from crtui.providers.provider import build_providers
from tests.fakes.upstream import Exchange, Script, Upstream, ok_json, reset, stall, status

A = "sha256:aaaaaaaaaaaa1111"


def line(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


MANIFEST = line(status="pulling manifest")
HALF = line(status="pulling aaaaaaaaaaaa", digest=A, total=1000, completed=500)
WHOLE = line(status="pulling aaaaaaaaaaaa", digest=A, total=1000, completed=1000)
SUCCESS = line(status="verifying sha256 digest") + line(status="success")


def pulling(*pieces: bytes | asyncio.Event) -> Script:
    """A 200 of lines; an event is waited for."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(200, ("content-type", "application/x-ndjson"), ("transfer-encoding", "chunked"))
        for piece in pieces:
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            else:
                await exchange.chunk(piece)
        await exchange.end()

    return script


def hangs(*pieces: bytes) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.head(200, ("transfer-encoding", "chunked"))
        for piece in pieces:
            await exchange.chunk(piece)
        await exchange.stall()

    return script


class Ollama:
    """A server whose models on disk the test sets; each pull takes the next of its scripts."""

    def __init__(self, *pulls: Script, models: tuple[str, ...] = ()) -> None:
        self.models = list(models)
        self.pulls = list(pulls)
        self.asked: list[str] = []
        self.others: list[str] = []
        self.upstream = Upstream(self._answer)

    async def _answer(self, exchange: Exchange) -> None:
        target = exchange.seen.target
        if target == "/api/pull":
            self.asked.append(exchange.seen.json["model"])
            script = self.pulls.pop(0) if len(self.pulls) > 1 else self.pulls[0]
        else:
            self.others.append(f"{exchange.seen.method} {target}")
            rows = [{"name": name} for name in self.models]
            script = ok_json({"models": rows}) if target == "/api/tags" else status(404, {})
        await script(exchange)


class House:
    """An engine, its puller, and what it told; ``poll`` is one poll of a provider."""

    def __init__(self, servers: dict[str, Ollama], folder: Path | None, clock: SystemClock, **table: object):
        tables = [
            {"name": name, "kind": "ollama", "base_url": server.upstream.url, "poll_s": 0} | table
            for name, server in servers.items()
        ]
        config = Config.model_validate({"provider": tables})
        self.clock = clock
        self.providers = build_providers(config, {})[0]
        self.engine = Engine(config.to_core(), self.providers, clock, url="")
        store = None if folder is None else PullStore(folder)
        self.puller = Puller(self.providers, self.engine.inventory, clock, self.engine.pulled, store)
        self.engine.listen_for_orders(self.puller.obey)
        self.looked_again: list[str] = []
        self.puller.look_again = self.looked_again.append

    def ask(self, provider: str = "o", model: str = "", command: str = "pull") -> None:
        self.engine.command(Command(command, provider, model=model))  # type: ignore[arg-type]

    async def poll(self, provider: str = "o", at: Now | None = None) -> None:
        given = self.providers[provider]
        async with probe_client() as client:
            seen = await observe(given, given.probes, client, at or self.clock.now(), 5, {})
        self.engine.observe(seen)
        self.puller.saw(seen)

    async def until(self, told: Callable[[], bool]) -> None:
        """Wait until that holds; it is looked at whenever an event or progress is there."""
        while not told():  # noqa: ASYNC110 - progress has no event
            await asyncio.sleep(0)

    def told(self, provider: str = "o") -> list[str]:
        """The pull events of a provider, oldest first."""
        return [
            f"{event.data['status']} {event.data['model']}"
            for event in self.engine.events_since(0)
            if event.kind == "model.pull" and event.provider == provider
        ]

    def pulls(self, provider: str = "o") -> tuple[PullView, ...]:
        return self.engine.provider_view(provider).pulls

    def declared(self, provider: str = "o") -> DeclaredView | None:
        return self.engine.provider_view(provider).declared


@asynccontextmanager
async def living(
    servers: dict[str, Ollama] | Ollama,
    folder: Path | None = None,
    clock: SystemClock | None = None,
    **table: object,
) -> AsyncIterator[House]:
    given = {"o": servers} if isinstance(servers, Ollama) else servers
    house = House(given, folder, clock or SystemClock(), **table)
    task = asyncio.create_task(house.puller.run())
    try:
        yield house
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        house.puller.close()


async def test_a_missing_declared_model_is_listed_and_fetched_only_when_asked_for() -> None:
    server = Ollama(pulling(MANIFEST, HALF, WHOLE, SUCCESS), models=("mine:1b",))
    async with server.upstream, living(server, declare_models=["qwen3:4b", "mine:1b"]) as house:
        assert house.declared() == DeclaredView(("qwen3:4b", "mine:1b"))
        await house.poll()
        declared = house.declared()
        assert declared is not None
        assert (declared.missing, declared.extra, declared.error) == (("qwen3:4b",), (), "")
        assert server.asked == []
        house.ask()
        await house.until(lambda: house.told() == ["queued qwen3:4b", "started qwen3:4b", "done qwen3:4b"])
        declared = house.declared()
        assert declared is not None
        assert declared.missing == ()
        assert house.pulls() == ()
        assert house.looked_again == ["o"]
    assert server.asked == ["qwen3:4b"]
    assert not any(other.startswith("DELETE") for other in server.others)


async def test_with_pull_a_missing_model_is_fetched_without_being_asked_for() -> None:
    server = Ollama(pulling(SUCCESS), models=("llama3:latest",))
    async with server.upstream, living(server, declare_models=["llama3", "phi4"], pull=True) as house:
        await house.poll()
        await house.until(lambda: "done phi4" in house.told())
    assert server.asked == ["phi4"]


async def test_progress_is_in_the_row_layer_by_layer_while_it_runs() -> None:
    release = asyncio.Event()
    server = Ollama(pulling(MANIFEST, HALF, release, SUCCESS))
    async with server.upstream, living(server) as house:
        before = house.engine.version
        house.ask(model="m")
        await house.until(lambda: bool(house.pulls() and house.pulls()[0].layers))
        [shown] = house.engine.snapshot().providers[0].pulls
        assert (shown.model, shown.state, shown.asked) == ("m", "pulling", True)
        assert (shown.completed_bytes, shown.total_bytes) == (500, 1000)
        assert [(layer.name, layer.completed_bytes) for layer in shown.layers] == [("aaaaaaaaaaaa", 500)]
        assert house.engine.version != before
        release.set()
        await house.until(lambda: house.pulls() == ())


async def test_a_failing_layer_inside_a_200_is_a_failure_and_is_tried_again_later() -> None:
    clock = Stepping()
    broken = pulling(MANIFEST, HALF, line(error="digest mismatch, file must be downloaded again"))
    server = Ollama(broken, pulling(WHOLE, SUCCESS))
    async with server.upstream, living(server, clock=clock) as house:
        house.ask(model="m")
        await house.until(lambda: "failed m" in house.told())
        [shown] = house.pulls()
        assert (shown.state, shown.error) == ("failed", "digest mismatch, file must be downloaded again")
        assert shown.retry_at is not None
        assert shown.retry_at - clock.now().wall == FIRST_RETRY_MS
        clock.step(FIRST_RETRY_MS)
        await house.until(lambda: "done m" in house.told())
    assert server.asked == ["m", "m"]


class Stepping(ManualClock, SystemClock):
    """A clock that moves when told to, and on which nobody waits long."""

    def step(self, ms: int) -> None:
        self.advance(ms)

    def real_seconds(self, ms: int) -> float:
        return min(ms / 1000, 0.02)


FAULTS: list[tuple[Script, str]] = [
    (pulling(MANIFEST, HALF), "the answer ended before the model was complete"),
    (reset, "connection reset"),
    (status(500, {"error": "disk full"}), "disk full"),
    (status(503, {}), "HTTP 503: {}"),
    (status(502, {"detail": "no upstream"}), "HTTP 502: no upstream"),
    (pulling(b"<html>\n"), "the answer is not JSON; is base_url right?"),
    (pulling(b"x" * 70_000), "the answer is no list of lines; is this an Ollama server?"),
    (pulling(line(error="bad \x1b[31m words")), "bad words"),
]


@pytest.mark.parametrize(("script", "error"), FAULTS, ids=[row[1] for row in FAULTS])
async def test_each_fault_is_told_in_plain_words_and_tried_again(script: Script, error: str) -> None:
    server = Ollama(script)
    async with server.upstream, living(server) as house:
        house.ask(model="m")
        await house.until(lambda: "failed m" in house.told())
        [shown] = house.pulls()
    assert shown.error == error
    assert shown.retry_at is not None


@pytest.mark.parametrize(
    "script",
    [
        pulling(MANIFEST, line(error="pull model manifest: file does not exist")),
        status(400, {"error": "invalid model name"}),
        status(404, {"error": "404 page not found"}),
    ],
)
async def test_a_name_that_leads_nowhere_is_given_up_until_it_is_asked_for_again(
    script: Script, tmp_path: Path
) -> None:
    server = Ollama(script, pulling(SUCCESS))
    async with server.upstream, living(server, tmp_path) as house:
        house.ask(model="typo")
        await house.until(lambda: "failed typo" in house.told())
        [shown] = house.pulls()
        assert (shown.state, shown.retry_at) == ("failed", None)
        house.ask(model="typo")
        await house.until(lambda: "done typo" in house.told())
    assert PullStore(tmp_path).read() == Wishes()


async def test_silence_longer_than_the_idle_timeout_is_a_failure() -> None:
    server = Ollama(hangs(MANIFEST))
    async with server.upstream, living(server, idle_timeout_s=0.1) as house:
        house.ask(model="m")
        await house.until(lambda: "failed m" in house.told())
        assert house.pulls()[0].error == "no answer in time"


async def test_cancelling_closes_the_connection_and_a_declared_model_stays_cancelled() -> None:
    server = Ollama(hangs(MANIFEST, HALF), pulling(WHOLE, SUCCESS))
    async with server.upstream, living(server, declare_models=["m"], pull=True) as house:
        await house.poll()
        await house.until(lambda: bool(house.pulls() and house.pulls()[0].layers))
        house.ask(model="m:latest", command="cancel_pull")
        running = next(seen for seen in server.upstream.requests if seen.target == "/api/pull")
        await running.gone.wait()
        assert house.pulls() == ()
        await house.poll()
        assert house.told() == ["queued m", "started m", "cancelled m"]
        house.ask()
        await house.until(lambda: "done m" in house.told())
    assert server.asked == ["m", "m"]


async def test_without_a_name_all_that_is_on_its_way_is_cancelled() -> None:
    server = Ollama(hangs(MANIFEST))
    async with server.upstream, living(server) as house:
        for model in ("a", "b"):
            house.ask(model=model)
        await house.until(lambda: server.asked == ["a"])
        assert [pull.state for pull in house.pulls()] == ["pulling", "queued"]
        house.ask(command="cancel_pull")
        assert house.pulls() == ()
    assert server.asked == ["a"]


async def test_two_pulls_of_one_model_are_one_stream() -> None:
    release = asyncio.Event()
    server = Ollama(pulling(MANIFEST, release, SUCCESS))
    async with server.upstream, living(server) as house:
        house.ask(model="m")
        house.ask(model="library/m:latest")
        await house.until(lambda: server.asked != [])
        house.ask(model="m")
        assert len(house.pulls()) == 1
        release.set()
        await house.until(lambda: house.pulls() == ())
    assert server.asked == ["m"]
    assert house.told() == ["queued m", "started m", "done m"]


async def test_one_server_s_models_come_one_after_the_other_and_other_servers_do_not_wait() -> None:
    release = asyncio.Event()
    slow, fast = Ollama(pulling(release, SUCCESS)), Ollama(pulling(SUCCESS))
    async with slow.upstream, fast.upstream, living({"slow": slow, "fast": fast}) as house:
        for model in ("a", "b"):
            house.ask("slow", model)
            house.ask("fast", model)
        await house.until(lambda: "done b" in house.told("fast"))
        assert slow.asked == ["a"]
        release.set()
        await house.until(lambda: "done b" in house.told("slow"))
    assert (slow.asked, fast.asked) == (["a", "b"], ["a", "b"])


async def test_an_unreachable_server_tells_so_and_keeps_what_was_known_without_touching_the_others() -> None:
    dead, good = Ollama(stall, models=("x:1",)), Ollama(stall, models=("y:1",))
    async with good.upstream:
        async with dead.upstream, living({"dead": dead, "good": good}, declare_models=["y:1"]) as house:
            await asyncio.gather(house.poll("dead"), house.poll("good"))
        await asyncio.gather(house.poll("dead"), house.poll("good"))
        lost, kept = house.declared("dead"), house.declared("good")
    assert lost is not None
    assert kept is not None
    assert (lost.missing, lost.extra, lost.error) == (("y:1",), ("x:1",), "connection refused")
    assert (kept.missing, kept.error) == ((), "")


async def test_a_poll_that_was_under_way_when_a_model_came_does_not_call_it_missing() -> None:
    server = Ollama(pulling(SUCCESS))
    async with server.upstream, living(server, declare_models=["m"], pull=True) as house:
        early = house.clock.now()
        await house.poll()
        await house.until(lambda: "done m" in house.told())
        await house.poll(at=early)
        declared = house.declared()
        assert declared is not None
        assert declared.missing == ()
        assert house.told() == ["queued m", "started m", "done m"]
    assert server.asked == ["m"]


async def test_what_was_asked_for_is_fetched_on_after_a_kill(tmp_path: Path) -> None:
    server = Ollama(hangs(MANIFEST, HALF), pulling(WHOLE, SUCCESS))
    async with server.upstream:
        async with living(server, tmp_path) as first:
            first.ask(model="m")
            await first.until(lambda: (tmp_path / "pulls.json").exists() and server.asked == ["m"])
            kept = (tmp_path / "pulls.json").read_bytes()
        # What a kill leaves is what stood there while it ran.
        (tmp_path / "pulls.json").write_bytes(kept)
        async with living(server, tmp_path) as second:
            await second.until(lambda: "done m" in second.told())
            await second.until(lambda: not (tmp_path / "pulls.json").exists())
    assert server.asked == ["m", "m"]


async def test_a_declared_model_that_was_cancelled_stays_so_after_a_kill_until_it_is_asked_for(
    tmp_path: Path,
) -> None:
    server = Ollama(hangs(MANIFEST, HALF), pulling(WHOLE, SUCCESS))
    declared = {"declare_models": ["library/m:latest"], "pull": True}
    async with server.upstream:
        async with living(server, tmp_path, **declared) as first:
            await first.poll()
            await first.until(lambda: server.asked != [])
            first.ask(model="m", command="cancel_pull")
            await first.until(lambda: (tmp_path / "pulls.json").exists())
            kept = (tmp_path / "pulls.json").read_bytes()
        # What a kill leaves is what stood there while it ran.
        (tmp_path / "pulls.json").write_bytes(kept)
        async with living(server, tmp_path, **declared) as second:
            await second.poll()
            assert (second.pulls(), second.told()) == ((), [])
            second.ask(model="m")
            await second.until(lambda: "done m" in second.told())
            await second.until(lambda: not (tmp_path / "pulls.json").exists())
    assert server.asked == ["library/m:latest", "m"]


async def test_what_was_cancelled_and_is_no_longer_declared_is_forgotten(tmp_path: Path) -> None:
    server = Ollama(stall)
    async with server.upstream:
        async with living(server, tmp_path, declare_models=["m", "n"]) as first:
            first.ask(model="m", command="cancel_pull")
            first.ask(model="other", command="cancel_pull")
        assert PullStore(tmp_path).read() == Wishes({}, {"o": ("m",)})
        async with living(server, tmp_path, declare_models=["n"]) as second:
            await second.until(lambda: not (tmp_path / "pulls.json").exists())


async def test_orders_for_others_and_other_orders_change_nothing() -> None:
    server = Ollama(stall)
    async with server.upstream, living(server) as house:
        house.ask(command="demote")
        house.ask(command="cancel_pull", model="never")
        house.ask()
        assert (house.told(), house.pulls(), house.declared()) == ([], (), None)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"format":2}', '{"format":1,"asked":{"o":3}}', '{"format":1,"cancelled":{}}']
)
def test_a_damaged_file_of_wishes_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "pulls.json").write_text(text)
    assert PullStore(tmp_path).read() == Wishes()


def test_wishes_are_kept_for_their_owner_only_and_the_file_goes_with_the_last(tmp_path: Path) -> None:
    store = PullStore(tmp_path)
    store.write(Wishes({"o": ("a", "b"), "p": ()}, {"o": (), "p": ("c",)}))
    assert store.read() == Wishes({"o": ("a", "b")}, {"p": ("c",)})
    assert (tmp_path / "pulls.json").stat().st_mode & 0o777 == 0o600
    store.write(Wishes({"o": ()}))
    assert (store.read(), list(tmp_path.iterdir())) == (Wishes(), [])


def test_a_file_from_before_models_could_stay_cancelled_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "pulls.json").write_text('{"format":1,"asked":{"o":["a"]}}')
    assert PullStore(tmp_path).read() == Wishes({"o": ("a",)})
