"""System messages wherever they stand become the one leading system text, and nothing else changes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given

from crtui.wire.merge import with_one_system

from .props import json_values, seeded

USER = {"role": "user", "content": "hi"}
BILLING = "x-anthropic-billing-header: cc_version=2.1.328.a1b; cc_entrypoint=cli;"


def merged(wire: Any, **fields: Any) -> dict[str, Any]:
    return orjson.loads(with_one_system(wire, orjson.dumps(fields)))


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def test_claude_codes_system_messages_join_the_system_text_without_its_billing_line() -> None:
    system = [text(BILLING), text("You are", cache_control={"type": "ephemeral"}), text("an agent")]
    turns = [USER, {"role": "system", "content": [text("env")]}, USER, {"role": "system", "content": "date"}]
    told = merged("messages", model="m", system=system, messages=turns, tools=[{"name": "t"}])
    assert told == {
        "model": "m",
        "system": "You are\n\nan agent\n\nenv\n\ndate",
        "messages": [USER, USER],
        "tools": [{"name": "t"}],
    }


def test_the_billing_line_alone_is_taken_out_too() -> None:
    told = merged("messages", system=f"{BILLING}\nYou are", messages=[USER])
    assert told["system"] == "You are"


def test_codexs_developer_items_join_the_instructions() -> None:
    def item(role: str, words: str) -> dict[str, Any]:
        return {"type": "message", "role": role, "content": [{"type": "input_text", "text": words}]}

    user = item("user", "hi")
    told = merged("responses", input=[item("developer", "prompt"), item("developer", "rules"), user, user])
    assert told == {"input": [user, user], "instructions": "prompt\n\nrules"}
    told = merged("responses", instructions="be kind", input=[item("system", "more"), user])
    assert told == {"input": [user], "instructions": "be kind\n\nmore"}


def test_chats_become_its_first_message() -> None:
    turns = [{"role": "system", "content": "a"}, USER, {"role": "developer", "content": [text("b")]}]
    assert merged("chat", messages=turns)["messages"] == [{"role": "system", "content": "a\n\nb"}, USER]
    alone = [{"role": "developer", "content": "a"}, USER]
    assert merged("chat", messages=alone)["messages"][0] == {"role": "system", "content": "a"}


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        ("messages", b'{ "system":[{"type":"text","text":"a"}], "messages":[{"role":"user"}]}'),
        ("messages", b'{ "messages":[{"role":"system","content":"only"}]}'),
        ("chat", b'{ "messages":[{"role":"system","content":"a"},{"role":"user"}], "x":1.50}'),
        ("chat", b'{ "input":"an embedding"}'),
        ("responses", b'{ "input":"hi", "instructions":"be kind"}'),
        ("responses", b'{ "input":[{"role":"developer","content":"only"}]}'),
        ("chat", b"not JSON"),
    ],
)
def test_what_has_no_more_than_one_leading_text_keeps_its_bytes(wire: Any, body: bytes) -> None:
    assert with_one_system(wire, body) is body


@pytest.mark.parametrize("wire", ["messages", "chat", "responses"])
@seeded
@given(json_values)
def test_no_body_raises_and_merging_twice_changes_nothing_more(wire: Any, value: object) -> None:
    turns = {"messages": [value, {"role": "system", "content": value}], "input": [value]}
    once = with_one_system(wire, orjson.dumps(turns))
    assert with_one_system(wire, once) == once
