"""The tiny model as llama.cpp's file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.real_servers import gguf, tiny_model
from tests.real_servers.tiny_model import CONTEXT, HIDDEN, SPACE, START, VOCABULARY, WIDTH

_NORMAL, _CONTROL = 1, 3
_HEADS: Final = 2


def write(path: Path, *, endless: bool = False) -> None:
    """Write the model, the same bytes every time. An ``endless`` one says its sentence over and over."""
    gguf.write(path, _metadata(), tiny_model.tensors(endless=endless))


def _metadata() -> dict[str, gguf.Value]:
    return {
        "general.architecture": "llama",
        "general.name": "tiny",
        "llama.context_length": CONTEXT,
        "llama.embedding_length": WIDTH,
        "llama.block_count": 1,
        "llama.feed_forward_length": HIDDEN,
        "llama.attention.head_count": _HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": WIDTH // _HEADS,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": list(VOCABULARY),
        "tokenizer.ggml.token_type": [_CONTROL if "|" in token else _NORMAL for token in VOCABULARY],
        # The only one: words stand in the vocabulary to be said, not to be read.
        "tokenizer.ggml.merges": [f"{SPACE} {SPACE}"],
        "tokenizer.ggml.bos_token_id": VOCABULARY.index(START),
        "tokenizer.ggml.eos_token_id": VOCABULARY.index(tiny_model.END),
        "tokenizer.chat_template": tiny_model.TEMPLATE,
    }
