"""Who needs a gateway that ``crtui run`` has started: a lock that all of them share.

The kernel lifts a share when its holder ends, however it ends. Whoever has the lock alone knows that
nobody needs the gateway any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from crtui.config.fields import Address
from crtui.engine.state_dir import StateDir


class Lease:
    """A share in the gateway at one address, among those that use one state directory."""

    def __init__(self, path: Path) -> None:
        """Raises ``OSError``."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    @classmethod
    def of(cls, state: StateDir, address: Address) -> Self | None:
        """The lease of an address; None where it is of no use, or cannot be had."""
        if state.notice is not None or address.port == 0:
            return None
        with contextlib.suppress(OSError):
            return cls(state.path / f"run-{address.host}-{address.port}.lock")
        return None

    def share(self) -> None:
        """Take a share; waits for a gateway that is ending."""
        with contextlib.suppress(OSError):
            fcntl.flock(self._fd, fcntl.LOCK_SH)

    def alone(self) -> bool:
        """Whether nobody else has a share; if so, nobody gets one until this is closed."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def await_end(self) -> None:
        """Block until nobody has a share; from then on nobody gets one until this process ends."""
        with contextlib.suppress(OSError):
            fcntl.flock(self._fd, fcntl.LOCK_EX)

    def close(self) -> None:
        """Give it back."""
        os.close(self._fd)


@contextmanager
def one_at_a_time(state: StateDir) -> Generator[None]:
    """Wait until no other process is in here with the same state directory."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            fd = os.open(state.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, fd)
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
