"""The tiny model as a checkpoint in Hugging Face's layout, as vLLM loads it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tests.real_servers import safetensors, tiny_model
from tests.real_servers.tiny_model import END, HIDDEN, SPACE, START, VOCABULARY, WIDTH

_OUTER: Final = {
    "token_embd": "model.embed_tokens",
    "output": "lm_head",
    "output_norm": "model.norm",
}
_INNER: Final = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""What GGUF calls each part of the model, and what a checkpoint does."""


def write(folder: Path, *, context: int, endless: bool = False) -> None:
    """Write the files of a checkpoint into a folder. ``context`` is in tokens."""
    named = [replace(tensor, name=_name(tensor.name)) for tensor in tiny_model.tensors(endless=endless)]
    safetensors.write(folder / "model.safetensors", named)
    files = {
        "config.json": _config(context),
        "tokenizer.json": _tokenizer(),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": START,
            "eos_token": END,
            "chat_template": tiny_model.TEMPLATE,
            "model_max_length": context,
        },
    }
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value))


def _name(name: str) -> str:
    part = name.removeprefix("blk.0.").removesuffix(".weight")
    return f"{_OUTER[part] if part in _OUTER else f'model.layers.0.{_INNER[part]}'}.weight"


def _config(context: int) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": WIDTH,
        "intermediate_size": HIDDEN,
        "num_hidden_layers": 1,
        # Attention on a processor needs heads of at least this width.
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
        "head_dim": WIDTH,
        "vocab_size": len(VOCABULARY),
        "max_position_embeddings": context,
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "dtype": "float32",
        "bos_token_id": VOCABULARY.index(START),
        "eos_token_id": VOCABULARY.index(END),
        "tie_word_embeddings": False,
    }


def _tokenizer() -> dict[str, Any]:
    bytewise = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "added_tokens": [
            {"id": VOCABULARY.index(token), "content": token, **special} for token in (START, END)
        ],
        "pre_tokenizer": bytewise,
        "decoder": bytewise,
        "model": {
            "type": "BPE",
            "vocab": {token: number for number, token in enumerate(VOCABULARY)},
            "merges": [[SPACE, SPACE]],
        },
    }
