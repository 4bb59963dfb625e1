"""The burn rate: tokens of the UTC day against the day's budget, and when what is left runs out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from crtui.core import saved
from crtui.core.now import DAY, HOUR, MINUTE, SECOND, Now, stamp
from crtui.core.verdict import Told
from crtui.core.views import BurnView

BurnCode = Literal["spent", "projected"]
_CODES: Final[tuple[BurnCode | None, ...]] = ("spent", "projected", None)

PROJECTED_AFTER: Final = 15 * MINUTE
"""How much of the day must have passed before its pace says anything."""

PROJECTED_FROM_SHARE: Final = 10
"""The pace counts once one part in this many of the budget is used."""

_SHOWN_AFTER: Final = MINUTE


class Burn:
    """One provider's tokens per UTC day.

    Exhausted until the next midnight once the budget is used up (``spent``) or the day's pace
    would use it up (``projected``). Without a budget it only counts.
    """

    def __init__(self, budget_tokens: int | None) -> None:
        self._budget = budget_tokens or None
        self._day = 0
        self._used = 0
        self._code: BurnCode | None = None
        self._since = 0
        self._told = False
        self.recent = RecentRate()
        """The rate of late, and when the latest token was used."""

    def fold(self, tokens: int, now: Now) -> list[Told]:
        """Count tokens (a negative count is 0); tells what that, and time, has brought about.

        ``burn.projected`` and ``quota.exhausted``, once a day each; see also ``expire``.
        """
        quiet = self._code is None and now.wall // DAY == self._day
        events = [] if quiet else self.expire(now)
        tokens = max(0, tokens)
        self._used += tokens
        self.recent.add(tokens, now.mono)
        if self._budget is None:
            return events
        self._judge(now)
        return events + self._tell(now)

    def verdict(self, now: Now) -> tuple[BurnCode, int] | None:
        """Code and the wall time of the midnight it ends, while the provider is exhausted; else None."""
        day = self._day_at(now.wall)
        if self._code is None or day > self._day or not self._begun(now):
            return None
        return self._code, (day + 1) * DAY

    @property
    def clear(self) -> bool:
        """Whether ``verdict`` is None until more tokens come, whatever the time."""
        return self._code is None

    def warm(self, now: Now) -> bool:
        """Whether ``view`` changes from one instant to the next though nothing is folded."""
        return self._used > 0 or self.recent.warm(now.mono)

    def lasts(self, hourly_tokens: int, now: Now) -> int | None:
        """For how many ms ``verdict`` stays None at that rate; None without a budget or a rate.

        The end of the day is not looked beyond.
        """
        if self._budget is None or hourly_tokens <= 0 or self._code is not None:
            return None
        used = self._used if self._day_at(now.wall) <= self._day else 0
        spent = (self._budget - used) * HOUR // hourly_tokens + 1
        elapsed, even = now.wall % DAY, self._budget * HOUR // DAY
        # From then on the pace counts, and if it is too fast by then it is judged at once.
        counts = max(
            PROJECTED_AFTER - elapsed, (self._budget // PROJECTED_FROM_SHARE - used) * HOUR // hourly_tokens
        )
        if hourly_tokens > even:
            ahead = self._budget * elapsed // DAY - used
            counts = max(counts, ahead * HOUR // (hourly_tokens - even), 0)
        return min(spent, counts + 1) if counts >= 0 else spent

    def hourly(self, now: Now) -> int:
        """Tokens per hour at the recent rate; 0 if that is unknown."""
        return round((self.recent.per_minute(now.mono) or 0.0) * HOUR / MINUTE)

    def due(self) -> int | None:
        """The wall time at which ``expire`` has something to do; None while nothing is counted."""
        if self._code is not None and not self._told:
            return self._since
        return (self._day + 1) * DAY if self._used else None

    def expire(self, now: Now) -> list[Told]:
        """Let time pass: tells a projection that has come of age, and rolls the day.

        At midnight ``quota.available`` is told if this guard had the provider exhausted.
        """
        day = self._day_at(now.wall)
        told = self._tell(now)
        if day > self._day:
            if self._told:
                told.append(("quota.available", {"source": "burn_rate"}))
            self._used, self._code, self._since, self._told = 0, None, 0, False
        self._day = day
        return told

    def view(self, now: Now) -> BurnView:
        """The day so far. ``exhausts_at`` is told only if it comes before the day's reset."""
        day = self._day_at(now.wall)
        used = self._used if day <= self._day else 0
        elapsed = now.wall - day * DAY
        per_min = self.recent.per_minute(now.mono)
        return BurnView(
            budget_tokens=self._budget,
            used_tokens=used,
            tokens_per_min=per_min,
            projected_tokens=used * DAY // elapsed if used and elapsed >= _SHOWN_AFTER else None,
            exhausts_at=self._runs_out(now.wall, (day + 1) * DAY, used, per_min),
            resets_at=(day + 1) * DAY,
        )

    def dump(self, now: Now) -> dict[str, object]:
        """The state as JSON values; ``since`` is wall milliseconds, the recent rate is kept by age."""
        state = {"budget": self._budget, "day": self._day, "used": self._used}
        verdict = {"code": self._code, "since": self._since, "told": self._told}
        return {**state, **verdict, "recent": self.recent.dump(now.mono)}

    def load(self, data: Mapping[str, Any], now: Now) -> None:
        """Become what ``dump`` described; under another budget the day's count is judged anew."""
        self._day, self._used = saved.take(data, "day", int), saved.take(data, "used", int)
        if self._day < 0 or self._used < 0:
            raise saved.BadDumpError(f"day {self._day}: {self._used} tokens")
        saved.bounded(self._day * DAY, "day")
        self.recent.load(saved.inner(data, "recent"), now.mono)
        if saved.maybe(data, "budget", int) == self._budget:
            self._code = saved.chosen(data, "code", _CODES)
            self._since, self._told = saved.instant(data, "since"), saved.take(data, "told", bool)
            return
        self._code, self._since, self._told = None, 0, False
        if self._day_at(now.wall) <= self._day:
            self._judge(now)

    def _day_at(self, wall: int) -> int:
        """The UTC day a wall time counts for.

        A clock set back across midnight stays in the later day, so no token is lost; one set back
        further takes the count along, so that a wrong clock cannot lock a provider out for long.
        """
        today = wall // DAY
        return self._day if today == self._day - 1 else today

    def _judge(self, now: Now) -> None:
        if self._budget is None or self._code == "spent":
            return
        if self._used >= self._budget:
            self._code, self._since = "spent", now.wall
        elif not self._told:
            self._project(self._budget, now.wall)

    def _project(self, budget: int, wall: int) -> None:
        start = self._day * DAY
        # Before the pace counts its first quarter of an hour stands in: no token more, and it is so.
        since = max(wall, start + PROJECTED_AFTER)
        if self._used * PROJECTED_FROM_SHARE >= budget and self._used * DAY > budget * (since - start):
            self._code, self._since = "projected", since

    def _begun(self, now: Now) -> bool:
        return self._told or now.wall >= self._since

    def _tell(self, now: Now) -> list[Told]:
        if self._code is None or self._budget is None or self._told or not self._begun(now):
            return []
        self._told = True
        start, until = self._day * DAY, stamp((self._day + 1) * DAY)
        exhausted: dict[str, object] = {"until": until, "source": "burn_rate", "code": self._code}
        if self._code == "spent":
            return [("quota.exhausted", exhausted)]
        runs_out = start + (self._since - start) * self._budget // self._used
        return [("burn.projected", {"exhausts_at": stamp(runs_out)}), ("quota.exhausted", exhausted)]

    def _runs_out(self, wall: int, resets: int, used: int, per_min: float | None) -> int | None:
        if self._budget is None or used >= self._budget or not per_min:
            return None
        at = wall + round((self._budget - used) * MINUTE / per_min)
        return at if at < resets else None


class RecentRate:
    """Tokens per minute over the last quarter of an hour, in 60 buckets of 15 s of monotonic time."""

    BUCKET: Final = 15 * SECOND
    BUCKETS: Final = 60
    SPAN: Final = BUCKET * BUCKETS

    def __init__(self) -> None:
        self._first: int | None = None
        self._buckets: deque[list[int]] = deque(maxlen=self.BUCKETS)

    def add(self, tokens: int, mono: int) -> None:
        """Count tokens, if any, at a monotonic time that never goes backwards."""
        if tokens <= 0:
            return
        if self._first is None:
            self._first = mono
        bucket = mono // self.BUCKET
        if self._buckets and self._buckets[-1][0] == bucket:
            self._buckets[-1][1] += tokens
        else:
            self._buckets.append([bucket, tokens])

    def per_minute(self, mono: int) -> float | None:
        """The rate up to a monotonic time; None before 15 s of it have been seen."""
        return together((self,), mono)

    def counted(self, mono: int) -> tuple[int, int]:
        """The tokens that are in the rate, and from when on they are counted; from now on before any."""
        if self._first is None:
            return 0, mono
        oldest = self._oldest(mono)
        tokens = sum(count for bucket, count in self._buckets if bucket >= oldest)
        return tokens, max(self._first, oldest * self.BUCKET)

    @property
    def last(self) -> int | None:
        """When the bucket of the latest token began; None before any."""
        return self._buckets[-1][0] * self.BUCKET if self._buckets else None

    def warm(self, mono: int) -> bool:
        """Whether the rate changes as time passes; without a recent token it stays 0."""
        return bool(self._buckets) and self._buckets[-1][0] >= self._oldest(mono)

    def _oldest(self, mono: int) -> int:
        return mono // self.BUCKET - self.BUCKETS + 1

    def dump(self, mono: int) -> dict[str, object]:
        """The buckets as JSON values, by how many buckets ago they were."""
        here = mono // self.BUCKET
        ages = [[here - bucket, tokens] for bucket, tokens in self._buckets]
        return {"first_age": None if self._first is None else mono - self._first, "buckets": ages}

    def load(self, data: Mapping[str, Any], mono: int) -> None:
        """Become what ``dump`` described, as seen from a monotonic time."""
        here = mono // self.BUCKET
        self._first = saved.moment(data, "first_age", mono)
        rows = saved.rows(data, "buckets", (int,), (int,))
        self._buckets = deque(([here - ago, tokens] for ago, tokens in rows), self.BUCKETS)


def together(rates: Iterable[RecentRate], mono: int) -> float | None:
    """Tokens per minute of several in all, as if one rate had counted them; None where that is.

    Less than the sum of their own rates while traffic has just moved from one to another.
    """
    counted = [rate.counted(mono) for rate in rates]
    span = mono - min((since for _, since in counted), default=mono)
    return sum(tokens for tokens, _ in counted) * MINUTE / span if span >= RecentRate.BUCKET else None
