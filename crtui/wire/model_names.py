"""Whether two names are of one model: vendors answer an alias by the full name, in an order of their own."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_RELEASE: Final = re.compile(r"[-@:_.](?:20\d\d-?\d\d-?\d\d|\d{4}|latest)$")
"""The date of a release, or that it is the newest."""
_WORD: Final = re.compile(r"[a-z0-9]+")


@lru_cache(maxsize=256)
def is_another(sent: str, answered: str) -> bool:
    """Whether the model that answered is not the one that was sent for."""
    return sent != answered and _words(sent) != _words(answered)


def _words(name: str) -> list[str]:
    """What a name says of the model itself, without its vendor and its release."""
    return sorted(_WORD.findall(_RELEASE.sub("", name.lower().rpartition("/")[2])))
