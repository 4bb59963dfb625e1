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
