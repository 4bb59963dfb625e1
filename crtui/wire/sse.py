"""Server-sent events, decoded as the WHATWG standard says.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

from typing import Final, NamedTuple

MAX_EVENT: Final = 4 * 1024 * 1024
"""Bytes one event may take, its unfinished line included."""

_BOM: Final = b"\xef\xbb\xbf"


class SseEvent(NamedTuple):
    """One dispatched event. ``data`` stays bytes: JSON parsers take them as they are."""

    data: bytes
    name: str = ""
    """The ``event:`` field; empty where the stream gave none (a browser would say ``message``)."""
    id: str = ""
    """The last event id seen so far in the stream."""
    bare: bool = False
    """Not an event but a line of JSON without a field name (see ``SseDecoder``)."""


class SseDecoder:
    """Bytes in, split anywhere, events out; the split never changes the events.

    An event that grows beyond ``max_event`` bytes sets ``overflowed`` and ends decoding: nothing
    comes out after it. With ``bare_json``, a line that begins with ``{`` is handed out at once as
    an event marked ``bare``: some servers write an error into a stream that way, and the standard
    would have it ignored as an unknown field.
    """

    def __init__(self, *, max_event: int = MAX_EVENT, bare_json: bool = False) -> None:
        self.overflowed = False
        self._max_event = max_event
        self._bare_json = bare_json
        self._line: list[bytes] = []
        self._line_size = 0
        self._after_cr = False
        self._at_start = True
        self._name = ""
        self._id = ""
        self._data: list[bytes] = []
        self._data_size = 0

    def feed(self, data: bytes) -> list[SseEvent]:
        """Take the next bytes and give the events they complete."""
        if self.overflowed:
            return []
        lines = self._normalised(data).split(b"\n")
        rest = lines.pop()
        out: list[SseEvent] = []
        for line in lines:
            self._end_line(line, out)
            if self.overflowed:
                return out
        self._hold(rest)
        return out

    def flush(self) -> list[SseEvent]:
        """The bytes have ended: give what an event without its closing blank line would have been.

        A browser drops such an event; the caller decides. A second call gives nothing.
        """
        out: list[SseEvent] = []
        if self._line and not self.overflowed:
            self._end_line(b"", out)
        if not self.overflowed:
            self._end_line(b"", out)
        return out

    def _normalised(self, data: bytes) -> bytes:
        """The same lines with LF as their only end; a CR ends its line without waiting for an LF."""
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    def _hold(self, part: bytes) -> None:
        """Keep the beginning of a line whose end has not come yet."""
        if part:
            self._line.append(part)
            self._line_size += len(part)
            self.overflowed = self._data_size + self._line_size > self._max_event

    def _end_line(self, last: bytes, out: list[SseEvent]) -> None:
        """A line is whole; ``last`` is its end."""
        line = last
        if self._line:
            line = b"".join([*self._line, last])
            self._line.clear()
            self._line_size = 0
        if self._data_size + len(line) > self._max_event:
            self.overflowed = True
            return
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            self._dispatch(out)
        elif self._bare_json and line[0] == 0x7B:
            out.append(SseEvent(line, bare=True))
        else:
            self._field(line)

    def _field(self, line: bytes) -> None:
        """One ``name: value`` line; comments and unknown names change nothing."""
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._data_size += len(value) + 1
        elif name == b"event":
            self._name = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")

    def _dispatch(self, out: list[SseEvent]) -> None:
        """A blank line: hand the event out, if it has any data line at all."""
        if self._data:
            data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            out.append(SseEvent(data, self._name, self._id))
            self._data.clear()
            self._data_size = 0
        self._name = ""
