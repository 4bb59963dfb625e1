"""Textual bindings from the action table."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding, BindingType

from crtui.actions import ACTIONS, Action, Place, places


def bindings(place: Place, *more: Place) -> list[BindingType]:
    """The bindings of one place and ``more``; their ids are the actions', so a keymap may change them.

    What works only while history is shown comes before what the same key means otherwise.
    """
    here = (*(("everywhere",) if place == "everywhere" else places(place)[1:]), *more)
    return [_binding(action) for action in ACTIONS if action.place in here and action.keys]


def keymap(actions: Sequence[Action]) -> dict[str, str]:
    """The keys of actions as Textual takes them: by binding."""
    return {action.id: ",".join(action.keys) for action in actions if action.keys}


def _binding(action: Action) -> Binding:
    past = action.place == "past"
    return Binding(
        ",".join(action.keys),
        f"app.{'travel' if past else 'perform'}('{action.id}')",
        action.label,
        show=False,
        id=action.id,
        tooltip=action.help,
        priority=past,
    )
