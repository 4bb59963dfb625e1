"""Model lists, as the vendors and local servers write them. Pure readers of one body each.

Names are made safe to show here, where they come in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crtui.core.inputs import ModelReport
from crtui.providers.pages import NextPage, after_last_id, by_page_token, last_page
from crtui.providers.reading import Json, first_count, items, parse, part, rows
from crtui.providers.seen import Seen, Traits, capable
from crtui.text import scrub
from crtui.wire.jsonview import as_count, as_object

MAX_MODELS: Final = 2_000

ReadModel = Callable[[str, Json], tuple[ModelReport, Traits]]


def read_models(body: bytes, key: str, read: ReadModel, next_page: NextPage = last_page) -> Seen:
    """The models of a list, each once, in its order. Raises ``ProbeError``."""
    answer = parse(body)
    models: dict[str, ModelReport] = {}
    traits: dict[str, Traits] = {}
    for row in rows(answer, key)[:MAX_MODELS]:
        name = model_name(row)
        if not name or name in models:
            continue
        models[name], told = read(name, row)
        if told != Traits():
            traits[name] = told
    return Seen(tuple(models.values()), traits=traits, next_page=next_page(answer))


def model_name(row: Json) -> str:
    """What a model is asked for by, or nothing."""
    name = row.get("id", row.get("key", row.get("name", row.get("model"))))
    # Gemini lists "models/gemini-…" and is asked for "gemini-…".
    return scrub(name).removeprefix("models/") if isinstance(name, str) else ""


def read_model_list(body: bytes, wall: int) -> Seen:
    """``GET /v1/models`` as OpenAI, OpenRouter, llama.cpp, vLLM and LM Studio write it."""
    return read_models(body, "data", _listed)


def read_anthropic_models(body: bytes, wall: int) -> Seen:
    """``GET /v1/models`` of Anthropic, which may come in pages."""
    return read_models(body, "data", _listed, after_last_id)


def read_gemini_models(body: bytes, wall: int) -> Seen:
    """Gemini's own ``GET /v1beta/models``: https://ai.google.dev/api/models."""
    return read_models(body, "models", _gemini, by_page_token)


def read_lmstudio_v0(body: bytes, wall: int) -> Seen:
    """LM Studio's ``GET /api/v0/models`` (0.3.6 and later): what is loaded, and with which window."""
    return read_models(body, "data", _lmstudio_v0)


def read_lmstudio_v1(body: bytes, wall: int) -> Seen:
    """LM Studio's ``GET /api/v1/models`` (0.4 and later): the same with sizes and capabilities."""
    return read_models(body, "models", _lmstudio_v1)


def _listed(name: str, row: Json) -> tuple[ModelReport, Traits]:
    meta, top = part(row, "meta"), part(row, "top_provider")
    context = first_count(
        meta.get("n_ctx"),
        row.get("max_model_len"),
        top.get("context_length"),
        row.get("context_length"),
        row.get("max_input_tokens"),
    )
    size = as_count(meta.get("size")) or None
    return ModelReport(name, _is_loaded(row, meta), context), Traits(_abilities(name, row), size)


def _is_loaded(row: Json, meta: Json) -> bool | None:
    """What llama.cpp and vLLM tell by listing a model at all; elsewhere a list says nothing of it."""
    status = part(row, "status").get("value")
    if isinstance(status, str):
        return status == "loaded"
    return True if meta or row.get("owned_by") == "vllm" else None


def _abilities(name: str, row: Json) -> tuple[str, ...] | None:
    """From Anthropic's ``capabilities``, or OpenRouter's and llama.cpp's ``architecture``."""
    told, architecture = part(row, "capabilities"), part(row, "architecture")
    if told:
        named = {"vision": part(told, "image_input"), "thinking": part(told, "thinking")}
        return capable(word for word, support in named.items() if support.get("supported") is True)
    if not architecture:
        return None
    words = {"vision" if kind == "image" else None for kind in items(architecture, "input_modalities")}
    words |= {_PARAMETERS.get(str(taken)) for taken in items(row, "supported_parameters")}
    return capable(words)


_PARAMETERS: Final = {"tools": "tools", "reasoning": "thinking"}
"""OpenRouter names the request fields a model takes."""


def _gemini(name: str, row: Json) -> tuple[ModelReport, Traits]:
    words: set[object] = {"thinking"} if row.get("thinking") is True else set()
    words |= {"embedding"} if "embedContent" in items(row, "supportedGenerationMethods") else set()
    return ModelReport(name, None, as_count(row.get("inputTokenLimit")) or None), Traits(capable(words))


def _lmstudio_v0(name: str, row: Json) -> tuple[ModelReport, Traits]:
    state = row.get("state")
    loaded = state == "loaded" if isinstance(state, str) else None
    context = first_count(row.get("loaded_context_length"), row.get("max_context_length"))
    kind = {"vlm": ("vision",), "embeddings": ("embedding",)}.get(str(row.get("type")))
    return ModelReport(name, loaded, context), Traits(kind)


def _lmstudio_v1(name: str, row: Json) -> tuple[ModelReport, Traits]:
    instances = [as_object(instance) for instance in items(row, "loaded_instances")]
    told = row.get("loaded_instances")
    windows = [part(instance, "config").get("context_length") for instance in instances]
    context = first_count(*windows, row.get("max_context_length"))
    can = part(row, "capabilities")
    words = {
        "vision": can.get("vision"),
        "tools": can.get("trained_for_tool_use"),
        "thinking": can.get("thinking"),
        "embedding": row.get("type") == "embedding",
    }
    known = capable(word for word, has in words.items() if has is True) if can or words["embedding"] else None
    loaded = bool(instances) if isinstance(told, list) else None
    return ModelReport(name, loaded, context), Traits(known, as_count(row.get("size_bytes")) or None)
