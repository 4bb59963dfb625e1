"""This machine's memory: the real main memory, and GPUs of a library that is made up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from crtui.core.inputs import MemoryReport, ModelReport
from crtui.providers.machine import FRESH_MS, Gpus, Machine, MachineMemory

MAIN, GPUS = MemoryReport(6, 16), MemoryReport(20, 24)


@dataclass
class Info:
    used: int
    total: int


@dataclass
class Library:
    """What is used of nvidia-ml-py, with as many GPUs as are given; ``fault`` is raised by that function."""

    infos: list[Info] = field(default_factory=list)
    fault: str = ""
    started: int = 0

    def _go(self, function: str) -> None:
        if function == self.fault:
            raise RuntimeError(function)

    def nvmlInit(self) -> None:  # noqa: N802
        self.started += 1
        self._go("nvmlInit")

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.infos)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetMemoryInfo(self, device: int) -> Info:  # noqa: N802
        self._go("nvmlDeviceGetMemoryInfo")
        return self.infos[device]


def test_all_gpus_count_together() -> None:
    assert Gpus(Library([Info(3, 8), Info(1, 24)])).read() == MemoryReport(4, 32)


@pytest.mark.parametrize("fault", ["nvmlInit", "nvmlDeviceGetMemoryInfo"])
def test_gpus_that_do_not_tell_are_unknown(fault: str) -> None:
    assert Gpus(Library([Info(3, 8)], fault)).read() is None
    assert Gpus(Library()).read() is None


def test_a_missing_driver_is_looked_for_once() -> None:
    library = Library([Info(3, 8)], "nvmlInit")
    gpus = Gpus(library)
    assert [gpus.read(), gpus.read()] == [None, None]
    assert library.started == 1


LOADED, ON_CPU, UNKNOWN = (
    ModelReport("a", True, None, 5),
    ModelReport("b", True, None, 0),
    ModelReport("c", True),
)


@pytest.mark.parametrize(
    ("memory", "models", "behind"),
    [
        (MachineMemory(MAIN, GPUS), (), GPUS),
        (MachineMemory(MAIN, GPUS), None, GPUS),
        (MachineMemory(MAIN, GPUS), (LOADED, ON_CPU), GPUS),
        (MachineMemory(MAIN, GPUS), (UNKNOWN,), GPUS),
        (MachineMemory(MAIN, GPUS), (ON_CPU, ModelReport("d", False)), MAIN),
        (MachineMemory(MAIN), (LOADED,), MAIN),
        (MachineMemory(), (), None),
    ],
)
def test_models_run_on_the_gpus_unless_none_of_those_loaded_does(
    memory: MachineMemory, models: tuple[ModelReport, ...] | None, behind: MemoryReport | None
) -> None:
    assert memory.behind(models) == behind


async def test_the_main_memory_is_read_and_shared_for_two_seconds() -> None:
    machine = Machine(Gpus(Library([Info(3, 8)])))
    first, same = await asyncio.gather(machine.read(0), machine.read(FRESH_MS - 1))
    later = await machine.read(FRESH_MS)
    assert first is same
    assert later is not first
    assert first.main is not None
    assert 0 < first.main.used < first.main.total
    assert first.gpus == MemoryReport(3, 8)
