"""crtui against other gateways: installs CodeRouter and LiteLLM's proxy, and measures all of them in one run.

    python -m tests.bench.rivals [--keep DIR] [--seconds 5] [--rounds 3]

Each goes into a virtual environment of its own below a temporary directory (or ``--keep DIR``, which is
used again); one that cannot be installed here is named with why and left out. Prints the table of
``tests.bench.gateway_speed``, which runs them interleaved with the bare upstream, nginx and crtui.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.agents.agent import NotInstallableError
from tests.agents.install import from_pypi
from tests.fakes.terminal import ROOT

RIVALS = {"coderouter": "coderouter-cli==2.19.0", "litellm": "litellm[proxy]==1.106.2"}
NEWEST = (3, 14)
LITELLM = {
    # Without this it does not serve unless it checks a key, which the others are not asked to do.
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
}


def main() -> int:
    """Install, and hand over to the measurement; its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keep", type=Path, metavar="DIR")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        programs = _install((args.keep or Path(made)).resolve())
        path = os.pathsep.join([*map(str, programs.values()), os.environ["PATH"]])
        environ = {**os.environ, **LITELLM, "PATH": path, "HOME": made}
        command = [sys.executable, "-m", "tests.bench.gateway_speed", "--rivals", *programs]
        command += ["--seconds", str(args.seconds), "--rounds", str(args.rounds)]
        return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode


def _install(folder: Path) -> dict[str, Path]:
    """Where the program of each rival is that can be had here."""
    programs: dict[str, Path] = {}
    for program, package in RIVALS.items():
        try:
            programs[program] = from_pypi(folder / program, package, program, below=NEWEST)
        except NotInstallableError as error:
            print(f"{program} is left out: {error}", file=sys.stderr)
    return programs


if __name__ == "__main__":
    sys.exit(main())
