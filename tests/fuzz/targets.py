"""What is fuzzed, by name: a function that holds for any bytes, and the inputs a search starts from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.faults.test_fuzz import ANSWERS
from tests.fuzz import codecs, sockets, texts

TARGETS: dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]] = {
    "messages": (partial(codecs.codec, "messages"), codecs.seeds("messages")),
    "chat": (partial(codecs.codec, "chat"), codecs.seeds("chat")),
    "responses": (partial(codecs.codec, "responses"), codecs.seeds("responses")),
    "sse": (codecs.sse, (*codecs.STREAMS.values(), codecs.ODD_EVENTS)),
    "limits": (codecs.limits, codecs.LIMITS),
    "trace": (texts.trace, texts.TRACES),
    "config": (texts.config, texts.CONFIGS),
    "agents": (texts.agents, texts.AGENT_LOGS),
    "client": (sockets.client, ANSWERS),
    "server": (sockets.server, sockets.REQUESTS),
}
