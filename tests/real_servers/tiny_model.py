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
from typing import Final

from tests.real_servers.tensors import Tensor

SENTENCE: Final = "The gateway works."
CONTEXT: Final = 65_536

SPACE, _NEWLINE = "\u0120", "\u010a"
"""How byte-level BPE writes these two bytes."""

START, END = "<|im_start|>", "<|im_end|>"
_WORDS = ("The", f"{SPACE}gateway", f"{SPACE}works", ".")
_INDENT = SPACE * 2
VOCABULARY: Final = (START, END, SPACE, _NEWLINE, _INDENT, *_WORDS)
_CHAIN: Final = (_NEWLINE, *_WORDS, END, _WORDS[0])
"""After its end it begins again, if it is made to go on."""

WIDTH: Final = 32
HIDDEN: Final = 64
_SURE: Final = 8.0
"""Logits of the next word far above all others, at any temperature an agent asks for."""

# As Qwen's: a system text is taken at the beginning only.
TEMPLATE: Final = (
    "{%- for message in messages %}"
    "{%- if message.role == 'system' and not loop.first %}"
    "{{- raise_exception('System message must be at the beginning.') }}"
    "{%- endif %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def tensors(*, endless: bool = False) -> list[Tensor]:
    """All its numbers, the same every time, by GGUF's names. An ``endless`` one never ends its turn."""
    chain = tuple(token for token in _CHAIN if token != END) if endless else _CHAIN
    chance = random.Random(1)
    number = {token: row for row, token in enumerate(VOCABULARY)}
    own = [(row, row) for row in number.values()]
    before = [(number[after], number[token]) for token, after in pairwise(chain)]
    return [
        _rows("token_embd.weight", 1.0, own),
        _rows("output.weight", _SURE, before),
        _ones("output_norm.weight"),
        _ones("blk.0.attn_norm.weight"),
        _ones("blk.0.ffn_norm.weight"),
        *(_noise(f"blk.0.attn_{part}.weight", WIDTH, WIDTH, chance) for part in ("q", "k", "v", "output")),
        _noise("blk.0.ffn_gate.weight", WIDTH, HIDDEN, chance),
        _noise("blk.0.ffn_up.weight", WIDTH, HIDDEN, chance),
        _noise("blk.0.ffn_down.weight", HIDDEN, WIDTH, chance),
    ]


def _rows(name: str, value: float, places: Iterable[tuple[int, int]]) -> Tensor:
    """One row a token, all 0 but ``value`` at these places in these rows."""
    values = array("f", bytes(4 * WIDTH * len(VOCABULARY)))
    for row, place in places:
        values[row * WIDTH + place] = value
    return Tensor(name, (WIDTH, len(VOCABULARY)), values)


def _ones(name: str) -> Tensor:
    return Tensor(name, (WIDTH,), array("f", [1.0] * WIDTH))


def _noise(name: str, inputs: int, outputs: int, chance: random.Random) -> Tensor:
    values = array("f", (chance.gauss(0, 0.01) for _ in range(inputs * outputs)))
    return Tensor(name, (inputs, outputs), values)
