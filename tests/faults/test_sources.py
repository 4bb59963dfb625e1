"""What the sources and the lock file must not hold, whatever a test of behaviour says."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "crtui").rglob("*.py"))
CODE_FROM_DATA = re.compile(
    r"\b(eval|exec|compile|__import__|(pickle|marshal|shelve|dill)\.\w*load\w*|yaml\.(?!safe_)\w*load\w*"
    r"|importlib\.import_module|os\.(system|popen|exec\w+|spawn\w+))$"
)
MOST_DEPENDENCIES = 16
"""Few enough to look at each."""


def calls(word: str) -> Iterator[tuple[Path, ast.Call]]:
    """Every call in a source that holds the word at all."""
    for path in SOURCES:
        text = path.read_text("utf-8")
        if re.search(word, text):
            yield from ((path, node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))


@pytest.mark.fault("K28")
def test_nothing_turns_data_into_code() -> None:
    words = (
        r"\b(eval|exec|compile|__import__)\(|pickle|marshal|shelve|dill|yaml|import_module|os\.(system|popen)"
    )
    found = [
        f"{path.name}:{call.lineno}"
        for path, call in calls(words)
        if isinstance(call.func, ast.Name | ast.Attribute)
        and CODE_FROM_DATA.match(ast.unparse(call.func))
        and not all(isinstance(arg, ast.Constant) or is_own(arg) for arg in call.args)
    ]
    assert found == []


def is_own(arg: ast.expr) -> bool:
    """Whether it is made in the same breath, as for a copy."""
    return isinstance(arg, ast.Call) and ast.unparse(arg.func) == "pickle.dumps"


@pytest.mark.fault("K26")
def test_no_shell_is_used() -> None:
    found = [
        f"{path.name}:{call.lineno}"
        for path, call in calls("shell")
        if any(keyword.arg == "shell" for keyword in call.keywords)
    ]
    assert found == []


@pytest.mark.fault("K32")
def test_dependencies_are_few_and_each_is_locked_with_its_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    locked = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    bare = [
        package["name"]
        for package in locked
        if "registry" in package["source"]
        and not all(file.get("hash", "").startswith("sha256:") for file in files(package))
    ]
    elsewhere = {package["name"] for package in locked if "registry" not in package["source"]}
    assert len(project["dependencies"]) <= MOST_DEPENDENCIES
    assert bare == []
    assert elsewhere == {"crtui"}


def files(package: dict[str, object]) -> list[dict[str, str]]:
    found = [package.get("sdist"), *package.get("wheels", [])]  # type: ignore[misc]
    return [file for file in found if file is not None]  # type: ignore[misc]
