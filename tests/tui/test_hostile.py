"""Whatever providers, models and errors are called: no control character, no markup, no broken width."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.strip import Strip

from crtui.core.events import Event
from crtui.core.views import ModelView, ProviderView, ReasonView, Snapshot
from crtui.text import cell_width, scrub
from crtui.tui.app import CrtuiApp
from tests.fakes import snapshots as fake
from tests.tui.test_app import stage

CORPUS = (
    "\x1b[2J\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07\x1b]52;c;aGFjaw==\x07",
    "\x9b31m\x90q\x9c\x1bPq#0\x1b\\",
    "a\r\nb\tc\x00d\x08\x7f\x85e\u2028f",
    "[/b][red]bold[/red][@click=app.quit]x[/]",
    "[/x][retry-after=45]",
    "\u202eesrever\u202c \u2066iso\u2069 \u200e\u200f",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\U0001f3f3\ufe0f\u200d\U0001f308 \U0001f1e9\U0001f1ea",
    "日本語のモデル名" * 20,
    "Z\u0335\u0321\u0321\u0348a\u0334l\u0335g\u0336o" * 12,
    "\ud800\udfff\ufffe\U000e0041\U000e0101",
    "\u1160\u3164\u115f\uffa0" * 9,
    "n" * 300,
    "",
    " ",
    '=HYPERLINK("http://x")',
    "&<>\"'\\N{DEGREE SIGN}$(reboot)`id`",
)
"""Control sequences, line breaks, markup, bidi, emoji, wide, stacked, unassigned, invisible, long, empty."""


def provider(bad: str, place: int, *, through_the_door: bool) -> ProviderView:
    """A provider with that text wherever text may stand."""
    text = scrub(bad) if through_the_door else bad
    name = scrub(f"{place}{bad}", 60) if through_the_door else f"{place}{bad}"
    reasons = (ReasonView("auth", text, text), ReasonView("health", "x", text), ReasonView("memory", text))
    return fake.limited(
        name,
        fake.window(text, 40.0),
        fake.window(f"2{text}", 99.0),
        kind=text,
        wires=(text,),
        reasons=reasons,
        standing=("eligible", "demoted", "excluded")[place % 3],
        models=(ModelView(text, True, 1000, 1 << 30), ModelView(f"2{text}")),
    )


KINDS = (
    "attempt.failed",
    "attempt.ok",
    "health.changed",
    "route.decided",
    "adaptive.reordered",
    "poll.failed",
)


def hostile(*corpus: str, through_the_door: bool) -> Snapshot:
    """A gateway on which everything is called like that."""
    found = [provider(bad, place, through_the_door=through_the_door) for place, bad in enumerate(corpus)]
    texts = [scrub(bad) if through_the_door else bad for bad in corpus]
    made = fake.snapshot(*found, fake.provider("plain"), default_profile=texts[0], notices=tuple(texts))
    plan = made.profiles[0]
    profiles = tuple(replace(plan, name=text, tactic=text) for text in texts)
    events: list[Event] = []
    for one, text in zip(found, texts, strict=True):
        data: dict[str, Any] = {"error": text, "model": text, "why": text, "profile": text, "to": [text]}
        for kind in (*KINDS, text):
            events.append(Event(len(events) + 1, fake.NOW, kind, one.name, data))  # type: ignore[arg-type]
    lanes = fake.forecast(
        *(fake.lane(one.name, ("serving", 200), ("out", 100)) for one in found), dry=(200, None)
    )
    outlooks = tuple(replace(lanes.profiles[0], profile=text) for text in texts)
    return replace(made, profiles=profiles, events=tuple(events), forecast=replace(lanes, profiles=outlooks))


def strips(app: CrtuiApp) -> list[Strip]:
    return app.screen._compositor.render_strips()


def problems(app: CrtuiApp, width: int | None) -> list[str]:
    """What a terminal would choke on, anywhere on the screen; with a width, also what breaks the lines."""
    found: list[str] = []
    for strip in strips(app):
        text = "".join(segment.text for segment in strip if not segment.control)
        bad = [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
        if bad or any(segment.control for segment in strip):
            found.append(f"control {bad!r} in {text!r}")
        if width is not None and cell_width(text) != width:
            found.append(f"{cell_width(text)} cells in {text!r}")
    return found


PLACES = (
    (),
    ("e",),
    ("z",),
    ("escape", "2"),
    ("5",),
    ("4",),
    ("escape", "slash", "1", "enter"),
    ("escape", "enter"),
    ("escape", "x"),
    ("tab",),
    ("escape", "f"),
    ("escape", "d"),
    ("R",),
    ("escape", "question_mark"),
    ("escape", "H"),
    ("x",),
    ("escape", "H"),
)
"""Keys that lead through every widget, screen and modal, one after the other."""


@pytest.mark.parametrize(
    ("size", "door"), [((140, 40), True), ((44, 30), True), ((60, 3), True), ((80, 24), False)]
)
@pytest.mark.fault("K15", "K16", "K17", "K18", "X27")
async def test_no_widget_lets_it_through(size: tuple[int, int], door: bool) -> None:
    """Raw text never comes this far. If it did, it could break a line, but give the terminal no orders."""
    width = size[0] if door else None
    async with stage(hostile(*CORPUS, through_the_door=door), size=size) as on:
        for keys in PLACES:
            await on.press(*keys)
            assert problems(on.app, width) == [], keys
            if keys in (("escape", "enter"), ("tab",)) and size[1] >= 10:
                for _ in CORPUS:
                    on.app.action_perform("profile_next" if keys == ("tab",) else "next")
                    assert problems(on.app, width) == [], keys


def files(folder: Path) -> dict[str, str]:
    return {file.suffix: file.read_text("utf-8") for file in folder.iterdir()}


@pytest.mark.parametrize("bad", CORPUS, ids=range(len(CORPUS)))
@pytest.mark.fault("K15", "K26")
async def test_no_export_lets_it_through(bad: str, tmp_path: Path) -> None:
    async with stage(hostile(bad, through_the_door=False), folder=tmp_path, size=(100, 30)) as on:
        await on.press("E", "ctrl+s", "Y", "y")
        made = files(tmp_path)
        assert sorted(made) == [".csv", ".jsonl", ".svg"]
        for suffix, text in made.items():
            controls = [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c not in "\r\n"]
            assert controls == [], suffix
        rows = list(csv.reader(io.StringIO(made[".csv"])))
        assert len({len(row) for row in rows}) == 1
        assert not [value for row in rows for value in row if re.match(r"[=+@\t\r]|-\D", value)]
        assert len([json.loads(line) for line in made[".jsonl"].splitlines()]) == len(rows) - 1
        assert on.app.clipboard.replace("\n", "").isprintable() or not on.app.clipboard.isascii()
