"""Which model of a local server answers for one that an agent asks a cloud for.

A local server refuses a model that it does not have, and an agent whose cloud is out goes on asking for
the cloud's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast

from pydantic import TypeAdapter, ValidationError

from crtui.config.fields import ModelName
from crtui.config.kinds import Kind

Json = Mapping[str, object]

LISTINGS: Final[dict[Kind, str]] = {"ollama": "/api/tags", "vllm": "/v1/models"}
"""Where the kinds that refuse other names list their models."""

CLOUD_MODELS: Final = r"(claude|gemini)-.*|gpt-(?!oss).*|o\d.*|codex-.*"
_EMBEDDERS: Final = ("embed", "bert", "minilm")


def stand_in(kind: Kind, listing: Json) -> dict[str, object]:
    """What a provider's table says of models, by its server's own list; nothing where none would do.

    vLLM serves one model, its adapters come after it. Ollama has many, the newest first; asked for one of
    them, it gets that one.
    """
    if kind == "vllm":
        name = next(_names(listing, "data", "id"), None)
        return {} if name is None else {"model": name}
    name = next((name for name in _names(listing, "models", "name") if _talks(name)), None)
    return {} if name is None else {"models": {CLOUD_MODELS: name}}


def chosen(models: Mapping[str, object]) -> list[str]:
    """The model that ``stand_in`` found, if any."""
    named = cast("dict[str, str]", models.get("models", {}))
    return [str(name) for name in (models.get("model"), *named.values()) if name is not None]


def _talks(name: str) -> bool:
    return not any(word in name.lower() for word in _EMBEDDERS)


def _names(listing: Json, rows: str, key: str) -> Iterator[str]:
    """The names in a list of models that may stand in a config."""
    allowed: TypeAdapter[str] = TypeAdapter(ModelName)
    told = listing.get(rows)
    for row in cast("list[object]", told) if isinstance(told, list) else []:
        if isinstance(row, dict):
            try:
                yield allowed.validate_python(cast("Json", row).get(key), strict=True)
            except ValidationError:
                continue
