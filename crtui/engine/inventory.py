"""What polls and pulls told that routing has no use for, added to the rows that are shown.

It is not in the journal: it is as old as the last poll, and a replay has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from crtui.core.inputs import ModelReport
from crtui.core.now import Now
from crtui.core.views import DeclaredView, ModelView, ProviderView, PullView, ServerView
from crtui.providers.declared import compare
from crtui.providers.ollama import canonical
from crtui.providers.probing import Observation
from crtui.providers.provider import Provider
from crtui.providers.seen import Traits

NO_PULLS: tuple[PullView, ...] = ()


@dataclass(slots=True)
class _Shelf:
    """One provider's. ``newest`` is when what it shows was true, in monotonic milliseconds."""

    declared: DeclaredView | None
    server: ServerView | None = None
    traits: Mapping[str, Traits] = field(default_factory=dict[str, Traits])
    newest: int = -1
    bare: ProviderView | None = None
    dressed: ProviderView | None = None


class Inventory:
    """The servers, their models' traits, and the declared models against those that are there."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._shelves = {
            name: _Shelf(DeclaredView(given.declared) if given.keeps_models and given.declared else None)
            for name, given in providers.items()
        }
        self.version = 0
        """Changes whenever a row would show something else."""
        self._pulls: Callable[[str], tuple[PullView, ...]] = lambda _: NO_PULLS

    def show_pulls(self, pulls: Callable[[str], tuple[PullView, ...]]) -> None:
        """From now on, rows show the pulls this gives for a provider."""
        self._pulls = pulls

    def changed(self) -> None:
        """What the pulls are has changed."""
        self.version += 1

    def saw(self, seen: Observation) -> bool:
        """Take in what a poll saw; whether it is news. A result older than what is known is dropped."""
        shelf = self._shelves[seen.poll.provider]
        if seen.asked.mono <= shelf.newest:
            return False
        if not seen.poll.ok:
            shelf.server = None
            if shelf.declared is not None:
                shelf.declared = replace(shelf.declared, error=seen.poll.error)
        else:
            shelf.newest = seen.asked.mono
            shelf.server = seen.server
            if seen.poll.models is not None:
                shelf.traits = seen.traits
                self._compare(shelf, seen.poll.models, seen.asked.wall)
        self._redress(shelf)
        return True

    def arrived(self, provider: str, model: str, now: Now) -> None:
        """A pull has brought a model: what was asked before this moment says nothing of it."""
        shelf = self._shelves[provider]
        shelf.newest = now.mono
        if shelf.declared is not None and shelf.declared.missing is not None:
            full = canonical(model)
            left = tuple(name for name in shelf.declared.missing if canonical(name) != full)
            shelf.declared = replace(shelf.declared, missing=left)
        self._redress(shelf)

    def missing(self, provider: str) -> tuple[str, ...]:
        """The declared models that were not there when the server last told."""
        declared = self._shelves[provider].declared
        return () if declared is None or declared.missing is None else declared.missing

    def dress(self, row: ProviderView) -> ProviderView:
        """A row with everything that is known here."""
        shelf = self._shelves.get(row.name)
        if shelf is None:
            return row
        if shelf.bare is not row or shelf.dressed is None:
            shelf.bare, shelf.dressed = row, _dressed(row, shelf)
        pulls = self._pulls(row.name)
        return replace(shelf.dressed, pulls=pulls) if pulls else shelf.dressed

    def _compare(self, shelf: _Shelf, models: tuple[ModelReport, ...], wall: int) -> None:
        if shelf.declared is not None:
            found = compare(shelf.declared.models, (model.name for model in models))
            shelf.declared = DeclaredView(shelf.declared.models, found.missing, found.extra, wall)

    def _redress(self, shelf: _Shelf) -> None:
        shelf.dressed = None
        self.version += 1


def _dressed(row: ProviderView, shelf: _Shelf) -> ProviderView:
    if shelf.server is None and shelf.declared is None and not shelf.traits:
        return row
    models = tuple(_described(model, shelf.traits.get(model.name)) for model in row.models)
    return replace(row, models=models, server=shelf.server, declared=shelf.declared)


def _described(model: ModelView, traits: Traits | None) -> ModelView:
    if traits is None:
        return model
    return replace(model, size_bytes=traits.size_bytes, capabilities=traits.capabilities)
