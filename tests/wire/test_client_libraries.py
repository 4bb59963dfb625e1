"""Our errors as the clients' own libraries see them: raised, never taken for the end of an answer."""

from __future__ import annotations

import anthropic
import httpx
import httpx2
import openai
import pytest

from crtui.wire.registry import codec_for

from .answers import BLOCK, ROLE, START, TEXT, WORD


def ask_anthropic(status: int, body: bytes, content_type: str) -> list[object]:
    """What Anthropic's library makes of this answer to a streaming request."""
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(status, content=body, headers={"content-type": content_type})
    )
    with anthropic.Anthropic(
        api_key="k", base_url="http://gateway", http_client=httpx2.Client(transport=transport), max_retries=0
    ) as client:
        return list(
            client.messages.create(
                model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}], stream=True
            )
        )


def ask_openai(status: int, body: bytes, content_type: str) -> list[object]:
    """What OpenAI's library makes of this answer to a streaming request."""
    transport = httpx.MockTransport(
        lambda _: httpx.Response(status, content=body, headers={"content-type": content_type})
    )
    with openai.OpenAI(
        api_key="k",
        base_url="http://gateway/v1",
        http_client=httpx.Client(transport=transport),
        max_retries=0,
    ) as client:
        return list(
            client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi"}], stream=True
            )
        )


@pytest.mark.fault("P24")
def test_anthropics_library_raises_the_error_event_after_content() -> None:
    """RELIABILITY P24."""
    stream = START + BLOCK + TEXT + codec_for("messages").error_event("a: stream cut", 529)
    with pytest.raises(anthropic.APIStatusError, match="a: stream cut"):
        ask_anthropic(200, stream, "text/event-stream")


@pytest.mark.fault("P24")
def test_openais_library_raises_the_error_event_after_content() -> None:
    """RELIABILITY P24."""
    stream = ROLE + WORD + codec_for("chat").error_event("a: stream cut", 502)
    with pytest.raises(openai.APIError, match="a: stream cut"):
        ask_openai(200, stream, "text/event-stream")


def test_each_library_knows_the_kind_of_a_whole_error() -> None:
    body = codec_for("messages").error_body(429, "a waits until 09:00")
    with pytest.raises(anthropic.RateLimitError, match="a waits until 09:00"):
        ask_anthropic(429, body, "application/json")
    body = codec_for("chat").error_body(429, "a waits until 09:00", "quota")
    with pytest.raises(openai.RateLimitError, match="a waits until 09:00") as caught:
        ask_openai(429, body, "application/json")
    assert (caught.value.code, caught.value.type) == ("quota", "rate_limit_error")
