"""Several gateways in one row: each by its address and its worst state. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from crtui.tui import fmt
from crtui.tui.frame import Tab
from crtui.tui.line import ELLIPSIS, Line, Role, Span, cut, fit, width_of
from crtui.tui.order import entries
from crtui.tui.status import GROUPS, Group

if TYPE_CHECKING:
    from crtui.engine.link import Link

_LOOKS: Final[dict[Group, tuple[str, Role]]] = {
    "out": ("✖", "bad"),
    "limited": ("◐", "warn"),
    "ok": ("●", "good"),
    "parked": ("▼", "dim"),
}
_LEAST: Final = 6
"""Cells of an address that are kept to the last."""


def tab_of(link: Link, now: int, *, here: bool, name: str = "") -> Tab:
    """A gateway's tab; ``name`` is shown in the place of its address."""
    shown = name or urlsplit(link.status.url).netloc or link.status.url
    return Tab(shown, *_told(link, now), here)


def _told(link: Link, now: int) -> tuple[str, Role]:
    latest, state = link.latest, link.status.state
    if latest is None:
        return ("○ not connected", "bad") if state == "lost" else ("◌ connecting", "warn")
    if state != "live":
        return f"◌ stale {fmt.age(max(0, now - latest.at))}", "bad"
    groups: list[Group] = [entry.status.group for entry in entries(latest)]
    counts = Counter(groups)
    worst: Group | None = next((group for group in GROUPS if counts[group]), None)
    if worst is None:
        return "– no providers", "dim"
    glyph, role = _LOOKS[worst]
    return f"{glyph} {counts[worst]} {worst}", role


def fleet_line(tabs: Sequence[Tab], width: int) -> Line:
    """All tabs in one line; addresses are shortened before any tab is left out, the present one last."""
    room = width - 1 - sum(len(tab.told) + 5 for tab in tabs)
    each = max(_LEAST, room // max(1, len(tabs)))
    first = 0
    while width_of(line := _line(tabs[first:], each, left_out=first)) > width and not tabs[first].here:
        first += 1
    return fit(line, width)


def _line(tabs: Sequence[Tab], each: int, *, left_out: int) -> Line:
    spans: list[Span] = [Span(f" {ELLIPSIS}{left_out} " if left_out else " ", "dim")]
    for tab, whole in zip(tabs, _names(tabs, each), strict=True):
        name = cut(whole, each)
        shown = Span(f"[{name}]", "accent") if tab.here else Span(f" {name} ", "dim")
        spans += [shown, Span(" "), Span(tab.told, tab.role), Span("  ")]
    return tuple(spans[:-1])


def _names(tabs: Sequence[Tab], each: int) -> list[str]:
    """The whole names; the ports alone where there is no room for more and all are on one host."""
    names = [tab.name for tab in tabs]
    host, colon, _ = names[0].rpartition(":")
    crowded = len(names) > 1 and max(map(len, names)) > each
    if crowded and colon and all(name.rpartition(":")[0] == host for name in names):
        return [name.removeprefix(host) for name in names]
    return names
