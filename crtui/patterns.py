"""Regular expressions for texts from outside, none of which makes them run long."""

from __future__ import annotations

import importlib
from typing import Any


class Pattern:
    """A regular expression in the syntax of RE2, which never backtracks.

    Time grows with the length of the text alone, whatever the expression. The price is that
    look-around and back-references are not known, and that ``\\w``, ``\\d`` and ``\\b`` are of ASCII.
    """

    __slots__ = ("_compiled", "text")

    def __init__(self, text: str) -> None:
        """Raises ``ValueError`` with what is wrong with it."""
        # Most configs have no pattern, and go without its 3 MiB.
        re2: Any = importlib.import_module("re2")
        options = re2.Options()
        options.log_errors = False
        self.text = text
        try:
            self._compiled: Any = re2.compile(text, options)
        except re2.error as error:
            [reason] = error.args
            raise ValueError(
                reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
            ) from None

    def search(self, text: str) -> bool:
        """Whether some part of the text matches."""
        return self._compiled.search(text.encode("utf-8", "replace")) is not None

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self) -> tuple[type[Pattern], tuple[str]]:
        return Pattern, (self.text,)
