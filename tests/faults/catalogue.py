"""The catalogue of faults and who claims its rows, read from the sources: no test has to be collected."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
FILE = TESTS / "data" / "faults.toml"
GROUPS = {
    "N": "network",
    "P": "protocol",
    "S": "meaning of answers, time and money",
    "D": "disk and config",
    "X": "process and terminal",
    "L": "load",
    "K": "security",
}


@dataclass(frozen=True)
class Row:
    """One fault. ``open`` and ``not_applicable`` say why there is no test, ``left_out`` what is not built."""

    id: str
    fault: str
    expectation: str
    seam: str
    open: str = ""
    not_applicable: str = ""
    left_out: str = ""

    @property
    def excused(self) -> bool:
        """Whether it says itself why it has no test."""
        return bool(self.open or self.not_applicable)


@dataclass(frozen=True)
class Claim:
    """A test that says it proves a row."""

    id: object
    file: str
    test: str
    """Empty where the claim stands on something that is no test."""

    skipped: bool


@cache
def rows() -> dict[str, Row]:
    """Every row of the catalogue, in its order."""
    data = tomllib.loads(FILE.read_text("utf-8"))
    return {name: Row(name, **fields) for name, fields in data.items()}


@cache
def claims() -> tuple[Claim, ...]:
    """Every claim in the tests."""
    found: list[Claim] = []
    for path in sorted(TESTS.rglob("test_*.py")):
        source = path.read_text("utf-8")
        if "mark.fault" in source:
            found += claims_in(source, str(path.relative_to(TESTS)))
    return tuple(found)


def claims_in(source: str, file: str) -> Iterator[Claim]:
    """The claims of one file: decorators of tests, and anything else that looks like one."""
    nodes = list(ast.walk(ast.parse(source)))
    found = {node: ("", False) for node in nodes if _is_claim(node)}
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for mark in found.keys() & set(node.decorator_list):
                found[mark] = node.name, any(map(_skips, node.decorator_list))
    for mark, (test, skipped) in found.items():
        yield from (Claim(name, file, test, skipped) for name in _ids(mark))


def proven() -> dict[str, list[Claim]]:
    """The claims of each row that has any."""
    found: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims():
        found[str(claim.id)].append(claim)
    return dict(found)


def _is_claim(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "fault"
        and ast.unparse(node.func) == "pytest.mark.fault"
    )


def _skips(mark: ast.AST) -> bool:
    return re.match(r"pytest\.mark\.(skip|xfail)\b(?!if)", ast.unparse(mark)) is not None


def _ids(mark: ast.AST) -> list[object]:
    assert isinstance(mark, ast.Call)
    return [arg.value if isinstance(arg, ast.Constant) else ast.unparse(arg) for arg in mark.args]
