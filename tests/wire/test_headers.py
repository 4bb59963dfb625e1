"""Which headers pass the gateway, in each direction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.wire.headers import recorded_headers, request_headers, response_headers

from .props import seeded

SECRETS = [
    b"authorization",
    b"x-api-key",
    b"api-key",
    b"x-goog-api-key",
    b"cookie",
    b"proxy-authorization",
    b"x-crtui-token",
]
HOP_BY_HOP = [
    b"connection",
    b"keep-alive",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"proxy-connection",
]


@pytest.mark.parametrize(
    "name",
    [
        *SECRETS,
        *HOP_BY_HOP,
        b"host",
        b"content-length",
        b"accept-encoding",
        b"content-encoding",
        b"expect",
        b"origin",
        b"x-crtui-profile",
        b"x-forwarded-for",
        b"forwarded",
        b"referer",
        b"openai-organization",
        b"anything-else",
    ],
)
@pytest.mark.fault("K10", "K24", "K36")
def test_of_a_request_neither_credentials_nor_connection_matters_go_on(name: bytes) -> None:
    """RELIABILITY K10, K24."""
    assert request_headers([(name, b"v"), (name.upper(), b"v"), (name.title(), b"v")]) == {}


@pytest.mark.parametrize(
    "name",
    [
        "content-type",
        "accept",
        "user-agent",
        "anthropic-version",
        "anthropic-beta",
        "openai-beta",
        "x-app",
        "x-stainless-lang",
        "x-claude-code-session-id",
        "x-claude-code-agent-id",
        "session-id",
        "x-session-affinity",
        "http-referer",
        "x-title",
        "originator",
        "x-codex-turn-metadata",
        "x-openrouter-title",
    ],
)
def test_of_a_request_what_providers_read_goes_on(name: str) -> None:
    assert request_headers([(name.title().encode(), b" v\t")]) == {name: "v"}


def test_a_request_header_that_came_twice_is_joined() -> None:
    raw = [(b"anthropic-beta", b"a,b"), (b"Anthropic-Beta", b"c")]
    assert request_headers(raw) == {"anthropic-beta": "a,b, c"}


@pytest.mark.parametrize(
    "name",
    [
        *HOP_BY_HOP,
        b"set-cookie",
        b"server",
        b"alt-svc",
        b"strict-transport-security",
        b"content-length",
        b"via",
        b"date",
        b"access-control-allow-origin",
        b"x-crtui-provider",
        b"www-authenticate",
        b"location",
        b"nel",
        b"report-to",
        b"openai-organization",
        b"anthropic-organization-id",
        b"x-powered-by",
        b"cf-ray",
    ],
)
@pytest.mark.fault("K05", "K24")
def test_of_an_answer_nothing_that_acts_on_the_client_comes_back(name: bytes) -> None:
    """RELIABILITY K05, K24."""
    assert response_headers([(name, b"v"), (name.title(), b"v")]) == []


@pytest.mark.parametrize(
    "name",
    [
        b"content-type",
        b"request-id",
        b"x-request-id",
        b"retry-after",
        b"retry-after-ms",
        b"x-should-retry",
        b"anthropic-ratelimit-unified-5h-reset",
        b"x-ratelimit-remaining-tokens",
        b"x-codex-primary-used-percent",
        b"openai-processing-ms",
        b"cache-control",
    ],
)
def test_of_an_answer_what_clients_read_comes_back(name: bytes) -> None:
    assert response_headers([(name.title(), b"v")]) == [(name, b"v")]


@pytest.mark.parametrize(
    "value", [b"a\r\nset-cookie: x", b"a\nb", b"a\rb", b"a\0b", b"\x7f", b"\x1b[31m", b"\xff\xfe"]
)
@pytest.mark.fault("K24", "P34")
def test_a_value_that_could_split_a_message_is_dropped(value: bytes) -> None:
    """RELIABILITY K24, P34."""
    assert request_headers([(b"x-title", value)]) == {}
    assert response_headers([(b"x-request-id", value)]) == []
    assert recorded_headers([(b"retry-after", value)]) == {}


@pytest.mark.parametrize(
    "name", [b"", b"x-title ", b"x-title\n", b"x title", b"x-stainless-\r\na", b"x-stainless-\xe9"]
)
def test_a_name_that_is_no_token_is_dropped(name: bytes) -> None:
    assert request_headers([(name, b"v")]) == {}


@pytest.mark.fault("K11")
def test_only_what_limits_are_read_from_is_recorded() -> None:
    """RELIABILITY K11: a trace holds no other header, so no credential or account either."""
    raw = [
        (b"Retry-After", b"7"),
        (b"X-RateLimit-Reset", b"1"),
        (b"x-ratelimit-reset", b"2"),
        (b"Date", b"Fri, 20 Nov 2026 09:00:00 GMT"),
        (b"x-ratelimit-limit", b"9" * 300),
        *(
            (name, b"secret")
            for name in [*SECRETS, b"set-cookie", b"anthropic-organization-id", b"x-request-id"]
        ),
    ]
    assert recorded_headers(raw) == {
        "retry-after": "7",
        "x-ratelimit-reset": "1, 2",
        "date": "Fri, 20 Nov 2026 09:00:00 GMT",
    }


@seeded
@given(
    st.lists(
        st.tuples(st.sampled_from([b"X-Title", b"retry-after", b"Authorization"]), st.binary(max_size=20))
    )
)
@pytest.mark.fault("K24", "P34")
def test_no_bytes_raise_and_none_that_could_split_come_out(raw: list[tuple[bytes, bytes]]) -> None:
    """RELIABILITY P34, K24."""
    passed = [*request_headers(raw).values(), *recorded_headers(raw).values()]
    passed += [value.decode() for _, value in response_headers(raw)]
    assert not [value for value in passed if set(value) & set("\r\n\0")]
    assert "authorization" not in request_headers(raw)
