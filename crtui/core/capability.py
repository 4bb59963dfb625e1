"""Whether a provider is known to be unable to take a request."""

from __future__ import annotations

from typing import Final

from crtui.core.plan import Ask
from crtui.core.settings import Capabilities

CHARS_PER_TOKEN: Final = 4
"""A rough rule for English text and code; the core never sees a tokenizer."""


def missing(capabilities: Capabilities, ask: Ask) -> str | None:
    """What the request needs and the provider lacks: ``vision``, ``tools`` or ``context``.

    None if nothing is known to be lacking; what is unknown of either never excludes.
    """
    content = ask.content
    if content is None:
        return None
    if content.image and capabilities.vision is False:
        return "vision"
    if content.tools and capabilities.tools is False:
        return "tools"
    if capabilities.context is not None and content.chars // CHARS_PER_TOKEN > capabilities.context:
        return "context"
    return None
