"""An estimate of tokens counts what a model would read."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given

from crtui.wire.estimate import IMAGE_TOKENS, estimated_tokens

from .props import json_values, seeded


def test_text_tools_and_their_results_count() -> None:
    result = {"role": "user", "content": [{"type": "tool_result", "content": "r" * 4000}]}
    fields: dict[str, object] = {"system": "s" * 400, "messages": [result], "model": "m" * 4000}
    assert 1100 <= estimated_tokens(fields) < 1130
    tool = {"name": "look", "description": "d" * 4000}
    assert 1000 <= estimated_tokens({"tools": [tool]}) < 1020


def test_every_wires_words_count() -> None:
    call = {"type": "function_call", "name": "look", "arguments": "a" * 4000}
    result = {"type": "function_call_output", "output": "r" * 4000}
    assert 3000 <= estimated_tokens({"instructions": "s" * 4000, "input": [call, result]}) < 3050
    assert 1000 <= estimated_tokens({"input": "i" * 4000}) < 1010
    assert 1000 <= estimated_tokens({"functions": [{"name": "look", "description": "d" * 4000}]}) < 1020


@pytest.mark.fault("S36")
@pytest.mark.parametrize(
    "image",
    [
        {"type": "image", "source": {"type": "base64", "data": "x" * 1_000_000}},
        {"type": "image_url", "image_url": {"url": "x" * 1_000_000}},
        {"type": "input_image", "image_url": "x" * 1_000_000},
    ],
)
def test_an_image_is_not_counted_by_its_bytes(image: dict[str, object]) -> None:
    told = estimated_tokens({"messages": [{"role": "user", "content": [image]}]})
    assert IMAGE_TOKENS <= told < IMAGE_TOKENS + 20


def test_the_deepest_json_a_parser_takes_is_counted() -> None:
    deep: object = orjson.loads(b"[" * 1000 + b'"abcd"' + b"]" * 1000)
    assert estimated_tokens({"messages": deep}) == 1


@seeded
@given(json_values)
def test_no_value_raises(value: object) -> None:
    assert estimated_tokens({"messages": value, "tools": value}) >= 0
