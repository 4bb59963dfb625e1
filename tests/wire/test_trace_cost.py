"""What an attempt cost, on its way through a trace line and back."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.inputs import Attempt, Charge, Usage
from crtui.core.money import MOST
from crtui.wire.fields import BadInputError
from crtui.wire.trace_in import decode
from crtui.wire.trace_out import encode
from crtui.wire.trace_plain import plain_attempt, read_plain

COUNTS = st.integers(0, 10**9)
USAGES = st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.none() | st.integers(0, MOST))


@given(USAGES)
def test_a_cost_is_the_same_after_the_quick_and_after_the_careful_reading(usage: Usage) -> None:
    attempt = Attempt("a", True, status=200, usage=usage)
    line = encode(attempt)
    plain = read_plain(line)
    assert plain is not None
    assert plain_attempt(plain, 0) == decode(orjson.loads(line), 0) == attempt


@given(USAGES)
def test_a_late_charge_is_a_line_of_its_own(usage: Usage) -> None:
    charge = Charge("a", usage)
    assert decode(orjson.loads(encode(charge)), 0) == charge


@pytest.mark.parametrize(("cost", "pico"), [(-1, 0), (1e9, MOST), (0.5, 5 * 10**11)])
def test_a_hand_written_cost_is_brought_into_bounds(cost: float, pico: int) -> None:
    line = {"input": "attempt", "provider": "a", "ok": True, "usage": {"cost_usd": cost}}
    attempt = decode(line, 0)
    assert isinstance(attempt, Attempt)
    assert attempt.usage == Usage(cost=pico)


def test_a_charge_without_usage_is_a_fault_of_the_line() -> None:
    with pytest.raises(BadInputError, match="usage is missing"):
        decode({"input": "charge", "provider": "a"}, 0)
