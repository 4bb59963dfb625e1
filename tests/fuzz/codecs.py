"""What the codecs read: requests, whole answers, streams, bare events, and the limits answers tell."""

from __future__ import annotations

import json

import orjson

from crtui.core.settings import Wire
from crtui.wire.codec import BadBodyError
from crtui.wire.jsonview import loads
from crtui.wire.limits import MAX_WAIT_MS, read_limits
from crtui.wire.registry import codec_for
from crtui.wire.sse import SseDecoder, SseEvent
from tests.agentlogs.logs import T0
from tests.gateway import wires
from tests.wire import answers

MODEL = "exchanged"
STREAMS: dict[Wire, bytes] = {
    "messages": wires.MESSAGE_START
    + wires.message_text("a")
    + wires.message_tool("", start=True)
    + wires.MESSAGE_END,
    "chat": wires.CHAT_START + wires.chat_text("a") + wires.CHAT_END,
    "responses": answers.RESPONSE_STREAM,
}
WHOLE: dict[Wire, object] = {
    "messages": wires.MESSAGE,
    "chat": wires.COMPLETION,
    "responses": {**answers.RESPONSE, "status": "completed", "output": [answers.OUTPUT]},
}
REQUESTS: dict[Wire, bytes] = {
    "messages": wires.message_request(system="be brief", stream=True, metadata={"user_id": "s"}),
    "chat": wires.chat_request(stream=True, tools=[{"type": "function", "function": {"name": "f"}}]),
    "responses": b'{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"a"}]}]}',
}
ODD_EVENTS = (
    b"\xef\xbb\xbfevent: a\r\ndata: 1\r\rid: 7\r\ndata\r\n: note\r\ndata:2\r\n\r\n{}\rretry: 1\n\ndata: 3"
)
"""Every kind of line and of line end."""
LIMITS = (
    b"retry-after: 7\nx-ratelimit-reset-requests: 1m2s\nx-ratelimit-remaining-tokens: 0\n\n"
    b'{"error":{"message":"Please try again in 5.289s"}}',
    b"anthropic-ratelimit-unified-5h-utilization: 0.4\nanthropic-ratelimit-unified-5h-reset: 1795104000\n\n",
    b"x-codex-primary-used-percent: 40\nx-codex-primary-window-minutes: 300\n"
    b"retry-after: Thu, 19 Nov 2026 16:00:00 GMT\n\n",
    b'date: Thu, 19 Nov 2026 15:00:00 GMT\n\n{"error":{"details":[{"@type":"google.rpc.RetryInfo",'
    b'"retryDelay":"26s"}],"metadata":{"headers":{"X-RateLimit-Reset":"1795104000000"}}}}',
)


def seeds(wire: Wire) -> tuple[bytes, ...]:
    """A request, an answer, a stream and an error of that wire."""
    failed = codec_for(wire).error_body(429, "slow down", "rate_limit")
    return (REQUESTS[wire], json.dumps(WHOLE[wire]).encode(), STREAMS[wire], failed)


def codec(wire: Wire, data: bytes) -> None:
    """Whatever the bytes are, each reader takes them."""
    _request(wire, data)
    _answer(wire, data)
    whole, split = answers.read(wire, data, close=True), answers.read(wire, *_halves(data), close=True)
    assert answers.seen(whole) == answers.seen(split), "how a stream is cut into pieces changes what it says"


def sse(data: bytes) -> None:
    """Events do not depend on where the bytes were cut."""
    assert _events(data) == _events(*_halves(data)) == _events(*(data[i : i + 1] for i in range(len(data))))


def limits(data: bytes) -> None:
    """Header lines, an empty line, a body: waits and windows are in range, or not told."""
    head, _, body = data.partition(b"\n\n")
    pairs = (line.partition(": ") for line in head.decode("latin-1").split("\n"))
    found = read_limits({name: value for name, _, value in pairs}, body, 429, T0)
    assert found.retry_after_ms is None or 0 < found.retry_after_ms <= MAX_WAIT_MS
    for window in found.windows:
        assert window.used_percent is None or window.used_percent >= 0


def _request(wire: Wire, body: bytes) -> None:
    spoken = codec_for(wire)
    refused = ""
    try:
        facts = spoken.read_request(body)
    except BadBodyError as fault:
        refused = str(fault)
    assert refused.isprintable()
    if refused:
        return
    spoken.read_content(body)
    changed = spoken.with_model(body, MODEL)
    assert spoken.read_request(changed) == type(facts)(MODEL, facts.stream, facts.session)
    assert _rest(changed) == _rest(body), "only the model is another"


def _rest(body: bytes) -> object:
    fields = loads(body)
    assert isinstance(fields, dict)
    return {key: repr(value) for key, value in fields.items() if key != "model"}


def _answer(wire: Wire, body: bytes) -> None:
    spoken = codec_for(wire)
    if spoken.read_answer(body).valid:
        reader = answers.read(wire, spoken.as_stream(body))
        assert reader.broken or reader.complete, "a whole answer is a whole stream"
    orjson.loads(spoken.error_body(500, body.decode("utf-8", "replace")))


def _halves(data: bytes) -> tuple[bytes, bytes]:
    middle = data[0] * len(data) // 256 if data else 0
    return data[:middle], data[middle:]


def _events(*pieces: bytes) -> list[SseEvent]:
    decoder = SseDecoder(bare_json=True)
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.flush()
