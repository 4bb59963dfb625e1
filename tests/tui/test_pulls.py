"""A server's load and its models in lines: on their way, missing and there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from crtui.actions import BY_ID
from crtui.clock import ManualClock
from crtui.core.inputs import Command
from crtui.core.views import (
    DeclaredView,
    LayerView,
    MemoryView,
    ModelView,
    ProviderView,
    PullView,
    ServerView,
)
from crtui.tui.app import CrtuiApp
from crtui.tui.frame import Frame
from crtui.tui.frames import FrameSource
from crtui.tui.line import plain, width_of
from crtui.tui.orders import refusal
from crtui.tui.pulls import missing_lines, model_lines, pull_lines, server_lines, size
from tests.fakes import snapshots as fake
from tests.tui.conftest import FakeLink, make_app

GIB = 2**30
LAYERS = (LayerView("4f4d1c8a0b21", 5 * GIB, 2 * GIB), LayerView("966de95ca8a6", 1400, 1400))
PULLING = PullView(
    "qwen3:8b",
    "pulling",
    step="pulling 4f4d1c8a0b21",
    layers=LAYERS,
    completed_bytes=2 * GIB + 1400,
    total_bytes=5 * GIB + 1400,
    bytes_per_s=48.0 * 2**20,
    left_ms=64_000,
)


def ollama(*pulls: PullView, missing: tuple[str, ...] | None = (), **more: Any) -> ProviderView:
    declared = DeclaredView(("qwen3:4b", "qwen3:8b"), missing, ())
    return fake.provider("ollama", declared=declared, pulls=pulls, **more)


def frame(*, read_only: bool = False) -> Frame:
    link = FakeLink(fake.busy(), read_only=read_only)
    return FrameSource(link, ManualClock(wall=fake.NOW), zone=UTC, read_only=read_only).take()


def lines_of(*pulls: PullView, width: int = 80) -> list[str]:
    return [plain(line).rstrip() for line in pull_lines(ollama(*pulls), width, fake.NOW)]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5.25 * GIB, "5.2 GiB")]
)
def test_bytes_are_told_in_the_largest_unit_that_fits(count: float, text: str) -> None:
    assert size(count) == text


def test_a_pull_tells_share_rate_and_time_left_and_each_layer_has_a_bar() -> None:
    head, weights, licence = lines_of(PULLING)
    assert head.split() == ["qwen3:8b", "40%", "of", "5.0", "GiB", "64s", "left", "48.0", "MiB/s"]
    assert weights.startswith("  4f4d1c8a0b21 ")
    assert weights.endswith(" 40%  5.0 GiB")
    assert licence.endswith(" 100%  1.4 KiB")
    bars = [line.split()[1] for line in (weights, licence)]
    assert [len(bar) for bar in bars] == [24, 24]
    assert len(set(bars[1])) == 1 < len(set(bars[0]))


def test_a_pull_without_sizes_tells_what_the_server_does() -> None:
    assert lines_of(PullView("a", "pulling", step="pulling manifest"))[0].endswith("pulling manifest")
    assert lines_of(PullView("a", "pulling"))[0].endswith("pulling")
    assert lines_of(PullView("a", "queued"))[0].endswith("queued")


def test_a_pull_whose_bytes_are_all_there_tells_what_is_still_done_with_them() -> None:
    whole = replace(PULLING, completed_bytes=PULLING.total_bytes, step="verifying sha256 digest", left_ms=0)
    assert lines_of(whole)[0].endswith("100% of 5.0 GiB  verifying sha256 digest")


def test_a_pull_that_stands_still_promises_no_end() -> None:
    assert "left" not in lines_of(replace(PULLING, bytes_per_s=0.0, left_ms=None))[0]


def test_a_failed_pull_tells_why_and_when_it_is_tried_again() -> None:
    waiting = PullView("a", "failed", retry_at=fake.NOW + 30_000, error="connection reset")
    given_up = PullView("b", "failed", error="pull model manifest: file does not exist")
    lines = lines_of(waiting, given_up)
    assert lines[0].endswith("failed, again in 30s")
    assert lines[1] == "  connection reset"
    assert lines[2].endswith("failed")


def test_missing_models_name_the_key_unless_it_is_refused() -> None:
    provider = ollama(PULLING, missing=("qwen3:4b", "qwen3:8b"))
    assert [plain(line).split() for line in missing_lines(provider, 50, "P")] == [
        ["qwen3:4b", "missing", "P", "pull"]
    ]
    assert [plain(line).split() for line in missing_lines(provider, 50, "")] == [["qwen3:4b", "missing"]]


def test_models_that_could_not_be_compared_are_said_to_be_so() -> None:
    declared = DeclaredView(("a",), None, None, None, "connection refused")
    lines = missing_lines(fake.provider(declared=declared), 80, "P")
    assert [plain(line).strip() for line in lines] == ["declared models not compared: connection refused"]


def test_loaded_models_come_first_with_what_they_take() -> None:
    provider = fake.provider(
        models=(
            ModelView("a-small", size_bytes=2 * GIB, capabilities=("tools", "thinking")),
            ModelView("c-cpu", True, 4096, 0, 3 * GIB),
            ModelView("z-big", True, 32_768, 6 << 30, 5 * GIB, ("vision",)),
        )
    )
    assert [plain(line).split() for line in model_lines(provider, 60, frame())] == [
        ["c-cpu", "4.1k", "ctx", "3.0", "GiB", "on", "disk", "loaded,", "on", "the", "CPU"],
        ["z-big", "vision", "32.8k", "ctx", "6.0", "GiB", "loaded"],
        ["a-small", "tools", "thinking", "2.0", "GiB", "on", "disk"],
    ]


def test_a_model_s_name_is_not_given_up_for_what_it_can_do() -> None:
    model = ModelView("qwen3-coder", True, 32_768, 6 << 30, None, ("vision", "tools", "thinking"))
    [line] = model_lines(fake.provider(models=(model,)), 46, frame())
    assert plain(line).split() == ["qwen3-coder", "32.8k", "ctx", "6.0", "GiB", "loaded"]


def test_a_server_tells_its_load_and_what_it_does_not_tell_is_left_out() -> None:
    full = ServerView("0.11.0", running=5, waiting=1, slots=8, cache_ratio=0.8125, asleep=True)
    memory = MemoryView(False, None, 12 * GIB, 24 * GIB, 0.5)
    [line] = server_lines(fake.provider(server=full, memory=memory), 120)
    assert plain(line).strip() == (
        "version 0.11.0 · asleep · 5 of 8 running · 1 waiting · KV cache 81% · "
        "memory 50%, 12.0 GiB of 24.0 GiB"
    )
    narrow = [plain(line).strip() for line in server_lines(fake.provider(server=full, memory=memory), 44)]
    assert narrow == [
        "version 0.11.0 · asleep · 5 of 8 running",
        "1 waiting · KV cache 81%",
        "memory 50%, 12.0 GiB of 24.0 GiB",
    ]
    assert server_lines(fake.provider(server=ServerView(), memory=MemoryView(False, None)), 80) == []


def test_a_server_that_told_no_models_says_so_below_what_it_did_tell() -> None:
    lines = [plain(line).strip() for line in model_lines(ollama(missing=None), 60, frame())]
    assert lines[-1] == "It has not told its models."


@pytest.mark.parametrize("width", [20, 36, 44, 80, 140])
def test_every_line_fits(width: int) -> None:
    odd = PullView("x" * 90, "failed", error="e" * 200, retry_at=fake.NOW)
    provider = ollama(
        PULLING,
        odd,
        missing=("y" * 90,),
        models=(ModelView("z" * 90, True, 1, 1),),
        server=ServerView("v" * 90),
    )
    for line in model_lines(provider, width, frame()):
        assert width_of(line) <= width


def shown_by(app: CrtuiApp) -> str:
    """All that is written on the screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def test_p_on_the_detail_screen_asks_and_pulls_what_is_missing_and_again_stops_it() -> None:
    link = FakeLink(fake.snapshot(ollama(missing=("qwen3:4b", "qwen3:8b"))))
    app = make_app(link, ManualClock(wall=fake.NOW))
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("enter", "P")
        await pilot.pause()
        question = shown_by(app)
        assert link.sent == []
        await pilot.press("y")
        await pilot.pause()
        assert link.sent == [Command("pull", "ollama")]
        link.latest = fake.snapshot(ollama(PULLING, missing=("qwen3:8b",)))
        await pilot.press("P")
        await pilot.pause()
        assert link.sent[1:] == [Command("cancel_pull", "ollama")]
    assert "Pull 2 models to ollama?" in question
    assert "qwen3:4b, qwen3:8b" in question


@pytest.mark.parametrize(
    ("provider", "why"),
    [
        (ollama(missing=()), "every declared model is there"),
        (ollama(missing=None), "it has not told its models yet"),
        (fake.provider("anthropic"), "it declares no models to pull"),
        (ollama(missing=("a",)), None),
        (ollama(PULLING), None),
    ],
)
def test_the_key_says_why_there_is_nothing_to_pull(provider: ProviderView, why: str | None) -> None:
    assert refusal(BY_ID["pull"], provider) == why
    assert refusal(BY_ID["demote"], provider) is None


def test_the_key_says_what_it_does_now() -> None:
    labels = [BY_ID["pull"].label_for(given) for given in (ollama(missing=("a",)), ollama(PULLING))]
    assert labels == ["pull", "stop pull"]
    ends = (PullView("a", "failed", retry_at=1), PullView("a", "failed"))
    assert [BY_ID["pull"].label_for(ollama(end)) for end in ends] == ["stop pull", "pull"]
