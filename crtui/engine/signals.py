"""``runtime/<provider>.json``: what was last heard of each provider, for other programs to read.

Keys and statuses are those of fizeau's runtime signals, so that what reads one reads the other:
times are RFC 3339, the latency is integer nanoseconds, and what is unknown is left out. A signal
holds for five minutes after ``recorded_at``; a reader decides what an older one is worth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast, get_args

import orjson

from crtui.clock import Clock
from crtui.core.inputs import Poll
from crtui.core.now import MINUTE, SECOND, stamp, unstamp
from crtui.core.views import ProviderView, SignalStatus
from crtui.engine.notices import Notices
from crtui.engine.state_dir import write_private
from crtui.text import scrub

FOLDER: Final = "runtime"
TTL_MS: Final = 5 * MINUTE
WRITE_EVERY_MS: Final = 2 * SECOND
MAX_BYTES: Final = 64 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_NS_PER_MS: Final = 1_000_000
_TIMES: Final = ("quota_reset_at", "last_success_at", "last_error_at", "recorded_at")
_COUNTS: Final = ("quota_remaining", "recent_p50_latency_ns")


@dataclass(frozen=True, slots=True)
class Signal:
    """One provider's file. Times are wall milliseconds; None is unknown."""

    provider: str
    status: SignalStatus = "unknown"
    quota_remaining: int | None = None
    quota_reset_at: int | None = None
    recent_p50_latency_ns: int | None = None
    last_success_at: int | None = None
    last_error_at: int | None = None
    last_error_msg: str = ""
    recorded_at: int | None = None

    def fresh(self, wall: int) -> bool:
        """Whether it holds at a wall time. One from the future does not."""
        return self.recorded_at is not None and 0 <= wall - self.recorded_at < TTL_MS

    def to_json(self) -> dict[str, object]:
        """The file's content."""
        known: dict[str, object] = {"provider": self.provider, "status": self.status}
        known |= {key: getattr(self, key) for key in _COUNTS}
        known |= {key: None if (at := getattr(self, key)) is None else stamp(at) for key in _TIMES}
        known["last_error_msg"] = self.last_error_msg or None
        return {key: value for key, value in known.items() if value is not None}


def signal_of(row: ProviderView, before: Signal | None, wall: int) -> Signal:
    """What a provider's row says of it at ``wall``.

    ``before`` is the last one, for what a row does not keep.
    """
    error, latency = row.health.last_error, row.latency.p50_ms
    status, heard = row.signal.status, row.signal.recorded_at
    left = [window.remaining for window in row.quota.windows if window.remaining is not None]
    resets = [at for window in row.quota.windows if (at := window.resets_at) is not None and at > wall]
    last = [at for at in (heard, None if error is None else error.at) if at is not None]
    return Signal(
        row.name,
        status,
        0 if status == "exhausted" else int(min(left)) if left else None,
        row.quota.retry_after if row.quota.retry_after is not None else min(resets, default=None),
        None if latency is None else round(latency * _NS_PER_MS),
        heard if status == "available" else before.last_success_at if before else None,
        None if error is None else error.at,
        "" if error is None else error.message,
        max(last, default=wall),
    )


def after_poll(poll: Poll, before: Signal | None, wall: int) -> Signal:
    """What a poll of its free endpoints makes of a provider's signal."""
    known = before or Signal(poll.provider)
    if not poll.ok:
        words = {"last_error_at": wall, "last_error_msg": poll.error}
        status = "exhausted" if known.status == "exhausted" and known.fresh(wall) else "degraded"
        return replace(known, status=status, recorded_at=wall, **words)
    spent = any(window.spent for window in poll.windows)
    return replace(
        known, status="exhausted" if spent else "available", last_success_at=wall, recorded_at=wall
    )


class SignalFiles:
    """The signals of one state directory. Names of providers are the only way to a file."""

    def __init__(self, state: Path) -> None:
        self.folder = state / FOLDER

    def path(self, provider: str, end: str = ".json") -> Path:
        """Where a provider's signal is. Raises ``ValueError`` for what is no provider's name."""
        if _NAME.fullmatch(provider) is None:
            raise ValueError(f"{provider!r:.80} is no provider's name")
        return self.folder / (provider + end)

    def read(self, provider: str) -> Signal | None:
        """The last signal, however old; None where there is none that can be read."""
        try:
            with self.path(provider).open("rb") as file:
                return _from_json(provider, orjson.loads(file.read(MAX_BYTES)))
        except (OSError, ValueError, LookupError, TypeError, OverflowError, AttributeError):
            return None

    def write(self, signal: Signal) -> None:
        """Replace a provider's signal in one step. Raises ``OSError``."""
        path = self.path(signal.provider)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, orjson.dumps(signal.to_json(), option=orjson.OPT_APPEND_NEWLINE), sync=False)


class SignalWriter:
    """Writes what changed, on the keeper's thread, a provider at most every two seconds."""

    def __init__(self, files: SignalFiles, clock: Clock, notices: Notices) -> None:
        self._files = files
        self._clock = clock
        self._notices = notices
        self._waiting: dict[str, ProviderView] = {}
        self._written: dict[str, tuple[int, Signal | None]] = {}

    def offer(self, rows: Iterable[ProviderView]) -> None:
        """Have these rows written; a newer one of the same provider takes its place. On any thread."""
        self._waiting.update((row.name, row) for row in rows)

    def turn(self) -> None:
        """Write those whose time has come."""
        now = self._clock.now()
        for name in list(self._waiting):
            last = self._written.get(name)
            if last is None or now.mono - last[0] >= WRITE_EVERY_MS:
                self._write(self._waiting.pop(name), now.mono, now.wall)

    def close(self) -> None:
        """Write everything that waits."""
        self._written = {name: (-WRITE_EVERY_MS, signal) for name, (_, signal) in self._written.items()}
        self.turn()

    def _write(self, row: ProviderView, mono: int, wall: int) -> None:
        before = self._written[row.name][1] if row.name in self._written else self._files.read(row.name)
        signal = signal_of(row, before, wall)
        self._written[row.name] = (mono, signal)
        if signal != before:
            try:
                self._files.write(signal)
            except (FileExistsError, NotADirectoryError):
                self._notices.put(
                    "signals", f"signals are not kept: {self._files.folder} is no directory; remove it"
                )
            except OSError:
                return  # the journal's notice says why
            else:
                self._notices.put("signals", None)


def _from_json(provider: str, data: Any) -> Signal | None:
    """A file's content; None, or any of the errors of looking into it, where it makes no sense."""
    found = cast("dict[str, Any]", data)
    if found["provider"] != provider or found["status"] not in get_args(SignalStatus):
        return None
    counts = {key: value for key in _COUNTS if type(value := found.get(key)) is int}
    times = {key: unstamp(found[key]) for key in _TIMES if key in found}
    message = scrub(str(found.get("last_error_msg", "")))
    return Signal(
        provider,
        found["status"],
        **counts,
        **times,
        last_error_msg=message,
    )
