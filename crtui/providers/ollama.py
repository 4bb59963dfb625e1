"""What an Ollama server tells of its models: https://github.com/ollama/ollama/blob/main/docs/api.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from crtui.core.inputs import ModelReport
from crtui.core.views import ServerView
from crtui.providers.model_lists import read_models
from crtui.providers.reading import Json, items, parse, text
from crtui.providers.seen import Seen, Traits, capable
from crtui.wire.jsonview import as_count

_HOST: Final = "registry.ollama.ai/"
_NAMESPACE: Final = "library/"
_TAG: Final = ":latest"
_WINDOW: Final = re.compile(r"^num_ctx\s+(\d{1,15})\s*$", re.MULTILINE)


def canonical(name: str) -> str:
    """A model's full name without what Ollama fills in: scheme, its own registry and namespace.

    The tag is always there, so ``x`` and ``x:latest`` are one. Case is kept: it counts on the disk.
    """
    bare = name.removeprefix("https://").removeprefix("http://")
    short = bare.removeprefix(_HOST).removeprefix(_NAMESPACE)
    return short if ":" in short.rpartition("/")[2] else short + _TAG


def read_version(body: bytes, wall: int) -> Seen:
    """``GET /api/version``."""
    return Seen(server=ServerView(version=text(parse(body), "version")))


def read_tags(body: bytes, wall: int) -> Seen:
    """``GET /api/tags``: the models on disk; newer servers say here what each can do."""
    return read_models(body, "models", _on_disk)


def read_ps(body: bytes, wall: int) -> Seen:
    """``GET /api/ps``: the models in memory, with their bytes of VRAM and (since July 2025) their window."""
    return replace(read_models(body, "models", _in_memory), all_loaded=True)


@dataclass(frozen=True, slots=True)
class Shown:
    """What ``/api/show`` said of a model: what it can do, and the window its Modelfile asks for.

    The window it was trained with is left out: the server gives it less, and cuts what is longer.
    """

    capabilities: tuple[str, ...] | None
    context: int | None


def details(shown: Mapping[str, Shown]) -> Seen:
    """What was shown of models, by their names, as one answer."""
    models = tuple(ModelReport(name, context=each.context) for name, each in shown.items())
    return Seen(models, traits={name: Traits(each.capabilities) for name, each in shown.items()})


def read_show(body: bytes) -> Shown:
    """``POST /api/show``. Servers before May 2025 tell no capabilities. Raises ``ProbeError``."""
    data = parse(body)
    written = data.get("parameters")
    window = _WINDOW.search(written) if isinstance(written, str) else None
    return Shown(_abilities(data), (as_count(int(window[1])) if window else None) or None)


def _on_disk(name: str, row: Json) -> tuple[ModelReport, Traits]:
    # A cloud model's stub takes no room here, whatever size it names.
    size = None if text(row, "remote_host") else as_count(row.get("size")) or None
    return ModelReport(name), Traits(_abilities(row), size, text(row, "digest"))


def _in_memory(name: str, row: Json) -> tuple[ModelReport, Traits]:
    context = as_count(row.get("context_length")) or None
    return ModelReport(name, True, context, as_count(row.get("size_vram"))), Traits()


def _abilities(row: Json) -> tuple[str, ...] | None:
    return capable(items(row, "capabilities")) if isinstance(row.get("capabilities"), list) else None
