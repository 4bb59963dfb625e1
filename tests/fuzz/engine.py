"""The process that fuzzes: libFuzzer, by way of atheris, which ends it as it likes.

python -m tests.fuzz.engine TARGET FOLDER SECONDS
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LONGEST = 4096
SLOW_S = 10
MOST_MIB = 1024
WORD = re.compile(rb"[\w.:/-]{2,60}|[^\w\s]")


def fuzz(name: str, folder: Path, seconds: str) -> None:
    """Search until the time is over or something breaks; never returns."""
    try:
        atheris: Any = importlib.import_module("atheris")
    except ModuleNotFoundError:
        sys.exit("the engine is missing; run pip install atheris")
    with atheris.instrument_imports(include=["crtui"]):
        holds, seeds = importlib.import_module("tests.fuzz.targets").TARGETS[name]
    for number, seed in enumerate(seeds):
        (folder / "seen" / f"seed-{number}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in _words(seeds)))
    options = {
        "max_total_time": seconds,
        "timeout": SLOW_S,
        "max_len": LONGEST,
        "rss_limit_mb": MOST_MIB,
        "verbosity": 0,
        "print_final_stats": 1,
        "dict": words,
        "artifact_prefix": f"{folder}{os.sep}",
    }
    written = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], *written, str(folder / "seen")], holds)
    atheris.Fuzz()


def _words(seeds: Iterable[bytes]) -> list[bytes]:
    """What a mutation may put in as a whole: words of the seeds, and what readers stumble over."""
    odd: list[bytes] = importlib.import_module("tests.faults.test_fuzz").PIECES
    return sorted({word for seed in seeds for word in WORD.findall(seed)} | {*filter(None, odd)})


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    fuzz(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
