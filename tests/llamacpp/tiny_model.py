"""A llama model of a few kilobytes that knows one sentence.

Every token's row in the output points at the embedding of the token before it, so the model goes from
a line's end through its words to the end of its turn; one layer of small random weights is computed on
the way. Bytes that the vocabulary lacks are passed over by the tokenizer, so that a coding agent's
prompt of 80 kB is some 10,000 tokens (its spaces and line ends) and not 80,000.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.llamacpp import gguf

SENTENCE: Final = "The gateway works."
CONTEXT: Final = 65_536

_SPACE, _NEWLINE = "\u0120", "\u010a"
"""How byte-level BPE writes these two bytes."""

_START, _END = "<|im_start|>", "<|im_end|>"
_WORDS = ("The", f"{_SPACE}gateway", f"{_SPACE}works", ".")
_INDENT = _SPACE * 2
_VOCABULARY: Final = (_START, _END, _SPACE, _NEWLINE, _INDENT, *_WORDS)
_CHAIN: Final = (_NEWLINE, *_WORDS, _END)
_NORMAL, _CONTROL = 1, 3

_WIDTH: Final = 32
_HEADS: Final = 2
_HIDDEN: Final = 64
_SURE: Final = 8.0
"""Logits of the next word far above all others, at any temperature an agent asks for."""

# As Qwen's: a system text is taken at the beginning only.
_TEMPLATE: Final = (
    "{%- for message in messages %}"
    "{%- if message.role == 'system' and not loop.first %}"
    "{{- raise_exception('System message must be at the beginning.') }}"
    "{%- endif %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def write(path: Path, *, endless: bool = False) -> None:
    """Write the model, the same bytes every time. An ``endless`` one says its sentence over and over."""
    chain = (*_CHAIN[:-1], _CHAIN[1]) if endless else _CHAIN
    gguf.write(path, _metadata(), _tensors(chain, random.Random(1)))


def _metadata() -> dict[str, gguf.Value]:
    return {
        "general.architecture": "llama",
        "general.name": "tiny",
        "llama.context_length": CONTEXT,
        "llama.embedding_length": _WIDTH,
        "llama.block_count": 1,
        "llama.feed_forward_length": _HIDDEN,
        "llama.attention.head_count": _HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": _WIDTH // _HEADS,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": list(_VOCABULARY),
        "tokenizer.ggml.token_type": [_CONTROL if "|" in token else _NORMAL for token in _VOCABULARY],
        # The only one: words stand in the vocabulary to be said, not to be read.
        "tokenizer.ggml.merges": [f"{_SPACE} {_SPACE}"],
        "tokenizer.ggml.bos_token_id": _VOCABULARY.index(_START),
        "tokenizer.ggml.eos_token_id": _VOCABULARY.index(_END),
        "tokenizer.chat_template": _TEMPLATE,
    }


def _tensors(chain: tuple[str, ...], chance: random.Random) -> list[gguf.Tensor]:
    number = {token: row for row, token in enumerate(_VOCABULARY)}
    own = [(row, row) for row in number.values()]
    before = [(number[after], number[token]) for token, after in pairwise(chain)]
    return [
        _rows("token_embd.weight", 1.0, own),
        _rows("output.weight", _SURE, before),
        _ones("output_norm.weight"),
        _ones("blk.0.attn_norm.weight"),
        _ones("blk.0.ffn_norm.weight"),
        *(_noise(f"blk.0.attn_{part}.weight", _WIDTH, _WIDTH, chance) for part in ("q", "k", "v", "output")),
        _noise("blk.0.ffn_gate.weight", _WIDTH, _HIDDEN, chance),
        _noise("blk.0.ffn_up.weight", _WIDTH, _HIDDEN, chance),
        _noise("blk.0.ffn_down.weight", _HIDDEN, _WIDTH, chance),
    ]


def _rows(name: str, value: float, places: Iterable[tuple[int, int]]) -> gguf.Tensor:
    """One row a token, all 0 but ``value`` at these places in these rows."""
    values = array("f", bytes(4 * _WIDTH * len(_VOCABULARY)))
    for row, place in places:
        values[row * _WIDTH + place] = value
    return gguf.Tensor(name, (_WIDTH, len(_VOCABULARY)), values)


def _ones(name: str) -> gguf.Tensor:
    return gguf.Tensor(name, (_WIDTH,), array("f", [1.0] * _WIDTH))


def _noise(name: str, inputs: int, outputs: int, chance: random.Random) -> gguf.Tensor:
    values = array("f", (chance.gauss(0, 0.01) for _ in range(inputs * outputs)))
    return gguf.Tensor(name, (inputs, outputs), values)
