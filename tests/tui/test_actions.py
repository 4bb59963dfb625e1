"""The action table: consistent with itself, and the key bar and help made from it."""

from __future__ import annotations

from collections import Counter

import pytest

from crtui.actions import ACTIONS, BY_ID, available, in_ascii
from crtui.tui.keybar import help_lines, key_bar
from crtui.tui.line import plain, width_of
from tests.fakes import snapshots as fake


@pytest.mark.parametrize("place", ["dashboard", "provider"])
def test_no_key_means_two_things_in_one_place(place: str) -> None:
    keys = Counter(key for action in available(place, read_only=False) for key in action.keys)  # type: ignore[arg-type]
    assert [key for key, count in keys.items() if count > 1] == []


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(ACTIONS)


def test_escape_never_quits() -> None:
    assert all("escape" not in action.keys for action in ACTIONS if action.id == "quit")


@pytest.mark.fault("X04")
def test_suspending_has_no_key() -> None:
    assert not any("ctrl+z" in action.keys for action in ACTIONS)


def test_reading_only_hides_what_changes_something() -> None:
    shown = {action.id for action in available("dashboard", read_only=True)}
    assert shown.isdisjoint({"demote", "drain", "pin", "reset", "undo", "reset_all", "paid"})
    assert {"open", "freeze", "filter", "help", "quit"} <= shown


@pytest.mark.parametrize("width", range(10, 160, 5))
def test_the_key_bar_never_cuts_a_key(width: int) -> None:
    actions = available("dashboard", read_only=False)
    bar = key_bar(actions, width, None)
    assert width_of(bar) <= width
    labels = {f"{action.shown} {action.label}" for action in actions}
    assert all(part in labels for part in plain(bar).strip().split("  ") if part)


def test_the_narrow_key_bar_keeps_what_a_newcomer_needs() -> None:
    bar = plain(key_bar(available("dashboard", read_only=False), 44, None))
    assert all(part in bar for part in ("⏎ open", "? help", "q quit"))


def test_a_set_override_turns_its_key_into_release() -> None:
    bar = plain(key_bar(available("dashboard", read_only=False), 140, fake.overridden("a", "demoted")))
    assert "d release" in bar
    assert "p pin" in bar


@pytest.mark.parametrize("width", [40, 70])
def test_the_help_names_every_key_and_every_state(width: int) -> None:
    lines = help_lines(available("dashboard", read_only=False), width)
    text = "\n".join(plain(line) for line in lines)
    assert all(width_of(line) <= width for line in lines)
    assert all(f"\n{action.shown}" in text for action in available("dashboard", read_only=False))
    whole = " ".join(text.split())
    assert "…" not in text
    assert all(action.help in whole for action in available("dashboard", read_only=False))
    assert all(word in text for word in ("QUOT", "COOL", "DEMO", "DRAIN", "PROB"))


def test_keys_are_written_out_in_ascii() -> None:
    assert all(action.shown.isascii() for action in in_ascii(ACTIONS))
