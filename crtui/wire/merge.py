"""One leading system text: what many local models' chat templates insist on.

Claude Code puts system messages among the others, Codex sends several of them; a template that takes
one at the beginning refuses both. Here they are taken out, in their order, and joined into the one.
Claude Code also begins its system text with a line that differs in each conversation, so that no two
could share a server's prompt cache; it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import orjson

from crtui.core.settings import Wire
from crtui.wire.jsonview import as_list, as_object, loads

BILLING: Final = "x-anthropic-billing-header:"
_ROLES: Final = ("system", "developer")

Fields = dict[str, object]


def with_one_system(wire: Wire, body: bytes) -> bytes:
    """The body with one leading system text; the same bytes where it has no more than that already."""
    try:
        fields = as_object(loads(body))
        return orjson.dumps(fields) if _MERGE[wire](fields) else body
    except (ValueError, orjson.JSONEncodeError):
        return body


def _merge_messages(fields: Fields) -> bool:
    """Into ``system``, which every server of this wire puts first."""
    system = fields.get("system")
    return _hoist(fields, "messages", "system", system) or _replace(fields, "system", system)


def _merge_responses(fields: Fields) -> bool:
    """Into ``instructions``; a server puts them before the items of ``input``."""
    return _hoist(fields, "input", "instructions", fields.get("instructions"))


def _merge_chat(fields: Fields) -> bool:
    """Into the first message, with the one role that every template knows."""
    found, rest = _parted(as_list(fields.get("messages")))
    alone = len(found) == 1 and as_list(fields.get("messages"))[0] is found[0]
    if not rest or not found or (alone and found[0].get("role") == "system"):
        return False
    text = _joined([message.get("content") for message in found])
    fields["messages"] = [{"role": "system", "content": text}, *rest]
    return True


_MERGE: Final[dict[Wire, Callable[[Fields], bool]]] = {
    "messages": _merge_messages,
    "chat": _merge_chat,
    "responses": _merge_responses,
}


def _hoist(fields: Fields, turns: str, target: str, leading: object) -> bool:
    found, rest = _parted(as_list(fields.get(turns)))
    if not found or not rest:
        return False
    fields[turns] = rest
    fields[target] = _joined([leading, *(turn.get("content") for turn in found)])
    return True


def _replace(fields: Fields, target: str, system: object) -> bool:
    """Take the billing line out of a system text that is otherwise alone."""
    if BILLING not in _text(system):
        return False
    fields[target] = _joined([system])
    return True


def _parted(turns: Sequence[object]) -> tuple[list[Fields], list[object]]:
    found = [as_object(turn) for turn in turns if as_object(turn).get("role") in _ROLES]
    return found, [turn for turn in turns if as_object(turn).get("role") not in _ROLES]


def _joined(contents: Sequence[object]) -> str:
    lines = (_text(content) for content in contents)
    return "\n\n".join(filter(None, map(_without_billing, lines)))


def _without_billing(text: str) -> str:
    if BILLING not in text:
        return text
    return "\n".join(line for line in text.split("\n") if not line.startswith(BILLING)).strip("\n")


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    texts = (as_object(block).get("text") for block in as_list(content))
    return "\n\n".join(text for text in texts if isinstance(text, str))
