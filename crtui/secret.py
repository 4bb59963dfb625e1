"""Keys: where they come from, and a type that cannot be printed by accident."""

from __future__ import annotations

import importlib
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from crtui.errors import CrtuiError

MAX_FILE_BYTES: Final = 16 * 1024
LABEL_FROM: Final = 20
"""A shorter secret shows nothing of itself: four characters would be too large a part."""

KEYRING_SERVICE: Final = "crtui"


class SecretError(CrtuiError):
    """A key that cannot be had. The message names the place and the remedy, never the key."""


class Secret:
    """A key or token. Only ``reveal`` gives it out; printing, formatting and copying do not."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for a request's header only."""
        return self._value

    @property
    def label(self) -> str:
        """What may be shown of it: the last four characters, of a long one only."""
        return f"…{self._value[-4:]}" if len(self._value) >= LABEL_FROM else "…"

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is neither copied nor stored")


def from_env(variable: str, environ: Mapping[str, str]) -> Secret:
    """The key in an environment variable. Raises ``SecretError``."""
    value = environ.get(variable)
    if value is None:
        raise SecretError(f"{variable} is not set; export it")
    return _checked(value, f"the value of {variable}")


def from_file(path: str) -> Secret:
    """The key in a file, ``~`` expanded, less one newline at its end. Raises ``SecretError``."""
    try:
        place = Path(path).expanduser()
        if not stat.S_ISREG(place.stat().st_mode):
            raise SecretError(f"{path} is not a regular file; name the file that holds the key")
        with place.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "no home directory"
        raise SecretError(f"{path} cannot be read ({reason}); check the path and its owner") from None
    if len(data) > MAX_FILE_BYTES:
        raise SecretError(f"{path} is too large for a key; name the file that holds only the key")
    return _checked(data.decode("utf-8", "replace"), f"the text of {path}")


def exposed(path: str) -> str | None:
    """A warning with the octal mode if others may read a key file, else None."""
    try:
        mode = stat.S_IMODE(Path(path).expanduser().stat().st_mode)
    except (OSError, RuntimeError):
        return None
    return f"{path} has mode {mode:04o}, so others can read it; run chmod 600" if mode & 0o077 else None


def from_keyring(name: str) -> Secret:
    """The key that the system keyring holds for a provider. Raises ``SecretError``."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise SecretError("keyring support is missing; pip install keyring, or use api_key_env") from None
    try:
        value = keyring.get_password(KEYRING_SERVICE, name)
    except keyring.errors.KeyringError as error:
        reason = type(error).__name__
        raise SecretError(f"the system keyring refused ({reason}); unlock it, or use api_key_env") from None
    if value is None:
        raise SecretError(f"the system keyring has no key; run keyring set {KEYRING_SERVICE} {name}")
    return _checked(str(value), "the keyring's entry")


def _checked(value: str, place: str) -> Secret:
    value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SecretError(f"{place} is empty; put the key there")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise SecretError(f"{place} is not a key: it has spaces, line breaks or non-ASCII characters")
    return Secret(value)
