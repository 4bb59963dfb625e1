"""The last line: the keys that matter here, the most important ones if there is no room for all. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from crtui.actions import GROUPS, Action
from crtui.tui.line import EMPTY, Line, Span, cell_width, fit, wrap
from crtui.tui.status import ALL

if TYPE_CHECKING:
    from crtui.core.views import ProviderView

_GAP: Final = 2
_TERM: Final = 9
"""Cells before an explanation: the longest key or state and a blank."""
_HELP_ROWS: Final = 4


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
    """All keys in their groups, then what the states mean; what does not fit goes on in the next line."""
    lines: list[Line] = []
    for group in GROUPS:
        members = [action for action in actions if action.group == group]
        if not members:
            continue
        lines += [*([EMPTY] if lines else []), (Span(group, "head"),)]
        for action in members:
            lines += _explained(Span(action.shown, "key"), action.help, width)
    lines += [EMPTY, (Span("States", "head"),)]
    lines += _explained(Span("▶", "accent"), "asked first by the next request", width)
    for status in ALL:
        lines += _explained(Span(f"{status.glyph} {status.word}", status.role), status.meaning, width)
    return lines


def _explained(head: Span, text: str, width: int) -> list[Line]:
    first, *others = wrap(text, max(1, width - _TERM), _HELP_ROWS)
    gap = Span(" " * (_TERM - cell_width(head.text)))
    rows = [(head, gap, Span(first, "dim")), *((Span(" " * _TERM), Span(row, "dim")) for row in others)]
    return [fit(row, width) for row in rows]
