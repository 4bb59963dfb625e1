"""The table as files for other programs: CSV of what the columns tell, JSON lines of all there is. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from crtui.core.now import stamp
from crtui.text import scrub
from crtui.tui.meters import binding
from crtui.tui.order import Entry
from crtui.tui.upcoming import upcoming
from crtui.tui.why import why

if TYPE_CHECKING:
    from crtui.core.views import ProviderView

    Value = str | int | float | None

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet compute a cell (OWASP, CSV injection)."""


def csv_text(shown: Sequence[Entry], now: int) -> str:
    """A header and one record a row, in the order shown (RFC 4180). Text never starts a formula."""
    out = io.StringIO(newline="")
    rows = [_record(entry, now) for entry in shown]
    writer = csv.writer(out)
    writer.writerow(rows[0] if rows else ["name"])
    writer.writerows([_safe(value) for value in row.values()] for row in rows)
    return out.getvalue()


def json_line(provider: ProviderView) -> str:
    """A provider's row of the state, as one line of JSON."""
    from crtui.core.encode import provider_json

    return json.dumps(provider_json(provider), ensure_ascii=True, separators=(",", ":"))


def jsonl_text(shown: Sequence[Entry]) -> str:
    """One such line a row, in the order shown."""
    return "".join(json_line(entry.provider) + "\n" for entry in shown)


def _record(entry: Entry, now: int) -> dict[str, Value]:
    provider = entry.provider
    latency, usage, coming = provider.latency, provider.usage, upcoming(provider, now)
    meter = binding(provider)
    return {
        "name": provider.name,
        "kind": provider.kind,
        "state": entry.status.word,
        "serves_next": "yes" if entry.serves_next else "no",
        "left_percent": None if meter is None else meter.left,
        "next": None if coming is None else coming.verb,
        "next_at": None if coming is None else stamp(coming.at),
        "p50_ms": latency.p50_ms,
        "p99_ms": latency.p99_ms,
        "tokens_per_s": latency.tokens_per_s,
        "requests": usage.requests,
        "failed": usage.failed,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": usage.cost_usd,
        "unpriced_requests": usage.unpriced_requests,
        "why": why(provider),
    }


def _safe(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    text = scrub(value, 1000)
    return f"'{text}" if text.startswith(_FORMULA) else text
