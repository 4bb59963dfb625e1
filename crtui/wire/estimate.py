"""How many tokens a request is, about: where nobody can count them."""

from __future__ import annotations

from typing import Final

from crtui.wire.jsonview import as_list, as_object

CHARS_PER_TOKEN: Final = 4
IMAGE_TOKENS: Final = 1_600
"""What Anthropic counts for an image of the largest size it does not scale down."""

_COUNTED: Final = ("system", "instructions", "messages", "input", "tools", "functions")
_IMAGES: Final = ("image", "image_url", "input_image")
_STRUCTURE: Final = 4
"""Quotes, colon and comma round a member."""


def estimated_tokens(fields: dict[str, object]) -> int:
    """Tokens of a request of any wire: four characters each, tools, their calls and results included.

    Images count as such and not by the length of their base64.
    """
    chars = 0
    waiting = [fields.get(key) for key in _COUNTED]
    while waiting:
        value = waiting.pop()
        inner = as_object(value)
        if isinstance(value, str):
            chars += len(value)
        elif inner.get("type") in _IMAGES:
            chars += IMAGE_TOKENS * CHARS_PER_TOKEN
        else:
            chars += sum(len(key) + _STRUCTURE for key in inner)
            waiting += [*inner.values(), *as_list(value)]
    return chars // CHARS_PER_TOKEN
