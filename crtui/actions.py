"""Every key of the screen in one table: bindings, key bar, help, palette and the README are made from it.

It lies outside the screen because a config names actions and keys, too (``crtui.keymap``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from crtui.core.inputs import CommandName
    from crtui.core.views import Override, ProviderView


Place = Literal["everywhere", "dashboard", "inner", "provider", "explain", "forecast", "past", "fleet"]
"""Where a key works; ``inner`` is any screen that lies over the dashboard.

``past`` is anywhere while history is shown, ``fleet`` the dashboard where it has several gateways.
"""
Group = Literal["Time", "Move", "Providers", "View", "History", "Program"]
GROUPS: Final[tuple[Group, ...]] = ("Time", "Move", "Providers", "View", "History", "Program")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do.

    ``keys`` are Textual's names, ``shown`` is how they are printed. ``command`` is what goes to the
    gateway; an action without one changes only the view. ``override``: the key lifts that override
    where it is set. ``bar``: place in the key bar, lower ones stay longer, None is not shown there.
    """

    id: str
    keys: tuple[str, ...]
    shown: str
    label: str
    help: str
    group: Group
    place: Place = "everywhere"
    bar: int | None = None
    command: CommandName | None = None
    override: Override | None = None
    writes: bool = False
    needs_provider: bool = False

    def label_for(self, provider: ProviderView | None) -> str:
        """The label as the key would act on this provider now."""
        if self.override and provider and provider.operator.override == self.override:
            return "release"
        if self.command == "pull" and provider and provider.pulling:
            return "stop pull"
        return self.label


def _order(
    name: CommandName, key: str, help_text: str, override: Override | None, bar: int, label: str = ""
) -> Action:
    return Action(
        name,
        (key,),
        key,
        label or name,
        help_text,
        "Providers",
        bar=bar,
        command=name,
        override=override,
        writes=True,
        needs_provider=True,
    )


def _plan(
    name: str, keys: tuple[str, ...], shown: str, label: str, help_text: str, bar: int | None = None
) -> Action:
    return Action(name, keys, shown, label, help_text, "View", "explain", bar)


Actions = tuple[Action, ...]


def _time(name: str, keys: tuple[str, ...], shown: str, help_text: str, place: Place = "dashboard") -> Action:
    return Action(name, keys, shown, name.replace("_", " "), help_text, "History", place)


ACTIONS: Final[Actions] = (
    Action("up", ("up", "k"), "↑ k", "up", "one up", "Move"),
    Action("down", ("down", "j"), "↓ j", "down", "one down", "Move"),
    Action("page_up", ("pageup",), "PgUp", "page up", "one page up", "Move"),
    Action("page_down", ("pagedown",), "PgDn", "page down", "one page down", "Move"),
    Action("top", ("home", "g"), "g", "top", "to the first", "Move"),
    Action("bottom", ("end", "G"), "G", "bottom", "to the last", "Move"),
    Action("open", ("enter",), "⏎", "open", "open the provider", "Move", "dashboard", 1, needs_provider=True),
    Action("back", ("escape",), "Esc", "back", "back to the dashboard", "Move", "inner", 1),
    Action("clear", ("escape",), "Esc", "clear", "drop filter, then zoom; never quits", "Move", "dashboard"),
    Action("previous", ("left_square_bracket",), "[", "previous", "provider before", "Move", "provider", 7),
    Action("next", ("right_square_bracket",), "]", "next", "provider after", "Move", "provider", 7),
    _order("demote", "d", "demote: try it last; again: release", "demoted", 3),
    _order("drain", "o", "drain: send it nothing new; again: release", "drained", 6),
    _order("pin", "p", "pin: try it first; again: release", "pinned", 8),
    _order("reset", "r", "reset: forget its failures, waits and override", None, 5),
    Action(
        "pull",
        ("P",),
        "P",
        "pull",
        "pull the declared models that are missing (asks); again: stop",
        "Providers",
        "provider",
        bar=9,
        command="pull",
        writes=True,
        needs_provider=True,
    ),
    Action(
        "undo",
        ("u",),
        "u",
        "undo",
        "undo: put the last changed override back",
        "Providers",
        bar=11,
        writes=True,
    ),
    Action(
        "reset_all",
        ("R",),
        "R",
        "reset all",
        "reset every provider (asks)",
        "Providers",
        command="reset_all",
        writes=True,
    ),
    Action(
        "paid",
        ("dollar_sign",),
        "$",
        "paid",
        "allow paid providers, or stop them",
        "Providers",
        bar=12,
        command="paid",
        writes=True,
    ),
    Action("explain", ("x",), "x", "explain", "why: who is kept, demoted, dropped by what", "View", bar=10),
    Action("forecast", ("f",), "f", "forecast", "the next hours: who serves, who is out", "View", bar=11),
    _plan("profile_next", ("tab", "right"), "Tab →", "next profile", "plan of the next profile", 2),
    _plan("profile_previous", ("shift+tab", "left"), "←", "profile before", "plan of the one before"),
    Action("freeze", ("space",), "space", "pause", "hold the picture still; again: go on", "View", bar=9),
    Action(
        "filter",
        ("slash",),
        "/",
        "filter",
        "show only: text, !not, state:down, model:opus",
        "View",
        "dashboard",
        4,
    ),
    Action("sort", ("s",), "s", "sort", "next sort order", "View", "dashboard", 10),
    Action("sort_reverse", ("S",), "S", "reverse", "turn the order round", "View", "dashboard"),
    Action("zoom", ("z",), "z", "zoom", "give the panel the whole screen", "View", "dashboard"),
    Action("panel_1", ("1",), "1", "go to providers", "to the providers", "View", "dashboard"),
    Action("panel_2", ("2",), "2", "go to quota", "to quota & burn", "View", "dashboard"),
    Action("panel_3", ("3",), "3", "go to latency", "to the latency chart", "View", "dashboard"),
    Action("panel_4", ("4",), "4", "go to events", "to the events", "View", "dashboard"),
    Action("panel_5", ("5",), "5", "go to forecast", "to the forecast", "View", "dashboard"),
    Action("events", ("e",), "e", "events", "every event, or only notable ones", "View", "dashboard"),
    Action(
        "gateway_next",
        ("greater_than_sign", "ctrl+pagedown"),
        ">",
        "gateway",
        "attached to several: the next gateway",
        "View",
        "fleet",
        7,
    ),
    Action(
        "gateway_previous",
        ("less_than_sign", "ctrl+pageup"),
        "<",
        "gateway before",
        "attached to several: the one before",
        "View",
        "fleet",
    ),
    Action("copy", ("y",), "y", "copy", "copy the base URL, or the row", "View"),
    Action("json", ("Y",), "Y", "copy JSON", "copy the row as JSON", "View", needs_provider=True),
    Action("export", ("E",), "E", "export", "save the table as CSV and JSON lines", "View", "dashboard"),
    Action("svg", ("ctrl+s",), "ctrl+s", "screenshot", "save the screen as an SVG picture", "View"),
    Action("privacy", ("H",), "H", "privacy", "hide names, money and addresses; again: show", "View"),
    Action("theme", ("t",), "t", "theme", "next colours: dark, light, blue/orange", "View"),
    _time("earlier", ("left_square_bracket",), "[", "10 s back in history"),
    _time("later", ("right_square_bracket",), "]", "10 s on, up to the present"),
    _time("far_earlier", ("left_curly_bracket",), "{", "10 min back in history"),
    _time("far_later", ("right_curly_bracket",), "}", "10 min on, up to the present"),
    _time("live", ("end",), "End", "from the past back to the present", "past"),
    Action("help", ("question_mark",), "?", "help", "these keys", "Program", bar=0),
    Action("palette", (), "ctrl+p", "palette", "every command by name", "Program"),
    Action("quit", ("q",), "q", "quit", "quit (asks while requests run)", "Program", "dashboard", 2),
    Action("close", ("q",), "q", "back", "back to the dashboard", "Program", "inner", None),
)

BY_ID: Final[dict[str, Action]] = {action.id: action for action in ACTIONS}


_WORDS: Final = {"⏎": "Enter", "↑ k": "Up k", "↓ j": "Down j", "Tab →": "Tab", "←": "Left"}


def in_ascii(actions: Sequence[Action]) -> Actions:
    """The same actions with their keys written out."""
    return tuple(replace(action, shown=_WORDS.get(action.shown, action.shown)) for action in actions)


def available(
    place: Place,
    *,
    read_only: bool,
    actions: Sequence[Action] = ACTIONS,
    extra: Collection[Place] = (),
) -> Actions:
    """The actions of a place and of ``extra``; without those that change something where that is refused."""
    here = {*places(place), *extra}
    return tuple(action for action in actions if action.place in here and not (read_only and action.writes))


def places(place: Place) -> tuple[Place, ...]:
    """The places whose actions work in a place."""
    return ("everywhere", place) if place in ("everywhere", "dashboard") else ("everywhere", "inner", place)


def key_of(action_id: str, actions: Sequence[Action] = ACTIONS) -> str:
    """How the key of an action is printed."""
    return next((action.shown for action in actions if action.id == action_id), "")
