"""``GET /metrics``: the tally and the snapshot in Prometheus' text format.

Everything is built when it is asked for, in a registry of its own; what is unknown has no sample.
https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from crtui.core.now import SECOND
from crtui.core.views import ProviderView, Snapshot
from crtui.gateway.tally import BUCKETS, Spread, Tally

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_PROVIDER: Final = ("provider",)
_HEALTH: Final = ("HEALTHY", "DEGRADED", "UNHEALTHY")
_STANDINGS: Final = ("eligible", "demoted", "excluded")

Labelled = Iterable[tuple[tuple[str, ...], float | None]]


def metrics_text(tally: Tally, snapshot: Snapshot) -> bytes:
    """One scrape."""
    return generate_latest(_Scrape(tally, snapshot))  # type: ignore[arg-type] (a registry is asked to collect, no more)


class _Scrape:
    """What ``generate_latest`` asks of a registry."""

    def __init__(self, tally: Tally, snapshot: Snapshot) -> None:
        self._tally = tally
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """Every metric there is."""
        yield from _of_gateway(self._snapshot)
        yield from _of_attempts(self._tally)
        yield from _of_usage(self._snapshot.providers)
        yield from _of_state(self._snapshot.providers)
        yield from _of_limits(self._snapshot.providers, self._snapshot.at)


def _of_gateway(snapshot: Snapshot) -> Iterator[Metric]:
    gateway = snapshot.gateway
    yield CounterMetricFamily("crtui_requests", "Requests of clients that were routed", gateway.requests)
    yield GaugeMetricFamily("crtui_requests_in_flight", "Requests that are open now", gateway.in_flight)


def _of_attempts(tally: Tally) -> Iterator[Metric]:
    attempts = CounterMetricFamily(
        "crtui_attempts", "Attempts at providers by how they ended", labels=("provider", "outcome")
    )
    for labels, count in sorted(tally.attempts.items()):
        attempts.add_metric(labels, count)
    yield attempts
    yield _histogram("crtui_attempt_duration_seconds", "Good attempts, from start to end", tally.durations)
    yield _histogram(
        "crtui_attempt_first_content_seconds", "Good streams, from start to content", tally.first_contents
    )


def _of_usage(rows: Iterable[ProviderView]) -> Iterator[Metric]:
    tokens = CounterMetricFamily("crtui_tokens", "Tokens charged", labels=("provider", "kind"))
    cost = CounterMetricFamily("crtui_cost_usd", "Money charged, where the price is known", labels=_PROVIDER)
    unpriced = CounterMetricFamily(
        "crtui_unpriced_requests", "Requests whose cost is not known", labels=_PROVIDER
    )
    for row in rows:
        usage = row.usage
        unpriced.add_metric((row.name,), usage.unpriced_requests)
        tokens.add_metric((row.name, "input"), usage.input_tokens)
        tokens.add_metric((row.name, "output"), usage.output_tokens)
        tokens.add_metric((row.name, "cache_read"), usage.cache_read_tokens)
        tokens.add_metric((row.name, "cache_write"), usage.cache_write_tokens)
        if usage.cost_usd is not None:
            cost.add_metric((row.name,), usage.cost_usd)
    yield tokens
    yield cost
    yield unpriced


def _of_state(rows: tuple[ProviderView, ...]) -> Iterator[Metric]:
    yield _gauge(
        "crtui_provider_health",
        "1 for the state the provider's health is in",
        ("provider", "state"),
        (((row.name, state), row.health.state == state) for row in rows for state in _HEALTH),
    )
    yield _gauge(
        "crtui_provider_standing",
        "1 for how routing treats the provider now",
        ("provider", "standing"),
        (((row.name, standing), row.standing == standing) for row in rows for standing in _STANDINGS),
    )
    yield _gauge(
        "crtui_provider_in_flight",
        "Attempts under way",
        _PROVIDER,
        (((row.name,), row.in_flight) for row in rows),
    )


def _of_limits(rows: tuple[ProviderView, ...], at: int) -> Iterator[Metric]:
    windows = [(row.name, window) for row in rows for window in row.quota.windows if not window.unconfirmed]
    labels = ("provider", "window")
    yield _gauge(
        "crtui_quota_used_ratio",
        "Share of a limit window that is used",
        labels,
        (((name, w.name), None if w.used_percent is None else w.used_percent / 100) for name, w in windows),
    )
    yield _gauge(
        "crtui_quota_left",
        "What a limit window has left, in its own unit",
        labels,
        (((name, w.name), w.remaining) for name, w in windows),
    )
    yield _gauge(
        "crtui_budget_left_usd",
        "Money left of the month's budget, at most: what could not be priced is not taken off",
        _PROVIDER,
        (((row.name,), _left(row.budget.monthly_usd, row.budget.spent_usd)) for row in rows),
    )
    yield _gauge(
        "crtui_budget_left_tokens",
        "Tokens left of the day's budget",
        _PROVIDER,
        (((row.name,), _left(row.burn.budget_tokens, row.burn.used_tokens)) for row in rows),
    )
    yield _gauge(
        "crtui_cooldown_seconds",
        "How long a guard still holds the provider back",
        ("provider", "guard"),
        _cooldowns(rows, at).items(),
    )


def _cooldowns(rows: Iterable[ProviderView], at: int) -> dict[tuple[str, ...], float]:
    """The longest wait of each guard; one guard may hold back for several reasons."""
    waits: dict[tuple[str, ...], float] = {}
    for row in rows:
        for reason in row.reasons:
            if reason.until is not None:
                key, left = (row.name, reason.guard), max(0, reason.until - at) / SECOND
                waits[key] = max(left, waits.get(key, 0))
    return waits


def _gauge(name: str, words: str, labels: tuple[str, ...], values: Labelled) -> Metric:
    family = GaugeMetricFamily(name, words, labels=labels)
    for key, value in values:
        if value is not None:
            family.add_metric(key, value)
    return family


def _histogram(name: str, words: str, spreads: Mapping[str, Spread]) -> Metric:
    family = HistogramMetricFamily(name, words, labels=_PROVIDER)
    bounds = (*map(str, BUCKETS), "+Inf")
    for provider, spread in sorted(spreads.items()):
        steps = list(zip(bounds, accumulate(spread.counts), strict=True))
        family.add_metric((provider,), steps, spread.total)
    return family


def _left(whole: float | None, used: float | None) -> float | None:
    return None if whole is None else max(0.0, whole - (used or 0))
