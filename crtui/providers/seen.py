"""What the answers of a server's free endpoints said, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from crtui.core.inputs import ModelReport, WindowReport
from crtui.core.views import ServerView

CAPABILITIES: Final = ("vision", "tools", "thinking", "embedding")
"""What is told of a model, in the order it is shown in."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a server told of a model beyond what routing needs. ``None`` is unknown.

    ``capabilities`` are those it is known to have, of ``CAPABILITIES``. ``size_bytes`` is its size on
    disk, ``digest`` what its weights and settings are known by.
    """

    capabilities: tuple[str, ...] | None = None
    size_bytes: int | None = None
    digest: str | None = None

    def with_more(self, other: Traits) -> Traits:
        """Both together; what ``other`` knows counts more, and capabilities add up."""
        known = (self.capabilities or ()) + (other.capabilities or ())
        silent = self.capabilities is None and other.capabilities is None
        return Traits(
            None if silent else capable(known),
            self.size_bytes if other.size_bytes is None else other.size_bytes,
            other.digest or self.digest,
        )


def capable(named: Iterable[object]) -> tuple[str, ...]:
    """Of these words, those that name a capability, in the usual order."""
    words = {word for word in named if isinstance(word, str)}
    return tuple(capability for capability in CAPABILITIES if capability in words)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one answer said, or several together. ``models`` is None if none was about models.

    ``all_loaded``: these are all the models that are loaded, so any other is not. ``context`` and
    ``capabilities`` hold for every model that tells none of its own. ``next_page`` is the query that
    asks for what follows in a list, empty where nothing does.
    """

    models: tuple[ModelReport, ...] | None = None
    windows: tuple[WindowReport, ...] = ()
    all_loaded: bool = False
    traits: Mapping[str, Traits] = field(default_factory=dict[str, Traits])
    server: ServerView | None = None
    context: int | None = None
    capabilities: tuple[str, ...] | None = None
    next_page: str = ""

    def with_more(self, other: Seen) -> Seen:
        """Both together: models are joined by name, and what ``other`` knows of one counts more."""
        models = _join(self.models, other.models, loaded_else=False if other.all_loaded else None)
        names = self.traits.keys() | other.traits.keys()
        unknown = Traits()
        return Seen(
            models,
            self.windows + other.windows,
            traits={n: self.traits.get(n, unknown).with_more(other.traits.get(n, unknown)) for n in names},
            server=_both(self.server, other.server),
            context=self.context if other.context is None else other.context,
            capabilities=self.capabilities if other.capabilities is None else other.capabilities,
            next_page=other.next_page,
        )

    def in_order_of(self, other: Seen) -> Seen:
        """With its models in another's order; those that the other lacks come last."""
        if self.models is None or other.models is None:
            return self
        place = {model.name: i for i, model in enumerate(other.models)}
        ordered = sorted(self.models, key=lambda model: place.get(model.name, len(place)))
        return replace(self, models=tuple(ordered))

    def settled(self) -> Seen:
        """With what holds for every model written to each of them."""
        if self.models is None:
            return self
        models = tuple(replace(m, context=self.context) if m.context is None else m for m in self.models)
        traits = dict(self.traits)
        if self.capabilities is not None:
            common = Traits(self.capabilities)
            for model in models:
                traits[model.name] = common.with_more(traits.get(model.name, Traits()))
        return replace(self, models=models, traits=traits)


Reader = Callable[[bytes, int], Seen]
"""From a body and the wall milliseconds of its arrival to what it said. Raises ``ProbeError``."""


def nothing(body: bytes, wall: int) -> Seen:
    """An answer whose status alone counts."""
    return Seen()


def _both(first: ServerView | None, second: ServerView | None) -> ServerView | None:
    if first is None or second is None:
        return first if second is None else second
    return ServerView(
        version=first.version if second.version is None else second.version,
        running=first.running if second.running is None else second.running,
        waiting=first.waiting if second.waiting is None else second.waiting,
        slots=first.slots if second.slots is None else second.slots,
        cache_ratio=first.cache_ratio if second.cache_ratio is None else second.cache_ratio,
        asleep=first.asleep if second.asleep is None else second.asleep,
    )


def _join(
    first: tuple[ModelReport, ...] | None,
    second: tuple[ModelReport, ...] | None,
    *,
    loaded_else: bool | None,
) -> tuple[ModelReport, ...] | None:
    if first is None or second is None:
        return first if second is None else second
    better = {model.name: model for model in second}
    known = [_better(old, better.pop(old.name, ModelReport(old.name, loaded_else))) for old in first]
    return (*known, *better.values())


def _better(old: ModelReport, new: ModelReport) -> ModelReport:
    return ModelReport(
        old.name,
        old.loaded if new.loaded is None else new.loaded,
        old.context if new.context is None else new.context,
        old.vram_bytes if new.vram_bytes is None else new.vram_bytes,
    )
