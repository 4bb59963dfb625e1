"""What the answers of free endpoints say: pure readers, from a JSON body to the core's reports.

Absent, odd or negative values are unknown, never 0. A body of another form raises ``ProbeError``.
Names are made safe to show here, where they come in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

import orjson

from crtui.core.inputs import ModelReport, WindowReport
from crtui.core.now import DAY, next_midnight, next_month
from crtui.text import scrub

MAX_MODELS: Final = 2_000
_MOST: Final = 10**15
"""No window, memory or credit is larger; NaN is not smaller either."""

_FIRST_MONDAY: Final = 4 * DAY
"""The Unix epoch began on a Thursday."""

Json = Mapping[str, object]


class ProbeError(ValueError):
    """An answer that is not of the kind's form. The message is one safe line."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one answer said. ``models`` is None if it was not about models.

    ``all_loaded``: these are all the models that are loaded, so any other is not.
    """

    models: tuple[ModelReport, ...] | None = None
    windows: tuple[WindowReport, ...] = ()
    all_loaded: bool = False

    def with_more(self, other: Seen) -> Seen:
        """Both together: models are joined by name, and what ``other`` knows of one counts more."""
        models = _join(self.models, other.models, loaded_else=False if other.all_loaded else None)
        return Seen(models, self.windows + other.windows)


Reader = Callable[[bytes, int], Seen]
"""From a body and the wall milliseconds of its arrival to what it said. Raises ``ProbeError``."""


def read_model_list(body: bytes, wall: int) -> Seen:
    """``GET /v1/models`` as OpenAI, Anthropic, Gemini, OpenRouter, llama.cpp, vLLM and LM Studio write it."""
    return _models(body, "data", _listed)


def read_ollama_tags(body: bytes, wall: int) -> Seen:
    """Ollama's ``GET /api/tags``: the models on disk."""
    return _models(body, "models", lambda name, row: ModelReport(name))


def read_ollama_ps(body: bytes, wall: int) -> Seen:
    """Ollama's ``GET /api/ps``: the models in memory, with their window and bytes of VRAM."""
    return replace(_models(body, "models", _running), all_loaded=True)


def read_lmstudio(body: bytes, wall: int) -> Seen:
    """LM Studio's ``GET /api/v0/models``: which models are loaded, and with which window."""
    return _models(body, "data", _stated)


def read_openrouter_key(body: bytes, wall: int) -> Seen:
    """OpenRouter's ``GET /api/v1/key``: the key's credit and the day's free requests.

    ``limit_reset`` names a period; periods end at midnight UTC, weeks with Sunday. The free requests
    are told only where no credit was ever bought: an account with credit goes on without them.
    """
    data = _object(_parse(body).get("data"))
    windows = [_window("credit", data, "limit_remaining", _period_end(data.get("limit_reset"), wall))]
    free = data.get("free_model_daily_requests")
    if isinstance(free, dict) and data.get("is_free_tier") is not False:
        windows.append(_window("free-day", cast("Json", free), "remaining", next_midnight(wall)))
    return Seen(None, tuple(window for window in windows if window is not None))


def error_message(body: bytes) -> str:
    """The words of an error answer in any of the usual envelopes, or nothing. Not yet safe to show."""
    try:
        error = _parse(body).get("error")
    except ProbeError:
        return ""
    if isinstance(error, dict):
        error = cast("Json", error).get("message")
    return error if isinstance(error, str) else ""


def _parse(body: bytes) -> Json:
    try:
        return _object(orjson.loads(body))
    except orjson.JSONDecodeError:
        raise ProbeError("the answer is not JSON; is base_url right?") from None


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise ProbeError("the answer has another form; are base_url and kind right?")
    return cast("Json", value)


def _models(body: bytes, key: str, read: Callable[[str, Json], ModelReport]) -> Seen:
    # Some servers write null for an empty list; a missing list is another program's answer.
    rows = _parse(body).get(key, ...)
    if not isinstance(rows, list | None):
        raise ProbeError("the answer holds no model list; are base_url and kind right?")
    models: dict[str, ModelReport] = {}
    for row in cast("list[object]", rows or [])[:MAX_MODELS]:
        if isinstance(row, dict) and (name := _name(cast("Json", row))):
            models.setdefault(name, read(name, cast("Json", row)))
    return Seen(tuple(models.values()))


def _name(row: Json) -> str:
    name = row.get("id", row.get("name", row.get("model")))
    # Gemini lists "models/gemini-…" and is asked for "gemini-…".
    return scrub(name).removeprefix("models/") if isinstance(name, str) else ""


def _listed(name: str, row: Json) -> ModelReport:
    meta, top = _part(row, "meta"), _part(row, "top_provider")
    contexts = (
        meta.get("n_ctx"),
        row.get("max_model_len"),
        top.get("context_length"),
        row.get("context_length"),
        row.get("max_input_tokens"),
    )
    context = next((n for value in contexts if (n := _whole(value))), None)
    return ModelReport(name, _is_loaded(row, meta), context)


def _is_loaded(row: Json, meta: Json) -> bool | None:
    """What llama.cpp and vLLM tell by listing a model at all; elsewhere a list says nothing of it."""
    status = _part(row, "status").get("value")
    if isinstance(status, str):
        return status == "loaded"
    return True if meta or row.get("owned_by") == "vllm" else None


def _running(name: str, row: Json) -> ModelReport:
    return ModelReport(name, True, _whole(row.get("context_length")) or None, _whole(row.get("size_vram")))


def _stated(name: str, row: Json) -> ModelReport:
    state = row.get("state")
    context = _whole(row.get("loaded_context_length")) or _whole(row.get("max_context_length")) or None
    return ModelReport(name, state == "loaded" if isinstance(state, str) else None, context)


def _part(row: Json, key: str) -> Json:
    part = row.get(key)
    return cast("Json", part) if isinstance(part, dict) else {}


def _join(
    first: tuple[ModelReport, ...] | None,
    second: tuple[ModelReport, ...] | None,
    *,
    loaded_else: bool | None,
) -> tuple[ModelReport, ...] | None:
    if first is None or second is None:
        return first if second is None else second
    better = {model.name: model for model in second}
    known = [_better(old, better.pop(old.name, ModelReport(old.name, loaded_else))) for old in first]
    return (*known, *better.values())


def _better(old: ModelReport, new: ModelReport) -> ModelReport:
    return ModelReport(
        old.name,
        old.loaded if new.loaded is None else new.loaded,
        old.context if new.context is None else new.context,
        old.vram_bytes if new.vram_bytes is None else new.vram_bytes,
    )


def _window(name: str, row: Json, remaining_key: str, resets_at: int | None) -> WindowReport | None:
    limit, remaining = _amount(row.get("limit")), _amount(row.get(remaining_key))
    if limit is None and remaining is None:
        return None
    used = None if not limit or remaining is None else max(0.0, 100 * (limit - remaining) / limit)
    return WindowReport(name, "poll", used, remaining, limit, resets_at)


def _period_end(period: object, wall: int) -> int | None:
    match period:
        case "daily":
            return next_midnight(wall)
        case "weekly":
            return ((wall - _FIRST_MONDAY) // (7 * DAY) + 1) * 7 * DAY + _FIRST_MONDAY
        case "monthly":
            return next_month(wall)
        case _:
            return None


def _amount(value: object) -> float | None:
    """A quantity. What is overdrawn counts as nothing left; what no account holds is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MOST:
        return None
    return max(0.0, float(value))


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
        return None
    return int(value)
