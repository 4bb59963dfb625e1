"""Writes GGUF, the file a llama.cpp model comes in: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from tests.real_servers.tensors import Tensor

_VERSION: Final = 3
_ALIGNMENT: Final = 32
_UINT32, _INT32, _FLOAT32, _STRING, _ARRAY = 4, 5, 6, 8, 9
_TENSOR_F32: Final = 0

Value = int | float | str | list[str] | list[int]


def write(path: Path, metadata: Mapping[str, Value], tensors: Iterable[Tensor]) -> None:
    """Write a whole file. Numbers and strings of the metadata take the type their Python type stands for."""
    tensors = list(tensors)
    head = b"GGUF" + struct.pack("<IQQ", _VERSION, len(tensors), len(metadata))
    head += b"".join(_text(key) + _typed(value) for key, value in metadata.items())
    data = bytearray()
    for tensor in tensors:
        head += _text(tensor.name) + struct.pack("<I", len(tensor.shape))
        head += struct.pack(f"<{len(tensor.shape)}QIQ", *tensor.shape, _TENSOR_F32, len(data))
        data += _padded(tensor.values.tobytes())
    path.write_bytes(_padded(head) + data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _typed(value: Value) -> bytes:
    match value:
        case int():
            return struct.pack("<II", _UINT32, value)
        case float():
            return struct.pack("<If", _FLOAT32, value)
        case str():
            return struct.pack("<I", _STRING) + _text(value)
        case [str(), *_]:
            texts = b"".join(_text(str(item)) for item in value)
            return struct.pack("<IIQ", _ARRAY, _STRING, len(value)) + texts
        case _:
            return struct.pack(f"<IIQ{len(value)}i", _ARRAY, _INT32, len(value), *map(int, value))
