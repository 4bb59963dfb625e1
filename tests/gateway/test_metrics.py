"""``GET /metrics`` tells what has happened and how things stand, and nothing it does not know."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from crtui.core.inputs import Poll, WindowReport
from crtui.gateway.tally import BUCKETS, Spread
from tests.fakes.client import Answer
from tests.fakes.upstream import Upstream, ok_json, status, stream

from .conftest import CANARY, House, Open
from .wires import CHAT_END, CHAT_START, COMPLETION, chat_request, chat_text

SAMPLES = dict[tuple[str, tuple[str, ...]], float]
"""By name and the labels' values, in the order of the labels' names."""


async def scrape(gateway: House, **headers: str) -> tuple[Answer, SAMPLES]:
    answer = await gateway.ask("GET", "/metrics", **headers)
    families = text_string_to_metric_families(answer.body.decode())
    return answer, {
        (sample.name, tuple(sample.labels[key] for key in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


async def test_attempts_outcomes_tokens_and_times_are_counted(house: Open) -> None:
    scripts = (status(429, {}, ("retry-after", "30")), ok_json(COMPLETION))
    async with (
        Upstream(*scripts) as first,
        Upstream(stream(CHAT_START, chat_text("hi"), CHAT_END)) as second,
        house(first, second) as gateway,
    ):
        await gateway.chat(chat_request(stream=True))
        answer, told = await scrape(gateway)
    assert (answer.status, (answer.header("content-type") or "")[:10]) == (200, "text/plain")
    assert told["crtui_requests_total", ()] == 1
    assert told["crtui_requests_in_flight", ()] == 0
    assert told["crtui_attempts_total", ("limit", "a")] == 1
    assert told["crtui_attempts_total", ("ok", "b")] == 1
    assert told["crtui_tokens_total", ("output", "b")] == 3
    assert told["crtui_attempt_duration_seconds_count", ("b",)] == 1
    assert told["crtui_attempt_first_content_seconds_bucket", ("+Inf", "b")] == 1
    assert ("crtui_attempt_duration_seconds_count", ("a",)) not in told
    assert 0 < told["crtui_cooldown_seconds", ("quota", "a")] <= 30
    assert told["crtui_provider_standing", ("a", "excluded")] == 1
    assert told["crtui_provider_health", ("a", "HEALTHY")] == 1
    assert CANARY not in answer.body.decode()


async def test_what_is_left_is_told_where_it_is_known(house: Open) -> None:
    window = WindowReport("5h", "poll", used_percent=25.0, remaining=30.0, limit=40.0)
    budget: dict[str, Any] = {"daily_tokens": 1_000, "monthly_usd": 5.0}
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream, **budget) as gateway:
        gateway.engine.poll(Poll("a", ok=True, windows=(window,)))
        await gateway.chat(chat_request())
        _, told = await scrape(gateway)
    assert told["crtui_quota_used_ratio", ("a", "5h")] == 0.25
    assert told["crtui_quota_left", ("a", "5h")] == 30
    assert told["crtui_budget_left_usd", ("a",)] == 5
    assert told["crtui_budget_left_tokens", ("a",)] == 985
    assert ("crtui_cost_usd_total", ("a",)) not in told
    assert told["crtui_unpriced_requests_total", ("a",)] == 1


async def test_reading_follows_the_token_rule(house: Open) -> None:
    async with house(Upstream(ok_json(COMPLETION)), token="secret-token-0123456789") as gateway:
        refused = await gateway.ask("GET", "/metrics")
        allowed, _ = await scrape(gateway, authorization="Bearer secret-token-0123456789")
    assert (refused.status, allowed.status) == (401, 200)


@pytest.mark.parametrize(("ms", "place"), [(0, 0), (100, 0), (101, 1), (300_000, 10), (300_001, 11)])
def test_a_bound_belongs_to_its_bucket(ms: int, place: int) -> None:
    spread = Spread()
    spread.add(ms)
    spread.add(None)
    assert spread.counts.index(1) == place
    assert (sum(spread.counts), spread.total, len(BUCKETS)) == (1, ms / 1000, 11)
