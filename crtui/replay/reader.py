"""Traces from a file: a header, then inputs, each with the line it stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

import orjson

from crtui.core.encode import event_from_json
from crtui.core.events import Event
from crtui.core.inputs import Input
from crtui.core.now import Now, stamp, unstamp
from crtui.core.plan import Ask
from crtui.errors import TraceError
from crtui.wire.fields import BadInputError
from crtui.wire.trace_in import decode
from crtui.wire.trace_plain import plain_attempt, read_plain

MAX_LINE: Final = 16 * 1024 * 1024
MAX_T_S: Final = 10 * 366 * 86_400
LAST_START: Final = unstamp("2900-01-01T00:00:00Z")
"""From there on, what follows could not be told as a date any more."""
MAX_MONO: Final = 2**53
MAX_REQUESTS: Final = 10**15
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Header:
    """A trace's first line. ``start`` is wall milliseconds; ``config`` is section 3 as JSON.

    ``mono`` is the monotonic clock at the start. Where that is within a history, ``state`` is what the
    core knew then (a dump), ``events`` the last it had told, and ``requests`` those of the run.
    """

    start: int
    seed: int
    config: Mapping[str, object]
    mono: int = 0
    state: Mapping[str, object] | None = None
    events: tuple[Event, ...] = ()
    requests: int = 0

    def at(self, t: float) -> Now:
        """The instant ``t`` seconds after the start."""
        ms = round(t * 1000)
        return Now(self.mono + ms, self.start + ms)


class Step(NamedTuple):
    """One input, when it happens, and the line it stands on."""

    line: int
    now: Now
    item: Input | Ask


def read_header(lines: Iterator[tuple[int, bytes]], name: str) -> Header:
    """The header, from numbered lines. Raises ``TraceError``."""
    for number, raw in lines:
        if not raw.strip():
            continue
        data = _object(raw, name, number)
        if data.get("crtui") != "trace":
            raise _fault(name, number, 'a trace starts with {"crtui": "trace", "version": 1, ...}')
        if data.get("version") != VERSION:
            raise _fault(
                name, number, f"version {data.get('version')!r} cannot be read; this reads {VERSION}"
            )
        seed, config = data.get("seed", 0), data.get("config", {})
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise _fault(name, number, "seed must be a whole number")
        if not isinstance(config, dict):
            raise _fault(name, number, "config must be an object in the form of the config file")
        try:
            start = unstamp(str(data.get("start")))
        except ValueError:
            raise _fault(
                name, number, "start must be an RFC 3339 time such as 2026-04-30T23:59:00Z"
            ) from None
        if not 0 <= start < LAST_START:
            raise _fault(name, number, f"start must be from 1970 on and before {stamp(LAST_START)[:4]}")
        mono, state = data.get("mono", 0), data.get("state")
        if type(mono) is not int or not 0 <= mono <= MAX_MONO:
            raise _fault(name, number, "mono must be the milliseconds of a monotonic clock")
        if state is not None and not isinstance(state, dict):
            raise _fault(name, number, "state must be an object that `crtui export` wrote")
        requests = data.get("requests", 0)
        if type(requests) is not int or not 0 <= requests <= MAX_REQUESTS:
            raise _fault(name, number, "requests must be a count")
        try:
            events = tuple(map(event_from_json, data.get("events", ())))
        except (LookupError, TypeError, ValueError, AttributeError):
            raise _fault(name, number, "events must be those that `crtui export` wrote") from None
        given = cast("dict[str, object]", config), mono, cast("dict[str, object] | None", state)
        return Header(start, seed, *given, events, requests)
    raise _fault(name, 1, "the trace is empty; its first line must be the header")


def read_steps(lines: Iterator[tuple[int, bytes]], header: Header, name: str) -> Iterator[Step]:
    """The inputs after the header, one at a time. Raises ``TraceError`` at a bad one."""
    last, at = 0.0, header.at
    for number, raw in lines:
        plain = read_plain(raw) if len(raw) <= MAX_LINE else None
        if plain is not None and last <= plain.t <= MAX_T_S:
            last, now = plain.t, at(plain.t)
            yield Step(number, now, plain_attempt(plain, now.wall))
        elif raw.strip():
            line = _object(raw, name, number)
            last = _time(line.pop("t", None), last, name, number)
            now = at(last)
            try:
                item = decode(line, now.wall)
            except BadInputError as fault:
                raise _fault(name, number, str(fault)) from fault
            yield Step(number, now, item)


def _time(t: object, last: float, name: str, number: int) -> float:
    # NaN and the infinities compare false.
    if not isinstance(t, int | float) or isinstance(t, bool) or not 0 <= t <= MAX_T_S:
        raise _fault(name, number, f"t must be seconds since the start, 0 or more, not {t!r:.40}")
    if t < last:
        raise _fault(name, number, f"t goes back from {last:g} to {t:g}; inputs must be in order of time")
    return t


def _object(raw: bytes, name: str, number: int) -> dict[str, Any]:
    if len(raw) > MAX_LINE:
        raise _fault(name, number, f"the line is longer than {MAX_LINE // 1024 // 1024} MiB")
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as fault:
        raise _fault(name, number, f"not JSON: {fault}") from fault
    if not isinstance(data, dict):
        raise _fault(name, number, "not a JSON object")
    return cast("dict[str, Any]", data)


def _fault(name: str, number: int, words: str) -> TraceError:
    return TraceError(f"{name}:{number}: {words}")
