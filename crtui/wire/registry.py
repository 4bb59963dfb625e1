"""Which codec speaks which wire."""

from __future__ import annotations

from typing import Final

from crtui.core.settings import Wire
from crtui.wire.chat import ChatCodec
from crtui.wire.codec import Codec
from crtui.wire.messages import MessagesCodec
from crtui.wire.responses import ResponsesCodec

CODECS: Final[dict[Wire, Codec]] = {
    "messages": MessagesCodec(),
    "chat": ChatCodec(),
    "responses": ResponsesCodec(),
}


def codec_for(wire: Wire) -> Codec:
    """The codec of a wire."""
    return CODECS[wire]
