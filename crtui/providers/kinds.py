"""How each kind of provider is spoken to: paths, credential and free probes, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from crtui.config.kinds import Kind
from crtui.core.now import HOUR
from crtui.core.settings import Wire
from crtui.providers.probes import (
    Reader,
    read_lmstudio,
    read_model_list,
    read_ollama_ps,
    read_ollama_tags,
    read_openrouter_key,
)

ANTHROPIC_VERSION: Final = "2023-06-01"
"""https://docs.anthropic.com/en/api/versioning; a caller's own header takes precedence."""

ENDPOINTS: Final[dict[Wire, str]] = {
    "messages": "/messages",
    "chat": "/chat/completions",
    "responses": "/responses",
}


@dataclass(frozen=True, slots=True)
class Probe:
    """One endpoint that costs nothing, asked with GET.

    ``path`` is below the API's prefix, or with ``native`` below the root. ``every_ms``: not more often
    than that. ``may_lack``: a server of the kind may do without it, so its absence (404, 405, 501)
    is no fault.
    """

    path: str
    read: Reader
    native: bool = False
    every_ms: int = 0
    may_lack: bool = False


@dataclass(frozen=True, slots=True)
class KindFacts:
    """How one kind is spoken to.

    ``suffixes`` may end a base URL without meaning anything else, longest first; ``prefix`` is what
    every endpoint's path starts with. The first probe decides how a poll ends, the others only add.
    ``counts_tokens``: servers of the kind are known to have ``/messages/count_tokens``.
    """

    probes: tuple[Probe, ...]
    prefix: str = "/v1"
    suffixes: tuple[str, ...] = ("/v1",)
    key_header: Literal["bearer", "x-api-key"] = "bearer"
    counts_tokens: bool = False


_MODELS: Final = Probe("/models", read_model_list)
_MODELS_IF_ANY: Final = Probe("/models", read_model_list, may_lack=True)
_OLLAMA: Final = (
    Probe("/api/tags", read_ollama_tags, native=True),
    Probe("/api/ps", read_ollama_ps, native=True),
)
_LMSTUDIO: Final = (_MODELS, Probe("/api/v0/models", read_lmstudio, native=True))
_OPENROUTER: Final = (
    Probe("/key", read_openrouter_key),
    # Some hundred kilobytes that change by the day.
    Probe("/models", read_model_list, every_ms=6 * HOUR),
)

FACTS: Final[dict[Kind, KindFacts]] = {
    "anthropic": KindFacts(
        (Probe("/models?limit=1000", read_model_list, may_lack=True),),
        key_header="x-api-key",
        counts_tokens=True,
    ),
    "openai": KindFacts((_MODELS_IF_ANY,)),
    "openrouter": KindFacts(_OPENROUTER, "/api/v1", suffixes=("/api/v1", "/api", "/v1")),
    "gemini": KindFacts(
        (_MODELS,),
        "/v1beta/openai",
        suffixes=("/v1beta/openai", "/v1beta", "/v1"),
    ),
    "ollama": KindFacts(_OLLAMA, suffixes=("/api", "/v1")),
    "lmstudio": KindFacts(_LMSTUDIO, suffixes=("/api/v0", "/api/v1", "/v1")),
    "llamacpp": KindFacts((_MODELS,), counts_tokens=True),
    "vllm": KindFacts((_MODELS,)),
    "openai-compatible": KindFacts((_MODELS_IF_ANY,)),
}


def split_base(kind: Kind, base_url: str) -> tuple[str, str]:
    """A base URL as root and API prefix: with or without ``/v1`` and a slash at its end is the same.

    A base that ends in another version (``…/api/paas/v4``) keeps that instead of the kind's own prefix.
    """
    facts = FACTS[kind]
    root = base_url.rstrip("/")
    for suffix in facts.suffixes:
        if root.endswith(suffix):
            return root.removesuffix(suffix).rstrip("/"), facts.prefix
    if version := re.search(r"/v[0-9]+[a-z0-9]*$", root):
        return root[: version.start()], version[0]
    return root, facts.prefix
