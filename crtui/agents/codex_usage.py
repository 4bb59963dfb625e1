"""Codex's five counts, and what they are in crtui's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crtui.core.inputs import Usage
from crtui.wire.jsonview import as_count, as_object

COUNTS: Final = 5
Counts = tuple[int, ...]
"""Input (with the cached), cached, written to the cache, output (with reasoning), reasoning."""

_NAMES: Final = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
)


def read_counts(value: object) -> Counts | None:
    """A usage object's counts, None where it is none."""
    told = as_object(value)
    if "input_tokens" not in told and "output_tokens" not in told:
        return None
    return tuple(as_count(told.get(name)) or 0 for name in _NAMES)


NOTHING: Final[Counts] = (0,) * COUNTS


class HighWater:
    """What a rollout's sum has been at most, count by count; nothing counts below it."""

    def __init__(self, mark: Counts = NOTHING) -> None:
        self.mark = mark

    def rise(self, last: Counts | None, total: Counts | None) -> Counts:
        """What a row's answer took: its own usage, or what the sum has grown by. Nothing where it has not."""
        if total is None:
            return last or NOTHING
        gain = tuple(max(0, now - before) for now, before in zip(total, self.mark, strict=True))
        self.mark = tuple(map(max, total, self.mark))
        if last is None or not any(gain):
            return gain
        return last


def read_info(payload: Mapping[str, object]) -> tuple[Counts | None, Counts | None]:
    """The usage of the last answer and the sum, of a ``token_count``; None for what it does not tell."""
    info = as_object(payload.get("info"))
    return read_counts(info.get("last_token_usage")), read_counts(info.get("total_token_usage"))


def as_usage(counts: Counts) -> Usage:
    """The counts with the cached part taken out of the input."""
    entered, cached, written, output, _ = counts
    cached = min(cached, entered)
    written = min(written, entered - cached)
    return Usage(entered - cached - written, output, cached, written)
