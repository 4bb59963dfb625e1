"""What one provider should have come to, kept by the plainest means: the machine's reference.

Laws are named as in the list of invariants: H health, C cooldown, P permits, Q quota, B burn,
M money, F plan, T tickets and time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from crtui.core.inputs import Attempt, Poll, Usage, WindowReport
from crtui.core.now import DAY, HOUR, MINUTE, SECOND, Now
from crtui.core.settings import ProviderSettings
from crtui.core.window import SAME_RESET_MS

FAULTS = {500, 503, 529}
UNTOUCHED = {400, 404, 402, 429}
MAX_HOLD = 31 * DAY


@dataclass
class HealthLedger:
    """The table of health, row by row."""

    threshold: int
    recovery: int
    probed: bool
    failures: int = 0
    state: str = "HEALTHY"
    auth: bool = False
    half_open: bool = False
    retry: int | None = None
    doublings: int = 0
    trial: tuple[int, int] | None = None
    polls_only: bool = True

    def pass_time(self, mono: int) -> None:
        if self.trial is not None and self.trial[1] <= mono:
            self.trial = None
        if self.retry is not None and self.retry <= mono:
            self.retry, self.half_open = None, True

    def begin(self, ticket: int, mono: int) -> None:
        if self.half_open and self.trial is None and not self.probed:
            self.trial = (ticket, mono + self.recovery)

    def heal(self) -> None:
        fresh = HealthLedger(self.threshold, self.recovery, self.probed)
        self.__dict__.update(fresh.__dict__)

    def end(self, item: Attempt, mono: int) -> None:
        decides = item.ticket == 0 or (self.trial is not None and self.trial[0] == item.ticket)
        if self.trial is not None and self.trial[0] == item.ticket:
            self.trial = None
        if item.ok:
            self.heal()
        elif item.error_kind == "client" or item.status in UNTOUCHED:
            return
        elif item.status == 401:
            self.failures += 1
            self.state, self.auth, self.polls_only = "UNHEALTHY", True, False
            self.half_open, self.retry, self.trial = False, None, None
        else:
            self.fail(mono, decides=decides, poll=False)

    def poll(self, item: Poll, mono: int) -> None:
        if not item.ok:
            self.fail(mono, decides=True, poll=True)
        elif self.half_open or self.auth or self.polls_only:
            self.heal()

    def fail(self, mono: int, *, decides: bool, poll: bool) -> None:
        self.polls_only = poll and (self.failures == 0 or self.polls_only)
        self.failures += 1
        if self.half_open:
            if decides:
                self.half_open, self.trial = False, None
                self.doublings += 1
                self.retry = mono + self.wait
            return
        level = self.failures // self.threshold
        if level >= 2 and self.state != "UNHEALTHY":
            self.state, self.retry = "UNHEALTHY", mono + self.wait
        elif level == 1 and self.state == "HEALTHY":
            self.state = "DEGRADED"

    @property
    def wait(self) -> int:
        return max(self.recovery, min(self.recovery * 2**self.doublings, HOUR))


@dataclass
class WindowLedger:
    """What was told of a window last, and by which attempt."""

    spent: bool
    resets: int | None
    seen: int
    ticket: int = 0

    def end(self) -> int:
        return self.seen + MINUTE if self.resets is None else self.resets

    def contradicts(self, report: WindowReport, resets: int | None) -> bool:
        """Whether it knows better than a report that was made before it was told."""
        ahead = 0 if resets is None or self.resets is None else resets - self.resets
        return ahead < -SAME_RESET_MS or (ahead <= SAME_RESET_MS and self.spent and not report.spent)


@dataclass
class QuotaLedger:
    """Every reason to wait, with its own end and the windows it is for; the latest end counts."""

    holds: dict[str, tuple[int, set[str]]] = field(default_factory=dict)
    row: int = 0
    trial: tuple[int, int] | None = None
    out: bool = False
    trial_due: bool = False
    refused_until: int = 0
    refused_at: int | None = None
    windows: dict[str, WindowLedger] = field(default_factory=dict)

    def until(self, mono: int) -> int | None:
        ends = [end for end, _ in self.holds.values()]
        ends += [window.end() for window in self.windows.values() if window.spent]
        return max((end for end in ends if end > mono), default=None)

    def spends(self, mono: int) -> set[str]:
        return {name for name, window in self.windows.items() if window.spent and window.end() > mono}

    def read(
        self, reports: tuple[WindowReport, ...], now: Now, ticket: int = 0, began: int | None = None
    ) -> None:
        for report in reports:
            resets = None if report.resets_at is None else now.mono_at(report.resets_at)
            if resets is not None and resets <= now.mono:
                resets = None
            known = self.windows.get(report.name, WindowLedger(False, None, 0))
            late = 0 < ticket < known.ticket
            if began is not None:
                late = began < known.seen or (self.refused_at is not None and began < self.refused_at)
            if late and known.contradicts(report, resets):
                continue
            self.windows[report.name] = WindowLedger(
                report.spent,
                known.resets if resets is None else resets,
                now.mono,
                max(ticket, known.ticket),
            )

    def settle(self, mono: int, *, evidence: bool = True) -> None:
        """What time, or something heard, has come to: out, to be tried, or neither."""
        was, self.out = self.out, self.until(mono) is not None
        if self.out:
            self.trial, self.trial_due = None, False
        elif was and not evidence:
            self.trial_due = True

    def end(self, item: Attempt, now: Now, live: set[int]) -> None:
        clear = not self.out and not self.trial_due
        if item.ok and clear and not item.limits.windows:
            self.row = 0
        elif not (item.ok and 0 < item.ticket <= self.refused_until):
            spent = self.spends(now.mono)
            if spent and not item.ok:
                self.hold("window", max(self.windows[name].end() for name in spent), spent, now.mono)
            self.hear(item, now)
            if not item.ok and self.holds:
                self.refused_until = max(self.refused_until, item.ticket, *live)
            self.settle(now.mono)

    def hold(self, why: str, end: int, windows: set[str], mono: int) -> None:
        self.refused_at = mono
        if end >= self.holds.get(why, (0, set()))[0]:
            self.holds[why] = (end, windows)

    def hear(self, item: Attempt, now: Now) -> None:
        self.read(item.limits.windows, now, item.ticket)
        decides = item.ticket == 0 or (self.trial is not None and self.trial[0] == item.ticket)
        grows = decides or self.row == 0
        if decides:
            self.trial = None
            self.trial_due = self.trial_due and not item.ok
        room = not any(report.spent for report in item.limits.windows)
        if item.ok:
            self.row = 0
            if item.limits.windows and room:
                self.holds = {}
            return
        told, windows = item.limits.retry_after_ms, set[str]()
        if item.status == 429:
            windows = self.spends(now.mono)
            if told is None and not any(self.windows[name].resets for name in windows):
                self.row += grows
                told = SECOND if self.row == 1 else min(MINUTE * 2 ** (self.row - 2), HOUR)
        elif item.status == 402:
            told = HOUR if told is None else told
        elif item.status not in (503, 529):
            told = None
        if told is not None:
            self.hold(str(item.status), now.mono + min(told, MAX_HOLD), windows, now.mono)

    def poll(self, item: Poll, now: Now) -> None:
        began = now.mono - item.took_ms
        if self.refused_at is None or began >= self.refused_at:
            room = {report.name for report in item.windows if not report.spent}
            self.holds = {why: (end, of) for why, (end, of) in self.holds.items() if not of or of - room}
        self.read(item.windows, now, began=began)
        self.settle(now.mono)

    def hearsay(self, reports: tuple[WindowReport, ...], now: Now) -> None:
        spent = {name for name, window in self.windows.items() if window.spent}
        self.read(tuple(r for r in reports if not r.spent and r.name not in spent), now)

    def pass_time(self, mono: int) -> None:
        self.holds = {why: (end, of) for why, (end, of) in self.holds.items() if end > mono}
        if self.trial is not None and self.trial[1] <= mono:
            self.trial = None
        for window in self.windows.values():
            if window.resets is not None and window.resets <= mono:
                window.spent, window.resets, window.seen = False, None, 0
        self.settle(mono, evidence=False)

    def reset(self) -> None:
        self.holds, self.row, self.trial = {}, 0, None
        self.out, self.trial_due = False, False
        self.refused_until, self.refused_at = 0, None
        for window in self.windows.values():
            if window.spent:
                window.spent, window.resets, window.seen = False, None, 0


@dataclass
class Ledger:
    """One provider."""

    settings: ProviderSettings
    health: HealthLedger
    quota: QuotaLedger = field(default_factory=QuotaLedger)
    live: set[int] = field(default_factory=set)
    requests: int = 0
    used: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    days: dict[int, int] = field(default_factory=dict)
    months: dict[str, float] = field(default_factory=dict)
    memory: int | None = None
    override: tuple[str, int | None] = ("none", None)

    def pass_time(self, mono: int) -> None:
        self.health.pass_time(mono)
        self.quota.pass_time(mono)
        if self.memory is not None and self.memory <= mono:
            self.memory = None
        if self.override[1] is not None and self.override[1] <= mono:
            self.override = ("none", None)

    def charge(self, usage: Usage | None, now: Now) -> None:
        if usage is None:
            return
        counts = (usage.input, usage.output, usage.cache_read, usage.cache_write)
        self.used = [a + b for a, b in zip(self.used, counts, strict=True)]
        day, month = now.wall // DAY, f"{datetime.fromtimestamp(now.wall / 1000, UTC):%Y-%m}"
        self.days[day] = self.days.get(day, 0) + sum(counts)
        price = self.settings.price
        if price is not None:
            cost = usage.input * (price.input or 0) + usage.output * (price.output or 0)
            self.months[month] = self.months.get(month, 0) + cost / 1e6
