"""Money in whole pico-dollars: exact sums, exact on the way through JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.inputs import Usage
from crtui.core.money import MOST, Rates, pico, rates_of, usd
from crtui.core.settings import Price


@given(st.integers(0, MOST))
def test_an_amount_survives_json_as_a_number_of_dollars(amount):
    assert pico(json.loads(json.dumps(usd(amount)))) == amount


@pytest.mark.parametrize(
    ("price", "rates"),
    [
        (Price(3.0, 15.0, 0.3, 3.75, 6.0), Rates(3_000_000, 15_000_000, 300_000, 3_750_000, 6_000_000)),
        (Price(3.0, 15.0, 0.3, 3.75), Rates(3_000_000, 15_000_000, 300_000, 3_750_000, 6_000_000)),
        (Price(3.0, 15.0, 0.3, 9.0), Rates(3_000_000, 15_000_000, 300_000, 9_000_000, 9_000_000)),
        (Price(3.0, 15.0), Rates(3_000_000, 15_000_000, 3_000_000, 3_000_000, 6_000_000)),
        (Price(output=0.000001), Rates(0, 1, 0, 0, 0, unknown=(0, 2, 3, 4))),
        (Price(0.0), Rates(0, 0, 0, 0, 0, unknown=(1,))),
        (Price(), None),
    ],
)
def test_a_cache_price_that_is_missing_is_the_next_wider_one_and_twice_the_input_for_an_hour(price, rates):
    assert rates_of(price) == rates


@pytest.mark.parametrize(
    ("price", "usage", "covered"),
    [
        (Price(3.0, 15.0), Usage(1, 1, 1, 2, 1), True),
        (Price(input=3.0), Usage(1, 0, 1, 2, 1), True),
        (Price(input=3.0), Usage(1, 1), False),
        (Price(output=15.0), Usage(0, 1), True),
        (Price(output=15.0), Usage(-1, 1, -1, -1, -1), True),
        (Price(output=15.0), Usage(1, 1), False),
        (Price(output=15.0), Usage(0, 1, cache_read=1), False),
        (Price(output=15.0, cache_read=0.3), Usage(0, 1, cache_read=1), True),
        (Price(cache_write_1h=6.0), Usage(cache_write=2, cache_write_1h=2), True),
        (Price(cache_write_1h=6.0), Usage(cache_write=2, cache_write_1h=1), False),
    ],
)
def test_a_price_covers_tokens_of_which_every_kind_has_one(price, usage, covered):
    rates = rates_of(price)
    assert rates is not None
    assert rates.covers(usage) == covered


def test_writes_for_an_hour_are_part_of_the_writes_and_cost_their_own_price():
    rates = Rates(1, 10, 100, 1_000, 10_000)
    assert rates.cost(Usage(1, 1, 1, 5, 2)) == 1 + 10 + 100 + 3 * 1_000 + 2 * 10_000
