"""The terminal is rung for one thing, and told of others only where that was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crtui.core.views import ProviderView, Snapshot
from crtui.tui.notify import Watch, sequence
from crtui.tui.settings import ScreenSettings
from tests.fakes import snapshots as fake
from tests.tui.test_app import stage

FINE = fake.snapshot(fake.provider("a"), fake.provider("b"))
EMPTY = fake.exhausted("a", 3_600_000, "headers", "spent")
DOWN = replace(fake.unhealthy("b", 5000), standing="excluded")
NOBODY = fake.snapshot(EMPTY, DOWN)


def heard(mode: Any, *pictures: Snapshot) -> list[str]:
    watch = Watch()
    return [sequence(watch.take(picture), mode) for picture in pictures]


def osc(text: str) -> str:
    return f"\x1b]9;crtui: {text}\x1b\\"


def test_the_bell_rings_once_when_nobody_serves_any_more() -> None:
    again = replace(NOBODY, version=9)
    back = replace(FINE, version=10)
    assert heard("bell", FINE, NOBODY, again, back, NOBODY) == ["", "\a", "", "", "\a"]


def test_a_program_that_starts_with_nobody_does_not_ring() -> None:
    assert heard("bell", NOBODY) == [""]
    assert heard("bell", fake.no_providers(), NOBODY) == ["", ""]


def test_by_osc_9_it_tells_who_is_out_empty_and_back() -> None:
    one = fake.snapshot(EMPTY, fake.provider("b"))
    assert heard("osc9", FINE, one, replace(FINE, version=2)) == [
        "",
        osc("a is empty, reset in 1h00"),
        osc("a is back"),
    ]
    assert heard("osc9", FINE, NOBODY)[1].startswith("\x1b]9;crtui: nobody serves any more; a is empty")


def test_parking_and_a_short_wait_are_not_told() -> None:
    calm: list[ProviderView] = [
        fake.overridden("a", "demoted"),
        fake.exhausted("b", 9000, "retry_after", "429"),
    ]
    assert heard("osc9", FINE, fake.snapshot(*calm)) == ["", ""]


def test_many_at_once_are_one_notification() -> None:
    names = "abcdef"
    before = fake.snapshot(*(fake.provider(n) for n in names), fake.provider("z"))
    after = fake.snapshot(*(fake.exhausted(n, 9_000_000, "headers", "x") for n in names), fake.provider("z"))
    told = heard("osc9", before, after)[1]
    assert told.count("is empty") == 3
    assert "; 3 more" in told


def test_off_is_off() -> None:
    assert heard("off", FINE, NOBODY) == ["", ""]


@pytest.mark.fault("K18")
def test_a_name_cannot_end_the_sequence_early() -> None:
    name = "evil\x1b\\\x1b]52;c;aGk=\x07\n"
    before, after = fake.provider(name), fake.exhausted(name, 9_000_000, "headers", "x")
    told = heard("osc9", fake.snapshot(before, fake.provider("b")), fake.snapshot(after, fake.provider("b")))[
        1
    ]
    body = told.removeprefix("\x1b]9;").removesuffix("\x1b\\")
    assert body.isprintable()
    assert "evil" in body


@pytest.mark.parametrize(("mode", "expected"), [("bell", "\a"), ("off", "")])
async def test_the_app_writes_it_to_the_terminal_also_while_paused(
    mode: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(FINE, settings=ScreenSettings(notify=mode)) as on:
        written: list[str] = []
        assert on.app._driver is not None
        monkeypatch.setattr(on.app._driver, "write", written.append)
        await on.press("space")
        await on.show(NOBODY)
        assert "".join(written) == expected
