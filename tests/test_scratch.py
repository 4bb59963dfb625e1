"""Directories that are gone with their process, killed or not."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from crtui.scratch import PREFIX, Scratch

HOLDING = """
import sys
from crtui.scratch import Scratch
scratch = Scratch()
(scratch.path / "log").write_text("x")
print(scratch.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine's temporary directory of the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_it_is_its_owners_only_and_gone_when_it_is_left(there: Path) -> None:
    with Scratch() as scratch:
        (scratch.path / "log").write_text("x")
        assert scratch.path.parent == there
        assert scratch.path.stat().st_mode & 0o777 == 0o700
    scratch.remove()
    assert list(there.iterdir()) == []


def test_one_that_a_kill_has_left_goes_with_the_next_start_and_a_living_ones_stays(there: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        left = Path(other.stdout.readline().strip())
        with Scratch():
            assert (left / "log").exists()
        other.kill()
        other.wait()
        assert (left / "log").exists()
        with Scratch() as scratch:
            assert list(there.iterdir()) == [scratch.path]


def test_nothing_else_is_removed(there: Path) -> None:
    precious = there / "precious"
    precious.mkdir()
    (there / f"{PREFIX}link").symlink_to(precious)
    (there / f"{PREFIX}file").write_text("x")
    (there / "crtui.other").mkdir()
    before = sorted(there.iterdir())
    with Scratch():
        pass
    assert sorted(there.iterdir()) == before
