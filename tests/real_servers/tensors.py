"""Numbers of a model, whatever the file they are kept in."""

from __future__ import annotations

from array import array
from dataclasses import dataclass


@dataclass(frozen=True)
class Tensor:
    """32-bit floats. ``shape`` begins with the dimension that lies together in memory."""

    name: str
    shape: tuple[int, ...]
    values: array[float]

    def __post_init__(self) -> None:
        size = 1
        for length in self.shape:
            size *= length
        assert len(self.values) == size, self.name
