"""Coverage-guided fuzzing: bytes that find their own way into the readers of what others write.

    python -m tests.fuzz TARGET [--seconds 60]     looks for bytes that break TARGET
    python -m tests.fuzz TARGET --replay FILE      does once more what FILE did; a traceback, or "holds"

The engine is atheris (libFuzzer), which is no dependency: ``pip install atheris`` (wheels for Linux).
Replaying needs nothing. Inputs that reached new code are kept below ``--kept`` for the next time; one
that breaks something is kept there too, and the command that replays it is printed. Exits 1 then.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

NAMES = ("messages", "chat", "responses", "sse", "limits", "trace", "config", "agents", "client", "server")
BROKEN = ("crash", "timeout", "oom")


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz in a process of its own, or replay in this one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--replay", type=Path, metavar="FILE")
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "crtui-fuzz")
    args = parser.parse_args(argv)
    if args.replay is None:
        return _fuzz(args.target, args.kept / args.target, args.seconds)
    holds, _ = importlib.import_module("tests.fuzz.targets").TARGETS[args.target]
    holds(args.replay.read_bytes())
    print(f"{args.target}: holds")
    return 0


def _fuzz(name: str, folder: Path, seconds: int) -> int:
    (folder / "seen").mkdir(parents=True, exist_ok=True)
    known = _broken(folder)
    command = [sys.executable, "-m", "tests.fuzz.engine", name, str(folder), str(seconds)]
    done = subprocess.run(command, check=False)
    for file in sorted(_broken(folder) - known):
        print(f"\n{name} BREAKS: python -m tests.fuzz {name} --replay {file}")
    return int(done.returncode != 0)


def _broken(folder: Path) -> set[Path]:
    return {path for kind in BROKEN for path in folder.glob(f"{kind}-*")}


if __name__ == "__main__":
    sys.exit(main())
