"""The next hours in lines: one lane a provider on a common time scale, and in words when the chain runs dry.

Pure. The forecast is the core's; here it is only drawn.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Final

from crtui.core.now import HOUR
from crtui.tui import fmt
from crtui.tui.frame import Frame
from crtui.tui.glyphs import LANE_BACK, LANE_OUT, LANE_SERVING, LANE_WAITING
from crtui.tui.line import EMPTY, Line, Role, Span, cell, cell_width, fit, width_of, wrap
from crtui.tui.order import default_profile, entries
from crtui.tui.words import when

if TYPE_CHECKING:
    from crtui.core.views import ForecastView, LaneState, LaneView, OutlookView, Snapshot

_LOOKS: Final[dict[LaneState, tuple[str, Role]]] = {
    "serving": (LANE_SERVING, "good"),
    "waiting": (LANE_WAITING, "faint"),
    "out": (LANE_OUT, "bad"),
}
_BACK: Final[tuple[str, Role]] = (LANE_BACK, "info")
_LEGEND: Final = {
    "serves": _LOOKS["serving"],
    "waits": _LOOKS["waiting"],
    "out": _LOOKS["out"],
    "back": _BACK,
}
_NOTE: Final = 14
_FRESH_MS: Final = 5000
_NEEDS: Final = "No forecast yet. It comes with the first picture of a gateway that makes one."


class ForecastLines:
    """The lines from picture to picture: written anew for a new forecast or size, and every few seconds."""

    def __init__(self) -> None:
        self._of: ForecastView | None = None
        self._key: tuple[object, ...] = ()
        self._lines: list[Line] = []

    def lines(self, frame: Frame, width: int, height: int) -> list[Line]:
        """As ``forecast_lines``."""
        snapshot = frame.snapshot
        view = None if snapshot is None else snapshot.forecast
        chain = (p := default_profile(snapshot)) and p.chain if snapshot is not None else None
        key = (width, height, chain, frame.now // _FRESH_MS)
        if view is None or view is not self._of or key != self._key:
            self._of, self._key = view, key
            self._lines = forecast_lines(frame, width, height)
        return self._lines


def forecast_lines(frame: Frame, width: int, height: int) -> list[Line]:
    """The words, a ruler, the lanes in the chain's order, and what the signs mean if there is room."""
    snapshot = frame.snapshot
    view = None if snapshot is None else snapshot.forecast
    if snapshot is None or view is None:
        return [(Span(row, "dim"),) for row in wrap(_NEEDS, max(1, width), 3)]
    lines: list[Line] = []
    for text, role in outlook_words(snapshot, frame):
        lines += [(Span(row, role),) for row in wrap(text, width, 2)]
    lanes = _in_order(snapshot, view)
    names = min(14, max((cell_width(lane.provider) for lane in lanes), default=0))
    cells = max(1, width - names - 1 - (_NOTE if width >= 60 else 0))
    shown, left_out = _that_fit(lanes, max(1, height - len(lines) - 1))
    lines.append((Span(" " * (names + 1)), Span(ruler(view, cells, frame.zone), "dim")))
    for lane in shown:
        line = (Span(f"{cell(lane.provider, names)} "), *strip_of(lane, view, cells))
        lines.append((*line, *(_note(lane, frame) if width >= 60 else EMPTY)))
    if left_out:
        idle = ", waiting all along" if all(map(_only_waits, left_out)) else ""
        lines.append((Span(f"… {len(left_out)} more{idle}", "faint"),))
    if height - len(lines) >= 2:
        legend = _legend()
        lines += [EMPTY, (Span(" " * (names + 1 if width_of(legend) < width - names else 0)), *legend)]
    return [fit(line, width) for line in lines]


def outlook_words(snapshot: Snapshot, frame: Frame) -> list[tuple[str, Role]]:
    """For each profile when nobody is left, the default one first; the others only if they run dry."""
    view = snapshot.forecast
    if view is None:
        return []
    default = snapshot.gateway.default_profile
    ordered = sorted(view.profiles, key=lambda outlook: outlook.profile != default)
    several = len(ordered) > 1
    moving = any(lane.tokens_per_min for lane in view.lanes)
    found: list[tuple[str, Role]] = []
    for place, outlook in enumerate(ordered):
        if outlook.dry_at is not None or place == 0:
            name = f"{outlook.profile}: " if several else ""
            text, role = _words(outlook, view, frame, moving=moving)
            found.append((name + text, role))
    return found


def _words(outlook: OutlookView, view: ForecastView, frame: Frame, *, moving: bool) -> tuple[str, Role]:
    end = when(view.end, frame.now, frame.zone)
    rate = "at this rate" if moving else "without traffic to go by"
    if outlook.dry_at is None:
        return f"{rate} it lasts past {end}", "good" if moving else "dim"
    if outlook.dry_at <= frame.now:
        start = "nobody is left now"
    else:
        start = f"{rate} nobody is left from {when(outlook.dry_at, frame.now, frame.zone)}"
    if outlook.dry_until is None:
        return f"{start}, and nobody is back by {end}", "bad"
    verb = "until" if outlook.dry_at <= frame.now else "to"
    return f"{start} {verb} {when(outlook.dry_until, frame.now, frame.zone)}", "bad"


def ruler(view: ForecastView, cells: int, zone: tzinfo | None) -> str:
    """The start, and every full hour whose label has room, above its cell."""
    text = fmt.clock_time(view.start, zone, seconds=False)
    length = max(1, view.end - view.start)
    at = _next_hour(view.start, zone)
    while at < view.end:
        column = round((at - view.start) / length * cells)
        label = fmt.clock_time(at, zone, seconds=False)
        if column > len(text) and column + len(label) <= cells:
            text += " " * (column - len(text)) + label
        at += HOUR
    return cell(text, cells)


def _next_hour(wall: int, zone: tzinfo | None) -> int:
    """The next full hour on the reader's clock, which may be half an hour off from UTC's."""
    local = datetime.fromtimestamp(wall / 1000, zone)
    return wall + HOUR - (local.minute * 60 + local.second) * 1000 - wall % 1000


def strip_of(lane: LaneView, view: ForecastView, cells: int) -> Line:
    """One lane in so many cells. A cell in which the way back lies says so, however short the rest was."""
    length = max(1, view.end - view.start)
    back = {
        _column(segment.end - view.start, length, cells)
        for segment, after in zip(lane.segments, lane.segments[1:], strict=False)
        if segment.state == "out" and after.state != "out"
    }
    spans: list[Span] = []
    at = 0
    for column in range(cells):
        middle = view.start + (2 * column + 1) * length // (2 * cells)
        while at < len(lane.segments) - 1 and lane.segments[at].end <= middle:
            at += 1
        text, role = _BACK if column in back else _LOOKS[lane.segments[at].state]
        if spans and spans[-1].role == role:
            spans[-1] = Span(spans[-1].text + text, role)
        else:
            spans.append(Span(text, role))
    return tuple(spans)


def _column(passed: int, length: int, cells: int) -> int:
    return min(cells - 1, passed * cells // length)


def _note(lane: LaneView, frame: Frame) -> Line:
    """What changes next on the lane."""
    coming = [segment for segment in lane.segments if segment.start > frame.now]
    if not coming:
        return EMPTY
    then = coming[0]
    now = next((s for s in lane.segments if s.start <= frame.now < s.end), lane.segments[0])
    word = {"serving": "serves", "waiting": "rests", "out": "out"}[then.state]
    role: Role = "warn" if then.state == "out" else "dim"
    if now.state == "out":
        word, role = "back", "info"
    return (Span(f" {word} {fmt.clock_time(then.start, frame.zone, seconds=False)}", role),)


def _in_order(snapshot: Snapshot, view: ForecastView) -> list[LaneView]:
    """The lanes that have something in them, as the chain has their providers."""
    lanes = {lane.provider: lane for lane in view.lanes if lane.segments}
    return [lanes[e.provider.name] for e in entries(snapshot) if e.provider.name in lanes]


def _that_fit(lanes: list[LaneView], room: int) -> tuple[list[LaneView], list[LaneView]]:
    """All of them, or those that do more than wait first; and those that the last line stands for."""
    if len(lanes) <= room:
        return lanes, []
    kept = sorted(lanes, key=_only_waits)[: max(1, room - 1)]
    return [lane for lane in lanes if lane in kept], [lane for lane in lanes if lane not in kept]


def _only_waits(lane: LaneView) -> bool:
    return all(segment.state == "waiting" for segment in lane.segments)


def _legend() -> Line:
    spans: list[Span] = []
    for word, (glyph, role) in _LEGEND.items():
        spans += [Span(f"{'  ' if spans else ''}{glyph}", role), Span(f" {word}", "faint")]
    return tuple(spans)
