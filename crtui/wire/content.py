"""What rules and capability checks look at in a request, whatever its wire calls its turns."""

from __future__ import annotations

from collections.abc import Sequence

from crtui.core.plan import Content
from crtui.wire.body import read_object
from crtui.wire.jsonview import as_list, as_object

_IMAGES = frozenset({"image", "image_url", "input_image"})


def read_content(body: bytes) -> Content:
    """Read a request's content in one pass. Raises ``BadBodyError`` if it is not a JSON object.

    The latest user message is the last element with that role, even where it holds only tool
    results. A message's text is its string content, or its text blocks joined by newlines, which
    count; tool calls, tool results and schemas count nothing.
    """
    fields = read_object(body)
    return _content(fields, fields.get("system"), as_list(fields.get("messages")))


def read_input(body: bytes) -> Content:
    """The same for a body of the Responses API, whose turns are items of ``input``, or one text."""
    fields = read_object(body)
    given = fields.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else as_list(given)
    return _content(fields, fields.get("instructions"), items)


def _content(fields: dict[str, object], system: object, turns: Sequence[object]) -> Content:
    messages = [as_object(turn) for turn in turns]
    latest = next((m.get("content") for m in reversed(messages) if m.get("role") == "user"), None)
    # What a tool gave back is an item of its own in the Responses API, with its blocks in ``output``.
    contents = [system, *(message.get("content", message.get("output")) for message in messages)]
    latest_image = _has_image(latest)
    return Content(
        image=latest_image or any(_has_image(content, nested=True) for content in contents),
        latest_image=latest_image,
        tools=bool(as_list(fields.get("tools")) or as_list(fields.get("functions"))),
        latest_text=_text(latest),
        chars=sum(len(_text(content)) for content in contents),
    )


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    texts = (as_object(block).get("text") for block in as_list(content))
    return "\n".join(text for text in texts if isinstance(text, str))


def _has_image(content: object, *, nested: bool = False) -> bool:
    """Whether an image stands among the blocks, or with ``nested`` inside a tool's result."""
    blocks = [as_object(block) for block in as_list(content)]
    if any(block.get("type") in _IMAGES for block in blocks if isinstance(block.get("type"), str)):
        return True
    return nested and any(_has_image(block.get("content")) for block in blocks)
