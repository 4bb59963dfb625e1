"""The state directory: private to its owner, and never a reason not to start."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from crtui import secret
from crtui.errors import CrtuiError
from crtui.secret import Secret, SecretError

TOKEN_FILE: Final = "token"


class StateDir:
    """``<state-dir>``: directories 0700, files 0600, whatever the umask.

    Where the directory cannot be used, ``notice`` says so in one line and everything that would
    have been kept lives in memory for this run. One that belongs to another user, or that another's
    link leads to, is not used: what stands in it would be theirs, or become it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notice: str | None = None
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(found.st_uid != os.geteuid() for found in (path.lstat(), path.stat())):
                raise PermissionError(1, "belongs to another user")
            path.chmod(0o700)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(13, "not writable")
        except OSError as fault:
            self.notice = f"not saving: {path}: {fault.strerror or fault}; choose another with --state-dir"

    def token(self) -> str:
        """The control token: read, or made at first start and kept 0600."""
        file = self.path / TOKEN_FILE
        with contextlib.suppress(SecretError):
            return secret.from_file(str(file.absolute())).reveal()
        made = secrets.token_urlsafe(32)
        if self.notice is None:
            try:
                write_private(file, made.encode("ascii"))
            except OSError as fault:
                self.notice = (
                    f"not saving: {file}: {fault.strerror or fault}; choose another with --state-dir"
                )
        return made


class TokenFile:
    """Keeps the control token of a running gateway in its file: who removes that locks nobody out."""

    def __init__(self, state: StateDir, token: str) -> None:
        self._file = state.path / TOKEN_FILE
        self._token = token.encode("ascii")

    def turn(self) -> None:
        """Make the file again where it is gone."""
        with contextlib.suppress(OSError):
            if not self._file.exists():
                self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_private(self._file, self._token)

    def close(self) -> None:
        """Nothing is left to write."""


def read_token(path: Path) -> Secret:
    """The control token that a gateway of this state directory made. Raises ``CrtuiError``."""
    file = path / TOKEN_FILE
    if not file.exists():
        raise CrtuiError(
            f"no control token at {file}: start the gateway first, "
            "or name its directory with --state-dir, or set the gateway's own token"
        )
    return secret.from_file(str(file.absolute()))


def write_private(file: Path, data: bytes, *, sync: bool = True) -> None:
    """Write a file that is 0600 from its first byte, and whole or not there at all. Raises ``OSError``.

    Without ``sync`` a power cut may leave an empty one.
    """
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(data)
            if sync:
                out.flush()
                os.fsync(out.fileno())
        new.replace(file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
