"""Keys of a person's own choice: how they are written, what they stand for, where two would collide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from crtui.actions import ACTIONS, Action, Actions, Place, places

_NAMES: Final = {
    "!": "exclamation_mark",
    '"': "quotation_mark",
    "#": "number_sign",
    "$": "dollar_sign",
    "%": "percent_sign",
    "&": "ampersand",
    "'": "apostrophe",
    "(": "left_parenthesis",
    ")": "right_parenthesis",
    "*": "asterisk",
    "+": "plus",
    ",": "comma",
    "-": "minus",
    ".": "full_stop",
    "/": "slash",
    ":": "colon",
    ";": "semicolon",
    "<": "less_than_sign",
    "=": "equals_sign",
    ">": "greater_than_sign",
    "?": "question_mark",
    "@": "at",
    "[": "left_square_bracket",
    "\\": "backslash",
    "]": "right_square_bracket",
    "^": "circumflex_accent",
    "_": "underscore",
    "`": "grave_accent",
    "{": "left_curly_bracket",
    "|": "vertical_line",
    "}": "right_curly_bracket",
    "~": "tilde",
    " ": "space",
}
_SIGNS: Final = {name: sign for sign, name in _NAMES.items() if sign != " "}
_SPECIAL: Final = frozenset(
    [
        "up",
        "down",
        "left",
        "right",
        "home",
        "end",
        "pageup",
        "pagedown",
        "insert",
        "delete",
        "backspace",
        "enter",
        "tab",
        "space",
    ]
) | {f"f{number}" for number in range(1, 13)}
_MODIFIED: Final = re.compile(r"(?:(?:ctrl|alt|shift)\+)+(?P<key>.+)")
_TAKEN: Final = {"escape": "goes back", "ctrl+c": "is the terminal's", "ctrl+p": "opens the palette"}
_PLACES: Final[tuple[Place, ...]] = ("dashboard", "provider", "explain", "forecast")

Keys = Mapping[str, tuple[str, ...]]
"""By the name of an action: its keys, as a person writes them."""


def key_name(written: str) -> str | None:
    """The terminal library's name of a key: ``x``, ``$``, ``f5``, ``ctrl+x``. None: there is no such key."""
    if len(written) == 1:
        return _NAMES.get(written, written if written.isalnum() else None)
    modified = _MODIFIED.fullmatch(written.lower())
    if modified is not None:
        inner = modified["key"]
        name = inner if inner in _SPECIAL else key_name(inner) if len(inner) == 1 else None
        return None if name is None else written.lower()[: -len(inner)] + name
    known = written.lower()
    return known if known in _SPECIAL or known in _SIGNS else None


def remapped(keys: Keys, actions: Actions = ACTIONS) -> Actions:
    """The actions with these keys instead of their own, also where keys are printed."""
    return tuple(_with_keys(action, keys[action.id]) if action.id in keys else action for action in actions)


def faults(keys: Keys) -> Iterator[tuple[str, str]]:
    """What is wrong with a choice of keys: the action's name, and a message with its remedy."""
    known = {action.id for action in ACTIONS}
    wrong = {name: told for name, written in keys.items() if (told := _wrong(name, written, known))}
    yield from wrong.items()
    if not wrong:
        yield from _collisions(remapped(keys), keys)


def _wrong(name: str, written: tuple[str, ...], known: set[str]) -> str:
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(sorted(known))}"
        return f"there is no such action; {hint}"
    for key in written:
        named = key_name(key)
        if named in _TAKEN or key.lower() in _TAKEN:
            return f"{key!r} {_TAKEN[named or key.lower()]} and cannot be given away; use another key"
        if named is None:
            return f"{key!r} is no key; use a character, a name such as pageup or f5, or ctrl+x"
    return "" if written else "has no key; name one, or leave the action out"


def _collisions(actions: Actions, keys: Keys) -> Iterator[tuple[str, str]]:
    told: set[str] = set()
    for place in _PLACES:
        holders: dict[str, Action] = {}
        for action in actions:
            if action.place not in (*places(place), *(("fleet",) if place == "dashboard" else ())):
                continue
            for key in action.keys:
                other = holders.setdefault(key, action)
                blamed = action.id if action.id in keys else other.id
                if other is not action and blamed in keys and blamed not in told:
                    told.add(blamed)
                    rest = other.id if blamed == action.id else action.id
                    yield blamed, f"{_sign(key)!r} is the key of {rest!r} too; give one of them another key"


def _with_keys(action: Action, written: tuple[str, ...]) -> Action:
    named = tuple(name for key in written if (name := key_name(key)) is not None)
    return replace(action, keys=named, shown=_sign(named[0])) if named else action


def _sign(name: str) -> str:
    return _SIGNS.get(name, name)
