"""What the machine does to a running gateway: sleep, no locks, a log that goes away; and a bug of ours."""

from __future__ import annotations

import errno
import fcntl
import importlib.util
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crtui.clock import SystemClock
from crtui.core.core import Core
from crtui.core.inputs import Attempt
from crtui.engine.logfile import log_to_file
from tests.engine.conftest import Live

HOURS_8 = 8 * 3_600 * 10**9


def fresh_clock() -> SystemClock:
    """A clock of a module that looks at the system's own only now."""
    spec = importlib.util.find_spec("crtui.clock")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SystemClock()


@pytest.mark.fault("S27", "X16")
@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has such a clock")
def test_a_sleep_of_the_machine_counts_on_both_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    real, wall, slept = time.clock_gettime_ns, time.time_ns, 0

    def since_boot(clock: int) -> int:
        return real(clock) + (slept if clock == time.CLOCK_BOOTTIME else 0)

    monkeypatch.setattr(time, "clock_gettime_ns", since_boot)
    monkeypatch.setattr(time, "time_ns", lambda: wall() + slept)
    clock = fresh_clock()
    before = clock.now()
    slept = HOURS_8
    after = clock.now()

    assert after.mono - before.mono == pytest.approx(HOURS_8 / 10**6, abs=1_000)
    assert after.wall - after.mono == before.wall - before.mono, "no clock was set"


@pytest.mark.fault("X12")
async def test_a_core_that_failed_in_the_middle_is_never_fed_again_and_ends_the_gateway(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.start()
    live.serve(3)
    live.turn()
    real = Core.feed

    def struck(self: Core, item: Any, now: Any) -> Any:
        events = real(self, item, now)
        if isinstance(item, Attempt):
            raise KeyError("half of it is done")
        return events

    live.ask()
    with monkeypatch.context() as patch:
        patch.setattr(Core, "feed", struck)
        with pytest.raises(KeyError):
            live.answer("a")
    for act in (live.ask, live.engine.snapshot, lambda: live.order("drain", "a")):
        with pytest.raises(RuntimeError, match="the core has failed"):
            act()
    with pytest.raises(RuntimeError, match="the core has failed"):
        await live.engine.run()
    live.stop()
    live.start()

    assert sum(row["usage"]["requests"] for row in live.shown()["providers"]) == 3


@pytest.mark.fault("D12")
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.EIO])
def test_without_locks_nothing_is_saved_and_it_is_said(
    live: Live, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def unlocked(*_: object) -> None:
        raise OSError(code, "no locks available")

    monkeypatch.setattr(fcntl, "flock", unlocked)
    live.start()
    live.serve(2)
    [notice] = live.notices

    assert notice.startswith("not saving since")
    assert sum(row["usage"]["requests"] for row in live.shown()["providers"]) == 2


@pytest.fixture
def quiet() -> Iterator[None]:
    """Whatever logging is turned to, it is turned back."""
    root = logging.getLogger()
    kept = list(root.handlers)
    yield
    for handler in root.handlers:
        if handler not in kept:
            handler.close()
    root.handlers[:] = kept


@pytest.mark.fault("D27")
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("how", ["gone", "a file", "read-only"])
def test_a_log_that_cannot_be_written_costs_a_line_and_nothing_else(tmp_path: Path, how: str) -> None:
    if how == "read-only":
        log_to_file(Path("/proc"))
    else:
        log_to_file(tmp_path)
        shutil.rmtree(tmp_path / "log")
    if how == "a file":
        (tmp_path / "log").write_text("")
    logging.getLogger("crtui.test").error("nobody hears this")

    assert not (tmp_path / "log").is_dir()


@pytest.mark.fault("K26")
@pytest.mark.parametrize("text", ["'; DROP TABLE inputs; --", '"); DELETE FROM segments; --', "%s ? :1 \\"])
def test_outside_text_is_no_sql(live: Live, text: str) -> None:
    live.start()
    live.ask(model=text, session=text)
    live.answer("a", ok=False, error=text, message=text)
    live.turn()

    assert live.replayed()["providers"] == live.shown()["providers"]
