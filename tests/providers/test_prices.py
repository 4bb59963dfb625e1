"""List prices: the same sums as genai-prices' own, without a network, and unknown where it is unknown."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from decimal import Decimal

import genai_prices
import pytest

from crtui.core.inputs import Usage
from crtui.core.money import PICO
from crtui.providers.prices import PriceList

NOV_20 = 1_795_165_200_000
ANTHROPIC = "https://api.anthropic.com/v1"
USAGES = (
    Usage(100, 20),
    Usage(100, 20, 3_000, 5_000, 2_000),
    Usage(199_000, 1, 1_000),
    Usage(199_001, 1, 1_000),
    Usage(271_000, 500, 0, 2_000, 2_000),
)


@pytest.fixture(scope="module")
def prices() -> PriceList:
    prices = PriceList()
    prices.load()
    return prices


@pytest.mark.parametrize(
    ("url", "model"),
    [
        (ANTHROPIC, "claude-sonnet-4-5"),
        (ANTHROPIC, "claude-haiku-4-5-20251001"),
        ("https://api.openai.com/v1", "gpt-5.4"),
        ("https://api.openai.com/v1", "gpt-4o-mini"),
        ("https://openrouter.ai/api/v1", "anthropic/claude-sonnet-4.5"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-pro"),
        ("https://api.groq.com/openai/v1", "llama-3.3-70b-versatile"),
        ("https://api.deepseek.com/v1", "deepseek-chat"),
        ("https://api.perplexity.ai", "sonar"),
    ],
)
@pytest.mark.parametrize("usage", USAGES)
def test_an_attempt_costs_what_the_table_says(prices: PriceList, url: str, model: str, usage: Usage):
    tariff = prices.tariff(url, model, NOV_20)
    own = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=usage.input + usage.cache_read + usage.cache_write,
            output_tokens=usage.output,
            cache_read_tokens=usage.cache_read,
            cache_write_tokens=usage.cache_write,
            cache_write_1h_tokens=usage.cache_write_1h,
        ),
        model,
        provider_api_url=url,
        genai_request_timestamp=datetime.fromtimestamp(NOV_20 / 1000, UTC),
    )
    assert tariff is not None
    assert Decimal(tariff.cost(usage)) / PICO == own.total_price


def test_a_large_input_makes_all_of_it_dearer_and_cached_tokens_count_as_input(prices: PriceList):
    tariff = prices.tariff(ANTHROPIC, "claude-sonnet-4-5", NOV_20)
    assert tariff is not None
    assert tariff.cost(Usage(200_000)) == 600_000 * 10**6
    assert tariff.cost(Usage(200_001)) == 200_001 * 6 * 10**6
    assert tariff.cost(Usage(1, 0, 200_000)) == (6 + 200_000 * 6 // 10) * 10**6


def test_prices_of_the_day_and_of_the_hour_are_those_of_the_attempt(prices: PriceList):
    """DeepSeek was cheaper from 16:30 to 00:30 UTC."""
    costs = {
        tariff.cost(Usage(1000))
        for hour in (12, 20)
        if (
            tariff := prices.tariff(
                "https://api.deepseek.com", "deepseek-chat", NOV_20 + (hour - 9) * 3_600_000
            )
        )
    }
    assert len(costs) == 2


@pytest.mark.parametrize(
    ("url", "model"),
    [
        (ANTHROPIC, "claude-of-tomorrow"),
        ("http://127.0.0.1:11434/v1", "claude-sonnet-4-5"),
        ("https://llm.example.com/v1", "gpt-4o"),
        (ANTHROPIC, "claude-sonnet-4-5" + "x" * 300),
        (ANTHROPIC, ""),
    ],
)
def test_what_is_not_in_the_table_is_unknown(prices: PriceList, url: str, model: str):
    assert prices.tariff(url, model, NOV_20) is None


def test_nothing_is_known_before_it_is_loaded_and_loading_asks_no_network(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a price list that asks the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    prices = PriceList()
    assert prices.tariff(ANTHROPIC, "claude-sonnet-4-5", NOV_20) is None
    prices.load()
    assert prices.tariff(ANTHROPIC, "claude-sonnet-4-5", NOV_20) is not None
