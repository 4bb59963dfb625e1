"""The poller: when it asks is a pure schedule, what it asks goes over real connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.clock import ManualClock, SystemClock
from crtui.config.model import Config
from crtui.core.inputs import ModelReport, Poll
from crtui.core.now import HOUR, Now
from crtui.engine.poller import AT_ONCE, Poller, Schedule
from crtui.providers.probing import Observation, probe_client
from crtui.providers.provider import Provider, build_providers
from tests.fakes.upstream import Exchange, Upstream, ok_json, stall

MODELS = ok_json({"data": [{"id": "m"}]})


@pytest.mark.fault("L02")
def test_first_polls_are_spread_over_two_seconds() -> None:
    schedule = Schedule({f"p{i}": 30_000 for i in range(200)}, seed=1, now=500)
    assert schedule.take(499) == []
    early, late = schedule.take(1_499), schedule.take(2_499)
    assert len(early) + len(late) == 200
    assert 60 < len(early) < 140
    assert schedule.next_at() is None


@given(period=st.integers(1_000, 86_400_000), seed=st.integers(), now=st.integers(0, 10**12))
@pytest.mark.fault("L02", "L14")
def test_the_next_poll_is_a_period_and_up_to_fifteen_percent_after_the_last(
    period: int, seed: int, now: int
) -> None:
    schedule = Schedule({"p": period}, seed, 0)
    assert schedule.take(2_000) == ["p"]
    schedule.finished("p", now)
    due = schedule.next_at()
    assert due is not None
    assert period <= due - now <= period * 1.15


def test_the_same_seed_gives_the_same_times_whatever_the_others_do() -> None:
    def times(names: list[str], seed: int) -> int | None:
        schedule = Schedule(dict.fromkeys(names, 30_000), seed, 0)
        taken = schedule.take(2_000)
        for name in taken:
            if name != "p":
                schedule.finished(name, 900_000)
        schedule.finished("p", 2_000)
        return schedule.next_at()

    assert times(["p"], 7) == times(["a", "p", "b"], 7) != times(["p"], 8)


@pytest.mark.fault("L14")
def test_a_name_that_is_running_is_not_due_again_and_a_kick_does_not_double_it() -> None:
    schedule = Schedule({"p": 1_000}, 1, 0)
    assert schedule.take(2_000) == ["p"]
    schedule.kick("p", 2_001)
    assert schedule.take(9_000_000) == []
    schedule.finished("p", 3_000)
    schedule.kick("p", 3_001)
    schedule.kick("p", 3_001)
    assert schedule.take(3_001) == ["p"]
    assert schedule.next_at() is None


def test_period_zero_is_polled_only_when_kicked() -> None:
    schedule = Schedule({"p": 0}, 1, 0)
    assert schedule.next_at() is None
    schedule.kick("p", 5)
    schedule.kick("nobody", 5)
    assert schedule.take(5) == ["p"]
    schedule.finished("p", 6)
    assert schedule.next_at() is None


class Quick(SystemClock):
    """A system clock on which a probe's deadline is short; all else takes its time."""

    def real_seconds(self, ms: int) -> float:
        return 0.3 if ms == 5_000 else super().real_seconds(ms)


class Leaping(ManualClock):
    """A clock that moves on ten seconds whenever it is read, and so never has to be waited for."""

    def now(self) -> Now:
        return self.advance(10_000)

    def real_seconds(self, ms: int) -> float:
        return ms / 1000 if ms == 5_000 else 0


def build(*tables: dict[str, object]) -> dict[str, Provider]:
    return build_providers(Config.model_validate({"provider": list(tables)}), {"K": "sk-canary-0123456789"})[
        0
    ]


def table(upstream: Upstream, name: str = "p", **more: object) -> dict[str, object]:
    return {"name": name, "kind": "openai-compatible", "base_url": upstream.url, "poll_s": 0} | more


@asynccontextmanager
async def polling(
    providers: dict[str, Provider], clock: SystemClock | ManualClock
) -> AsyncIterator[tuple[Poller, "asyncio.Queue[Poll]"]]:
    """A running poller and the polls it hands over."""
    polls: asyncio.Queue[Poll] = asyncio.Queue()
    async with probe_client() as client:
        poller = Poller(providers, lambda seen: polls.put_nowait(seen.poll), clock, client, seed=1)
        task = asyncio.create_task(poller.run())
        try:
            yield poller, polls
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_a_kick_polls_at_once_and_feeds_what_was_seen() -> None:
    async with (
        Upstream(MODELS) as upstream,
        polling(build(table(upstream)), SystemClock()) as (poller, polls),
    ):
        poller.kick("p")
        assert await polls.get() == Poll("p", True, models=(ModelReport("m"),))
        poller.kick("p")
        assert (await polls.get()).ok
    assert [seen.method for seen in upstream.requests] == ["GET", "GET"]


async def test_a_provider_is_polled_again_and_again_in_its_own_time() -> None:
    async with Upstream(MODELS) as upstream:
        providers = build(table(upstream, poll_s=30), table(upstream, "never"))
        async with polling(providers, Leaping()) as (_, polls):
            names = [(await polls.get()).provider for _ in range(4)]
    assert names == ["p"] * 4


async def test_a_kick_before_the_poller_runs_is_not_lost() -> None:
    polls: list[Poll] = []
    done = asyncio.Event()

    def feed(seen: Observation) -> None:
        polls.append(seen.poll)
        done.set()

    async with Upstream(MODELS) as upstream, probe_client() as client:
        poller = Poller(build(table(upstream)), feed, SystemClock(), client, seed=1)
        poller.kick("p")
        task = asyncio.create_task(poller.run())
        await done.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [poll.ok for poll in polls] == [True]


async def test_a_provider_that_hangs_times_out_and_holds_nobody_up() -> None:
    async with Upstream(stall) as hanging, Upstream(MODELS) as good:
        providers = build(table(hanging, "slow"), table(good, "fast"))
        async with polling(providers, Quick()) as (poller, polls):
            poller.kick("slow")
            poller.kick("fast")
            results = {
                poll.provider: (poll.ok, poll.error) for poll in [await polls.get(), await polls.get()]
            }
    assert results == {"slow": (False, "no answer in time"), "fast": (True, "")}


@pytest.mark.fault("L14")
async def test_one_provider_is_never_asked_twice_at_a_time() -> None:
    release = asyncio.Event()

    async def wait(exchange: Exchange) -> None:
        await release.wait()
        await MODELS(exchange)

    async with Upstream(wait) as upstream, polling(build(table(upstream)), SystemClock()) as (poller, polls):
        poller.kick("p")
        await upstream.request(0)
        poller.kick("p")
        release.set()
        await polls.get()
        assert polls.empty()
    assert len(upstream.requests) == 1


@pytest.mark.fault("L02")
async def test_no_more_than_eight_are_asked_at_the_same_time() -> None:
    release, asked, most = asyncio.Event(), 0, 0

    async def wait(exchange: Exchange) -> None:
        nonlocal asked, most
        asked += 1
        most = max(most, asked)
        if asked == AT_ONCE:
            release.set()
        await release.wait()
        asked -= 1
        await MODELS(exchange)

    async with Upstream(wait) as upstream:
        names = [f"p{i}" for i in range(3 * AT_ONCE)]
        async with polling(build(*(table(upstream, name) for name in names)), SystemClock()) as (
            poller,
            polls,
        ):
            for name in names:
                poller.kick(name)
            fed = {(await polls.get()).provider for _ in names}
    assert fed == set(names)
    assert most == AT_ONCE


async def test_a_large_list_is_asked_for_only_now_and_then() -> None:
    async def openrouter(exchange: Exchange) -> None:
        key = ok_json({"data": {"limit": 4, "limit_remaining": 1}})
        await (key if exchange.seen.target.endswith("/key") else MODELS)(exchange)

    clock = ManualClock()
    async with Upstream(openrouter) as upstream:
        providers = build(table(upstream, kind="openrouter", api_key_env="K"))
        async with polling(providers, clock) as (poller, polls):
            results: list[Poll] = []
            for passed in (0, HOUR, 6 * HOUR):
                clock.advance(passed)
                poller.kick("p")
                results.append(await polls.get())
    assert [seen.target.rpartition("/")[2] for seen in upstream.requests] == [
        "key",
        "models",
        "key",
        "key",
        "models",
    ]
    assert [result.models is None for result in results] == [False, True, False]
    assert [window.used_percent for result in results for window in result.windows] == [75, 75, 75]


async def test_a_kick_of_a_provider_without_a_probe_does_nothing() -> None:
    async with Upstream(MODELS) as upstream, Upstream(MODELS) as other:
        providers = build(table(upstream, kind="anthropic", auth="client"), table(other, "other"))
        async with polling(providers, SystemClock()) as (poller, polls):
            poller.kick("p")
            poller.kick("other")
            assert (await polls.get()).provider == "other"
    assert upstream.requests == []
