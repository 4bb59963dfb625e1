"""What the next hours bring: the core run forward on recent rates.

A copy of the core is stepped from one moment at which something changes to the next. Between two
of them whoever serves a profile is charged with the profile's recent traffic, so budgets and
windows run out and come back by the same rules as in life. What comes back is taken to work, and
without traffic nothing runs out. Sizes are by the hour, times monotonic milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from crtui.core.burn import RecentRate
from crtui.core.core import Core
from crtui.core.inputs import Attempt, Limits, Poll, Tick, Usage, WindowReport
from crtui.core.now import HOUR, MINUTE, Now
from crtui.core.plan import Guard
from crtui.core.settings import ProfileSettings, Tactic
from crtui.core.views import ForecastView, LaneState, LaneView, OutlookView, ProfileView, SegmentView

HORIZON_MS: Final = 5 * HOUR
LOOK_MS: Final = 15 * MINUTE
"""The order may change by what was counted, or by time alone, so it is looked at at least this often."""
MAX_STEPS: Final = 500

SPREADING: Final[frozenset[Tactic]] = frozenset(
    ("tier", "random", "token_based", "adaptive", "capacity_based")
)
"""Tactics under which traffic goes to several providers at once, by the shares they had so far."""


def forecast(core: Core, now: Now, horizon_ms: int = HORIZON_MS) -> ForecastView:
    """Who serves, who waits, who is out and from when to when, up to the horizon. The core is not touched."""
    return _Run(core.fork(), now, horizon_ms).view()


@dataclass(slots=True)
class _Filling:
    """A limit window on its way to 100 %: the points left, how fast at the recent load, when it rose last."""

    name: str
    resets: int | None
    left: float
    per_ms: float
    rose: int

    def is_over(self, mono: int) -> bool:
        """Whether it is used up or begins anew by then; what it does after that, nobody knows."""
        return self.left <= 0 or (self.resets is not None and self.resets <= mono)


@dataclass(slots=True)
class _Lane:
    """One provider's way through the run."""

    usage: Usage
    fillings: list[_Filling]
    segments: list[SegmentView] = field(default_factory=list[SegmentView])

    def ratio(self, load: Usage) -> float:
        """How much more load than in the recent past. A window that others fill too goes on as it did."""
        return load.total / self.usage.total if self.usage.total else 1.0


class _Run:
    def __init__(self, core: Core, now: Now, horizon_ms: int) -> None:
        self._core, self._now, self._start = core, now, now
        self._end = now.mono + horizon_ms
        core.feed(Tick(), now)
        self._profiles = core.settings.profiles
        self._lanes = {name: self._lane(name) for name in core.providers}
        self._demand = {profile.name: core.demand(profile.name, now) for profile in self._profiles}
        self._dry: dict[str, list[int]] = {}

    def view(self) -> ForecastView:
        for _ in range(MAX_STEPS):
            self._probe()
            standings = [(p, self._core.profile_view(p, self._now)) for p in self._profiles]
            loads = self._loads(standings)
            until = self._until(loads)
            self._note(standings, loads, until)
            self._pass(loads, until)
            if until >= self._end:
                break
        return ForecastView(
            self._start.wall,
            self._now.wall,
            tuple(self._lane_view(name, lane) for name, lane in self._lanes.items()),
            tuple(self._outlook(profile) for profile in self._profiles),
        )

    def _lane(self, name: str) -> _Lane:
        state = self._core.state(name)
        usage, now = state.hourly(self._now), self._now
        fillings = [_Filling(*filling) for filling in state.quota.fillings(now, state.burn.recent.last)]
        # Without traffic of our own it is others who fill it, or nobody does.
        return _Lane(usage, [f for f in fillings if usage.total or now.mono - f.rose < RecentRate.SPAN])

    def _probe(self) -> None:
        """A free probe is what a half-open provider waits for; it is taken to succeed."""
        for name in self._lanes:
            if self._core.state(name).health.awaits_probe:
                self._core.feed(Poll(name, ok=True), self._now)

    def _loads(self, standings: list[tuple[ProfileSettings, ProfileView]]) -> dict[str, Usage]:
        """By provider what it is asked to serve from now on; with no traffic, nothing, but it serves."""
        loads: dict[str, Usage] = {}
        for profile, standing in standings:
            demand = self._demand[profile.name]
            for name, share in self._shares(profile, standing.order):
                loads[name] = loads.get(name, Usage()).plus(_scaled(demand, share))
        return loads

    def _shares(self, profile: ProfileSettings, order: tuple[str, ...]) -> list[tuple[str, float]]:
        sizes = {name: self._lanes[name].usage.total for name in order if self._lanes[name].usage.total}
        if profile.tactic not in SPREADING or not sizes:
            return [(order[0], 1.0)] if order else []
        whole = sum(sizes.values())
        return [(name, size / whole) for name, size in sizes.items()]

    def _until(self, loads: dict[str, Usage]) -> int:
        """The next moment at which anything can change."""
        here = self._now.mono
        times = [self._end, here + LOOK_MS, *(here + lasts for lasts in self._lasting(loads))]
        due = self._core.next_due()
        return max(here + 1, min(times if due is None else [*times, due]))

    def _lasting(self, loads: dict[str, Usage]) -> Iterator[int]:
        """For how long each limit of those that serve lasts."""
        for name, load in loads.items():
            state, lane = self._core.state(name), self._lanes[name]
            for lasts in (state.burn.lasts(load.total, self._now), state.budget.lasts(load, self._now)):
                if lasts is not None:
                    yield lasts
            for filling in lane.fillings:
                if (pace := filling.per_ms * lane.ratio(load)) > 0:
                    yield int(filling.left / pace) + 1

    def _pass(self, loads: dict[str, Usage], until: int) -> None:
        """Let time pass under these loads. Whose caller has left is charged, and says nothing of health."""
        ms = until - self._now.mono
        # A day's tokens are counted before its midnight.
        before, self._now = (Now(at, self._now.wall_at(at)) for at in (until - 1, until))
        for name, load in loads.items():
            spent = Limits(windows=tuple(self._fill(self._lanes[name], load, ms)))
            usage = _scaled(load, ms / HOUR)
            usage = usage._replace(cost=self._core.state(name).budget.expected(usage))
            self._core.feed(Attempt(name, ok=False, error_kind="client", usage=usage, limits=spent), before)
        self._core.feed(Tick(), self._now)
        for lane in self._lanes.values():
            lane.fillings = [filling for filling in lane.fillings if not filling.is_over(until)]

    def _fill(self, lane: _Lane, load: Usage, ms: int) -> Iterator[WindowReport]:
        for filling in lane.fillings:
            filling.left -= filling.per_ms * lane.ratio(load) * ms
            if filling.left <= 0:
                resets = None if filling.resets is None else self._now.wall_at(filling.resets)
                yield WindowReport(filling.name, "headers", 100.0, resets_at=resets)

    def _note(
        self, standings: list[tuple[ProfileSettings, ProfileView]], loads: dict[str, Usage], until: int
    ) -> None:
        out: dict[str, tuple[Guard, str]] = {
            drop.provider: (drop.guard, drop.code)
            for profile, standing in standings
            for drop in standing.dropped
            if drop.provider in self._lanes and self._core.judging(drop.provider) is profile
        }
        start, end = self._now.wall, self._now.wall_at(until)
        for name, lane in self._lanes.items():
            guard, code = out.get(name, (None, ""))
            state: LaneState = "out" if guard is not None else "serving" if name in loads else "waiting"
            lane.segments.append(SegmentView(start, end, state, guard, code))
        for profile, standing in standings:
            dry = self._dry.setdefault(profile.name, [])
            # Empty, then begun, then over: the first dry stretch is what is told.
            if len(dry) < 2 and bool(standing.order) == bool(dry):
                dry.append(start)

    def _lane_view(self, name: str, lane: _Lane) -> LaneView:
        per_min = lane.usage.total * MINUTE / HOUR if lane.usage.total else None
        return LaneView(name, per_min, tuple(_merged(lane.segments)))

    def _outlook(self, profile: ProfileSettings) -> OutlookView:
        at, until, *_ = (*self._dry.get(profile.name, []), None, None)
        return OutlookView(profile.name, at, until)


def _scaled(usage: Usage, factor: float) -> Usage:
    counts = (usage.input, usage.output, usage.cache_read, usage.cache_write)
    # Up, so that what was to run out in this time does.
    return usage if factor == 1 else Usage(*(-int(-count * factor // 1) for count in counts))


def _merged(segments: list[SegmentView]) -> Iterator[SegmentView]:
    """Neighbours that say the same, as one."""
    begun: SegmentView | None = None
    for segment in segments:
        if begun is not None and (begun.state, begun.guard, begun.code) == (
            segment.state,
            segment.guard,
            segment.code,
        ):
            begun = SegmentView(begun.start, segment.end, begun.state, begun.guard, begun.code)
            continue
        if begun is not None:
            yield begun
        begun = segment
    if begun is not None:
        yield begun
