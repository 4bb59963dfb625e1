"""The simulated server's models on disk: fetched layer by layer, taken up where they were broken off."""

from __future__ import annotations

import json
from typing import Any

from crtui.demo.library import PULLABLE, Library
from crtui.providers.pull_progress import PullProgress

MODEL = "phi4-mini:3.8b"
SIZE = sum(layer.size for layer in PULLABLE[MODEL])


class Watch:
    """Counts the milliseconds that were waited for."""

    def __init__(self) -> None:
        self.ms = 0

    async def pause(self, ms: int) -> None:
        self.ms += ms


async def lines_of(library: Library, model: str, watch: Watch, most: int = 10**6) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    async for line in library.pull(model, watch.pause):
        lines.append(json.loads(line))
        if len(lines) == most:
            break
    return lines


async def test_a_pull_takes_most_of_a_minute_and_then_the_model_is_there() -> None:
    library, watch, progress = Library(("a",)), Watch(), PullProgress()
    for line in await lines_of(library, MODEL, watch):
        progress.fold(line, watch.ms)
    shown = progress.view(MODEL, watch.ms, asked=False)
    assert progress.done
    assert (shown.completed_bytes, shown.total_bytes) == (SIZE, SIZE)
    assert 30_000 < watch.ms < 60_000
    assert library.models == ("a", MODEL)


async def test_a_broken_off_pull_goes_on_where_it_was() -> None:
    library, first, second = Library(()), Watch(), Watch()
    broken_off = await lines_of(library, MODEL, first, 20)
    assert library.models == ()
    again = await lines_of(library, MODEL, second)
    assert again[1]["completed"] >= broken_off[-1]["completed"] > 0
    assert library.models == (MODEL,)
    assert second.ms < 60_000


async def test_a_model_that_is_there_needs_nothing_and_an_unknown_one_is_an_error() -> None:
    library, watch = Library(("a",)), Watch()
    assert (await lines_of(library, "a", watch))[-1] == {"status": "success"}
    assert (await lines_of(library, "b", watch))[-1] == {"error": "pull model manifest: file does not exist"}
    assert library.models == ("a",)
