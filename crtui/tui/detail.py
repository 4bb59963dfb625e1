"""One provider in lines: its state and why, its speed, its last requests and changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from crtui.tui import fmt
from crtui.tui.feed import Note, note_line
from crtui.tui.frame import Frame
from crtui.tui.glyphs import NONE, SEPARATOR
from crtui.tui.line import Line, Role, Span, cell, fit, spread
from crtui.tui.order import default_profile, entries
from crtui.tui.summary import age_mark
from crtui.tui.upcoming import upcoming
from crtui.tui.why import why
from crtui.tui.words import result, seconds, when

if TYPE_CHECKING:
    from crtui.core.views import ProviderView, Snapshot


def heading(frame: Frame, provider: ProviderView, width: int) -> list[Line]:
    """Name, state and place; what happens next; why."""
    assert frame.snapshot is not None
    return [
        spread(_title(frame, provider), _corner(frame), width),
        fit(_next(frame, provider), width),
        fit((Span(" why   ", "dim"), Span(why(provider) or "nothing against it")), width),
    ]


def _corner(frame: Frame) -> Line:
    return age_mark(frame) or (Span(fmt.clock_time(frame.clock, frame.zone), "dim"), Span(" "))


def _title(frame: Frame, provider: ProviderView) -> Line:
    snapshot = frame.snapshot
    assert snapshot is not None
    entry = next(e for e in entries(snapshot) if e.provider.name == provider.name)
    since = provider.health.since
    spans = [Span(" ‹ ", "dim"), Span(provider.name, "bright"), Span("  ")]
    spans.append(Span(f"{entry.status.glyph} {entry.status.word}", entry.status.role))
    if since and provider.health.state != "HEALTHY":
        spans.append(
            Span(f" since {when(since, frame.now, frame.zone)} ({fmt.age(frame.now - since)})", "dim")
        )
    spans.append(Span(f"  {_place(snapshot, provider)}", "dim"))
    return tuple(spans)


def _place(snapshot: Snapshot, provider: ProviderView) -> str:
    default = default_profile(snapshot)
    known = snapshot.profiles if default is None else (default, *snapshot.profiles)
    profile = next((found for found in known if provider.name in found.chain), None)
    if profile is None:
        return "in no chain"
    if provider.name not in profile.order:
        return f"passed over in {profile.name}"
    return f"#{profile.order.index(provider.name) + 1} of {len(profile.order)} in {profile.name}"


def _next(frame: Frame, provider: ProviderView) -> Line:
    coming = upcoming(provider, frame.now)
    facts = f"{provider.kind} {SEPARATOR} speaks {', '.join(provider.wires)}"
    facts += f" {SEPARATOR} paid" if provider.paid else ""
    facts += f" {SEPARATOR} {provider.in_flight} in flight" if provider.in_flight else ""
    if coming is None:
        return (Span(" next  ", "dim"), Span("nothing due"), Span(f"   {facts}", "faint"))
    at = (
        f"{coming.verb} in {fmt.countdown(coming.at - frame.now)}"
        if coming.at > frame.now
        else f"{coming.verb} now"
    )
    clock = f" (at {when(coming.at, frame.now, frame.zone)})" if coming.at > frame.now else ""
    return (Span(" next  ", "dim"), Span(at, coming.role), Span(clock, "dim"), Span(f"   {facts}", "faint"))


def speed_lines(provider: ProviderView, width: int) -> list[Line]:
    """The percentiles above the chart, in one line or, where that is too narrow, in two."""
    latency = provider.latency
    times = (("p50", latency.p50_ms), ("p95", latency.p95_ms), ("p99", latency.p99_ms))
    speed = NONE if latency.tokens_per_s is None else f"{latency.tokens_per_s:.0f}"
    first = [_named(name, _duration(value)) for name, value in times]
    second = [_named("first token", _duration(latency.ttft_p50_ms)), _named("tok/s", speed)]
    rows = [[*first, *second]] if width >= 54 else [first, second]
    return [fit([span for pair in row for span in pair], width) for row in rows]


def _duration(ms: float | None) -> str:
    return NONE if ms is None else seconds(ms)


def _named(name: str, value: str) -> Line:
    return (Span(f"{name} ", "dim"), Span(f"{value}  "))


def request_lines(notes: Iterable[Note], width: int, height: int, frame: Frame) -> list[Line]:
    """The newest attempts, newest first: when, which model, how it ended."""
    lines: list[Line] = []
    for note in notes:
        if note.event is None or not note.event.kind.startswith("attempt."):
            continue
        if len(lines) == height:
            break
        lines.append(_request(note, width, frame))
    return lines or [(Span("None among the newest events.", "dim"),)]


def _request(note: Note, width: int, frame: Frame) -> Line:
    assert note.event is not None
    model = str(note.event.data.get("model") or "")
    time = fmt.clock_time(note.at, frame.zone, seconds=width >= 44)
    room = min(26, max(0, width - len(time) - 20))
    ok = note.event.kind == "attempt.ok"
    role: Role = "dim" if ok else "warn"
    times = f" ×{note.count}" if note.count > 1 else ""
    spans = [Span(f"{time} ", "faint")]
    if room >= 6:
        spans.append(Span(f"{cell(model, room)} "))
    spans.append(Span(result(note.event) + times, role))
    return fit(spans, width)


def change_lines(notes: Iterable[Note], width: int, height: int, frame: Frame) -> list[Line]:
    """The newest changes of state, newest first."""
    found = [n for n in notes if n.event is not None and not n.event.kind.startswith("attempt.")]
    lines = [note_line(note, width, 0, frame.zone) for note in found[:height]]
    return lines or [(Span("None among the newest events.", "dim"),)]
