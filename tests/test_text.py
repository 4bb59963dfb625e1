"""The door for outside text: what is let through, how much of it, and how fast."""

from __future__ import annotations

import subprocess
import sys
import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crtui.text import MASK, cell_width, mask_bytes, mask_secrets, scrub

any_text = st.text(st.characters(), max_size=400)
nasty_text = st.lists(
    st.sampled_from(
        [
            "\x1b[",
            "\x1b]8;;",
            "\x9b",
            "\x1b",
            "\x07",
            "\x1b\\",
            "m",
            "31",
            "\u202e",
            "\u200d",
            "�",
            "\U000e0041",
            "\n",
            "\t",
            " ",
            "é",
            "́",
            "日",
            "👩\u200d👩\u200d👧",
            "…",
            "a",
            "\x00",
            "\x85",
        ]
    ),
    max_size=60,
).map("".join)
anything = any_text | nasty_text
seeded = settings(derandomize=True, database=None, deadline=None, max_examples=300)


@pytest.mark.parametrize(
    ("outside", "shown"),
    [
        ("plain text", "plain text"),
        ("", ""),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[1;38;5;196mbold\x1b[m", "bold"),
        ("\x9b31mC1 form", "C1 form"),
        ("\x1b]0;title\x07after BEL", "after BEL"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;Zm9v\x9cafter C1 ST", "after C1 ST"),
        ("\x9d0;title\x07C1 OSC", "C1 OSC"),
        ("\x1bP1$r0m\x1b\\after DCS", "after DCS"),
        ("\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\rest", "rest"),
        ("never ended \x1b]0;swallowed", "never ended"),
        ("cut \x1b]0;short\x1b[31m by the next", "cut by the next"),
        ("\x1b(Bcharset \x1b7cursor\x1bc", "charset cursor"),
        ("lone \x1b", "lone"),
        ("query\x1b[6n", "query"),
    ],
)
@pytest.mark.fault("K15", "K18")
def test_escape_sequences_go_whole_with_whatever_ends_them(outside: str, shown: str) -> None:
    """RELIABILITY K15, K18."""
    assert scrub(outside) == shown


@pytest.mark.parametrize(
    ("outside", "shown"),
    [
        ("a\x00b\x08c\x7fd\x80e", "abcde"),
        ("two\nlines\r\nand\ttabs", "two lines and tabs"),
        ("  many \u2028 kinds\u00a0of\u3000space\x85 ", "many kinds of space"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("a\u2066b\u2069c\u200e\u061c", "abc"),
        ("pay\u200bpal\ufeff\u2060\u00ad", "paypal"),
        ("flag\U000e0067\U000e007f\U000e0001", "flag"),
        ("heart\u2764\ufe0f", "heart\u2764"),
        ("\u3164hidden\u115f", "hidden"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("non\uffffcharacter", "non\ufffdcharacter"),
        ("e\u0301te\u0301", "e\u0301te\u0301"),
        ("z" + "\u0316" * 50, "z" + "\u0316" * 3),
        ("icon \ue0b0", "icon \ue0b0"),
    ],
)
@pytest.mark.fault("K15", "K16")
def test_what_cannot_be_seen_or_would_reorder_the_line_is_removed(outside: str, shown: str) -> None:
    """RELIABILITY K15, K16: control, bidi, tag and zero-width characters, surrogates, stacked marks."""
    assert scrub(outside) == shown


@pytest.mark.parametrize(
    ("outside", "limit", "shown"),
    [
        ("exactly", 7, "exactly"),
        ("exactly", 6, "exact…"),
        ("one two", 5, "one…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("ab", 1, "…"),
        ("ab", 0, ""),
        ("ab", -3, ""),
        ("abc ", 3, "abc"),
        ("x" * 10_000, 5, "xxxx…"),
        ("x" + "\x00" * 10_000, 5, "x…"),
    ],
)
def test_what_does_not_fit_is_cut_by_cells_and_says_so(outside: str, limit: int, shown: str) -> None:
    assert scrub(outside, limit) == shown


@seeded
@given(anything, st.integers(0, 60))
@example("\x1b[" * 200, 10)
@example("a" * 5000, 4096)
def test_scrubbed_text_is_safe_fits_and_stays_as_it_is(text: str, limit: int) -> None:
    """RELIABILITY W7, for all code points including surrogates."""
    shown = scrub(text, limit)
    assert cell_width(shown) <= limit
    assert scrub(shown, limit) == shown
    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert "  " not in shown
    shown.encode()


@pytest.mark.fault("K15", "K16")
def test_every_code_point_is_taken_and_none_of_the_forbidden_comes_out() -> None:
    """RELIABILITY W7: total on all 1,114,112 code points."""
    forbidden = {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}
    out = {scrub(chr(code)) for code in range(0x110000)}
    assert {char for char in out if char and unicodedata.category(char) in forbidden} == set()


@pytest.mark.parametrize(
    "piece", ["a", "\x1b]", "\x1b[1", "\x1b[31m", "e\u0301", "\u200b", "日", " ", "\x9b;", "\x1bP"]
)
@pytest.mark.fault("K27")
def test_a_megabyte_takes_no_longer_than_its_beginning(piece: str) -> None:
    """RELIABILITY K27. What grows with the text would take many times the bound."""
    text = piece * (1_000_000 // len(piece))

    def run() -> float:
        start = time.perf_counter()
        scrub(text)
        return time.perf_counter() - start

    assert min(run() for _ in range(5)) < 0.25


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("", 0),
        ("abc", 3),
        ("日本", 4),
        ("e\u0301", 1),
        ("ｗ", 2),
        ("\x07", 0),
        ("😀", 2),
        ("한", 2),
        ("·", 1),
    ],
)
@pytest.mark.fault("X27")
def test_cell_width_counts_what_a_terminal_draws(text: str, cells: int) -> None:
    assert cell_width(text) == cells


@pytest.mark.fault("K13")
def test_known_secrets_are_masked_wherever_they_stand() -> None:
    """RELIABILITY K13: an upstream that echoes a key does not get it shown."""
    text, secrets = "bad key sk-abcdef-long (sk-abcdef) for user bob", ["sk-abcdef", "sk-abcdef-long", "bob"]
    masked = f"bad key {MASK} ({MASK}) for user bob"
    assert mask_secrets(text, secrets) == masked
    assert mask_bytes(text.encode() + b"\xff", secrets) == masked.encode() + b"\xff"


@seeded
@given(st.text("ab-", max_size=60), st.lists(st.text("ab-", max_size=12), max_size=5))
def test_no_long_enough_secret_survives_masking(text: str, secrets: list[str]) -> None:
    masked = mask_secrets(text, secrets)
    assert not [secret for secret in secrets if len(secret) >= 6 and secret in masked]
    assert mask_secrets(masked, secrets) == masked


def test_the_door_needs_nothing_but_the_standard_library() -> None:
    """Wire and core code may use it without pulling the screen's libraries in."""
    code = "import crtui.text, sys; print([m for m in ('textual', 'rich', 'orjson') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
