"""Which rule a request falls under: rules are asked in file order and the first match wins."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, cast

from crtui.core.capability import CHARS_PER_TOKEN
from crtui.core.plan import Ask, Content
from crtui.core.settings import Pattern, RuleSettings

_FENCE: Final = "```"

_compiled: Final = lru_cache(maxsize=1024)(re.compile)

Value = str | float | bool | Pattern


def first_match(rules: tuple[RuleSettings, ...], ask: Ask) -> RuleSettings | None:
    """The first rule the request matches. A rule on content never matches a request without one.

    A recorded request falls under the rule that its record names. Patterns are taken to be valid,
    as the config's check has seen to; ``re.error`` otherwise.
    """
    if ask.rule is not None:
        return next((rule for rule in rules if rule.name == ask.rule), None)
    return next((rule for rule in rules if _matches(rule, ask)), None)


def fence_ratio(text: str) -> float:
    """The share of a text's characters inside closed triple-backtick spans, delimiters included.

    A fence that is never closed counts nothing. One pass, whatever the text.
    """
    parts = text.split(_FENCE)
    closed = (len(parts) - 1) // 2
    fenced = sum(map(len, parts[1 : 2 * closed : 2])) + 2 * len(_FENCE) * closed
    return fenced / len(text) if text else 0.0


def _matches(rule: RuleSettings, ask: Ask) -> bool:
    if rule.matcher == "model_pattern":
        return bool(ask.model) and _compiled(str(rule.value)).fullmatch(ask.model) is not None
    return ask.content is not None and _ON_CONTENT[rule.matcher](rule.value, ask.content)


def _has_image(value: Value, content: Content) -> bool:
    return bool(value) and content.latest_image


def _has_tools(value: Value, content: Content) -> bool:
    return bool(value) and content.tools


def _code_fence_ratio_min(value: Value, content: Content) -> bool:
    return bool(content.latest_text) and fence_ratio(content.latest_text) >= float(cast("float", value))


def _content_contains(value: Value, content: Content) -> bool:
    return str(value) in content.latest_text


def _content_regex(value: Value, content: Content) -> bool:
    return bool(cast("Pattern", value).search(content.latest_text))


def _content_token_count_min(value: Value, content: Content) -> bool:
    return content.chars // CHARS_PER_TOKEN >= float(cast("float", value))


_ON_CONTENT: Final[dict[str, Callable[[Value, Content], bool]]] = {
    "has_image": _has_image,
    "has_tools": _has_tools,
    "code_fence_ratio_min": _code_fence_ratio_min,
    "content_contains": _content_contains,
    "content_regex": _content_regex,
    "content_token_count_min": _content_token_count_min,
}
