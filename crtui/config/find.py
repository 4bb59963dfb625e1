"""Where the config is, and its text. Costs no pydantic, so a first frame need not wait for it."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import platformdirs

from crtui.errors import ConfigError

MAX_BYTES: Final = 1024 * 1024

_FOREIGN_MARKS: Final = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def default_path() -> Path:
    """The config's place in the platform's config directory."""
    return Path(platformdirs.user_config_dir("crtui", appauthor=False)) / "config.toml"


def find_config(explicit: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The config to read: ``explicit``, else ``$CRTUI_CONFIG``, else the default place if it holds one.

    One that was asked for is returned even if it does not exist: reading it then says so.
    """
    if explicit is not None:
        return explicit
    if named := environ.get("CRTUI_CONFIG"):
        return Path(named)
    usual = default_path()
    return usual if usual.exists() else None


def read_text(path: Path) -> str:
    """The config's text, without a byte-order mark. Raises ``ConfigError``."""
    return decode(_read_bytes(path), path)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; write one with `crtui init`") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a directory; name the file in it") from None
    except PermissionError:
        raise ConfigError(f"{path}: may not be read; check its owner and mode") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise ConfigError(f"{path}: cannot be read ({reason}); name another file") from None
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path}: is larger than 1 MiB, which no config is; name another file")
    return data


def decode(data: bytes, path: Path) -> str:
    """The text of a config's bytes: UTF-8, a byte-order mark is dropped. Raises ``ConfigError``."""
    for mark, name in _FOREIGN_MARKS.items():
        if data.startswith(mark):
            raise ConfigError(f"{path}:1: is {name}; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wrong = data[error.start]
        raise ConfigError(f"{path}:{line}: byte 0x{wrong:02x} is not UTF-8; save the file as UTF-8") from None
