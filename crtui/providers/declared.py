"""Declared models against those a server has, by Ollama's rules for names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crtui.providers.ollama import canonical


@dataclass(frozen=True, slots=True)
class Comparison:
    """``missing`` are declared and not there, ``extra`` are there and not declared; each in its order."""

    missing: tuple[str, ...]
    extra: tuple[str, ...]


def compare(declared: Iterable[str], observed: Iterable[str]) -> Comparison:
    """Compare names exactly, but for what Ollama fills in: ``x`` is ``x:latest``.

    A model that is declared twice is missing once, under the first of its names.
    """
    wanted, there = _by_full_name(declared), _by_full_name(observed)
    return Comparison(
        tuple(name for full, name in wanted.items() if full not in there),
        tuple(name for full, name in there.items() if full not in wanted),
    )


def _by_full_name(names: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(canonical(name), name)
    return found
