"""What the doctor found: one check after another, and the verdict they add up to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Status = Literal["ok", "note", "warn", "fail"]
"""``note``: could not be checked, or is no fault; ``fail``: the provider cannot work like this."""

Verdict = Literal["works", "works, with a warning", "cannot work"]

_VERDICTS: Final[dict[Status, Verdict]] = {"warn": "works, with a warning", "fail": "cannot work"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. ``mend`` is what to write or run so that it holds; both texts are safe to show."""

    name: str
    status: Status
    said: str
    mend: str | None = None

    def to_json(self) -> dict[str, object]:
        """For ``--json``."""
        return {"check": self.name, "status": self.status, "detail": self.said, "mend": self.mend}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found out about one provider."""

    provider: str
    kind: str
    base_url: str
    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        """The worst of all checks, which a note is not."""
        found = {check.status for check in self.checks}
        return "fail" if "fail" in found else "warn" if "warn" in found else "ok"

    @property
    def verdict(self) -> Verdict:
        """What it comes to."""
        return _VERDICTS.get(self.status, "works")

    def to_json(self) -> dict[str, object]:
        """For ``--json``."""
        return {
            "provider": self.provider,
            "kind": self.kind,
            "base_url": self.base_url,
            "verdict": self.verdict,
            "checks": [check.to_json() for check in self.checks],
        }
