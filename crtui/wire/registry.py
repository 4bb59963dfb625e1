"""Which codec speaks which wire."""

from __future__ import annotations

from typing import Final

from crtui.core.settings import Wire
from crtui.wire.chat import ChatCodec
from crtui.wire.codec import Codec
from crtui.wire.messages import MessagesCodec

CODECS: Final[dict[Wire, Codec]] = {"messages": MessagesCodec(), "chat": ChatCodec()}


def codec_for(wire: Wire) -> Codec:
    """The codec of a wire. Raises ``KeyError`` for one that is not relayed."""
    return CODECS[wire]
