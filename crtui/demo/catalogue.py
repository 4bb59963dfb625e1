"""What a simulated provider tells for free: its health, its models, what is loaded, its key's limits."""

from __future__ import annotations

from typing import Final

from crtui.demo.cast import Part

_GIB: Final = 2**30
_CREATED: Final = 1_767_225_600
_CREDIT: Final = {
    "label": "demo",
    "limit": 50,
    "limit_remaining": 31.4,
    "limit_reset": "monthly",
    "usage": 18.6,
}
_CACHE_SHARE: Final = 0.13
_CREATED_AT: Final = "2026-01-01T00:00:00Z"


def free_answer(part: Part, path: str, loaded: bool) -> dict[str, object] | None:
    """The JSON answer to a ``GET`` of ``path`` (without ``/api`` before ``/v1``), or None for 404.

    ``loaded``: whether a local server holds its first model in memory just now.
    """
    if path == "/health":
        return {"status": "ok"}
    if path == "/v1/models":
        return _models(part)
    if part.kind == "openrouter" and path == "/v1/key":
        return {"data": _CREDIT}
    if part.kind == "ollama":
        return _ollama(part, path, loaded)
    if part.kind == "vllm" and path == "/version":
        return {"version": "0.11.0"}
    return None


def engine_metrics(part: Part, running: int) -> bytes:
    """A vLLM server's ``/metrics`` while that many requests run; each takes some of the cache."""
    labels = f'{{engine="0",model_name="{part.models[0]}"}}'
    gauges = {"num_requests_running": running, "num_requests_waiting": 0}
    lines = [f"vllm:{name}{labels} {value:.1f}" for name, value in gauges.items()]
    lines.append(f"vllm:kv_cache_usage_perc{labels} {min(0.97, running * _CACHE_SHARE):.4f}")
    return "\n".join([*lines, ""]).encode()


def _models(part: Part) -> dict[str, object]:
    if part.kind == "anthropic":
        anthropic = [_anthropic_model(name) for name in part.models]
        return {"data": anthropic, "has_more": False, "first_id": part.models[0], "last_id": part.models[-1]}
    listed = [_openai_model(part, name) for name in part.models]
    return {"object": "list", "data": listed}


def _anthropic_model(name: str) -> dict[str, object]:
    return {"type": "model", "id": name, "display_name": name, "created_at": _CREATED_AT}


def _openai_model(part: Part, name: str) -> dict[str, object]:
    window = "max_model_len" if part.kind == "vllm" else "context_length"
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": part.kind, window: 65_536}


def _ollama(part: Part, path: str, loaded: bool) -> dict[str, object] | None:
    entries: list[dict[str, object]] = [
        {
            "name": name,
            "model": name,
            "size": 5 * _GIB,
            "modified_at": _CREATED_AT,
            "capabilities": ["completion", "tools"],
        }
        for name in part.models
    ]
    if path == "/":
        return {"status": "Ollama is running"}
    if path == "/api/version":
        return {"version": "0.14.2"}
    if path == "/api/tags":
        return {"models": entries}
    if path == "/api/ps":
        running = [entry | {"size_vram": 5 * _GIB, "context_length": 32_768} for entry in entries[:1]]
        return {"models": running if loaded else []}
    return None
