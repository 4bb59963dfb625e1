"""``GET /v1/models``, and the aliases by which Claude Code gets to see models that are not Claude's."""

from __future__ import annotations

import re

import pytest

from crtui.core.inputs import ModelReport, Poll
from crtui.gateway.models import aliases
from tests.fakes.upstream import Upstream, ok_json, status

from .conftest import House, Open, provider
from .wires import COMPLETION, MESSAGE, chat_request, message_request

QWEN = "claude-crtui-qwen3-4b"


def told(gateway: House, name: str, *models: str) -> None:
    gateway.engine.poll(Poll(name, ok=True, models=tuple(map(ModelReport, models))))


async def test_models_are_merged_from_what_is_told_declared_mapped_and_fixed(house: Open) -> None:
    first = provider("a", "http://127.0.0.1:9", declared=("later",), models=((re.compile("x"), "y"),))
    fixed = provider("b", "http://127.0.0.1:9", model="claude-fixed")
    async with house(first, fixed) as gateway:
        told(gateway, "a", "qwen3:4b", "llama3")
        told(gateway, "b", "never-sent")
        answer = await gateway.ask("GET", "/v1/models")
    assert answer.json["object"] == "list"
    assert [(row["id"], row["owned_by"]) for row in answer.json["data"]] == [
        ("qwen3:4b", "a"),
        ("llama3", "a"),
        ("later", "a"),
        ("y", "a"),
        ("claude-fixed", "b"),
    ]


async def test_anthropics_shape_adds_an_alias_for_what_claude_code_would_hide(house: Open) -> None:
    async with house(provider("a", "http://127.0.0.1:9")) as gateway:
        told(gateway, "a", "qwen3:4b", "claude-sonnet-4-6")
        answer = await gateway.ask("GET", "/v1/models?limit=1000", anthropic_version="2023-06-01")
    rows = answer.json["data"]
    assert [(row["id"], row["display_name"]) for row in rows] == [
        ("qwen3:4b", "qwen3:4b"),
        ("claude-sonnet-4-6", "claude-sonnet-4-6"),
        (QWEN, "qwen3:4b"),
    ]
    assert (rows[0]["type"], answer.json["has_more"], answer.json["last_id"]) == ("model", False, QWEN)


def test_two_names_never_share_an_alias() -> None:
    assert aliases(["a:b", "a/b", "Anthropic/x"]) == {"claude-crtui-a-b": "a:b", "claude-crtui-a-b-2": "a/b"}


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_alias_is_sent_as_the_real_model_to_who_has_it(house: Open, streamed: bool) -> None:
    async with (
        Upstream(ok_json(MESSAGE)) as first,
        Upstream(ok_json(MESSAGE)) as second,
        house(first, second) as gateway,
    ):
        told(gateway, "a", "other")
        told(gateway, "b", "qwen3:4b")
        answer = await gateway.message(message_request(model=QWEN, stream=streamed))
        end = await gateway.end()
    assert (answer.status, answer.header("x-crtui-provider")) == (200, "b")
    assert second.requests[0].json["model"] == "qwen3:4b"
    assert first.requests == []
    assert end.model == "qwen3:4b"


async def test_without_its_owner_another_provider_is_asked_for_the_real_model(house: Open) -> None:
    async with (
        Upstream(ok_json(COMPLETION)) as first,
        Upstream(status(500, {})) as second,
        house(first, second) as gateway,
    ):
        told(gateway, "b", "qwen3:4b")
        answer = await gateway.chat(chat_request(model=QWEN))
    assert (answer.status, answer.header("x-crtui-provider")) == (200, "a")
    assert first.requests[0].json["model"] == "qwen3:4b"


async def test_an_alias_of_nothing_is_a_model_like_any_other(house: Open) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream) as gateway:
        await gateway.message(message_request(model="claude-crtui-gone"))
    assert upstream.requests[0].json["model"] == "claude-crtui-gone"
