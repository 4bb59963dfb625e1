"""The doctor's findings as text for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from crtui.modes.doctor.checks import Check, Diagnosis

WIDTH: Final = 80
_INDENT: Final = 17


def report(found: Sequence[Diagnosis]) -> str:
    """A block a provider, worst last line of all: how many cannot work."""
    blocks = ["\n".join(_block(diagnosis)) for diagnosis in found]
    return "\n\n".join([*blocks, _sum(found)])


def _block(diagnosis: Diagnosis) -> list[str]:
    head = f"{diagnosis.provider}: {diagnosis.verdict}  ({diagnosis.kind}, {diagnosis.base_url})"
    lines = textwrap.wrap(head, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    for check in diagnosis.checks:
        lines += _lines(check)
    return lines


def _lines(check: Check) -> list[str]:
    lines = _folded(f"  {check.status:4}  {check.name:8} ", check.said)
    return lines if check.mend is None else lines + _folded(f"{'mend:':>16} ", check.mend)


def _folded(label: str, text: str) -> list[str]:
    lines = textwrap.wrap(text, WIDTH - _INDENT, break_long_words=True, break_on_hyphens=False) or [""]
    return [f"{label:{_INDENT}}{lines[0]}", *(" " * _INDENT + line for line in lines[1:])]


def _sum(found: Sequence[Diagnosis]) -> str:
    failed = [diagnosis.provider for diagnosis in found if diagnosis.status == "fail"]
    if failed:
        return "\n".join(textwrap.wrap(f"cannot work: {', '.join(failed)}", WIDTH, subsequent_indent="  "))
    return "every provider can work" if len(found) > 1 else f"{found[0].provider} can work"
