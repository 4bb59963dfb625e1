"""With the mask on, nothing that identifies anybody is drawn, copied or saved; orders still arrive."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from crtui.core.events import Event
from crtui.core.inputs import Command
from crtui.core.views import Snapshot
from crtui.engine.link import LinkStatus
from crtui.tui.feed import EventLog
from crtui.tui.frame import Frame
from crtui.tui.privacy import Mask
from crtui.tui.screens.provider import ProviderScreen
from tests.fakes import snapshots as fake
from tests.tui.test_app import Stage, stage

SECRETS = (
    "anthropic-max",
    "openrouter",
    "groq",
    "14.80",
    "6.2",
    "50.0",
    "127.0.0.1",
    "4747",
    "connect timed out",
)


def foreign() -> Snapshot:
    """The busy day with names, money and foreign words in every text there is."""
    busy = fake.busy()
    notice = "not saving: groq at http://10.0.0.7:9 for me@example.org, $14.80 spent"
    more = (
        Event(201, fake.NOW, "budget.exceeded", "openrouter", {"monthly_usd": 50.0}),
        Event(202, fake.NOW, "poll.failed", "groq", {"error": "connect timed out at 127.0.0.1:4747"}),
        Event(
            203,
            fake.NOW,
            "chain.exhausted",
            None,
            {"profile": "default", "dropped": [{"provider": "groq", "guard": "quota"}]},
        ),
        Event(
            204, fake.NOW, "adaptive.reordered", None, {"profile": "default", "to": ["openrouter", "groq"]}
        ),
    )
    gateway = replace(busy.gateway, notices=(notice,))
    forecast = fake.forecast(fake.lane("groq", ("out", 300)))
    return replace(busy, gateway=gateway, events=(*busy.events, *more), forecast=forecast)


def frame(snapshot: Snapshot) -> Frame:
    log = EventLog(UTC)
    log.take(snapshot.events)
    return Frame(snapshot, LinkStatus("live", fake.URL, "refused by 127.0.0.1"), fake.NOW, fake.NOW, log, UTC)


def masked() -> tuple[Mask, Frame]:
    mask = Mask()
    mask.toggle(None)
    return mask, mask.frame(frame(foreign()))


@pytest.mark.parametrize("secret", [*SECRETS, "10.0.0.7", "example.org"])
def test_nothing_of_it_is_in_the_picture(secret: str) -> None:
    _, shown = masked()
    everything = repr(
        (shown.snapshot, shown.link, list(shown.log.notes(everything=True)), list(shown.log.notes()))
    )
    assert secret in repr((frame(foreign()).snapshot, fake.URL, "6.2"))
    assert secret not in everything


def test_providers_are_numbered_as_they_are_configured_and_stay_so() -> None:
    mask, shown = masked()
    assert shown.snapshot is not None
    assert [p.name for p in shown.snapshot.providers][:3] == ["provider-1", "provider-2", "provider-3"]
    fewer = mask.frame(frame(fake.snapshot(fake.provider("groq"))))
    assert fewer.snapshot is not None
    assert [p.name for p in fewer.snapshot.providers] == ["provider-5"]
    assert mask.real("provider-5") == "groq"


def test_the_same_picture_is_masked_once() -> None:
    mask = Mask()
    mask.toggle(None)
    given = frame(foreign())
    one, two = mask.frame(given), mask.frame(given)
    assert one.snapshot is two.snapshot
    assert one.log is two.log
    given.log.take([Event(205, fake.NOW, "poll.failed", "groq", {"error": "x"})])
    three = mask.frame(given)
    kept = {id(note) for note in one.log.notes()}
    assert sum(id(note) not in kept for note in three.log.notes()) == 1


def test_off_it_changes_nothing() -> None:
    given = frame(foreign())
    assert Mask().frame(given) is given


def files(folder: Path) -> dict[str, str]:
    return {file.suffix: file.read_text("utf-8") for file in folder.iterdir()}


async def screens_text(on: Stage) -> str:
    strips = on.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def test_every_screen_is_masked_and_comes_back() -> None:
    async with stage(foreign(), size=(140, 40)) as on:
        await on.press("H")
        for keys in ([], ["x"], ["escape", "f"], ["escape", "enter"], ["escape", "question_mark"]):
            await on.press(*keys)
            text = await screens_text(on)
            assert not [secret for secret in SECRETS if secret in text], keys
        await on.press("escape", "H")
        assert "anthropic-max" in await screens_text(on)


async def test_the_cursor_and_the_open_provider_stay_and_orders_reach_it() -> None:
    async with stage(foreign()) as on:
        await on.press("G", "k", "k")
        name = on.table.selected
        await on.press("H")
        assert on.table.selected != name
        await on.press("d")
        assert on.link.sent == [Command("demote", str(name))]
        assert str(name) not in on.text("keys")
        await on.press("enter")
        assert isinstance(on.app.screen, ProviderScreen)
        assert f"‹ {name}" not in on.text("heading")
        await on.press("H")
        assert f"‹ {name}" in on.text("heading")
        await on.press("escape")
        assert on.table.selected == name


async def test_copies_and_files_are_masked_too(tmp_path: Path) -> None:
    async with stage(foreign(), folder=tmp_path) as on:
        await on.press("H", "Y")
        assert json.loads(on.app.clipboard)["name"].startswith("provider-")
        await on.press("y")
        copied = on.app.clipboard
        await on.press("E", "ctrl+s")
        assert sorted(files(tmp_path)) == [".csv", ".jsonl", ".svg"]
        for secret in ("anthropic-max", "openrouter", "14.80", "127.0.0.1", "4747", "connect timed out"):
            assert secret not in "".join(files(tmp_path).values()) + copied, secret
        assert str(tmp_path) not in on.text("keys")
