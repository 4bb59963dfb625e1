"""Everything the core knows of one provider: its guards side by side, its counters, its row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crtui.core import saved
from crtui.core.adaptive import AdaptiveWindow
from crtui.core.budget import Budget
from crtui.core.burn import Burn
from crtui.core.demand import split
from crtui.core.health import Health
from crtui.core.inputs import Attempt, Began, Charge, Command, Hearsay, ModelReport, Poll, Usage
from crtui.core.latency import Samples
from crtui.core.memory import Memory
from crtui.core.now import DAY, MINUTE, Now
from crtui.core.operator import OVERRIDES, Operator
from crtui.core.outcome import OK, Outcome, classify, told_of
from crtui.core.quota import Quota
from crtui.core.settings import ProfileSettings, ProviderSettings
from crtui.core.tactics import Candidate
from crtui.core.tally import Tally
from crtui.core.verdict import Told, Verdict
from crtui.core.views import (
    ModelView,
    ProviderView,
    QuotaView,
    ReasonView,
    SignalStatus,
    SignalView,
    Standing,
)

SIGNAL_FRESH_MS: Final = 5 * MINUTE
FOREVER: Final = 2**62
_RANK: Final = {"notes": 0, "demotes": 1, "excludes": 2}


class ProviderState:
    """One provider. Nothing in here ever looks at another one."""

    def __init__(self, settings: ProviderSettings, index: int, now: Now, *, ranked: bool = False) -> None:
        """``ranked``: an adaptive profile has it in its chain, so its last minute is kept."""
        self.settings = settings
        self._ranked = ranked
        self.name = settings.name
        self.index = index
        self.health = Health(settings, now)
        self.quota = Quota(settings.recovery_ms)
        self.memory = Memory()
        self.operator = Operator()
        self.burn = Burn(settings.daily_tokens)
        self.budget = Budget(settings.monthly_usd, settings.price)
        self.tally = Tally()
        self.samples = Samples()
        self.adaptive = AdaptiveWindow()
        self.scheduled: list[int] = []
        """Times of this provider's entries in the core's heap, earliest first."""
        self.version = 0
        self.clear = self._all_clear()
        """Whether no guard has anything to say, so that planning need not ask them."""
        self.calm = False
        """Whether the last input was a plain success of a clear provider: one more moves no guard."""
        self._live: set[int] = set()
        self._models: tuple[ModelReport, ...] = ()
        self._heard: int | None = None
        self._heard_wall: int | None = None
        self._last_attempt: int | None = None
        self._poll_ok: bool | None = None
        self._status: SignalStatus = "unknown"
        self._candidate: Candidate | None = None
        self._candidate_of = self._candidate_until = 0

    @property
    def in_flight(self) -> int:
        """Attempts that have begun and not ended."""
        return len(self._live)

    def begin(self, item: Began, now: Now) -> None:
        """An attempt starts."""
        self._live.add(item.ticket)
        if not self.clear:
            self.health.begin(item.ticket, now)
            self.quota.begin(item.ticket, now)
            self._changed()
        self.version += 1

    def fold(self, item: Attempt, profile: ProfileSettings, now: Now) -> tuple[Outcome, list[Told]]:
        """An attempt ended. ``profile`` decides what memory words lead to."""
        self._live.discard(item.ticket)
        outcome = OK if item.ok else classify(item.status, item.error_kind, item.error)
        told = [told_of(item, outcome)]
        plain = item.ok and self.clear and not item.limits.windows
        self._count(item, outcome, now)
        if not (plain and self.calm):
            told += self._judge(item, outcome, profile, now)
        if item.usage is not None:
            told += self._charge(item.usage, now)
        if plain and len(told) == 1 and self.burn.clear and self._status != "unknown":
            self.calm = True
            self.version += 1
            return outcome, told
        self._changed()
        return outcome, told + self._signalled(now)

    def fold_charge(self, item: Charge, now: Now) -> list[Told]:
        """The price of an attempt that had ended has become known."""
        told = self.budget.settle(item.usage, now)
        self._changed()
        return told

    def fold_poll(self, item: Poll, now: Now) -> list[Told]:
        """A poll ended."""
        told: list[Told] = []
        if item.ok != self._poll_ok:
            self._poll_ok = item.ok
            told.append(("poll.ok", {}) if item.ok else ("poll.failed", {"error": item.error}))
        if item.ok:
            self._hear(now)
        told += self.health.fold_poll(item, now)
        told += self.quota.fold_windows(item.windows, now, item.took_ms)
        if item.memory is not None:
            told += self.memory.observe(item.memory, now)
        if item.models is not None:
            self._models = item.models
        self._changed()
        return told + self._signalled(now)

    def fold_hearsay(self, item: Hearsay, now: Now) -> None:
        """Somebody else was told of its windows. No guard moves."""
        self.quota.fold_hearsay(item.windows, now)
        self._changed()

    def fold_command(self, item: Command, now: Now) -> list[Told]:
        """An operator's order. A reset clears every guard, but never a budget or the day's tokens."""
        if item.command not in OVERRIDES:
            return []
        told = self.operator.set(OVERRIDES[item.command], item.for_ms, now)
        if item.command == "reset":
            told += self.health.reset(now) + self.quota.reset(now) + self.memory.reset()
        self._changed()
        return told + self._signalled(now)

    def due(self, now: Now) -> int | None:
        """When time alone changes something next, in monotonic ms."""
        soonest = FOREVER if self._heard is None else self._heard + SIGNAL_FRESH_MS
        for at in (self.health.due(), self.quota.due(), self.memory.due(), self.operator.due()):
            if at is not None and at < soonest:
                soonest = at
        for wall in (self.burn.due(), self.budget.due()):
            if wall is not None and (at := now.mono_at(wall)) < soonest:
                soonest = at
        return None if soonest == FOREVER else soonest

    def is_scheduled(self, now: Now) -> bool:
        """Whether the earliest entry in the core's heap comes before anything a calm answer can bring."""
        if not self.scheduled or now.wall % DAY >= DAY - SIGNAL_FRESH_MS:
            return False
        return self.scheduled[0] <= now.mono + SIGNAL_FRESH_MS

    def expire(self, now: Now) -> list[Told]:
        """Do everything that is due."""
        told = self.health.expire(now) + self.quota.expire(now) + self.memory.expire(now)
        told += self.operator.expire(now)
        if self._heard is not None and self._heard + SIGNAL_FRESH_MS <= now.mono:
            self._heard = None
        return told + self.expire_calendar(now)

    def expire_calendar(self, now: Now) -> list[Told]:
        """Roll the day and the month where they are over."""
        told = self._burnt(self.burn.expire(now)) + self.budget.expire(now)
        self._changed()
        return told + self._signalled(now)

    def exclusion(self, profile: ProfileSettings, now: Now) -> Verdict | None:
        """The first guard, in the chain's order, that keeps a request of this profile away."""
        return next((v for v in self._verdicts(profile, now) if v.effect == "excludes"), None)

    def demotion(self, profile: ProfileSettings) -> int:
        """0, 1 (health) or 2 (operator): how far back in the order it goes."""
        if self.operator.override == "demoted":
            return 2
        verdict = self.health.verdict(profile.health_action)
        return 1 if verdict is not None and verdict.effect == "demotes" else 0

    def candidate(self, now: Now) -> Candidate:
        """What the tactics look at; the same object until an input, or the tumbling window's end."""
        if self._candidate is None or self._candidate_of != self.version or now.mono >= self._candidate_until:
            self._candidate, self._candidate_of = self._new_candidate(now), self.version
        return self._candidate

    def _new_candidate(self, now: Now) -> Candidate:
        tokens, until = self.tally.recent(now.mono)
        self._candidate_until = FOREVER if until is None else until
        samples, speed = self.samples.mean_speed()
        return Candidate(
            self.name,
            self.settings.tier,
            self.settings.weight,
            self.settings.capacity,
            len(self._live),
            tokens,
            self.samples.mean_latency(),
            samples,
            speed if samples else None,
        )

    def hourly(self, now: Now) -> Usage:
        """What it uses per hour at the recent rate, split as all its tokens so far; nothing if unknown."""
        return split(self.burn.hourly(now), self.tally.used)

    def view(self, profile: ProfileSettings, now: Now, *, allow_paid: bool) -> ProviderView:
        """The provider's row, judged as a request of ``profile`` would be."""
        verdicts = self._verdicts(profile, now)
        if self.settings.paid and not allow_paid:
            verdicts.insert(0, Verdict("paid", "gated", "excludes", detail="costs money; allow with $"))
        worst = max((_RANK[v.effect] for v in verdicts), default=0)
        standing: Standing = ("eligible", "demoted", "excluded")[worst]
        verdicts.sort(key=lambda v: -_RANK[v.effect])
        burn = self.burn.verdict(now)
        quota = self.quota.view(now, self.burn.recent.last)
        if burn is not None and quota.state == "available":
            quota = QuotaView("quota_exhausted", burn[1], "burn_rate", quota.windows)
        return ProviderView(
            name=self.name,
            kind=self.settings.kind,
            wires=self.settings.wires,
            paid=self.settings.paid,
            standing=standing,
            reasons=tuple(ReasonView(v.guard, v.code, v.detail, v.reason(now).until) for v in verdicts),
            health=self.health.view(now),
            quota=quota,
            burn=self.burn.view(now),
            budget=self.budget.view(now),
            memory=self.memory.view(now),
            latency=self.samples.view(),
            operator=self.operator.view(now),
            usage=self.tally.view(self.budget.cost_usd, self.budget.ever_unpriced),
            signal=SignalView(self._status_at(now), self._heard_wall, self._heard is not None),
            models=tuple(ModelView(m.name, m.loaded, m.context, m.vram_bytes) for m in self._models),
            in_flight=self.in_flight,
            last_attempt_at=self._last_attempt,
        )

    def dump(self, now: Now) -> dict[str, object]:
        """Everything, as JSON values. ``tickets`` is what only the process means that gave them."""
        return {
            "health": self.health.dump(now.mono),
            "quota": self.quota.dump(now.mono),
            "memory": self.memory.dump(now.mono),
            "operator": self.operator.dump(now.mono),
            "burn": self.burn.dump(now),
            "budget": self.budget.dump(),
            "samples": self.samples.dump(),
            "adaptive": self.adaptive.dump(now.mono),
            **self.tally.dump(now.mono),
            "models": [[m.name, m.loaded, m.context, m.vram_bytes] for m in self._models],
            "heard": None if self._heard is None else now.mono - self._heard,
            "heard_wall": self._heard_wall,
            "last_attempt": self._last_attempt,
            "poll_ok": self._poll_ok,
            "tickets": {
                "live": sorted(self._live),
                "health": self.health.dump_tickets(now.mono),
                "quota": self.quota.dump_tickets(now.mono),
            },
        }

    def load(self, data: Mapping[str, Any], then: Now) -> None:
        """Become what ``dump`` described, under this provider's own settings.

        ``then`` is the dump's instant on this machine's clocks. Raises where ``data`` is no dump.
        """
        for name, guard in (("health", self.health), ("burn", self.burn)):
            guard.load(saved.inner(data, name), then)
        timed = (("quota", self.quota), ("memory", self.memory), ("operator", self.operator))
        for name, guard in (*timed, ("adaptive", self.adaptive)):
            guard.load(saved.inner(data, name), then.mono)
        for name, store in (("budget", self.budget), ("samples", self.samples)):
            store.load(saved.inner(data, name))
        self.tally.load(data, then.mono)
        self._load_seen(data, then)
        self._changed()
        self._status = self._status_at(then)

    def load_tickets(self, data: Mapping[str, Any], then: Now) -> None:
        """After ``load``: go on with the attempts in flight that a dump's ``tickets`` describe."""
        self._live = set(saved.values(data, "live", (int,)))
        self.health.load_tickets(saved.inner(data, "health"), then.mono)
        self.quota.load_tickets(saved.inner(data, "quota"), then.mono)

    def _load_seen(self, data: Mapping[str, Any], then: Now) -> None:
        maybe_int, maybe_bool = (int, saved.NOTHING), (bool, saved.NOTHING)
        models = saved.rows(data, "models", (str,), maybe_bool, maybe_int, maybe_int)
        self._models = tuple(ModelReport(*row) for row in models)
        self._heard = saved.moment(data, "heard", then.mono)
        self._heard_wall, self._last_attempt = (
            saved.wall(data, "heard_wall"),
            saved.wall(data, "last_attempt"),
        )
        self._poll_ok = saved.maybe(data, "poll_ok", bool)

    def _verdicts(self, profile: ProfileSettings, now: Now) -> list[Verdict]:
        burn, budget = self.burn.verdict(now), self.budget.verdict(now)
        found = [
            self.operator.verdict(),
            None if budget is None else Verdict("budget", budget[0], "excludes", now.mono_at(budget[1])),
            None if burn is None else Verdict("burn", burn[0], "excludes", now.mono_at(burn[1])),
            self.quota.verdict(now),
            self.memory.verdict(profile.memory_action),
            self.health.verdict(profile.health_action),
        ]
        return [verdict for verdict in found if verdict is not None]

    def _changed(self) -> None:
        self.version += 1
        self.calm = False
        self.clear = self._all_clear()

    def _all_clear(self) -> bool:
        return (
            self.health.clear
            and self.quota.clear
            and self.memory.clear
            and self.operator.clear
            and self.burn.clear
            and self.budget.clear
        )

    def _judge(self, item: Attempt, outcome: Outcome, profile: ProfileSettings, now: Now) -> list[Told]:
        """Let the guards look at how an attempt ended."""
        told = self.health.fold(item, outcome, now)
        newest = 0 if item.ok else max(item.ticket, max(self._live, default=0))
        told += self.quota.fold(item, outcome, now, newest)
        if not item.ok and outcome.kind != "gone":
            told += self.memory.fold(item.error, profile.memory_action, profile.memory_cooldown_ms, now)
        return told

    def _hear(self, now: Now) -> None:
        self._heard, self._heard_wall = now.mono, now.wall

    def _count(self, item: Attempt, outcome: Outcome, now: Now) -> None:
        tally = self.tally
        tally.requests += 1
        self._last_attempt = now.wall
        if outcome.kind == "gone":
            return
        if self._ranked:
            latency = item.ttft_ms if item.ttft_ms is not None else item.latency_ms
            self.adaptive.add(now.mono, latency if item.ok else None, item.ok)
        if item.status is not None:
            self._hear(now)
        if item.ok:
            tally.ok += 1
            tokens = 0 if item.usage is None else item.usage.output
            self.samples.add(item.latency_ms, item.ttft_ms, tokens, item.output_ms)
        else:
            tally.failed += 1

    def _charge(self, usage: Usage, now: Now) -> list[Told]:
        told = self.burn.fold(self.tally.charge(usage, now.mono), now)
        if told:
            told = self._burnt(told)
        return told + self.budget.charge(usage, now)

    def _burnt(self, told: list[Told]) -> list[Told]:
        """What the day's budget tells, but for what the quota guard holds true anyway."""
        if not self.quota.exhausted:
            return told
        return [(kind, data) for kind, data in told if not kind.startswith("quota.")]

    def _status_at(self, now: Now) -> SignalStatus:
        if self.quota.exhausted or self.burn.verdict(now) is not None:
            return "exhausted"
        if self._poll_ok is False or not self.health.clear:
            return "degraded"
        return "unknown" if self._heard_wall is None else "available"

    def _signalled(self, now: Now) -> list[Told]:
        """``signal.changed``, if what other programs are told of this provider has changed."""
        before, self._status = self._status, self._status_at(now)
        return [("signal.changed", {"from": before, "to": self._status})] if before != self._status else []
