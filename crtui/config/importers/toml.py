"""Plain values as TOML, on one line each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, cast

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def value(given: object) -> str:
    """A string, number, truth, list or table as TOML writes it."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, int | float):
        return repr(given)
    if isinstance(given, Mapping):
        items = cast("Mapping[str, object]", given).items()
        return "{ " + ", ".join(f"{key(name)} = {value(inner)}" for name, inner in items) + " }"
    if isinstance(given, Sequence) and not isinstance(given, str):
        return "[" + ", ".join(map(value, cast("Sequence[object]", given))) + "]"
    return _string(str(given))


def key(name: str) -> str:
    """A key, in quotes where it needs them."""
    return name if _BARE.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    # JSON escapes as TOML does, but for DEL; half a surrogate pair is in neither.
    whole = text.encode("utf-8", "replace").decode()
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")
