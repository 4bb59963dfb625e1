"""An answer names another model than was asked for."""

from __future__ import annotations

import orjson
import pytest

from crtui.core.inputs import Attempt
from crtui.wire.model_names import is_another
from crtui.wire.trace_in import decode
from crtui.wire.trace_out import encode
from crtui.wire.trace_plain import plain_attempt, read_plain
from tests.fakes.upstream import Upstream, ok_json, sse, stream
from tests.gateway.conftest import House, open_house, provider
from tests.gateway.wires import CHAT_END, COMPLETION, MESSAGE_END, chat_request, message_request, message_text

START = sse("message_start", {"type": "message_start", "message": {"model": "claude-haiku-4-5"}})
CHUNK = {"model": "gpt-5-mini", "choices": [{"index": 0, "delta": {"content": "hi"}}]}


async def told(gateway: House) -> tuple[str | None, str | None, object]:
    """Which model the attempt counts under, which one it says has answered, and what its event says."""
    end = await gateway.end()
    [event] = [event for event in gateway.engine.snapshot().events if event.kind == "attempt.ok"]
    return end.model, end.answered, event.data.get("substituted")


@pytest.mark.fault("P37")
async def test_a_whole_answer_and_a_stream_of_another_model_are_marked_and_count_under_the_one_sent() -> None:
    other = ok_json({**COMPLETION, "model": "gpt-5-mini"})
    async with Upstream(other) as upstream, open_house(upstream) as gateway:
        await gateway.chat(chat_request(model="gpt-5"))
        assert await told(gateway) == ("gpt-5", "gpt-5-mini", "gpt-5-mini")
    async with Upstream(stream(sse(None, CHUNK), CHAT_END)) as upstream, open_house(upstream) as gateway:
        await gateway.chat(chat_request(model="gpt-5", stream=True))
        assert await told(gateway) == ("gpt-5", "gpt-5-mini", "gpt-5-mini")
    messages = stream(START, message_text("hi"), MESSAGE_END)
    async with Upstream(messages) as upstream, open_house(upstream) as gateway:
        await gateway.message(message_request(model="claude-opus-4-1", stream=True))
        assert await told(gateway) == ("claude-opus-4-1", "claude-haiku-4-5", "claude-haiku-4-5")


@pytest.mark.fault("P37")
async def test_the_model_that_was_sent_instead_of_the_one_asked_for_is_no_substitute() -> None:
    other = ok_json({**COMPLETION, "model": "gpt-5-mini-2025-08-07"})
    async with (
        Upstream(other) as upstream,
        open_house(provider("a", upstream.url, model="gpt-5-mini")) as gateway,
    ):
        await gateway.chat(chat_request(model="gpt-5"))
        assert await told(gateway) == ("gpt-5-mini", None, None)


@pytest.mark.parametrize(
    ("sent", "answered", "another"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", False),
        ("gpt-4", "gpt-4-0613", False),
        ("gpt-4o", "gpt-4o-mini", True),
        ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", False),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", False),
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-4.5-sonnet-20250929", False),
        ("claude-opus-4-1", "claude-sonnet-4-5", True),
        ("gemini-2.5-flash", "models/gemini-2.5-flash", False),
        ("qwen3:latest", "qwen3", False),
        ("qwen3:4b", "qwen3:8b", True),
    ],
)
def test_an_alias_and_a_release_are_one_model_another_size_is_not(
    sent: str, answered: str, another: bool
) -> None:
    assert is_another(sent, answered) is another


def test_a_record_keeps_which_model_has_answered() -> None:
    attempt = Attempt("a", True, status=200, model="gpt-5", answered="gpt-5-mini")
    raw = encode(attempt)
    plain = read_plain(raw)
    assert decode(orjson.loads(raw), 0) == attempt
    assert plain is not None
    assert plain_attempt(plain, 0) == attempt
