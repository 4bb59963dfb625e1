"""The two lines at the top: how we are connected, how many serve, who serves now, how much is used. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from crtui.core.now import SECOND
from crtui.tui import fmt
from crtui.tui.frame import Frame
from crtui.tui.glyphs import ARROW, NEXT, PAUSED
from crtui.tui.line import Line, Role, Span, fit
from crtui.tui.order import default_profile, entries, next_server
from crtui.tui.segments import Segment, bar
from crtui.tui.status import Group

if TYPE_CHECKING:
    from crtui.core.views import BudgetView, GatewayView, Snapshot

_COUNTS: Final[tuple[tuple[Group, str, Role], ...]] = (
    ("ok", "●", "good"),
    ("limited", "◐", "warn"),
    ("out", "✖", "bad"),
    ("parked", "▼", "dim"),
)


def summary(frame: Frame, width: int) -> tuple[Line, ...]:
    """Both lines, each at most ``width`` cells."""
    clock = (Span(fmt.clock_time(frame.clock, frame.zone), "dim"), Span(" "))
    first = [Segment(4, (Span("crtui", "accent"),)), Segment(0, state(frame), state(frame))]
    snapshot = frame.snapshot
    if snapshot is None:
        return bar(first, width, clock), bar([Segment(0, (Span(frame.link.url, "dim"),))], width)
    first += [_how_many(snapshot), _counts(snapshot), _serving(snapshot)]
    return bar([s for s in first if s.long], width, clock), bar(_second(frame, snapshot, width), width)


def headline(frame: Frame) -> list[Segment]:
    """The state, the counts, who serves and the rate, for a screen that has room for little more."""
    snapshot = frame.snapshot
    if snapshot is None:
        return [Segment(0, state(frame))]
    counts, rate = _counts(snapshot), _rate(snapshot)
    short = Segment(2, counts.short, counts.short)
    here = Segment(0, state(frame), state(frame))
    return [here, short, _serving(snapshot), Segment(3, rate.long, rate.short)]


def state(frame: Frame) -> Line:
    """LIVE, PAUSED with what was missed, PAST or STALE with its age, or that there is no connection."""
    if frame.behind is not None:
        return (Span(f" PAST {fmt.age(frame.behind)} ago ", "past"),)
    if frame.paused_ms is not None:
        paused = max(0, frame.paused_ms) // SECOND
        text = f"{PAUSED} PAUSED {paused // 60}:{paused % 60:02d}"
        return (Span(text, "warn"), Span(f" +{frame.missed_events} events", "dim"))
    if frame.stale and frame.snapshot is not None:
        return (Span(f"◌ STALE {fmt.age(frame.clock - frame.snapshot.at)}", "bad"),)
    if frame.link.state == "live":
        if frame.link.mark:
            return (Span(f"{NEXT} {frame.link.mark}", "accent"),)
        draining = frame.snapshot is not None and frame.snapshot.gateway.draining
        return (Span("◐ DRAINING", "warn"),) if draining else (Span(f"{NEXT} LIVE", "good"),)
    if frame.link.state == "lost":
        return (Span("○ NOT CONNECTED", "bad"),)
    return (Span("◌ CONNECTING", "warn"),)


def age_mark(frame: Frame) -> Line:
    """For the right end of a screen's first line: PAUSED, PAST, STALE or the like; nothing while live."""
    return () if (told := state(frame)[0]).role == "good" else (told, Span(" "))


def _how_many(snapshot: Snapshot) -> Segment:
    count = len(snapshot.providers)
    return Segment(5, (Span(f"{count} provider{'s' * (count != 1)}", "dim"),))


def _counts(snapshot: Snapshot) -> Segment:
    counts = Counter(entry.status.group for entry in entries(snapshot))
    long: list[Span] = []
    short: list[Span] = []
    for group, glyph, role in _COUNTS:
        number = counts[group]
        if number:
            long += [Span(f"{glyph} {number}", role), Span(f" {group}  ", "dim")]
            if group != "parked":
                short.append(Span(f"{glyph}{number} ", role))
    return Segment(2, _trim(long), _trim(short))


def _serving(snapshot: Snapshot) -> Segment:
    profile, name = default_profile(snapshot), next_server(snapshot)
    if profile is None:
        return Segment(1, ())
    target = (Span(f"{ARROW} ", "dim"), Span(name, "bright")) if name else (Span(f"{ARROW} nobody", "bad"),)
    return Segment(1, (Span(f"{profile.name} ", "dim"), *target), target)


def _second(frame: Frame, snapshot: Snapshot, width: int) -> list[Segment]:
    gateway = snapshot.gateway
    told = (*gateway.notices, *frame.notices)
    notices = [_notice(Span(f"! {notice}", "warn"), width) for notice in told]
    if frame.stale and frame.link.detail:
        notices.insert(0, _notice(Span(f"! {frame.link.detail}", "bad"), width))
    return [
        _rate(snapshot),
        *([] if frame.masked else [_money(snapshot)]),
        Segment(3, (Span(f"{gateway.in_flight}"), Span(" in flight", "dim"))),
        Segment(6, (Span(fmt.count(gateway.requests)), Span(_plural(gateway.requests, " request"), "dim"))),
        Segment(4, (Span("names hidden" if frame.masked else gateway.url, "dim"),)),
        *_paid(gateway),
        *([Segment(5, (Span("read-only", "warn"),))] if frame.read_only else []),
        *notices,
    ]


def _notice(told: Span, width: int) -> Segment:
    """Whole where there is room; else its beginning, for it must not vanish for being long."""
    return Segment(0, (told,), fit((told,), max(1, min(width - 4, width * 2 // 3))))


def _rate(snapshot: Snapshot) -> Segment:
    tokens = fmt.count(snapshot.tokens_per_min)
    return Segment(2, (Span(tokens, "text"), Span(" tok/min", "dim")), (Span(tokens), Span("/min", "dim")))


def _money(snapshot: Snapshot) -> Segment:
    """The month's spending of those with a cap against the sum of the caps, and beside it that of the others.

    Without a cap, what is known of the cost.
    """
    capped = [p.budget for p in snapshot.providers if p.budget.monthly_usd]
    if not capped:
        return _cost(snapshot)
    priced = [p for p in snapshot.providers if p.paid or p.budget.spent_usd is not None]
    others = [p.budget for p in priced if not p.budget.monthly_usd]
    cap = sum(budget.monthly_usd or 0 for budget in capped)
    (spent, unpriced), (beside, more) = _spent(capped), _spent(others)
    full, empty = fmt.bar(spent / cap, 10)
    short = (Span(fmt.usd(spent, unpriced=unpriced)), Span(f" of {fmt.usd(cap)}", "dim"))
    meter = (Span(" month ", "dim"), Span(full, "accent"), Span(empty, "faint"))
    apart = (Span(f" + {fmt.usd(beside, unpriced=more)}"), Span(" uncapped", "dim")) if beside else ()
    return Segment(3, (*short, *meter, *apart, *_unpriced(unpriced + more)), (*short, *apart[:1]))


def _spent(budgets: list[BudgetView]) -> tuple[float, int]:
    """The month's dollars, and how many requests they lack."""
    return sum(b.spent_usd or 0 for b in budgets), sum(b.unpriced_requests for b in budgets)


def _cost(snapshot: Snapshot) -> Segment:
    """What all that is known of has cost; a server that never had a price is no part of it."""
    priced = [p.usage for p in snapshot.providers if p.paid or p.usage.cost_usd is not None]
    costs = [usage.cost_usd for usage in priced if usage.cost_usd is not None]
    if not costs:
        return Segment(7, (Span("cost unknown", "faint"),))
    unpriced = sum(usage.unpriced_requests for usage in priced)
    short = (Span(fmt.usd(sum(costs), unpriced=unpriced)), Span(" in all", "dim"))
    return Segment(3, (*short, *_unpriced(unpriced)), short)


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def _unpriced(count: int) -> Line:
    return (Span(f" {fmt.count(count)} unpriced", "warn"),) if count else ()


def _paid(gateway: GatewayView) -> list[Segment]:
    return [Segment(7, (Span("$ paid on", "warn"),))] if gateway.allow_paid else []


def _trim(spans: list[Span]) -> Line:
    if not spans:
        return ()
    return (*spans[:-1], Span(spans[-1].text.rstrip(), spans[-1].role))
