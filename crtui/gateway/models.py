"""``GET /v1/models``: what the providers have, in the shape the caller's client reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crtui.core.now import SECOND, stamp
from crtui.core.views import ProviderView
from crtui.providers.provider import Provider


def model_names(views: Iterable[ProviderView], providers: Mapping[str, Provider]) -> dict[str, str]:
    """Every model's name and the first provider that has it, in the order of the configuration.

    A provider of which no models are known counts with those its configuration names.
    """
    names: dict[str, str] = {}
    for view in views:
        known = [model.name for model in view.models] or _configured(providers.get(view.name))
        for name in known:
            names.setdefault(name, view.name)
    return names


def openai_models(names: Mapping[str, str], created_ms: int) -> dict[str, Any]:
    """OpenAI's list."""
    created = created_ms // SECOND
    rows = [
        {"id": name, "object": "model", "created": created, "owned_by": owner}
        for name, owner in names.items()
    ]
    return {"object": "list", "data": rows}


def anthropic_models(names: Mapping[str, str], created_ms: int) -> dict[str, Any]:
    """Anthropic's list, as one page."""
    created = stamp(created_ms)
    rows = [{"type": "model", "id": name, "display_name": name, "created_at": created} for name in names]
    ids = list(names)
    return {
        "data": rows,
        "has_more": False,
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
    }


def _configured(provider: Provider | None) -> list[str]:
    if provider is None:
        return []
    return [provider.model] if provider.model is not None else [sent for _, sent in provider.models]
