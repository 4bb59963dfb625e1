"""Textual bindings from the action table."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from crtui.tui.actions import ACTIONS, Place, places


def bindings(place: Place) -> list[BindingType]:
    """The bindings of one place; their ids are the actions', so that a keymap may change the keys."""
    here = ("everywhere",) if place == "everywhere" else places(place)[1:]
    return [
        Binding(
            ",".join(action.keys),
            f"app.perform('{action.id}')",
            action.label,
            show=False,
            id=action.id,
            tooltip=action.help,
        )
        for action in ACTIONS
        if action.place in here and action.keys
    ]
