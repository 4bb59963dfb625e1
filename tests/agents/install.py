"""Installs agents with npm and pip, each into a directory of its own, where they are not there already."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.agents.agent import NotInstallableError

LIMIT_S = 600


def from_npm(folder: Path, package: str, program: str) -> Path:
    """Where the programs of an npm package are. Raises ``NotInstallableError``."""
    programs = folder / "node_modules/.bin"
    if not (programs / program).exists():
        npm = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), package]
        call(npm, folder)
    return programs


def from_pypi(folder: Path, package: str, program: str, below: tuple[int, int]) -> Path:
    """Where the programs of a package are that runs on Pythons ``below`` a version. Raises as above."""
    programs = folder / "bin"
    if not (programs / program).exists():
        if sys.version_info[:2] >= below:
            raise NotInstallableError(
                f"{package} needs to be installed by a Python before {below[0]}.{below[1]}"
            )
        call([sys.executable, "-m", "venv", str(folder)], folder)
        call([str(programs / "python"), "-m", "pip", "install", "-q", package], folder)
    return programs


def call(command: list[str], folder: Path) -> None:
    """Run an installer in ``folder``, which also is its home. Raises ``NotInstallableError``."""
    folder.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "HOME": str(folder)}
    try:
        subprocess.run(
            command, cwd=folder, env=environ, check=True, capture_output=True, text=True, timeout=LIMIT_S
        )
    except FileNotFoundError:
        raise NotInstallableError(f"{command[0]} is not there") from None
    except subprocess.TimeoutExpired:
        raise NotInstallableError(f"{command[0]} took longer than {LIMIT_S} s") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or "no word of why").splitlines()[-1]
        raise NotInstallableError(f"{command[0]} failed: {last[:200]}") from None
