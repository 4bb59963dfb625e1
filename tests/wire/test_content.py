"""What rules and capability checks see of a request."""

from __future__ import annotations

import orjson
import pytest

from crtui.core.plan import Content
from crtui.wire.codec import BadBodyError
from crtui.wire.content import read_content

IMAGE = {"type": "image", "source": {"type": "base64", "data": "xx"}}
TEXT = {"type": "text", "text": "hello"}


def content(**fields: object) -> Content:
    return read_content(orjson.dumps(fields))


def user(*blocks: object) -> dict[str, object]:
    return {"role": "user", "content": list(blocks)}


@pytest.mark.parametrize("kind", ["image", "image_url", "input_image"])
def test_an_image_block_in_the_latest_user_message_counts_as_both(kind: str) -> None:
    told = content(messages=[user(TEXT, {"type": kind})])
    assert (told.image, told.latest_image) == (True, True)


@pytest.mark.parametrize(
    "messages",
    [
        [user(IMAGE), user(TEXT)],
        [user({"type": "tool_result", "content": [TEXT, IMAGE]})],
        [user(TEXT), {"role": "tool", "content": [{"type": "image_url"}]}],
    ],
)
def test_an_image_elsewhere_or_inside_a_tools_result_is_not_the_latest(messages: list[object]) -> None:
    told = content(messages=messages)
    assert (told.image, told.latest_image) == (True, False)


def test_words_about_images_are_no_image() -> None:
    told = content(
        messages=[{"role": "user", "content": "type: image"}, user({"type": ["image"]}, "image", 7)]
    )
    assert (told.image, told.latest_image) == (False, False)


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([{"role": "user", "content": "plain"}], "plain"),
        ([user(TEXT, {"type": "text", "text": "two"})], "hello\ntwo"),
        ([user(TEXT), {"role": "assistant", "content": "answer"}], "hello"),
        ([user(TEXT), user({"type": "tool_result", "content": "result"})], ""),
        ([user({"type": "input_text", "text": "any block"}, {"type": "text", "text": 7})], "any block"),
        ([{"role": "assistant", "content": "only"}], ""),
        ([{"role": "user"}], ""),
        ([], ""),
    ],
)
def test_the_latest_text_is_that_of_the_last_user_message_alone(messages: list[object], text: str) -> None:
    assert content(messages=messages).latest_text == text


@pytest.mark.parametrize(
    ("fields", "tools"),
    [
        ({"tools": [{"name": "t"}]}, True),
        ({"functions": [{"name": "t"}]}, True),
        ({"tools": []}, False),
        ({"tools": {"a": 1}}, False),
        ({}, False),
    ],
)
def test_tools_are_a_list_with_something_in_it(fields: dict[str, object], tools: bool) -> None:
    assert content(**fields).tools is tools


def test_characters_are_those_of_system_and_message_text_with_the_newlines_between_blocks() -> None:
    told = content(
        system=[{"type": "text", "text": "1234"}, {"type": "text", "text": "56"}],
        messages=[
            {"role": "system", "content": "abc"},
            user(TEXT, IMAGE),
            {"role": "assistant", "content": [{"type": "tool_use", "input": {"text": "no"}}]},
        ],
        tools=[{"description": "not counted"}],
    )
    assert told.chars == len("1234\n56") + len("abc") + len("hello")
    assert content(system="sys").chars == 3


@pytest.mark.parametrize(
    "fields", [{"messages": "x"}, {"messages": [1, None, []]}, {"system": 7, "messages": None}]
)
def test_a_strange_shape_is_empty_and_no_fault(fields: dict[str, object]) -> None:
    assert content(**fields) == Content()


def test_what_is_no_object_is_a_bad_body() -> None:
    with pytest.raises(BadBodyError):
        read_content(b"[]")
