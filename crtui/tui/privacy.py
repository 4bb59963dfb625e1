"""The privacy mask: the same picture without names of providers, money, addresses and foreign words.

It is put on before anything is drawn, so the screen, its copies, exports and screenshots have it alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import TYPE_CHECKING, Final, cast

from crtui.tui.feed import EventLog, Note
from crtui.tui.frame import Frame
from crtui.tui.line import Line, Span
from crtui.tui.words import words

if TYPE_CHECKING:
    from crtui.core.events import Event
    from crtui.core.views import ForecastView, ProfileView, ProviderView, ReasonView, Snapshot

HIDDEN: Final = "hidden"
_ADDRESS: Final = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+|\S+@\S+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", re.I)
_MONEY: Final = re.compile(r"\$\s?\d[\d,.]*")
_FOREIGN: Final = ("error", "why", "message", "account")
"""Keys of event data that hold what a provider wrote."""
_MONEY_KEYS: Final = ("monthly_usd", "spent_usd", "cost_usd", "usd")


class Mask:
    """Hides what a screenshot should not show. Providers are numbered in the order they are configured."""

    def __init__(self) -> None:
        self.on = False
        self._names: dict[str, str] = {}
        self._last: tuple[Snapshot, Snapshot] | None = None
        self._log: tuple[EventLog, int, EventLog] | None = None
        self._notes: dict[int, tuple[Note, Note]] = {}
        self._zone: tzinfo | None = None

    def toggle(self, snapshot: Snapshot | None) -> Callable[[str], str]:
        """Put it on or take it off; returns what turns names shown until now into those shown from now on."""
        self.on = not self.on
        if snapshot is not None:
            self._number(snapshot)
        names = self._names if self.on else {shown: real for real, shown in self._names.items()}
        return lambda name: names.get(name, name)

    def real(self, name: str | None) -> str | None:
        """The name behind a shown one."""
        if not self.on or name is None:
            return name
        return next((real for real, shown in self._names.items() if shown == name), name)

    def frame(self, frame: Frame) -> Frame:
        """The frame as it may be shown."""
        if not self.on:
            return frame
        self._zone = frame.zone
        if frame.snapshot is not None:
            self._number(frame.snapshot)
        link = replace(frame.link, url=HIDDEN, detail="" if not frame.link.detail else "the gateway is gone")
        return replace(
            frame,
            snapshot=None if frame.snapshot is None else self.snapshot(frame.snapshot),
            link=link,
            log=self._feed(frame.log),
            recent={self._name(name): counts for name, counts in frame.recent.items()},
            masked=True,
        )

    def snapshot(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot without what is to be hidden."""
        if self._last is None or self._last[0] is not snapshot:
            self._last = (snapshot, self._masked(snapshot))
        return self._last[1]

    def _number(self, snapshot: Snapshot) -> None:
        for provider in snapshot.providers:
            self._names.setdefault(provider.name, f"provider-{len(self._names) + 1}")
        for profile in snapshot.profiles:
            for name in profile.chain:
                self._names.setdefault(name, f"provider-{len(self._names) + 1}")

    def _masked(self, snapshot: Snapshot) -> Snapshot:
        gateway = snapshot.gateway
        notices = tuple(self._text(notice) for notice in gateway.notices)
        return replace(
            snapshot,
            gateway=replace(gateway, url=HIDDEN, notices=notices),
            profiles=tuple(self._profile(profile) for profile in snapshot.profiles),
            providers=tuple(self._provider(provider) for provider in snapshot.providers),
            events=tuple(self._event(event) for event in snapshot.events),
            forecast=None if snapshot.forecast is None else self._forecast(snapshot.forecast),
        )

    def _profile(self, profile: ProfileView) -> ProfileView:
        return replace(
            profile,
            chain=self._all(profile.chain),
            order=self._all(profile.order),
            dropped=tuple(replace(drop, provider=self._name(drop.provider)) for drop in profile.dropped),
        )

    def _provider(self, provider: ProviderView) -> ProviderView:
        error = provider.health.last_error
        return replace(
            provider,
            name=self._name(provider.name),
            reasons=tuple(self._reason(reason) for reason in provider.reasons),
            health=replace(
                provider.health, last_error=None if error is None else replace(error, message=HIDDEN)
            ),
            budget=replace(provider.budget, monthly_usd=None, spent_usd=None),
            usage=replace(provider.usage, cost_usd=None),
        )

    def _reason(self, reason: ReasonView) -> ReasonView:
        """Its words up to where the provider's own begin."""
        detail = HIDDEN if reason.guard == "auth" and reason.detail else reason.detail.partition(": ")[0]
        return replace(reason, detail=self._text(detail))

    def _forecast(self, forecast: ForecastView) -> ForecastView:
        lanes = tuple(replace(lane, provider=self._name(lane.provider)) for lane in forecast.lanes)
        return replace(forecast, lanes=lanes)

    def _feed(self, log: EventLog) -> EventLog:
        """The feed as it may be shown; a line is masked once."""
        before, self._notes = self._notes, {}

        def hide(note: Note) -> Note:
            known = before.get(id(note)) or self._notes.get(id(note))
            made = known if known is not None and known[0] is note else (note, self._note(note))
            self._notes[id(note)] = made
            return made[1]

        if self._log is None or self._log[:2] != (log, log.version):
            self._log = (log, log.version, log.mapped(hide))
        else:
            self._notes = before
        return self._log[2]

    def _note(self, note: Note) -> Note:
        if note.event is None:
            return note
        event = self._event(note.event)
        return replace(note, provider=event.provider or "", text=words(event, self._zone), event=event)

    def _event(self, event: Event) -> Event:
        data = {key: self._value(key, value) for key, value in event.data.items()}
        return event._replace(
            provider=None if event.provider is None else self._name(event.provider), data=data
        )

    def _value(self, key: str, value: object) -> object:
        if key in _FOREIGN and value:
            return HIDDEN
        if key in _MONEY_KEYS:
            return None
        return self._inside(value)

    def _inside(self, value: object) -> object:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list | tuple):
            return [self._inside(item) for item in cast("Sequence[object]", value)]
        if isinstance(value, Mapping):
            return {key: self._inside(item) for key, item in cast("Mapping[str, object]", value).items()}
        return value

    def line(self, line: Line) -> Line:
        """A line of the screen's own words about real names, as it may be shown."""
        return tuple(Span(self.text(span.text), span.role) for span in line)

    def text(self, text: str) -> str:
        """As ``line``, for plain text."""
        return self._text(text) if self.on else text

    def _text(self, text: str) -> str:
        for name in sorted(self._names, key=len, reverse=True):
            text = text.replace(name, self._names[name])
        return _MONEY.sub(HIDDEN, _ADDRESS.sub(HIDDEN, text))

    def _name(self, name: str) -> str:
        return self._names.get(name, "provider")

    def _all(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._name(name) for name in names)
