"""What people said of models and what is still true of it, kept over a restart or a kill."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

import orjson

from crtui.engine.state_dir import write_private

FILE: Final = "pulls.json"
_FORMAT: Final = 1

Models = Mapping[str, tuple[str, ...]]
"""By provider."""
_NONE: Final[Models] = MappingProxyType({})


class Wishes(NamedTuple):
    """``asked`` for, and not come yet; ``cancelled``, and not to be fetched for being declared."""

    asked: Models = _NONE
    cancelled: Models = _NONE


class PullStore:
    """``<state-dir>/pulls.json``: ``{"format": 1, "asked": {"ollama": ["qwen3:4b"]}, "cancelled": {}}``.

    Files from before models could stay cancelled have no ``cancelled``.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def read(self) -> Wishes:
        """What was kept; nothing where there is no such file, or it cannot be read."""
        try:
            data: Any = orjson.loads(self._file.read_bytes())
            if data["format"] != _FORMAT:
                return Wishes()
            return Wishes(_by_provider(data["asked"]), _by_provider(data.get("cancelled", {})))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return Wishes()

    def write(self, wishes: Wishes) -> None:
        """Keep this. Blocks. Raises ``OSError``."""
        asked, cancelled = (
            {name: models for name, models in kept.items() if models}
            for kept in (wishes.asked, wishes.cancelled)
        )
        if asked or cancelled:
            rows = {"format": _FORMAT, "asked": asked, "cancelled": cancelled}
            write_private(self._file, orjson.dumps(rows))
        else:
            self._file.unlink(missing_ok=True)


def _by_provider(value: Any) -> Models:
    return {name: found for name, models in value.items() if (found := _models(models))}


def _models(value: object) -> tuple[str, ...]:
    rows = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(row for row in rows if isinstance(row, str))
