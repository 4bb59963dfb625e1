"""Sending a refusal in the envelope that the caller's path speaks."""

from __future__ import annotations

from typing import Final

from crtui.gateway.guard import Headers, Refusal
from crtui.gateway.reply import JSON, Header, Reply
from crtui.wire.codec import Codec
from crtui.wire.registry import codec_for

_MESSAGES: Final = codec_for("messages")
_CHAT: Final = codec_for("chat")


def envelope(path: str, headers: Headers) -> Codec:
    """Whose error form a path uses: Anthropic's for its own paths and callers, else OpenAI's."""
    return _MESSAGES if path.startswith("/v1/messages") or b"anthropic-version" in headers else _CHAT


async def refuse(reply: Reply, codec: Codec, refusal: Refusal) -> None:
    """Answer with a refusal."""
    headers: list[Header] = [JSON]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % refusal.retry_after_s))
    if not refusal.retry:
        headers.append((b"x-should-retry", b"false"))
    if refusal.allow is not None:
        headers.append((b"allow", refusal.allow))
    body = codec.error_body(refusal.status, refusal.message, refusal.code, refusal.resets_at)
    await reply.whole(refusal.status, body, headers)
