"""Snapshots as the JSON of ``GET /crtui/v1/state``, and back.

Both ways are derived from the views' own field types, so a field is declared in one place.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin, get_type_hints

from crtui.core.events import Event, EventKind
from crtui.core.now import stamp, unstamp
from crtui.core.views import AgentView, ProviderView, Snapshot

Convert = Callable[[Any], Any]
_EVENT_FIELDS: Final = ("seq", "at", "kind", "provider")


def snapshot_json(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot in the form of section 4 of the contract."""
    out = _encoder(Snapshot)(snapshot)
    return {"schema": out.pop("schema"), **out}


def provider_json(view: ProviderView) -> dict[str, Any]:
    """One provider's row in the same form."""
    return _encoder(ProviderView)(view)


def agent_json(view: AgentView) -> dict[str, Any]:
    """One agent in the same form."""
    return _encoder(AgentView)(view)


def snapshot_from_json(data: Mapping[str, Any]) -> Snapshot:
    """A snapshot from such JSON. Unknown keys are ignored, so an older screen reads a newer gateway.

    Raises ``ValueError`` where it is not one.
    """
    try:
        return _decoder(Snapshot)(data)
    except (KeyError, TypeError, AttributeError) as fault:
        raise ValueError(f"not a crtui state: {fault}") from fault


def event_from_json(data: Mapping[str, Any]) -> Event:
    """An event from its flat JSON. Raises ``LookupError``, ``TypeError`` or ``ValueError``."""
    kind, provider = data["kind"], data.get("provider")
    if not isinstance(kind, str) or not isinstance(provider, str | None):
        raise ValueError("no event")
    rest = {key: value for key, value in data.items() if key not in _EVENT_FIELDS}
    return Event(int(data["seq"]), unstamp(data["at"]), cast("EventKind", kind), provider, rest)


def _same(value: Any) -> Any:
    return value


def _is_stamp(hint: Any) -> bool:
    return get_origin(hint) is Annotated


@cache
def _encoder(hint: Any) -> Convert:
    if _is_stamp(hint):
        return stamp
    if hint is Event:
        return Event.to_json
    if isinstance(hint, type) and is_dataclass(hint):
        return _object_encoder(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        inner = _encoder(args[0])
        return list if inner is _same else lambda value: [inner(item) for item in value]
    if origin in (Union, types.UnionType):
        inner = _encoder(next(arg for arg in args if arg is not type(None)))
        return _same if inner is _same else lambda value: None if value is None else inner(value)
    return _same


def _object_encoder(cls: type) -> Convert:
    hints = get_type_hints(cls, include_extras=True)
    parts = [(f.name, _encoder(hints[f.name])) for f in fields(cls)]
    return lambda value: {name: convert(getattr(value, name)) for name, convert in parts}


@cache
def _decoder(hint: Any) -> Convert:
    if _is_stamp(hint):
        return unstamp
    if hint is Event:
        return event_from_json
    if isinstance(hint, type) and is_dataclass(hint):
        return _object_decoder(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        inner = _decoder(args[0])
        return lambda value: tuple([inner(item) for item in value])
    if origin in (Union, types.UnionType) and type(None) in args:
        inner = _decoder(next(arg for arg in args if arg is not type(None)))
        return lambda value: None if value is None else inner(value)
    return _same


def _object_decoder(cls: type) -> Convert:
    hints = get_type_hints(cls, include_extras=True)
    parts = [(f.name, _decoder(hints[f.name])) for f in fields(cls)]
    return lambda value: cls(**{name: convert(value[name]) for name, convert in parts if name in value})
