"""What must be true of a journal, whatever has happened; looked at in its export."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx

from tests.cli.conftest import CRTUI, Place, Serving

NOT_REPLAYED = ("burn", "signal", "server")
"""What a row says of the time it is shown at, of files beside the journal, and of what is only polled."""
TRIES = 10


def broken_rules(trace: Iterable[str], told: Mapping[str, int]) -> Iterator[str]:
    """Every rule that a trace breaks; ``told`` is how many attempts each request's caller was told of."""
    book = Book()
    for number, line in enumerate(list(trace)[1:], 2):
        yield from (f"journal, line {number}: {fault}" for fault in book.enter(json.loads(line)))
    yield from (f"journal: ticket {ticket} has no end" for ticket in book.open)
    for request, attempts in told.items():
        if (found := book.chains.get(request, 0)) != attempts:
            yield f"journal: request {request} has {found} attempts, told were {attempts}"


class Book:
    """Attempts as they begin and end."""

    def __init__(self) -> None:
        self.open: dict[int, str] = {}
        self.chains: dict[str, int] = {}
        self._used: set[int] = set()
        self._served: set[str] = set()
        self._last = 0.0

    def enter(self, line: Mapping[str, Any]) -> Iterator[str]:
        """Take one input of the trace; what is wrong about it."""
        if line["t"] < self._last:
            yield f"time goes back from {self._last} to {line['t']}"
        self._last = line["t"]
        if line["input"] == "begin":
            yield from self._begin(line["ticket"], line["provider"])
        elif line["input"] == "attempt":
            yield from self._end(line)

    def _begin(self, ticket: int, provider: str) -> Iterator[str]:
        if ticket in self._used:
            yield f"ticket {ticket} begins twice"
        self._used.add(ticket)
        self.open[ticket] = provider

    def _end(self, line: Mapping[str, Any]) -> Iterator[str]:
        provider = self.open.pop(line["ticket"], None)
        if provider != line["provider"]:
            yield f"ticket {line['ticket']} ends at {line['provider']}, but began at {provider}"
        request = line.get("request", "")
        self.chains[request] = self.chains.get(request, 0) + 1
        if request in self._served:
            yield f"request {request} was tried again after it had been served"
        if line["ok"]:
            self._served.add(request)


def shown_and_replayed(place: Place, gateway: Serving) -> tuple[list[str], dict[str, Any], dict[str, Any]]:
    """The trace, the state that is shown, and the one that the trace replays to.

    Tried again while they differ: the journal is written a moment after the state is shown, and
    something may fall due between the one and the other.
    """
    trace, shown, replayed = "", {}, {"": None}
    for _ in range(TRIES):
        if shown == replayed:
            break
        shown = _rows(httpx.get(f"{gateway.url}/crtui/v1/state").json())
        trace = place.run("export").stdout
        replayed = _rows(_replay(place, trace))
    return trace.splitlines(), shown, replayed


def _rows(state: Mapping[str, Any]) -> dict[str, Any]:
    rows = {
        f"{key} of {row['name']}": value
        for row in state["providers"]
        for key, value in row.items()
        if key not in NOT_REPLAYED
    }
    return {"number in flight": state["gateway"]["in_flight"], **rows}


def _replay(place: Place, trace: str) -> dict[str, Any]:
    done = subprocess.run(
        [*CRTUI, "replay", "-", "--final-state"],
        input=trace,
        capture_output=True,
        text=True,
        env=place.environ,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
