"""The part of a stream reader that every wire shares: events, faults, and what is no stream at all."""

from __future__ import annotations

from typing import Final

import orjson

from crtui.core.inputs import Usage
from crtui.wire.faults import (
    LOOKED_AT,
    NO_MESSAGE,
    UNKNOWN_STATUS,
    Fault,
    error_status,
    error_text,
    read_fault,
)
from crtui.wire.jsonview import as_object, as_text, loads
from crtui.wire.sse import SseDecoder, SseEvent
from crtui.wire.usage import larger

MAX_UNREADABLE: Final = 3
"""So many events in a row that are not JSON end the stream; fewer are passed over."""


class EventReader:
    """Looks at one streamed answer; a subclass knows what its wire's events mean.

    Once the stream has ended (end marker, error, ``broken``, ``close``), further bytes change
    nothing. How the bytes were split changes nothing either.
    """

    def __init__(self) -> None:
        self.content_seen = False
        self.thinking = False
        self.complete = False
        self.error: str | None = None
        self.error_status: int | None = None
        self.error_code = ""
        self.error_body = b""
        self.broken: str | None = None
        self.events = 0
        self.usage: Usage | None = None
        self.model: str | None = None
        self.output_chars = 0
        self._sse = SseDecoder(bare_json=True)
        self._head = bytearray()
        self._readable = False
        self._unreadable_run = 0
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes, split anywhere. Never raises; see ``broken``."""
        if self._ended:
            return
        if not self.events:
            self._keep_head(data)
        self._take_all(self._sse.feed(data))
        if self._sse.overflowed and not self._ended:
            self._break("an event larger than 4 MiB")

    def close(self) -> None:
        """The upstream's bytes have ended.

        An event without its closing blank line counts only if it ends the answer. A stream that
        never had an event is judged as what it is: an error, a whole answer, a page, or nothing.
        """
        if self._ended:
            return
        self._take_all([event for event in self._sse.flush() if event.bare or self._is_last(event)])
        if not self._ended:
            self._at_end()
            self._judge_head()
        self._ended = True

    def _see(self, name: str, fields: dict[str, object]) -> None:
        """Take note of one event, parsed; it is not an error."""
        raise NotImplementedError

    def _is_end_marker(self, data: bytes) -> bool:
        """Whether these are the data of an end marker that is not JSON."""
        raise NotImplementedError

    def _is_final(self, fields: dict[str, object]) -> bool:
        """Whether this event ends an answer, as far as it goes without a marker."""
        raise NotImplementedError

    def _at_end(self) -> None:
        """The bytes have ended without an end marker."""
        raise NotImplementedError

    def _finish(self, *, excused: bool) -> None:
        """The answer is whole. One without content and output is empty, unless that is ``excused``."""
        self.complete = self._ended = True
        if not (self.content_seen or excused or (self.usage and self.usage.output)):
            self._break("an empty answer: finished without content")

    def _count(self, usage: Usage | None) -> None:
        self.usage = larger(self.usage, usage)

    def _named(self, fields: dict[str, object]) -> None:
        """The object that names the model that answers; the first name counts."""
        if self.model is None:
            self.model = as_text(fields.get("model")) or None

    def _content(self, chars: int) -> None:
        self.content_seen = True
        self.output_chars += chars

    def _fail(self, fault: Fault, body: bytes) -> None:
        self.error, self.error_status, self.error_code = fault
        self.error_body = body
        self._ended = True

    def _break(self, why: str) -> None:
        self.broken = why
        self._ended = True

    def _take_all(self, events: list[SseEvent]) -> None:
        for event in events:
            if self._ended:
                return
            self._take_bare(event.data) if event.bare else self._take(event)

    def _take(self, event: SseEvent) -> None:
        self.events += 1
        if self._is_end_marker(event.data):
            return
        try:
            value = loads(event.data)
        except ValueError:
            self._unreadable(event)
            return
        self._readable = True
        self._unreadable_run = 0
        if fault := read_fault(value):
            self._fail(fault, event.data)
        elif event.name == "error":
            self._fail(Fault(error_text(event.data), error_status(as_object(value))), event.data)
        else:
            self._see(event.name, as_object(value))

    def _take_bare(self, line: bytes) -> None:
        """A line of JSON that is no event: an error, or a whole answer instead of a stream."""
        try:
            fault = read_fault(loads(line))
        except ValueError:
            return
        if fault:
            self._fail(fault, line)
        elif not self.events:
            self._break("a whole JSON answer where a stream was asked for")

    def _unreadable(self, event: SseEvent) -> None:
        self._unreadable_run += 1
        if event.name == "error":
            self._fail(Fault(error_text(event.data) or NO_MESSAGE, UNKNOWN_STATUS), event.data)
        elif self._unreadable_run == MAX_UNREADABLE:
            self._break("a stream whose events are not JSON")

    def _is_last(self, event: SseEvent) -> bool:
        if event.data == b"[DONE]" or event.name == "error":
            return True
        try:
            value = loads(event.data)
        except ValueError:
            return False
        return read_fault(value) is not None or self._is_final(as_object(value))

    def _keep_head(self, data: bytes) -> None:
        """Keep the beginning until an event shows that it is a stream."""
        self._head += data[: LOOKED_AT - len(self._head)]
        if self._head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            self._break("an HTML page where a stream was expected")

    def _judge_head(self) -> None:
        """The bytes have ended; say what they were if not one readable event was among them."""
        head = bytes(self._head)
        if self.events:
            if not self._readable and not self.complete:
                self._break("a stream whose events are not JSON")
        elif not head.strip():
            self._break("an empty stream")
        else:
            self._judge_document(head)

    def _judge_document(self, head: bytes) -> None:
        try:
            fault = read_fault(loads(head))
        except ValueError:
            self._break(f"not an event stream: {error_text(head)}")
            return
        if fault:
            self._fail(fault, head)
        else:
            self._break("a whole JSON answer where a stream was asked for")


def inner_error(fields: dict[str, object]) -> bytes:
    """The error inside an object that holds much else, as the body it would be alone."""
    try:
        return orjson.dumps({"error": fields.get("error")})
    except orjson.JSONEncodeError:  # nested deeper than is written
        return b""
