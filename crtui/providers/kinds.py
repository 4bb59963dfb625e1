"""How each kind of provider is spoken to: paths, credential and free probes, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from crtui.config.kinds import Kind
from crtui.core.now import HOUR
from crtui.core.settings import Wire
from crtui.providers import ollama
from crtui.providers.llamacpp import read_llamacpp_metrics, read_props, read_slots
from crtui.providers.model_lists import (
    read_anthropic_models,
    read_gemini_models,
    read_lmstudio_v0,
    read_lmstudio_v1,
    read_model_list,
)
from crtui.providers.openrouter import read_openrouter_key
from crtui.providers.seen import Reader, nothing
from crtui.providers.vllm import read_vllm_metrics, read_vllm_version

ANTHROPIC_VERSION: Final = "2023-06-01"
"""https://docs.anthropic.com/en/api/versioning; a caller's own header takes precedence."""

ENDPOINTS: Final[dict[Wire, str]] = {
    "messages": "/messages",
    "chat": "/chat/completions",
    "responses": "/responses",
}


KeyHeader = Literal["bearer", "x-api-key", "x-goog-api-key"]


@dataclass(frozen=True, slots=True)
class Probe:
    """One endpoint that costs nothing, asked with GET.

    ``path`` is below the API's prefix, or with ``native`` below the root. ``needed``: without a good
    answer the poll has failed; other probes only add. ``may_lack``: a server of the kind may do without
    it, so its absence (404, 405, 501) is no fault. ``guarded``: it is the one that checks the key, so a
    refusal there fails the poll. ``every_ms``: not more often than that. ``wakes``: a server that sleeps
    would load its model for it, so it is left out then.
    """

    path: str
    read: Reader
    native: bool = False
    needed: bool = False
    may_lack: bool = False
    guarded: bool = False
    every_ms: int = 0
    wakes: bool = False
    key_header: KeyHeader | None = None


@dataclass(frozen=True, slots=True)
class KindFacts:
    """How one kind is spoken to.

    ``suffixes`` may end a base URL without meaning anything else, longest first; ``prefix`` is what
    every endpoint's path starts with. ``counts_tokens``: servers of the kind are known to have
    ``/messages/count_tokens``. ``takes_memory``: it takes all the memory it is allowed at its start, so
    how full the machine is says nothing of its load.
    """

    probes: tuple[Probe, ...]
    prefix: str = "/v1"
    suffixes: tuple[str, ...] = ("/v1",)
    key_header: KeyHeader = "bearer"
    counts_tokens: bool = False
    takes_memory: bool = False


_MODELS: Final = Probe("/models", read_model_list, needed=True)
_MODELS_IF_ANY: Final = Probe("/models", read_model_list, needed=True, may_lack=True)
_HEALTH: Final = Probe("/health", nothing, native=True, needed=True, may_lack=True)
"""Not ready is 503, while the model list is served all the same."""

_ANTHROPIC: Final = Probe("/models?limit=1000", read_anthropic_models, needed=True, may_lack=True)
_OPENROUTER: Final = (
    Probe("/key", read_openrouter_key, needed=True),
    # Some hundred kilobytes that change by the day.
    Probe("/models", read_model_list, every_ms=6 * HOUR),
)
_GEMINI: Final = Probe(
    "/v1beta/models?pageSize=1000",
    read_gemini_models,
    native=True,
    needed=True,
    key_header="x-goog-api-key",
)
_OLLAMA: Final = (
    Probe("/api/tags", ollama.read_tags, native=True, needed=True),
    Probe("/api/ps", ollama.read_ps, native=True),
    Probe("/api/version", ollama.read_version, native=True),
)
_LMSTUDIO: Final = (
    _MODELS,
    Probe("/api/v0/models", read_lmstudio_v0, native=True),
    Probe("/api/v1/models", read_lmstudio_v1, native=True),
)
_LLAMACPP: Final = (
    _HEALTH,
    _MODELS,
    Probe("/metrics", read_llamacpp_metrics, native=True),
    # The health and the models are told to anybody.
    Probe("/props", read_props, native=True, guarded=True),
    Probe("/slots", read_slots, native=True, wakes=True),
)
_VLLM: Final = (
    _HEALTH,
    _MODELS,
    Probe("/metrics", read_vllm_metrics, native=True),
    Probe("/version", read_vllm_version, native=True),
)

FACTS: Final[dict[Kind, KindFacts]] = {
    "anthropic": KindFacts((_ANTHROPIC,), key_header="x-api-key", counts_tokens=True),
    "openai": KindFacts((_MODELS_IF_ANY,)),
    "openrouter": KindFacts(_OPENROUTER, "/api/v1", suffixes=("/api/v1", "/api", "/v1")),
    "gemini": KindFacts(
        (_GEMINI,),
        "/v1beta/openai",
        suffixes=("/v1beta/openai", "/v1beta", "/v1"),
    ),
    "ollama": KindFacts(_OLLAMA, suffixes=("/api", "/v1")),
    "lmstudio": KindFacts(_LMSTUDIO, suffixes=("/api/v0", "/api/v1", "/v1")),
    "llamacpp": KindFacts(_LLAMACPP, counts_tokens=True),
    "vllm": KindFacts(_VLLM, counts_tokens=True, takes_memory=True),
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
