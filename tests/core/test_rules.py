"""The seven matchers, each by its exact rule, and that the first match wins."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.plan import Ask, Content
from crtui.core.rules import fence_ratio, first_match
from crtui.core.settings import RuleSettings
from crtui.patterns import Pattern


def matches(matcher, value, content: Content | None = None, model: str | None = None) -> bool:
    rule = RuleSettings(matcher, value, "there")
    return first_match((rule,), Ask("chat", model=model, content=content)) is rule


@pytest.mark.parametrize(
    ("value", "content", "expected"),
    [
        (True, Content(latest_image=True), True),
        (True, Content(image=True, latest_image=False), False),
        (False, Content(latest_image=True), False),
        (False, Content(), False),
    ],
)
def test_has_image_looks_at_the_latest_user_message(value, content, expected):
    assert matches("has_image", value, content) is expected


@pytest.mark.parametrize(
    ("value", "tools", "expected"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_has_tools(value, tools, expected):
    assert matches("has_tools", value, Content(tools=tools)) is expected


@pytest.mark.parametrize(
    ("text", "minimum", "expected"),
    [
        ("```ab```yz", 0.8, True),
        ("```ab```yz", 0.81, False),
        ("no code", 0.0, True),
        ("", 0.0, False),
        ("```never closed", 0.01, False),
        ("``````", 1.0, True),
    ],
)
def test_code_fence_ratio_min_is_reached_or_passed_by_the_share_in_closed_fences(text, minimum, expected):
    assert matches("code_fence_ratio_min", minimum, Content(latest_text=text)) is expected


@given(st.text(alphabet="`a\n", max_size=60))
def test_fence_ratio_is_that_of_the_shortest_closed_spans(text):
    spans = re.findall(r"```[\s\S]*?```", text)
    assert fence_ratio(text) == (sum(map(len, spans)) / len(text) if text else 0.0)


@pytest.mark.parametrize("text", ["```" * 350_000, "`" * 1_000_001, "```a" * 250_000, "```" + "x" * 10**6])
def test_fence_ratio_of_a_megabyte_is_a_share(text):
    assert 0.0 <= fence_ratio(text) <= 1.0


@pytest.mark.parametrize(
    ("needle", "text", "expected"),
    [("Fix", "please Fix it", True), ("Fix", "please fix it", False), ("", "x", True), ("a.c", "abc", False)],
)
def test_content_contains_is_a_case_sensitive_substring(needle, text, expected):
    assert matches("content_contains", needle, Content(latest_text=text)) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\bfix\b", "please fix it", True),
        (r"\bfix\b", "prefix", False),
        ("FIX", "fix", False),
        ("(?i)FIX", "fix", True),
        ("^it", "fix\nit", False),
    ],
)
def test_content_regex_searches_anywhere_without_flags(pattern, text, expected):
    assert matches("content_regex", Pattern(pattern), Content(latest_text=text)) is expected


@pytest.mark.parametrize(
    ("pattern", "model", "expected"),
    [
        ("claude-.*haiku.*", "claude-3-haiku-x", True),
        ("claude", "claude-3", False),
        ("claude-.*", "my-claude-3", False),
        (".*", None, False),
        (".*", "", False),
    ],
)
def test_model_pattern_must_match_the_whole_model(pattern, model, expected):
    assert matches("model_pattern", pattern, Content(), model) is expected


@pytest.mark.parametrize(
    ("chars", "minimum", "expected"), [(399, 100, False), (400, 100, True), (403, 101, False)]
)
def test_content_token_count_min_takes_four_characters_for_a_token(chars, minimum, expected):
    assert matches("content_token_count_min", minimum, Content(chars=chars)) is expected


@pytest.mark.parametrize(
    ("matcher", "value"),
    [
        ("has_image", True),
        ("has_tools", True),
        ("code_fence_ratio_min", 0.0),
        ("content_contains", ""),
        ("content_regex", Pattern(".*")),
        ("content_token_count_min", 0),
    ],
)
def test_a_rule_on_content_never_matches_a_request_whose_content_was_not_read(matcher, value):
    assert not matches(matcher, value, None, "m")


def test_a_rule_on_the_model_needs_no_content():
    assert matches("model_pattern", "m", None, "m")


def test_the_first_match_in_file_order_wins():
    rules = (
        RuleSettings("has_tools", True, "a"),
        RuleSettings("content_contains", "x", "b"),
        RuleSettings("model_pattern", "m", "c"),
    )
    assert first_match(rules, Ask("chat", model="m", content=Content(latest_text="x"))) is rules[1]
    assert first_match(rules, Ask("chat", model="n", content=Content(latest_text="y"))) is None
    assert first_match((), Ask("chat")) is None
