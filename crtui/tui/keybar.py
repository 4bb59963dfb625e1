"""The last line: the keys that matter here, the most important ones if there is no room for all. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crtui.actions import GROUPS, Action
from crtui.tui.line import EMPTY, Line, Span, cell_width, fit
from crtui.tui.status import ALL

if TYPE_CHECKING:
    from crtui.core.views import ProviderView

_GAP = 2


def key_bar(actions: Sequence[Action], width: int, provider: ProviderView | None) -> Line:
    """As many keys as fit whole, chosen by importance and shown in the table's order."""
    wanted = [action for action in actions if action.bar is not None]
    room = width - 1
    chosen: list[Action] = []
    for action in sorted(wanted, key=lambda action: action.bar or 0):
        need = _width(action, provider) + (_GAP if chosen else 0)
        if need > room:
            break
        chosen.append(action)
        room -= need
    spans: list[Span] = [Span(" ")]
    for place, action in enumerate(sorted(chosen, key=wanted.index)):
        spans += [Span(" " * _GAP)] if place else []
        spans += [Span(action.shown, "key"), Span(f" {action.label_for(provider)}", "dim")]
    return tuple(spans)


def _width(action: Action, provider: ProviderView | None) -> int:
    return cell_width(f"{action.shown} {action.label_for(provider)}")


def help_lines(actions: Sequence[Action], width: int) -> list[Line]:
    """All keys in their groups, then what the states mean."""
    lines: list[Line] = []
    for group in GROUPS:
        members = [action for action in actions if action.group == group]
        if not members:
            continue
        lines += [*([EMPTY] if lines else []), (Span(group, "head"),)]
        lines += [_help_line(action, width) for action in members]
    lines += [EMPTY, (Span("States", "head"),), _mark_line(width)]
    for status in ALL:
        head = (Span(f"{status.glyph} {status.word:<6}", status.role), Span(status.meaning, "dim"))
        lines.append(fit(head, width))
    return lines


def _help_line(action: Action, width: int) -> Line:
    gap = " " * (8 - cell_width(action.shown))
    return fit((Span(action.shown, "key"), Span(gap), Span(action.help, "dim")), width)


def _mark_line(width: int) -> Line:
    return fit((Span("▶       ", "accent"), Span("asked first by the next request", "dim")), width)
