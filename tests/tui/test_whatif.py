"""The order foretold for a key is the order the core then gives."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from crtui.core.core import Core
from crtui.core.inputs import Attempt, Command
from crtui.core.now import Now
from crtui.core.settings import CoreSettings, ProfileSettings, ProviderSettings
from crtui.core.views import Snapshot
from crtui.tui.line import plain, width_of
from crtui.tui.whatif import concerned, foretold, order_after
from tests.fakes import snapshots as fake

TRIO = fake.snapshot(fake.provider("a"), fake.provider("b"), fake.provider("c"))
DOOR = TRIO.gateway


def core_with(*earlier: tuple[str, str], ill: str = "") -> tuple[Core, Now]:
    settings = CoreSettings(
        tuple(ProviderSettings(name, "openai-compatible") for name in "abcd"),
        (ProfileSettings("default", tuple("abcd")),),
    )
    now = Now(1_000_000, fake.NOW)
    core = Core(settings, now, seed=1)
    for _ in range(6 if ill else 0):
        core.feed(Attempt(ill, ok=False, status=500), now)
    for place, (name, provider) in enumerate(earlier):
        now = Now(now.mono + place, now.wall + place)
        core.feed(Command(name, provider), now)  # type: ignore[arg-type]
    return core, now


NAMES = ("demote", "drain", "pin", "release")
PAIRS = [pair for pair in itertools.product(NAMES, repeat=2) if "release" not in pair[:1]]


@pytest.mark.parametrize("ill", ["", "b"])
@pytest.mark.parametrize(("earlier", "name"), PAIRS)
def test_it_is_what_the_core_does(earlier: Any, name: Any, ill: str) -> None:
    for first, second in itertools.product("ab", "abc"):
        core, now = core_with((earlier, first), ("pin", "d"), ill=ill)
        before = core.snapshot(now, DOOR)
        expected = order_after(Command(name, second), before.profiles[0], before)
        later = Now(now.mono + 5, now.wall + 5)
        core.feed(Command(name, second), later)
        assert (first, second, expected) == (first, second, core.snapshot(later, DOOR).profiles[0].order)


def say(command: Command, snapshot: Snapshot = TRIO, width: int = 80) -> str:
    return plain(foretold(command, snapshot, width))


def test_it_is_said_in_one_line() -> None:
    assert say(Command("demote", "a")) == "then b → c → a"
    assert say(Command("drain", "a")) == "then b → c"
    assert say(Command("pin", "c")) == "then c → a → b"
    assert say(Command("pin", "a")) == "order stays"
    assert say(Command("drain", "a"), fake.snapshot(fake.provider("a"))) == "then nobody"
    assert say(Command("reset", "a")) == ""


def test_a_long_order_is_counted_out_and_fits() -> None:
    many = fake.many(50)
    assert say(Command("demote", "provider-00"), many).endswith("provider-04 → 46 more")
    for width in range(30, 90):
        assert width_of(foretold(Command("demote", "provider-00"), many, width)) <= width


def test_who_is_only_in_another_profile_is_told_with_its_name() -> None:
    other = replace(TRIO.profiles[0], name="small", chain=("c", "b"), order=("c", "b"))
    default = replace(TRIO.profiles[0], chain=("a",), order=("a",))
    both = replace(TRIO, profiles=(default, other))
    assert concerned(Command("demote", "c"), both) == other
    assert say(Command("demote", "c"), both) == "then in small: b → c"


def test_where_no_rule_explains_the_order_it_is_kept_but_for_the_one() -> None:
    profile = replace(TRIO.profiles[0], tactic="latency_based", order=("c", "a", "b"))
    measured = replace(TRIO, profiles=(profile,))
    assert order_after(Command("demote", "c"), profile, measured) == ("a", "b", "c")
    assert order_after(Command("drain", "a"), profile, measured) == ("c", "b")
