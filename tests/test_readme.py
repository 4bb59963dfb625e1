"""README and program say the same."""

from __future__ import annotations

import re
from pathlib import Path

from crtui.cli import parser
from tests.readme import README, key_table

ROOT = Path(__file__).parents[1]
TEXT = README.read_text("utf-8")


def test_the_key_table_is_the_action_table():
    assert key_table() in TEXT, "run `python -m tests.readme`"


def test_every_command_is_in_the_readme_and_every_command_there_exists():
    (modes,) = [action for action in parser()._actions if action.dest == "mode"]
    named = {name for names in re.findall(r"crtui ([a-z\\|]+)", TEXT) for name in re.split(r"\\?\|", names)}

    assert set(modes.choices or ()) <= named
    assert set(re.findall(r"`crtui ([a-z]+)", TEXT)) <= set(modes.choices or ())


def test_ci_runs_exactly_the_test_command():
    command = re.search(r"<!-- test-command -->\n```sh\n(python3 .*)\n```", TEXT)

    assert command is not None
    assert "test-command" in (ROOT / ".ci" / "run").read_text()


def test_every_picture_and_file_it_links_to_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert target.startswith("https://") or (ROOT / target).is_file(), target
