"""Token counts as the dialects tell them, brought to one meaning: ``input`` excludes cache tokens."""

from __future__ import annotations

from crtui.core.inputs import Usage
from crtui.wire.jsonview import as_count, as_object


def anthropic_usage(value: object) -> Usage | None:
    """Usage of the Messages API, whose ``input_tokens`` already excludes cache reads and writes.

    None if ``value`` holds no usable count at all; a nonsensical field counts as not told.
    """
    return _usage(
        as_object(value),
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
    )


def openai_usage(value: object) -> Usage | None:
    """Usage of Chat Completions, whose ``prompt_tokens`` includes cache reads and writes.

    Cached tokens are read where OpenAI puts them, or where DeepSeek does
    (``prompt_cache_hit_tokens``). None if ``value`` holds no usable count at all.
    """
    fields = as_object(value)
    told = _usage(fields, "prompt_tokens", "completion_tokens", "prompt_cache_hit_tokens", "")
    return told and _without_cached(told, as_object(fields.get("prompt_tokens_details")))


def responses_usage(value: object) -> Usage | None:
    """Usage of the Responses API, whose ``input_tokens`` includes cache reads and writes.

    None if ``value`` holds no usable count at all.
    """
    fields = as_object(value)
    told = _usage(fields, "input_tokens", "output_tokens", "", "")
    return told and _without_cached(told, as_object(fields.get("input_tokens_details")))


def _without_cached(told: Usage, details: dict[str, object]) -> Usage:
    """Cached tokens taken out of the input, which includes them in OpenAI's counting."""
    read = min(as_count(details.get("cached_tokens")) or told.cache_read, told.input)
    write = min(as_count(details.get("cache_write_tokens")) or 0, told.input - read)
    return Usage(told.input - read - write, told.output, read, write)


def larger(one: Usage | None, other: Usage | None) -> Usage | None:
    """Field by field the larger of two reports on one answer: reports repeat, they never add up."""
    if one is None or other is None:
        return one or other
    return Usage(
        max(one.input, other.input),
        max(one.output, other.output),
        max(one.cache_read, other.cache_read),
        max(one.cache_write, other.cache_write),
    )


def _usage(fields: dict[str, object], *names: str) -> Usage | None:
    counts = [as_count(fields.get(name)) for name in names]
    if all(count is None for count in counts):
        return None
    return Usage(*(count or 0 for count in counts))
