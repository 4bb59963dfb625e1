"""Where a key comes from: other tools' files may hold it in plain, a config here never does."""

from __future__ import annotations

import re
from typing import Final

from crtui.config.importers.draft import Table
from crtui.config.kinds import KINDS

_VARIABLE: Final = re.compile(r"(?:os\.environ/|\$\{?)([A-Za-z_][A-Za-z0-9_]*)\}?")


def put_key(table: Table, given: object, usual: str | None = None) -> None:
    """Name the variable that holds the key: the one the file names, else ``usual``, else one made up.

    ``given`` is the file's value, which is looked at and never kept.
    """
    text = given.strip() if isinstance(given, str) else ""
    named = _VARIABLE.fullmatch(text)
    if named is not None:
        table.values["api_key_env"] = named[1]
    elif text or usual:
        variable = usual or _made_up(table.values["name"])
        table.values["api_key_env"] = variable
        if text:
            table.notes.append(f"its key stands in the file in plain and is not copied; export {variable}")
    else:
        table.values["auth"] = "none"


def usual_variable(kind: str) -> str | None:
    """The variable that a vendor's own tools read."""
    return next((facts.key_env for name, facts in KINDS.items() if name == kind), None)


def _made_up(name: str) -> str:
    word = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "PROVIDER"
    return f"{'_' if word[0].isdigit() else ''}{word}_API_KEY"
