"""How full this machine's memory is, for servers on it that do not tell their own."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, Final

from crtui.core.inputs import MemoryReport, ModelReport
from crtui.core.now import SECOND

FRESH_MS: Final = 2 * SECOND
"""Providers that are polled together share one reading."""


@dataclass(frozen=True, slots=True)
class MachineMemory:
    """The main memory, and that of all NVIDIA GPUs together; None where there is none or it is not told."""

    main: MemoryReport | None = None
    gpus: MemoryReport | None = None

    def behind(self, models: Sequence[ModelReport] | None) -> MemoryReport | None:
        """Which of the two these models run on: the GPUs, unless none of those loaded is on one."""
        loaded = [model.vram_bytes for model in models or () if model.loaded]
        if self.gpus is None or (loaded and all(vram == 0 for vram in loaded)):
            return self.main
        return self.gpus


class Gpus:
    """All NVIDIA GPUs, by a library like nvidia-ml-py's; none where the library or the driver is missing."""

    def __init__(self, library: Any = None) -> None:
        """``library`` is looked for only when first needed, if it is not given."""
        self._library = library

    def read(self) -> MemoryReport | None:
        """Bytes used and present over all of them; None where one does not tell. Blocks."""
        try:
            told = [self._library.nvmlDeviceGetMemoryInfo(device) for device in self._devices]
        except Exception:
            # Every fault of the library is one class of its own, which may not even be there.
            return None
        if not told:
            return None
        return MemoryReport(sum(int(one.used) for one in told), sum(int(one.total) for one in told))

    @cached_property
    def _devices(self) -> list[Any]:
        """Found once: where there is no driver now, looking again would cost as much every time."""
        with contextlib.suppress(Exception):
            self._library = self._library or _nvidia()
            self._library.nvmlInit()
            count = self._library.nvmlDeviceGetCount()
            return [self._library.nvmlDeviceGetHandleByIndex(i) for i in range(count)]
        return []


class Machine:
    """Readings on a thread, one at a time. Belongs to one event loop."""

    def __init__(self, gpus: Gpus | None = None) -> None:
        self._gpus = gpus or Gpus()
        self._lock = asyncio.Lock()
        self._last = MachineMemory()
        self._fresh_until = 0

    async def read(self, mono: int) -> MachineMemory:
        """The memory at a monotonic time in milliseconds, or at most two seconds before."""
        async with self._lock:
            if mono >= self._fresh_until:
                self._last = await asyncio.to_thread(self._read)
                self._fresh_until = mono + FRESH_MS
        return self._last

    def _read(self) -> MachineMemory:
        return MachineMemory(_main_memory(), self._gpus.read())


def _nvidia() -> Any:
    """The library, only where the driver is: it takes 2 MiB to say that there is none. Raises ``OSError``."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL("libnvidia-ml.so.1")
    return import_module("pynvml")


def _main_memory() -> MemoryReport | None:
    # Imported late: it costs 10 ms, and most gateways have no server on their own machine.
    import psutil

    try:
        memory = psutil.virtual_memory()
    except (OSError, RuntimeError):
        return None
    # What caches hold is given up when needed, so it is not in use.
    return MemoryReport(memory.total - memory.available, memory.total)
