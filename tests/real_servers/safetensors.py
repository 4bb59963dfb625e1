"""Writes safetensors, the file a checkpoint's numbers come in: https://github.com/huggingface/safetensors."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from tests.real_servers.tensors import Tensor

_ALIGNMENT: Final = 8


def write(path: Path, tensors: Iterable[Tensor]) -> None:
    """Write a whole file."""
    header: dict[str, Any] = {}
    data = bytearray()
    for tensor in tensors:
        start = len(data)
        data += tensor.values.tobytes()
        shape = list(reversed(tensor.shape))
        header[tensor.name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
