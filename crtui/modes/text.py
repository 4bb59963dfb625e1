"""A snapshot as plain text, for ``crtui status``."""

from __future__ import annotations

from crtui.core.now import SECOND
from crtui.core.views import ProviderView, Snapshot


def status_text(snapshot: Snapshot) -> str:
    """A header, one line a provider, and the order of every profile."""
    gateway = snapshot.gateway
    lines = [
        f"crtui {gateway.version} at {gateway.url}: {gateway.requests} requests, {gateway.in_flight} open"
    ]
    width = max((len(row.name) for row in snapshot.providers), default=0)
    lines += [_row(row, width, snapshot.at) for row in snapshot.providers]
    if not snapshot.providers:
        lines.append("no providers are configured; `crtui init` finds what is here")
    for profile in snapshot.profiles:
        lines.append(f"{profile.name} ({profile.tactic}): {' > '.join(profile.order) or 'nobody can serve'}")
    return "\n".join(lines)


def _row(row: ProviderView, width: int, at: int) -> str:
    latency = "" if row.latency.p50_ms is None else f"p50 {row.latency.p50_ms:.0f} ms"
    reason = row.reasons[0] if row.reasons else None
    why = ""
    if reason is not None:
        why = reason.detail or reason.code
        if reason.until is not None:
            why += f", for {span(reason.until - at)}"
    return f"{row.standing:8}  {row.name:{width}}  {row.health.state:9}  {latency:12}  {why}".rstrip()


def span(ms: int) -> str:
    """A time to come as its two largest units: ``42 s``, ``3 min 5 s``, ``2 h 14 min``, ``3 d 4 h``."""
    seconds = max(0, -(-ms // SECOND))
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count or (name == "s" and not parts):
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])
