"""Another tool's config as plain values: YAML, and JSON with the comments and commas people add."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import yaml

from crtui.config.find import MAX_BYTES, decode
from crtui.config.importers.look import Data, table
from crtui.errors import ConfigError

_COMMENT: Final = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


def read(data: bytes, name: str) -> Data:
    """The table a file holds. Raises ``ConfigError``."""
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{name}: is larger than 1 MiB, which no config is; name another file")
    text = decode(data, Path(name))
    if text.lstrip().startswith(("{", "/")):
        # JSON is YAML but for its tabs, and YAML takes a comma after the last item.
        text = _COMMENT.sub(lambda found: found[1] or " ", text).replace("\t", " ")
    try:
        found = table(yaml.safe_load(text))
    except yaml.MarkedYAMLError as fault:
        line = "" if fault.problem_mark is None else f":{fault.problem_mark.line + 1}"
        raise ConfigError(f"{name}{line}: {fault.problem or 'is not YAML'}; correct the file") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise ConfigError(f"{name}: is neither YAML nor JSON; name the tool's config file") from None
    if not found:
        raise ConfigError(f"{name}: holds no table of settings; name the tool's config file")
    return found
