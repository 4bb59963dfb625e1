"""The parts of README.md that are made from the program itself.

python -m tests.readme      writes them anew
"""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path

from crtui.actions import ACTIONS, Action
from tests.faults.catalogue import GROUPS, proven, rows

README = Path(__file__).parents[1] / "README.md"
_MARKED = "<!-- {0} -->\n"


def key_table() -> str:
    """Every key of the dashboard, from the one action table."""
    shown = [action for action in ACTIONS if action.keys]
    half = (len(shown) + 1) // 2
    rows = ["| key | what it does | key | what it does |", "|---|---|---|---|"]
    for left, right in zip_longest(shown[:half], shown[half:]):
        rows.append(f"| {_cells(left)} | {_cells(right)} |")
    return "\n".join(rows) + "\n"


def _cells(action: Action | None) -> str:
    if action is None:
        return " | "
    return " ".join(f"`{key}`" for key in action.shown.split()) + f" | {action.help}"


def fault_table() -> str:
    """How many faults of each group a test proves, and how many not."""
    lines = ["| faults | rows | tested | not applicable | open |", "|---|---:|---:|---:|---:|"]
    counts = [_counts(group) for group in GROUPS]
    for (group, what), count in zip(GROUPS.items(), counts, strict=True):
        lines.append(f"| {group} {what} | " + " | ".join(map(str, count)) + " |")
    sums = [sum(column) for column in zip(*counts, strict=True)]
    lines.append("| all | " + " | ".join(map(str, sums)) + " |")
    return "\n".join(lines) + "\n"


def _counts(group: str) -> tuple[int, int, int, int]:
    own = [row for row in rows().values() if row.id.startswith(group)]
    tested = sum(row.id in proven() for row in own)
    return len(own), tested, sum(bool(row.not_applicable) for row in own), sum(bool(row.open) for row in own)


def with_part(text: str, name: str, content: str) -> str:
    """The text with what stands after a marker, up to the next blank line, replaced."""
    mark = _MARKED.format(name)
    pattern = re.compile(re.escape(mark) + r"(?:\|.*\n)*")
    return pattern.sub(lambda _: mark + content, text, count=1)


def main() -> None:
    """Write the parts anew."""
    text = with_part(README.read_text("utf-8"), "keys", key_table())
    README.write_text(with_part(text, "faults", fault_table()), "utf-8")


if __name__ == "__main__":
    main()
