"""What a llama.cpp server tells of itself: https://github.com/ggml-org/llama.cpp/tree/master/tools/server."""

from __future__ import annotations

from crtui.core.views import ServerView
from crtui.providers.exposition import fullest, read_gauges, total
from crtui.providers.reading import Json, parse, parse_rows, part, text
from crtui.providers.seen import Seen, capable
from crtui.wire.jsonview import as_count


def read_props(body: bytes, wall: int) -> Seen:
    """``GET /props``: the window of each slot, how many there are, what the model can read, the build."""
    props = parse(body)
    asleep, told = props.get("is_sleeping"), part(props, "modalities")
    words = {
        "vision": told.get("vision"),
        "tools": part(props, "chat_template_caps").get("supports_tools"),
    }
    return Seen(
        server=ServerView(
            version=text(props, "build_info"),
            slots=as_count(props.get("total_slots")) or None,
            asleep=asleep if isinstance(asleep, bool) else None,
        ),
        context=as_count(part(props, "default_generation_settings").get("n_ctx")) or None,
        capabilities=capable(word for word, has in words.items() if has is True) if told else None,
    )


def read_slots(body: bytes, wall: int) -> Seen:
    """``GET /slots``: how many work, and how much of all windows those fill.

    What idle slots keep of old prompts is given up when needed, so it does not count.
    """
    slots = parse_rows(body)
    busy = [slot for slot in slots if slot.get("is_processing") is True]
    held = [_tokens(slot) for slot in busy]
    room = sum(as_count(slot.get("n_ctx")) or 0 for slot in slots)
    ratio = None if None in held or not room else min(1.0, sum(n for n in held if n is not None) / room)
    known = all(isinstance(slot.get("is_processing"), bool) for slot in slots)
    return Seen(
        server=ServerView(
            running=len(busy) if known else None, slots=len(slots), cache_ratio=ratio if known else None
        )
    )


def _tokens(slot: Json) -> int | None:
    """All tokens in a slot, those it has written included."""
    return as_count(slot.get("n_prompt_tokens"))


def read_llamacpp_metrics(body: bytes, wall: int) -> Seen:
    """``GET /metrics`` (with ``--metrics``). Builds before May 2025 also have the cache's own gauge."""
    gauges = read_gauges(body)
    return Seen(
        server=ServerView(
            running=total(gauges, "llamacpp:requests_processing"),
            waiting=total(gauges, "llamacpp:requests_deferred"),
            cache_ratio=fullest(gauges, "llamacpp:kv_cache_usage_ratio"),
        )
    )
