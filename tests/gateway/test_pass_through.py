"""What goes in comes out: bodies, headers and credentials, in both directions."""

from __future__ import annotations

import json
import re

import pytest

from tests.fakes.upstream import JSON, Upstream, ok_json, status, stream, whole

from .conftest import CANARY, Open, provider
from .wires import (
    CHAT_END,
    CHAT_START,
    COMPLETION,
    MESSAGE,
    MESSAGE_END,
    MESSAGE_START,
    PING,
    chat_request,
    chat_text,
    message_request,
    message_text,
)


@pytest.mark.fault("P39")
async def test_a_request_body_reaches_the_provider_byte_for_byte(house: Open) -> None:
    body = (
        b'{ "zeta":1,"model" : "m", "messages":[{"role":"user","content":"\\u00e9"}], "x":{"b":1,"a":[1.0]}}'
    )
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream) as gateway:
        await gateway.message(body)
    assert upstream.requests[0].body == body


async def test_an_answer_comes_back_byte_for_byte_with_the_gateways_headers(house: Open) -> None:
    body = json.dumps({"vendor_extra": {"z": 1.0}, **MESSAGE}, indent=3).encode()
    async with Upstream(whole(200, body, JSON)) as upstream, house(upstream) as gateway:
        answer = await gateway.message(message_request())
        end = await gateway.end()
    assert answer.body == body
    assert answer.status == 200
    assert answer.whole
    assert answer.header("x-crtui-provider") == "a"
    assert answer.header("x-crtui-attempts") == "1"
    assert answer.header("x-crtui-profile") == "default"
    assert answer.header("x-crtui-request-id") == end.request


@pytest.mark.fault("P14")
async def test_a_stream_comes_back_byte_for_byte_and_whole(house: Open) -> None:
    pieces = (MESSAGE_START, PING, message_text("Hi"), b": comment\n\n", message_text(" there"), MESSAGE_END)
    async with Upstream(stream(*pieces)) as upstream, house(upstream) as gateway:
        answer = await gateway.message(message_request(stream=True))
        end = await gateway.end()
    assert answer.body == b"".join(pieces)
    assert answer.whole
    assert end.ok
    assert end.usage is not None
    assert (end.usage.input, end.usage.output) == (12, 3)
    assert end.ttft_ms is not None


@pytest.mark.fault("P15")
async def test_events_split_at_every_byte_come_back_the_same(house: Open) -> None:
    body = CHAT_START + chat_text("é") + CHAT_END
    pieces = [body[at : at + 1] for at in range(len(body))]
    async with Upstream(stream(*pieces)) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request(stream=True))
    assert answer.body == body
    assert answer.whole


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
@pytest.mark.fault("P11")
async def test_streams_with_other_line_ends_are_passed_on_as_they_come(house: Open, end: bytes) -> None:
    body = (CHAT_START + chat_text("x") + CHAT_END).replace(b"\n", end)
    async with Upstream(stream(body[:100], body[100:])) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request(stream=True))
    assert answer.body == body
    assert answer.whole


async def test_a_configured_model_is_sent_and_nothing_else_changes(house: Open) -> None:
    body = b'{"a":1,  "model":"claude-haiku-4-5","messages":[{"role":"user","content":"x"}],"z":2}'
    async with Upstream(ok_json(MESSAGE)) as upstream:
        mapped = provider("a", upstream.url, models=((re.compile("claude-.*haiku.*"), "qwen3:4b"),))
        async with house(mapped) as gateway:
            await gateway.message(body)
            end = await gateway.end()
    assert upstream.requests[0].body == body.replace(b"claude-haiku-4-5", b"qwen3:4b")
    assert end.model == "qwen3:4b"


@pytest.mark.fault("K10")
async def test_the_providers_key_is_sent_and_the_callers_is_not(house: Open) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        await gateway.chat(chat_request(), authorization="Bearer callers-own", x_api_key="callers-too")
    sent = upstream.requests[0]
    assert sent.header("authorization") == f"Bearer {CANARY}"
    assert "callers" not in str(sent.headers)


@pytest.mark.fault("K10")
async def test_with_auth_client_the_callers_credential_goes_on_but_never_the_gateways_token(
    house: Open,
) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream:
        forwarding = provider("a", upstream.url, auth="client", secret=None)
        async with house(forwarding, token="gateway-token-123") as gateway:
            await gateway.message(
                message_request(), authorization="Bearer gateway-token-123", x_api_key="callers-own"
            )
    sent = upstream.requests[0]
    assert sent.header("x-api-key") == "callers-own"
    assert "gateway-token-123" not in str(sent.headers)


@pytest.mark.fault("K10", "K24", "K36")
async def test_headers_that_matter_to_the_provider_go_on_and_others_stay(house: Open) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream) as gateway:
        await gateway.message(
            message_request(),
            anthropic_version="2023-06-01",
            anthropic_beta="tools-2025",
            cookie="session=1",
            x_forwarded_for="10.0.0.1",
            x_crtui_profile="default",
            accept_encoding="gzip, br",
        )
    sent = upstream.requests[0]
    assert sent.header("anthropic-beta") == "tools-2025"
    assert sent.header("anthropic-version") == "2023-06-01"
    assert sent.header("accept-encoding") == "identity"
    assert sent.header("host") == f"127.0.0.1:{upstream.port}"
    assert [sent.header(name) for name in ("cookie", "x-forwarded-for", "x-crtui-profile")] == [None] * 3


async def test_only_harmless_query_parameters_go_on(house: Open) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream) as gateway:
        await gateway.ask("POST", "/v1/messages?beta=true&key=callers-own", message_request())
    assert upstream.requests[0].target == "/v1/messages?beta=true"


@pytest.mark.fault("K24")
async def test_an_upstreams_cookies_and_identity_do_not_come_back(house: Open) -> None:
    headers = (("set-cookie", "a=b"), ("server", "rude/1"), ("alt-svc", "h3"), ("request-id", "req_9"))
    async with Upstream(ok_json(MESSAGE, *headers)) as upstream, house(upstream) as gateway:
        answer = await gateway.message(message_request())
        await gateway.message(message_request())
    assert answer.header("request-id") == "req_9"
    assert [answer.header(name) for name in ("set-cookie", "server", "alt-svc")] == [None] * 3
    assert upstream.requests[1].header("cookie") is None


@pytest.mark.fault("S15")
async def test_a_refusal_of_the_request_itself_passes_through_as_it_is(house: Open) -> None:
    fault = {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: required"}}
    async with (
        Upstream(status(400, fault, ("request-id", "req_1"))) as first,
        Upstream(ok_json(MESSAGE)) as second,
        house(first, second) as gateway,
    ):
        answer = await gateway.message(message_request())
        end = await gateway.end()
    assert answer.status == 400
    assert answer.json == fault
    assert answer.header("request-id") == "req_1"
    assert answer.header("x-crtui-provider") == "a"
    assert second.requests == []
    assert end.message == "max_tokens: required"
    assert json.loads(end.error) == fault
    assert gateway.engine.provider_view("a").health.state == "HEALTHY"


@pytest.mark.fault("K13")
async def test_a_key_that_an_upstream_quotes_is_masked_everywhere(
    house: Open, caplog: pytest.LogCaptureFixture
) -> None:
    quoting = {"error": {"message": f"bad request with key {CANARY}"}}
    async with (
        Upstream(status(400, quoting), status(401, quoting)) as upstream,
        house(upstream) as gateway,
    ):
        answers = [await gateway.chat(chat_request()) for _ in range(2)]
        state = await gateway.ask("GET", "/crtui/v1/state")
    assert [answer.status for answer in answers] == [400, 502]
    for answer in (*answers, state):
        assert CANARY not in answer.raw.decode() + answer.body.decode()
    assert CANARY not in caplog.text
    assert CANARY not in repr(gateway.inputs)


async def test_a_session_key_keeps_a_session_with_its_provider(house: Open) -> None:
    async with (
        Upstream(status(500, {}), ok_json(MESSAGE)) as first,
        Upstream(ok_json(MESSAGE)) as second,
        house(first, second) as gateway,
    ):
        for _ in range(2):
            await gateway.message(message_request(), x_claude_code_session_id="one-session")
    assert len(first.requests) == 1
    assert len(second.requests) == 2
