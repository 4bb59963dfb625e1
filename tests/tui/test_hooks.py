"""Commands on events: what they are told, what they never get, and that they hold nothing up."""

from __future__ import annotations

import json
import queue
import sys
from pathlib import Path

import pytest

from crtui.tui.hooks import AT_ONCE, Hooks
from crtui.tui.notify import Turn
from crtui.tui.settings import ScreenSettings
from tests.fakes import snapshots as fake
from tests.tui.test_app import stage
from tests.tui.test_notify import FINE


class Heard(queue.SimpleQueue[str]):
    """What is told of failures."""

    def next(self) -> str:
        return self.get(timeout=10)


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    import os

    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def tells(fifo: Path) -> str:
    """A command line that writes its environment, all of it, to a waiting reader."""
    script = "import json, os, sys; open(sys.argv[1], 'w').write(json.dumps(dict(os.environ)))"
    return f'{sys.executable} -c "{script}" "{fifo}"'


def test_a_command_is_told_event_provider_and_until_and_gets_no_secret(fifo: Path) -> None:
    environ = {"PATH": "/bin", "OPENAI_API_KEY": "sk-1", "MY_TOKEN": "t", "PLAIN": "p", "ODD": "sk-2"}
    hooks = Hooks({"empty": tells(fifo)}, Heard().put, environ=environ, secrets={"ODD"})
    hooks.run(Turn("empty", "groq", fake.NOW, "reset"))
    got = json.loads(fifo.read_text())

    assert got["CRTUI_EVENT"] == "empty"
    assert got["CRTUI_PROVIDER"] == "groq"
    assert got["CRTUI_UNTIL"].endswith("Z")
    assert got["PLAIN"] == "p"
    assert "sk-" not in str(got)
    assert not {"OPENAI_API_KEY", "MY_TOKEN", "ODD"} & set(got)


def test_other_changes_run_nothing() -> None:
    heard = Heard()
    Hooks({"out": "/nowhere"}, heard.put).run(Turn("back", "a"))
    assert heard.empty()


def test_no_shell_reads_the_command_line(fifo: Path) -> None:
    """What a shell would make of a name or of the line itself stays a word."""
    script = "import sys; open(sys.argv[1], 'w').write(repr(sys.argv[2:]))"
    hooks = Hooks({"out": f'{sys.executable} -c "{script}" {fifo} $HOME ; `id`'}, Heard().put)
    hooks.run(Turn("out", "a"))
    assert fifo.read_text() == "['$HOME', ';', '`id`']"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("/nowhere/at-all", "on_event.out: /nowhere/at-all: No such file or directory"),
        (f'{sys.executable} -c "raise SystemExit(3)"', f"on_event.out: {sys.executable}: exited with 3"),
    ],
)
def test_a_failure_is_told_once(command: str, told: str) -> None:
    heard = Heard()
    hooks = Hooks({"out": command, "back": "/nowhere/else"}, heard.put)
    hooks.run(Turn("out", "a"))
    assert heard.next() == told
    hooks.run(Turn("out", "b"))
    hooks.run(Turn("back", "b"))
    assert heard.next().startswith("on_event.back: ")


def test_one_that_does_not_end_is_ended_with_what_it_started(fifo: Path) -> None:
    heard = Heard()
    script = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', "
        "'import sys, time; f = open(sys.argv[1], chr(119)); time.sleep(60)', sys.argv[1]]).wait()"
    )
    hooks = Hooks({"out": f'{sys.executable} -c "{script}" {fifo}'}, heard.put, limit_s=1.0)
    hooks.run(Turn("out", "a"))
    with fifo.open() as held:
        assert held.read() == "", "the grandchild let go of the pipe: it is gone"
    assert "took more than 1 s" in heard.next()


def test_there_are_never_more_than_a_few_at_once(tmp_path: Path) -> None:
    heard, go_on = Heard(), tmp_path / "held"
    go_on.touch()
    script = f"any(time.sleep(0.01) for _ in iter(lambda: os.path.exists('{go_on}'), False))"
    hooks = Hooks({"out": f'{sys.executable} -c "import os, time; {script}"', "back": "true"}, heard.put)
    for number in range(AT_ONCE + 1):
        hooks.run(Turn("out", f"p{number}"))
    assert "was left out" in heard.next()
    go_on.unlink()


async def test_the_screen_runs_them_and_tells_of_a_failure_in_its_notices() -> None:
    settings = ScreenSettings(on_event={"empty": "/nowhere/at-all"}, notify="off")
    async with stage(FINE, settings=settings, size=(140, 40)) as on:
        await on.show(fake.snapshot(fake.exhausted("a", 3_600_000, "headers", "spent"), fake.provider("b")))
        for _ in range(200):
            await on.pilot.pause(0.01)
            on.app.tick()
            if "on_event.empty" in on.text("summary"):
                break
        assert "! on_event.empty: /nowhere/at-all: No such file" in on.text("summary")
