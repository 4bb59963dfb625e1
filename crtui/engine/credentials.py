"""Which providers have another credential than at the last start, told without keeping a key."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from crtui.engine.state_dir import write_private
from crtui.providers.provider import Provider

FILE: Final = "credentials.json"
_SALT_BYTES: Final = 32


class Credentials:
    """A digest of each provider's address, way to authorise and key, in the state directory.

    It is keyed with a random value of that directory, so it says nothing of a key to whoever has
    not both; neither is in the journal, a trace or an export.
    """

    def __init__(self, folder: Path, providers: Mapping[str, Provider]) -> None:
        self._file = folder / FILE
        salt, known = self._read()
        self._salt = salt or secrets.token_bytes(_SALT_BYTES)
        self._digests = {name: self._digest(provider) for name, provider in providers.items()}
        self.changed = frozenset(
            name for name, digest in self._digests.items() if known.get(name, digest) != digest
        )
        """The providers whose credential is another one; those that are new are not among them."""

    def keep(self) -> None:
        """Remember those of today. Where they cannot be written, the next start sees no change."""
        data = {"salt": self._salt.hex(), "digests": self._digests}
        with contextlib.suppress(OSError):
            write_private(self._file, orjson.dumps(data))

    def _digest(self, provider: Provider) -> str:
        key = "" if provider.secret is None else provider.secret.reveal()
        parts = (provider.base_url, provider.api_prefix, provider.auth, key)
        return hmac.new(self._salt, "\0".join(parts).encode(), hashlib.sha256).hexdigest()

    def _read(self) -> tuple[bytes, Mapping[str, Any]]:
        try:
            data = orjson.loads(self._file.read_bytes())
            return bytes.fromhex(data["salt"]), dict(data["digests"])
        except (OSError, LookupError, TypeError, ValueError):
            return b"", {}
