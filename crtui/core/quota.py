"""Quota: available, or exhausted until a known time.

Two things can hold a provider back: a *hold* (a 429, a 402, a Retry-After) and any window with
nothing left, each until its own time; the latest of them counts. A hold never gets shorter by
another refusal, only by evidence of room: a success whose headers show it, or a poll that shows it
in the windows the refusal was for. When the time has passed one request is let through, and its
answer decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

from crtui.core import saved
from crtui.core.hold import Hold
from crtui.core.inputs import CREDIT, Attempt, WindowReport
from crtui.core.now import DAY, HOUR, MINUTE, SECOND, Now, stamp
from crtui.core.outcome import Outcome
from crtui.core.trend import WindowTrend
from crtui.core.verdict import Told, Verdict
from crtui.core.views import QuotaSource, QuotaView, WindowView
from crtui.core.window import Window

FIRST_UNTOLD_MS: Final = SECOND
"""The first 429 without a time: most of them are over as soon as that."""
UNTOLD_LIMIT_MS: Final = MINUTE
"""The second in a row: this long, doubling with each further one."""
MAX_UNTOLD_MS: Final = HOUR
NO_CREDIT_MS: Final = HOUR
MAX_HOLD_MS: Final = 31 * DAY
_LONG_AGO: Final = -(2**62)


class Quota:
    """The quota of one provider."""

    __slots__ = (
        "_code",
        "_holds",
        "_lease",
        "_lease_ms",
        "_refused_at",
        "_refused_until",
        "_source",
        "_streak",
        "_told_until",
        "_trial",
        "_trial_ticket",
        "_windows",
    )

    def __init__(self, lease_ms: int) -> None:
        self._lease_ms = lease_ms
        self._windows: dict[str, Window] = {}
        self._clear()

    def _clear(self) -> None:
        self._holds: dict[str, Hold] = {}
        self._source: QuotaSource | None = None
        self._code = ""
        self._streak = 0
        self._refused_until = 0
        self._refused_at = _LONG_AGO
        self._told_until: int | None = None
        self._trial = False
        self._trial_ticket: int | None = None
        self._lease = 0

    @property
    def clear(self) -> bool:
        """Whether nothing holds the provider back, not even a trial."""
        return self._told_until is None and not self._trial

    @property
    def exhausted(self) -> bool:
        """Whether it is exhausted as far as has been told."""
        return self._told_until is not None

    def begin(self, ticket: int, now: Now) -> None:
        """An attempt starts; after an exhaustion the first one is the trial."""
        if self._trial and self._trial_ticket is None:
            self._trial_ticket = ticket
            self._lease = now.mono + self._lease_ms

    def fold(self, attempt: Attempt, outcome: Outcome, now: Now, newest: int = 0) -> list[Told]:
        """An attempt ended: read its windows, and hold on to what it was refused for.

        ``newest`` is the highest ticket of an attempt that runs or ends now: what began before a
        refusal read its headers before it, so its success is no evidence of room.
        """
        if outcome.kind == "ok" and not attempt.limits.windows and self.clear:
            self._streak = 0
            return []
        if outcome.kind == "ok" and 0 < attempt.ticket <= self._refused_until:
            return self._settle(now)
        if outcome.kind != "ok" and self._told_until is not None:
            self._keep_spent(now)
        self._merge(attempt.limits.windows, now, attempt.ticket)
        decides = attempt.ticket in (0, self._trial_ticket)
        if decides:
            self._trial_ticket = None
            if outcome.kind == "ok":
                self._trial = False
        if outcome.kind == "ok":
            self._streak = 0
            if attempt.limits.windows and not any(w.spent for w in attempt.limits.windows):
                self._holds.clear()
        else:
            # Attempts that began before the wait did belong to the same refusal, however many they are.
            self._refused(attempt, outcome, now, grows=decides or self._streak == 0)
            if self._holds:
                self._refused_until = max(self._refused_until, newest)
        return self._settle(now)

    def fold_windows(self, windows: tuple[WindowReport, ...], now: Now, took_ms: int = 0) -> list[Told]:
        """A poll that took so long lifts each hold that was for windows in which it shows room.

        One that began before the newest refusal lifts none, and opens no window.
        """
        if not windows:
            return []
        began = now.mono - took_ms
        if began < self._refused_at:
            self._merge(windows, now, began=_LONG_AGO)
            return self._settle(now)
        room = {report.name for report in windows if self._has_room(report)}
        self._holds = {code: hold for code, hold in self._holds.items() if not hold.is_lifted(room)}
        self._merge(windows, now, began=began)
        return self._settle(now)

    def fold_hearsay(self, windows: tuple[WindowReport, ...], now: Now) -> None:
        """Show what others say of windows, but where it would hold the provider back or let it go."""
        spent = {name for name, window in self._windows.items() if window.spent}
        self._merge((told for told in windows if not told.spent and told.name not in spent), now)

    def due(self) -> int | None:
        """When time alone changes something next, in monotonic ms."""
        times = [w.resets for w in self._windows.values() if w.resets is not None and not w.unconfirmed]
        if self._told_until is not None:
            times.append(self._told_until)
        if self._trial_ticket is not None:
            times.append(self._lease)
        return min(times, default=None)

    def expire(self, now: Now) -> list[Told]:
        """Do what is due."""
        for window in self._windows.values():
            if window.resets is not None and window.resets <= now.mono:
                window.unconfirmed = True
        if self._trial_ticket is not None and self._lease <= now.mono:
            self._trial_ticket = None
        self._holds = {code: hold for code, hold in self._holds.items() if hold.until > now.mono}
        if self._told_until is not None and self._told_until <= now.mono:
            self._trial = True
        return self._settle(now)

    def reset(self, now: Now) -> list[Told]:
        """Forget every hold; windows are kept but no longer believed to be spent."""
        was = self.exhausted
        for window in self._windows.values():
            window.unconfirmed = window.unconfirmed or window.spent
        self._clear()
        return [("quota.available", {"by": "reset"})] if was else []

    def verdict(self, now: Now) -> Verdict | None:
        """What this guard says to any request."""
        if self._told_until is not None:
            return Verdict("quota", self._code, "excludes", self._told_until, self._detail())
        if self._trial_ticket is not None:
            return Verdict("quota", "trial", "excludes", self._lease, "waiting for a trial request's answer")
        if self._trial:
            return Verdict("quota", "trial_due", "notes", detail="reset; the next request finds out")
        return None

    def view(self, now: Now, used: int | None) -> QuotaView:
        """The quota part of the provider's row. ``used``: when it was used last, monotonic."""
        windows = tuple(self._window_view(window, now, used) for window in self._windows.values())
        if self._told_until is None:
            return QuotaView("available", None, None, windows, self._trial)
        return QuotaView("quota_exhausted", now.wall_at(self._told_until), self._source, windows)

    def fillings(self, now: Now, used: int | None) -> list[tuple[str, int | None, float, float, int]]:
        """Each window that fills: name and reset (monotonic), then as ``WindowTrend.filling``."""
        return [
            (window.name, window.resets, *filling)
            for window in self._windows.values()
            if not window.unconfirmed
            and (filling := window.trend.filling(now.mono, window.observed_mono, used)) is not None
        ]

    def dump(self, now_mono: int) -> dict[str, object]:
        """The state as JSON values, but for the tickets: without them a trial that runs is due."""
        return {
            "holds": [hold.dump(code, now_mono) for code, hold in self._holds.items()],
            "refused": None if self._refused_at == _LONG_AGO else now_mono - self._refused_at,
            "source": self._source,
            "code": self._code,
            "streak": self._streak,
            "told_until": saved.left(self._told_until, now_mono),
            "trial": self._trial,
            "windows": [window.dump(now_mono) for window in self._windows.values()],
        }

    def dump_tickets(self, now_mono: int) -> dict[str, object]:
        """The trial that runs, and which attempts' news is old, as JSON values."""
        return {
            "trial": None if self._trial_ticket is None else [self._trial_ticket, self._lease - now_mono],
            "refused_until": self._refused_until,
            "windows": {name: window.ticket for name, window in self._windows.items()},
        }

    def load(self, data: Mapping[str, Any], now_mono: int) -> None:
        """Become what ``dump`` described, as seen from a monotonic time.

        Earlier versions' dumps tell one hold, and not what it was for.
        """
        self._source = saved.chosen(data, "source", (*get_args(QuotaSource), None))
        self._code = saved.take(data, "code", str)
        if "holds" in data:
            self._holds = dict(Hold.restored(row, now_mono) for row in saved.values(data, "holds", (dict,)))
            refused = saved.moment(data, "refused", now_mono)
            self._refused_at = _LONG_AGO if refused is None else refused
        elif (until := saved.deadline(data, "hold", now_mono)) is not None:
            self._holds = {self._code: Hold(until, self._source or "retry_after", frozenset())}
        self._streak = max(0, saved.take(data, "streak", int))
        self._told_until = saved.deadline(data, "told_until", now_mono)
        self._trial = saved.take(data, "trial", bool)
        windows = [Window.restored(row, now_mono) for row in saved.values(data, "windows", (dict,))]
        self._windows = {window.name: window for window in windows}

    def load_tickets(self, data: Mapping[str, Any], now_mono: int) -> None:
        """After ``load``: go on with what ``dump_tickets`` described."""
        self._trial_ticket, self._lease = saved.lease(data, "trial", now_mono)
        self._refused_until = saved.take(data, "refused_until", int)
        told = saved.inner(data, "windows")
        for name, window in self._windows.items():
            window.ticket = saved.take(told, name, int)

    def _detail(self) -> str:
        spent = [w.name for w in self._windows.values() if w.spent]
        if spent:
            return f"{' and '.join(spent)} window spent"
        return {"no_credit": "out of credit", "overloaded": "overloaded"}.get(self._code, "rate limited")

    def _window_view(self, window: Window, now: Now, used: int | None) -> WindowView:
        resets = None if window.resets is None else now.wall_at(window.resets)
        if window.unconfirmed:
            return WindowView(
                window.name,
                window.source,
                window.observed,
                limit=window.limit,
                resets_at=resets,
                unconfirmed=True,
            )
        ends = window.trend.forecast(now.mono, window.resets, window.observed_mono, used)
        return WindowView(
            window.name,
            window.source,
            window.observed,
            window.used,
            window.remaining,
            window.limit,
            resets,
            False,
            None if ends.soon is None else now.wall_at(ends.soon),
            None if ends.late is None else now.wall_at(ends.late),
            ends.lasts,
        )

    def _has_room(self, report: WindowReport) -> bool:
        """Whether a poll's word shows what a refusal for that window waits for.

        Credit was refused at whatever is known of it, so that only more of it will do.
        """
        if report.spent or (report.remaining is None and report.used_percent is None):
            return False
        window = self._windows.get(report.name)
        if report.name != CREDIT or (window is not None and window.spent):
            return True
        known = None if window is None else window.remaining
        return known is not None and report.remaining is not None and report.remaining > known

    def _merge(
        self, reports: Iterable[WindowReport], now: Now, ticket: int = 0, began: int | None = None
    ) -> None:
        """Take over what an attempt, or a poll that began then, told."""
        for report in reports:
            resets = None if report.resets_at is None else now.mono_at(report.resets_at)
            if resets is not None and resets <= now.mono:
                resets = None
            window, news = self._windows.get(report.name), report
            if window is not None and window.is_newer(ticket, began) and not window.unconfirmed:
                news = window.corrected(report, resets)
            if news is not None:
                self._put(window, news, resets, ticket, now)

    def _put(
        self, window: Window | None, report: WindowReport, resets: int | None, ticket: int, now: Now
    ) -> None:
        if window is None:
            window = self._windows[report.name] = Window(
                report.name, report.source, 0, 0, None, None, None, None, WindowTrend()
            )
        elif window.unconfirmed:
            window.used = window.remaining = window.resets = None
        window.unconfirmed = False
        window.ticket = max(window.ticket, ticket)
        window.source = report.source
        window.observed, window.observed_mono = now.wall, now.mono
        window.limit = report.limit if report.limit is not None else window.limit
        window.resets = resets if resets is not None else window.resets
        self._count(window, report, now)

    def _count(self, window: Window, report: WindowReport, now: Now) -> None:
        if report.remaining is not None:
            window.remaining = report.remaining
            if report.remaining > 0 and window.used is not None and window.used >= 100:
                window.used = None
        used = report.used_percent
        if used is None and report.remaining is not None and window.limit:
            used = 100 * (1 - report.remaining / window.limit)
        if used is not None:
            window.used = round(max(used, 0.0), 2)
            if report.remaining is None and window.remaining == 0 and used < 100:
                window.remaining = None
            window.trend.add(window.used, now.mono)

    def _refused(self, attempt: Attempt, outcome: Outcome, now: Now, *, grows: bool) -> None:
        told = attempt.limits.retry_after_ms
        if outcome.kind == "limit":
            timed = (w for w in self._windows.values() if w.resets is not None)
            if told is None and not any(window.holds(now.mono) for window in timed):
                self._streak += grows
                longer = UNTOLD_LIMIT_MS << min(max(self._streak - 2, 0), 16)
                told = FIRST_UNTOLD_MS if self._streak == 1 else min(longer, MAX_UNTOLD_MS)
            self._hold_on(told, "rate_limited", self._spent(now) - {CREDIT}, now)
        elif outcome.kind == "credit":
            wait = told if told is not None else NO_CREDIT_MS
            self._hold_on(wait, "no_credit", frozenset((CREDIT,)), now)
        elif outcome.kind == "overload" or attempt.status == 503:
            self._hold_on(told, "overloaded", frozenset(), now)

    def _hold_on(self, wait: int | None, code: str, causes: frozenset[str], now: Now) -> None:
        if wait is not None:
            self._hold(code, Hold(now.mono + min(wait, MAX_HOLD_MS), "retry_after", causes), now)

    def _keep_spent(self, now: Now) -> None:
        """Whatever room a refusal's own headers show, it shortens no wait for a window."""
        spent = [window for window in self._windows.values() if window.holds(now.mono)]
        if spent:
            last = max(spent, key=lambda window: window.blocks_until)
            causes = frozenset(window.name for window in spent)
            self._hold("window_spent", Hold(last.blocks_until, last.told_by, causes), now)

    def _hold(self, code: str, hold: Hold, now: Now) -> None:
        known = self._holds.get(code)
        self._holds[code] = hold if known is None or hold.until >= known.until else known
        self._refused_at = now.mono

    def _spent(self, now: Now) -> frozenset[str]:
        """The windows that hold the provider back."""
        return frozenset(name for name, window in self._windows.items() if window.holds(now.mono))

    def _settle(self, now: Now) -> list[Told]:
        """Compare what holds now with what was told last, and tell the difference."""
        until: int | None = None
        for code, hold in self._holds.items():
            if until is None or hold.until > until:
                until, self._code, self._source = hold.until, code, hold.source
        for window in self._windows.values():
            if window.holds(now.mono) and (until is None or window.blocks_until > until):
                until = window.blocks_until
                self._code, self._source = "window_spent", window.told_by
        was, self._told_until = self._told_until, until
        if until is not None:
            self._trial, self._trial_ticket = False, None
            if was is None:
                data: dict[str, object] = {
                    "until": stamp(now.wall_at(until)),
                    "source": self._source,
                    "why": self._detail(),
                }
                return [("quota.exhausted", data)]
            return []
        return [("quota.available", {"trial": self._trial})] if was is not None else []
