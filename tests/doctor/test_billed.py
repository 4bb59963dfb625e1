"""A stream and a tool call, which cost something: told before, and only when asked for."""

from __future__ import annotations

import pytest

from tests.doctor.conftest import Call, by_path, table
from tests.fakes.upstream import Exchange, Script, Upstream, ok_json, status, stream
from tests.wire.answers import COMPLETION, MESSAGE, ROLE, WORD

LISTED = ok_json({"data": [{"id": "m"}]})


def spoken(streamed: Script, called: Script) -> Script:
    async def script(exchange: Exchange) -> None:
        await (streamed if exchange.seen.json.get("stream") else called)(exchange)

    return script


def calls(name: str) -> Script:
    call = {"id": "1", "type": "function", "function": {"name": name, "arguments": "{}"}}
    return ok_json({"choices": [{"message": {"role": "assistant", "tool_calls": [call]}}]})


async def test_both_are_asked_for_and_their_price_is_told_first(call: Call) -> None:
    chat = spoken(stream(COMPLETION), calls("report"))
    async with Upstream(by_path({"/v1/models": LISTED, "/v1/chat/completions": chat})) as upstream:
        visit = await call(table(upstream.url, model="m"), billed=True)
    assert visit.err == (
        "p: asks m twice, some 300 tokens in and at most 800 out, at a price that is not known\n"
    )
    assert (visit.code, visit.checks["tools"]) == (0, ("ok", "the model called the tool", None))
    assert visit.checks["stream"][0] == "ok"
    asked = [seen.json for seen in upstream.requests if seen.method == "POST"]
    assert [body["max_tokens"] for body in asked] == [400, 400]


async def test_a_model_that_calls_no_tool_is_mended_by_saying_so(call: Call) -> None:
    chat = spoken(stream(COMPLETION), ok_json({"choices": [{"message": {"content": "7"}}]}))
    async with Upstream(by_path({"/v1/models": LISTED, "/v1/chat/completions": chat})) as upstream:
        visit = await call(table(upstream.url, model="m"), billed=True)
    assert visit.checks["tools"] == (
        "warn",
        "the model did not call the tool",
        "capabilities = { tools = false }",
    )


@pytest.mark.parametrize(
    ("streamed", "said"),
    [
        (stream(ROLE, WORD), "ended too early"),
        (ok_json({"choices": []}), "a whole JSON answer where a stream was asked for"),
        (status(404, {"error": {"message": "model m not found"}}), "HTTP 404"),
    ],
)
async def test_a_stream_that_is_none_ends_the_examination(call: Call, streamed: Script, said: str) -> None:
    chat = spoken(streamed, calls("report"))
    async with Upstream(by_path({"/v1/models": LISTED, "/v1/chat/completions": chat})) as upstream:
        visit = await call(table(upstream.url, model="m"), billed=True)
    assert visit.code == 1
    assert said in visit.checks["stream"][1]
    assert "tools" not in visit.checks


async def test_the_messages_wire_is_spoken_where_it_comes_first(call: Call) -> None:
    called = ok_json({"content": [{"type": "tool_use", "name": "report", "input": {"number": 7}}]})
    paths = {
        "/v1/models": ok_json({"data": [{"id": "local-model"}]}),
        "/v1/messages": spoken(stream(MESSAGE), called),
    }
    async with Upstream(by_path(paths)) as upstream:
        config = table(upstream.url, wires=["messages"], api_key_env="DOCTOR_KEY")
        visit = await call(config, billed=True)
    assert (visit.checks["stream"][0], visit.checks["tools"][0]) == ("ok", "ok")
    assert upstream.requests[-1].json["model"] == "local-model"


async def test_nothing_is_asked_of_a_model_that_nobody_named(call: Call) -> None:
    async with Upstream(status(404, {})) as upstream:
        visit = await call(table(upstream.url), billed=True)
    assert visit.checks["stream"] == ("note", "not asked: the config names no model", 'model = "NAME"')
    assert visit.err == ""
