"""A spend cap against the price list: which of the config's models it can count."""

from __future__ import annotations

import pytest

from crtui.config.model import Config
from crtui.modes.doctor.cap import cap_checks
from crtui.providers.prices import PriceList
from crtui.providers.provider import build_providers

WALL = 1_795_165_200_000


@pytest.mark.parametrize(
    ("model", "status", "said"),
    [
        ("claude-sonnet-4-6", "ok", "$5 a month, by list prices"),
        ("claude-of-tomorrow", "warn", "counts nothing for claude-of-tomorrow: no list has its price"),
        (None, "ok", "$5 a month, by list prices"),
    ],
)
def test_a_model_that_no_list_knows_is_named(model: str | None, status: str, said: str) -> None:
    row = {"name": "p", "kind": "anthropic", "api_key_env": "K", "monthly_usd": 5.0}
    config = Config.model_validate({"provider": [row if model is None else {**row, "model": model}]})
    prices = PriceList()
    prices.load()
    providers, _ = build_providers(config, {"K": "sk-aaaaaaaaaaaa"})
    [check] = cap_checks(config.providers[0], providers["p"], prices, WALL)
    assert (check.status, check.said) == (status, said)
