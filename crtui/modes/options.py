"""The options every command shares, and the places they lead to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """What stood on the command line."""

    config: Path | None = None
    listen: str | None = None
    profile: str | None = None
    state_dir: Path | None = None
    no_color: bool = False
    ascii: bool = False
    read_only: bool = False
    strip: bool = False

    @property
    def state_path(self) -> Path:
        """``--state-dir``, else ``$CRTUI_STATE_DIR``, else the platform's state directory."""
        if self.state_dir is not None:
            return self.state_dir
        named = os.environ.get("CRTUI_STATE_DIR")
        if named:
            return Path(named)
        from platformdirs import user_state_path

        return user_state_path("crtui", appauthor=False)
