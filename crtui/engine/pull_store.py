"""The models that people asked for and that have not come yet, kept over a restart or a kill."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import orjson

from crtui.engine.state_dir import write_private

FILE: Final = "pulls.json"
_FORMAT: Final = 1

Asked = Mapping[str, tuple[str, ...]]
"""By provider."""


class PullStore:
    """``<state-dir>/pulls.json``: ``{"format": 1, "asked": {"ollama": ["qwen3:4b"]}}``."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def read(self) -> Asked:
        """What was kept; nothing where there is no such file, or it cannot be read."""
        try:
            data: Any = orjson.loads(self._file.read_bytes())
            if data["format"] != _FORMAT:
                return {}
            return {name: _models(models) for name, models in data["asked"].items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return {}

    def write(self, asked: Asked) -> None:
        """Keep this. Blocks. Raises ``OSError``."""
        kept = {name: models for name, models in asked.items() if models}
        if kept:
            write_private(self._file, orjson.dumps({"format": _FORMAT, "asked": kept}))
        else:
            self._file.unlink(missing_ok=True)


def _models(value: object) -> tuple[str, ...]:
    rows = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(row for row in rows if isinstance(row, str))
