"""Patterns of a config on texts from outside."""

from __future__ import annotations

import pickle

import pytest

from crtui.patterns import Pattern


@pytest.mark.parametrize("text", ["(a+)+$", "^(a|a)*$", "(.*a){20}$", "^a*a*a*a*a*$", "^(a?){30}a{30}$"])
@pytest.mark.fault("K27")
def test_no_text_makes_a_pattern_run_long(text: str) -> None:
    pattern = Pattern(text)
    for end in ("!", "a" * 40 + "!", "a" * 100_000 + "!"):
        assert pattern.search("a" * 40 + end) is False


@pytest.mark.parametrize(
    ("text", "some", "expected"),
    [
        ("ü+", "aüü", True),
        ("(?i)fix", "please FIX it", True),
        (r"\bbug\b", "debugging", False),
        ("a.c", "a\nc", False),
        ("x", "lone \ud800 surrogate x", True),
    ],
)
def test_it_finds_what_it_names_anywhere_in_a_text(text: str, some: str, expected: bool) -> None:
    assert Pattern(text).search(some) is expected


@pytest.mark.parametrize("text", ["(", "(?<=a)b", r"(a)\1", "a{2000}", "\ud800"])
def test_what_is_none_is_refused_and_nothing_is_written(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are RE2's
        Pattern(text)
    assert capfd.readouterr() == ("", "")


def test_one_is_told_by_its_text_also_after_a_copy() -> None:
    pattern = Pattern("a+")
    copy = pickle.loads(pickle.dumps(pattern))
    assert (copy, hash(copy), str(copy)) == (pattern, hash(pattern), "a+")
    assert copy != Pattern("a*")
    assert copy.search("caat")
