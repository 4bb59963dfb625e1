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


def stand_in(kind: Kind, listing: Json) -> str | None:
    """The model to send, by its server's own list; None where none would do.

    vLLM serves one model, its adapters come after it. Ollama lists the newest first.
    """
    if kind == "vllm":
        return next(_names(listing, "data", "id"), None)
    return next((name for name in _names(listing, "models", "name") if _talks(name)), None)


def in_table(kind: Kind, model: str) -> dict[str, object]:
    """What a provider's table says for that: Ollama, asked for another model of its own, gets that one."""
    return {"model": model} if kind == "vllm" else {"models": {CLOUD_MODELS: model}}


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
