"""A profile's plan, candidate by candidate: who is asked first and why, who comes last, who is passed over.

Pure. What the core has decided is read off the snapshot; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from crtui.tui import fmt
from crtui.tui.frame import Frame
from crtui.tui.glyphs import ARROW, NEXT, SEPARATOR
from crtui.tui.line import EMPTY, Line, Role, Span, cell, cell_width, fit, spread, wrap
from crtui.tui.order import default_profile
from crtui.tui.status import OFF, Status, status_of
from crtui.tui.summary import age_mark
from crtui.tui.why import reason_words
from crtui.tui.words import when

if TYPE_CHECKING:
    from crtui.core.events import EventKind
    from crtui.core.plan import Guard
    from crtui.core.views import DroppedView, ProfileView, ProviderView, ReasonView, Snapshot

Verdict = Literal["kept", "demoted", "dropped"]

_WIDE: Final = 70
_NAMES: Final = 20
_ROLES: Final[dict[Verdict, Role]] = {"kept": "good", "demoted": "dim", "dropped": "bad"}
_FIRST_BY: Final[dict[str, str]] = {
    "priority": "the first of the chain that nothing is against",
    "tier": "drawn by chance within the lowest tier; the next request may draw another",
    "random": "drawn by chance, by weight; the next request may draw another",
    "token_based": "it has had the fewest tokens lately, or keeps its turn until it has had enough",
    "latency_based": "it answers fastest lately, or keeps its turn while it is fast enough",
    "speed_based": "it writes the most tokens a second lately",
    "adaptive": "it scores best on latency, tokens spent, speed and free capacity",
    "capacity_based": "drawn by chance, by free capacity; the next request may draw another",
}
_TOLD_BY: Final[dict[Guard, tuple[EventKind, ...]]] = {
    "operator": ("operator.changed",),
    "quota": ("quota.exhausted",),
    "burn": ("quota.exhausted",),
    "memory": ("memory.pressured",),
    "budget": ("budget.exceeded",),
}
_NOTE: Final = (
    "A request passes over a provider that lacks its wire or an ability it needs as well, "
    "and a session stays with the provider it began on while that one is kept."
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One provider of the chain as the plan has it. ``place`` is its turn, 0 for one that has none.

    ``moved_from`` is the turn that the chain alone would have given it, None where that is its turn.
    """

    name: str
    place: int
    moved_from: int | None
    verdict: Verdict
    status: Status
    reasons: tuple[str, ...]


def profile_at(snapshot: Snapshot, step: int) -> ProfileView | None:
    """The profile ``step`` places after the default one, round and round."""
    default = default_profile(snapshot)
    if default is None:
        return None
    return snapshot.profiles[(snapshot.profiles.index(default) + step) % len(snapshot.profiles)]


def explain_heading(frame: Frame, step: int, width: int) -> list[Line]:
    """Which profile, by which tactic it is ordered, who is asked first, and why."""
    profile = None if frame.snapshot is None else profile_at(frame.snapshot, step)
    if frame.snapshot is None or profile is None:
        return [(Span(" No profile is configured.", "dim"),)]
    count = len(frame.snapshot.profiles)
    spans = [Span(" ‹ plan of ", "dim"), Span(profile.name, "bright"), Span(f"  by {profile.tactic}", "dim")]
    if count > 1:
        at = frame.snapshot.profiles.index(profile) + 1
        spans.append(Span(f"  {SEPARATOR} {at} of {count}, Tab for the next", "faint"))
    first, why = _first(frame, profile)
    rows = wrap(f"{first}{why}", width - 8, 2)
    head, tail = rows[0][: len(first)], rows[0][len(first) :]
    title = spread(spans, age_mark(frame), width)
    lines: list[Line] = [title, (Span(" first  ", "dim"), Span(head, "bright"), Span(tail))]
    return [*lines, *((Span(" " * 8), Span(row)) for row in rows[1:])]


def explain_lines(frame: Frame, step: int, width: int) -> list[Line]:
    """The candidates in the order they are tried, those passed over after them."""
    profile = None if frame.snapshot is None else profile_at(frame.snapshot, step)
    if frame.snapshot is None or profile is None:
        return []
    found = candidates(frame, profile)
    names = min(_NAMES, max((cell_width(one.name) for one in found), default=0))
    lines: list[Line] = []
    for one in found:
        lines += _wide(one, names, width) if width >= _WIDE else _narrow(one, width)
    notes = wrap(_NOTE, max(1, width - 1), 6)
    return [fit(line, width) for line in (*lines, EMPTY, *((Span(f" {row}", "faint"),) for row in notes))]


def candidates(frame: Frame, profile: ProfileView) -> list[Candidate]:
    """Every provider of the chain: in the order of their turns, then those that have none."""
    turns = [name for name in profile.order if name in profile.chain]
    rest = [name for name in profile.chain if name not in turns]
    return [_candidate(frame, profile, name, place) for place, name in enumerate(turns, 1)] + [
        _candidate(frame, profile, name, 0) for name in rest
    ]


def _candidate(frame: Frame, profile: ProfileView, name: str, place: int) -> Candidate:
    provider = frame.provider(name)
    drop = next((dropped for dropped in profile.dropped if dropped.provider == name), None)
    if provider is None:
        return Candidate(name, place, None, "dropped", OFF, ("there is no provider of that name",))
    verdict: Verdict = "kept" if place else "dropped"
    if place and provider.standing == "demoted":
        verdict = "demoted"
    reasons = tuple(_reasons(frame, provider, drop if verdict == "dropped" else None))
    moved = _moved_from(frame, profile, name) if verdict == "kept" else None
    return Candidate(name, place, moved, verdict, status_of(provider), reasons)


def _moved_from(frame: Frame, profile: ProfileView, name: str) -> int | None:
    """Its place among those that are plainly kept, as the chain has them."""
    kept = [n for n in profile.order if (p := frame.provider(n)) and p.standing != "demoted"]
    by_chain = sorted(kept, key=profile.chain.index)
    return None if by_chain.index(name) == kept.index(name) else by_chain.index(name) + 1


def _reasons(frame: Frame, provider: ProviderView, drop: DroppedView | None) -> Iterator[str]:
    """Guard, words, since and until of everything that is said of it, what decided first."""
    found = sorted(provider.reasons, key=lambda reason: drop is not None and reason.guard != drop.guard)
    if drop is not None and all(reason.guard != drop.guard for reason in found):
        yield f"{drop.guard}: {drop.code.replace('_', ' ')}{_until(frame, drop.until)}"
    for reason in found:
        yield f"{reason.guard}: {reason_words(provider, reason)}{_since(frame, provider, reason)}" + _until(
            frame, reason.until
        )


def _since(frame: Frame, provider: ProviderView, reason: ReasonView) -> str:
    """From when on, where the snapshot or an event that was seen tells it."""
    since: int | None = None
    if reason.guard in ("health", "auth"):
        since = provider.health.since or None
    else:
        told_by = _TOLD_BY.get(reason.guard, ())
        notes = frame.log.changes_of(provider.name)
        since = next((note.at for note in notes if note.event and note.event.kind in told_by), None)
    return "" if since is None else f", since {when(since, frame.now, frame.zone)}"


def _until(frame: Frame, until: int | None) -> str:
    if until is None:
        return ""
    if until <= frame.now:
        return ", due now"
    return f", until {when(until, frame.now, frame.zone)} ({fmt.countdown(until - frame.now)})"


def _first(frame: Frame, profile: ProfileView) -> tuple[str, str]:
    """Who is asked first, and why it."""
    if not profile.order:
        return "nobody", f": each of the chain is passed over{_first_back(frame, profile)}"
    name = profile.order[0]
    provider = frame.provider(name)
    if provider is None:
        return name, ""
    if provider.operator.override == "pinned":
        return name, f": pinned by you{_until(frame, provider.operator.until)}"
    if provider.standing == "excluded":
        return name, ": everyone is ill, so all are tried all the same"
    if provider.standing == "demoted":
        return name, ": only demoted ones are left, and it is the first of them"
    return name, f": {_by_tactic(frame, profile, name)}"


def _by_tactic(frame: Frame, profile: ProfileView, name: str) -> str:
    if profile.tactic != "priority":
        return _FIRST_BY.get(profile.tactic, f"chosen by the tactic {profile.tactic}")
    before = profile.chain[: profile.chain.index(name)] if name in profile.chain else ()
    if not before:
        return "the first of the chain, and nothing is against it"
    healthy = [
        n for n in before if n in profile.order and (p := frame.provider(n)) and p.standing == "eligible"
    ]
    if healthy:
        return f"it is faster lately than {healthy[0]}, which the chain has before it"
    return _FIRST_BY["priority"]


def _first_back(frame: Frame, profile: ProfileView) -> str:
    dated = [(drop.until, drop.provider) for drop in profile.dropped if drop.until is not None]
    if not dated:
        return ""
    at, name = min(dated)
    return f"; {name} is back first{_until(frame, at)}".replace(", until", ", at")


def _wide(one: Candidate, names: int, width: int) -> list[Line]:
    head = (*_head(one, names), Span(f"{one.verdict:<8} ", _ROLES[one.verdict]))
    indent = sum(cell_width(span.text) for span in head)
    rows = [row for text in _said(one) for row in wrap(text, width - indent, 2)] or [""]
    lines: list[Line] = [(*head, Span(rows[0], _tone(one)))]
    return [*lines, *((Span(" " * indent), Span(row, "dim")) for row in rows[1:])]


def _narrow(one: Candidate, width: int) -> list[Line]:
    verdict = Span(f" {one.verdict}", _ROLES[one.verdict])
    lines: list[Line] = [(*_head(one, width - 17), verdict)]
    rows = [row for text in _said(one) for row in wrap(text, width - 6, 3)]
    return [*lines, *((Span(" " * 6), Span(row, _tone(one))) for row in rows)]


def _head(one: Candidate, names: int) -> Line:
    turn = f"{one.place:>3} " if one.place else f"{'':>3} "
    mark = Span(f"{NEXT} ", "accent") if one.place == 1 else Span(f"{one.status.glyph} ", one.status.role)
    return (
        Span(turn, "dim"),
        mark,
        Span(f"{cell(one.name, names)} ", "bright" if one.place == 1 else "text"),
    )


def _said(one: Candidate) -> tuple[str, ...]:
    """The reasons, and where the chain has it if that is not where it stands."""
    return one.reasons if one.moved_from is None else (*one.reasons, _moved(one.moved_from, one.place))


def _moved(place: int, turn: int) -> str:
    return f"reordered: turn {place} by the chain {ARROW} turn {turn}"


def _tone(one: Candidate) -> Role:
    if one.verdict == "kept":
        return "warn" if one.reasons else "faint"
    return "dim" if one.verdict == "demoted" else "text"
