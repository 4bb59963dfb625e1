"""Which providers are shown, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from crtui.tui.meters import binding
from crtui.tui.status import GROUPS, Status, status_of
from crtui.tui.why import why

if TYPE_CHECKING:
    from crtui.core.views import ProfileView, ProviderView, Snapshot

Sort = Literal["attention", "chain", "name", "left", "latency", "errors"]
_NONE: Final[Mapping[str, tuple[int, int]]] = MappingProxyType({})
SORTS: Final[tuple[Sort, ...]] = ("attention", "chain", "name", "left", "latency", "errors")


@dataclass(frozen=True, slots=True)
class Entry:
    """A provider with what the table needs to know of its surroundings."""

    provider: ProviderView
    status: Status
    rank: int
    serves_next: bool
    recent: tuple[int, int] = (0, 0)
    """Requests and failures of the last five minutes."""


def default_profile(snapshot: Snapshot) -> ProfileView | None:
    """The profile that serves requests which name none."""
    wanted = snapshot.gateway.default_profile
    return next((p for p in snapshot.profiles if p.name == wanted), next(iter(snapshot.profiles), None))


def next_server(snapshot: Snapshot) -> str | None:
    """Who would be asked first by a request of the default profile right now."""
    profile = default_profile(snapshot)
    return profile.order[0] if profile and profile.order else None


def entries(snapshot: Snapshot, recent: Mapping[str, tuple[int, int]] = _NONE) -> list[Entry]:
    """Every provider in chain order: the default profile's chain first, then the rest as configured."""
    profile = default_profile(snapshot)
    chain = profile.chain if profile else ()
    chained = {name for p in snapshot.profiles for name in p.chain}
    rank = {name: place for place, name in reversed(list(enumerate(chain)))}
    serving = next_server(snapshot)
    found = [
        Entry(
            provider,
            status_of(provider, chained=provider.name in chained),
            rank.get(provider.name, len(chain) + place),
            provider.name == serving,
            recent.get(provider.name, (0, 0)),
        )
        for place, provider in enumerate(snapshot.providers)
    ]
    return sorted(found, key=lambda entry: entry.rank)


def arrange(found: list[Entry], sort: Sort, *, reverse: bool = False) -> list[Entry]:
    """The entries in the order asked for; equals stay in chain order."""
    ordered = sorted(found, key=lambda entry: entry.rank)
    return sorted(ordered, key=_KEYS[sort], reverse=reverse)


def matches(entry: Entry, wanted: str) -> bool:
    """Whether an entry passes all terms of a filter, smart-case.

    ``!`` inverts a term; ``state:``, ``model:`` and ``kind:`` look there instead of at name and reason.
    """
    return all(_term(entry, term) for term in wanted.split())


def _term(entry: Entry, term: str) -> bool:
    if term.startswith("!") and len(term) > 1:
        return not _term(entry, term[1:])
    field, colon, value = term.partition(":")
    if colon and field == "state":
        return entry.status.word.lower().startswith(value.lower()) or entry.status.group == value.lower()
    if colon and field == "model":
        return any(_holds(model.name, value) for model in entry.provider.models)
    if colon and field == "kind":
        return _holds(entry.provider.kind, value)
    return _holds(entry.provider.name, term) or _holds(why(entry.provider), term)


def _holds(text: str, part: str) -> bool:
    """Smart-case: a capital in the wanted part makes case count."""
    return part in text if part != part.lower() else part in text.lower()


def _least_left(entry: Entry) -> float:
    meter = binding(entry.provider)
    return 101.0 if meter is None or meter.left is None else meter.left


def _error_share(entry: Entry) -> float:
    requests, failed = entry.recent
    return -failed / requests if requests else 1.0


_KEYS: Final[dict[Sort, Callable[[Entry], float | str]]] = {
    "attention": lambda entry: GROUPS.index(entry.status.group),
    "chain": lambda entry: entry.rank,
    "name": lambda entry: entry.provider.name.lower(),
    "left": _least_left,
    "latency": lambda entry: entry.provider.latency.p50_ms or float("inf"),
    "errors": _error_share,
}
