"""Token counts as the dialects tell them, brought to one meaning: ``input`` excludes cache tokens.

What a dialect leaves out counts as 0; a nonsensical field counts as not told. Some providers tell in
``cost`` what the answer cost; whether that is believed is decided where the provider is known.
"""

from __future__ import annotations

from typing import Final

from crtui.core.inputs import Usage
from crtui.core.money import MOST, PICO, pico
from crtui.wire.jsonview import as_count, as_object

_INPUTS: Final = {
    "input_tokens": "input",
    "cache_read_input_tokens": "cache_read",
    "cache_creation_input_tokens": "cache_write",
}
"""What Anthropic calls the parts of an input."""


def anthropic_usage(value: object) -> Usage | None:
    """Usage of the Messages API, whose ``input_tokens`` already excludes cache reads and writes.

    Writes that are kept for an hour are told apart in ``cache_creation``. None if ``value`` holds no
    usable count at all.
    """
    fields = as_object(value)
    told = _usage(
        fields,
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
    )
    return told and _with_lifetimes(told, as_object(fields.get("cache_creation")))


def message_usage(before: Usage | None, value: object) -> Usage | None:
    """Usage of a streamed message after a ``message_delta`` with this usage, ``before`` it as told so far.

    A start may estimate its input (Ollama), or count what is cached as fresh (Kimi). So a delta that names
    an input has the last word on it, unless all of it is zero.
    """
    told, fields = anthropic_usage(value), as_object(value)
    if before is None or told is None:
        return told or before
    merged = larger(before, told)
    named = [part for key, part in _INPUTS.items() if as_count(fields.get(key)) is not None]
    if merged is None or "input" not in named or told.total == told.output:
        return merged
    now = merged._replace(**{name: getattr(told, name) for name in named})
    return now._replace(cache_write_1h=min(now.cache_write_1h, now.cache_write))


def openai_usage(value: object) -> Usage | None:
    """Usage of Chat Completions, whose ``prompt_tokens`` includes cache reads and writes.

    Cached tokens are read where OpenAI puts them, or where DeepSeek does (``prompt_cache_hit_tokens``)
    or Moonshot (``cached_tokens``). Gemini and xAI leave thinking out of ``completion_tokens`` but not
    out of ``total_tokens``. None if ``value`` holds no usable count at all.
    """
    fields = as_object(value)
    told = _usage(fields, "prompt_tokens", "completion_tokens", "prompt_cache_hit_tokens")
    if told is None:
        return None
    told = told._replace(
        output=max(told.output, _beyond_prompt(fields)),
        cache_read=told.cache_read or as_count(fields.get("cached_tokens")) or 0,
    )
    return _without_cached(told, as_object(fields.get("prompt_tokens_details")))


def responses_usage(value: object) -> Usage | None:
    """Usage of the Responses API, whose ``input_tokens`` includes cache reads and writes.

    None if ``value`` holds no usable count at all.
    """
    fields = as_object(value)
    told = _usage(fields, "input_tokens", "output_tokens")
    return told and _without_cached(told, as_object(fields.get("input_tokens_details")))


def larger(one: Usage | None, other: Usage | None) -> Usage | None:
    """Field by field the larger of two reports on one answer: reports repeat, they never add up."""
    if one is None or other is None:
        return one or other
    costs = [cost for cost in (one.cost, other.cost) if cost is not None]
    return Usage(
        max(one.input, other.input),
        max(one.output, other.output),
        max(one.cache_read, other.cache_read),
        max(one.cache_write, other.cache_write),
        max(one.cache_write_1h, other.cache_write_1h),
        max(costs, default=None),
    )


def _beyond_prompt(fields: dict[str, object]) -> int:
    """What the total leaves beside the prompt; 0 where either is not told."""
    prompt, total = as_count(fields.get("prompt_tokens")), as_count(fields.get("total_tokens"))
    return 0 if prompt is None or total is None else total - prompt


def _with_lifetimes(told: Usage, creation: dict[str, object]) -> Usage:
    """The cache writes by how long they are kept, which is told beside their sum."""
    short, hour = (as_count(creation.get(f"ephemeral_{time}_input_tokens")) or 0 for time in ("5m", "1h"))
    return told._replace(cache_write=max(told.cache_write, short + hour), cache_write_1h=hour)


def _without_cached(told: Usage, details: dict[str, object]) -> Usage:
    """Cached tokens taken out of the input, which includes them in OpenAI's counting."""
    if not details and not told.cache_read:
        return told
    read = min(as_count(details.get("cached_tokens")) or told.cache_read, told.input)
    write = min(as_count(details.get("cache_write_tokens")) or 0, told.input - read)
    return told._replace(input=told.input - read - write, cache_read=read, cache_write=write)


def _usage(
    fields: dict[str, object], fresh: str, output: str, read: str = "", write: str = ""
) -> Usage | None:
    counts = [as_count(fields.get(name)) for name in (fresh, output, read, write) if name]
    if counts.count(None) == len(counts):
        return None
    return Usage(*[count or 0 for count in counts], cost=_cost(fields.get("cost")))


def _cost(value: object) -> int | None:
    """USD as OpenRouter tells them. https://openrouter.ai/docs/use-cases/usage-accounting"""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= MOST / PICO:
        return None
    return pico(value)
