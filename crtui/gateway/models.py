"""``GET /v1/models``: what the providers have, in the shape the caller's client reads.

Claude Code shows only models whose id holds ``claude`` or ``anthropic``. So that it can offer the
others too, Anthropic's shape lists each of them a second time under an alias it accepts; a request
for an alias is a request for the model behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from crtui.core.now import SECOND, stamp
from crtui.core.views import ProviderView
from crtui.providers.provider import Provider

ALIAS: Final = "claude-crtui-"
_SHOWN: Final = re.compile("claude|anthropic", re.IGNORECASE)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")

Owners = Mapping[str, tuple[str, ...]]
"""Every model's name, and the providers that have it, both in the order of the configuration."""


def model_owners(views: Iterable[ProviderView], providers: Mapping[str, Provider]) -> Owners:
    """What the providers told, declare, and send in another's place."""
    owners: dict[str, tuple[str, ...]] = {}
    for view in views:
        for name in _names(view, providers.get(view.name)):
            owners[name] = (*owners.get(name, ()), view.name)
    return owners


def aliases(names: Iterable[str]) -> dict[str, str]:
    """From alias to name, for every name that Claude Code would not show."""
    found: dict[str, str] = {}
    for name in names:
        if not _SHOWN.search(name):
            found[_free(ALIAS + _UNSAFE.sub("-", name), found)] = name
    return found


def behind_alias(
    alias: str, views: Iterable[ProviderView], providers: Mapping[str, Provider]
) -> tuple[str, tuple[str, ...]]:
    """The model an alias stands for, and who has it; an alias of nothing stands for itself."""
    owners = model_owners(views, providers)
    name = aliases(owners).get(alias, alias)
    return name, owners.get(name, ())


def openai_models(owners: Owners, created_ms: int) -> dict[str, Any]:
    """OpenAI's list."""
    created = created_ms // SECOND
    rows = [
        {"id": name, "object": "model", "created": created, "owned_by": having[0]}
        for name, having in owners.items()
    ]
    return {"object": "list", "data": rows}


def anthropic_models(owners: Owners, created_ms: int) -> dict[str, Any]:
    """Anthropic's list, as one page, with the aliases at its end."""
    created = stamp(created_ms)
    shown = {name: name for name in owners} | aliases(owners)
    rows = [
        {"type": "model", "id": shown_id, "display_name": name, "created_at": created}
        for shown_id, name in shown.items()
    ]
    ids = list(shown)
    return {
        "data": rows,
        "has_more": False,
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
    }


def _names(view: ProviderView, provider: Provider | None) -> dict[str, None]:
    if provider is not None and provider.model is not None:
        return {provider.model: None}
    names = dict.fromkeys(model.name for model in view.models)
    if provider is not None:
        names |= dict.fromkeys((*provider.declared, *(sent for _, sent in provider.models)))
    return names


def _free(wanted: str, taken: Mapping[str, str]) -> str:
    number = 2
    alias = wanted
    while alias in taken:
        alias, number = f"{wanted}-{number}", number + 1
    return alias
