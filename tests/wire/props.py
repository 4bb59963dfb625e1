"""What the wire's property tests share: settings, and ways to cut bytes into pieces."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st

seeded = settings(derandomize=True, database=None, deadline=None, max_examples=200)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """``data`` cut at every offset of ``cuts`` that lies inside it."""
    at = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(at)]


cut_places = st.lists(st.integers(0, 10_000), max_size=20)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
