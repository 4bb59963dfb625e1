"""Lines: what does not fit ends in an ellipsis, whatever the characters."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.text import cell_width
from crtui.tui.glyphs import plain_ascii
from crtui.tui.line import Span, cell, cut, fit, plain, spread, width_of

TEXTS = st.text(alphabet=string.ascii_letters + " äß–…漢字▶", max_size=30)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("ab cd", 4, "ab…"),
        ("漢字漢", 4, "漢…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_a_cut_text_ends_in_an_ellipsis(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


@given(TEXTS, st.integers(1, 20))
def test_a_cell_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    for align in ("left", "right"):
        assert cell_width(cell(text, width, align)) == width


@given(st.lists(TEXTS, max_size=5), st.integers(1, 30))
def test_a_fitted_line_fits_and_says_if_something_is_missing(texts: list[str], width: int) -> None:
    whole = [Span(text) for text in texts]
    fitted = fit(whole, width)
    assert width_of(fitted) <= width
    if width_of(whole) > width:
        assert plain(fitted).endswith("…")
    else:
        assert plain(fitted) == plain(whole)


@given(TEXTS, TEXTS, st.integers(31, 60))
def test_two_ends_fill_the_width(left: str, right: str, width: int) -> None:
    assert width_of(spread([Span(left)], [Span(right)], max(width, cell_width(right)))) == max(
        width, cell_width(right)
    )


@given(TEXTS)
def test_the_ascii_form_has_one_character_for_each(text: str) -> None:
    shown = plain_ascii(text)
    assert shown.isascii()
    assert len(shown) == len(text)


@pytest.mark.fault("X08")
def test_state_glyphs_stay_apart_in_ascii() -> None:
    assert plain_ascii("●◐◔◌◇▒▼✖–") == "+~?.$mvx-"
