"""The errors a person may see. Each is one clear line that says what to do about it."""

from __future__ import annotations

from typing import Final

INTERNAL_ERROR: Final = 70
"""The exit status where the program itself has failed (sysexits.h)."""


class CrtuiError(Exception):
    """A fault with a remedy, printed as one line on stderr; never a traceback.

    ``exit_code`` is the process's exit status where the command ends by it.
    """

    exit_code = 2


class ConfigError(CrtuiError):
    """A config that cannot be used. The message names file, line, key and remedy."""


class TraceError(CrtuiError):
    """A trace that cannot be replayed. The message names the line."""


class NoGatewayError(CrtuiError):
    """No gateway answers at an address."""

    exit_code = 3


def origin(error: BaseException) -> str:
    """The kind of an exception and where it was raised, for a report; its own text may quote anything."""
    # Every command needs this module, and hardly one has such a fault.
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" in {frame[0].filename.rpartition('/')[2]}:{frame[0].lineno}" if frame else ""
    return f"{type(error).__name__}{place}"
