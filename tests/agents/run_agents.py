"""Claude Code, Codex, aider and opencode, headless, through ``crtui run``.

    python -m tests.agents.run_agents [--keep DIR] [--case WORDS] [NAME ...]

Installs them into a temporary directory (or uses ``--keep DIR`` again) and prints one line a case:
``ok``, ``FAILED``, or ``left`` with why it cannot be played. Their providers are scripted, and real
servers. Exits 1 where a case failed. Needs node, npm, a Python before 3.13 for aider, and
what ``tests.real_servers`` says for the real servers.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.agents.agent import Agent, NotInstallableError
from tests.agents.aider import AIDER
from tests.agents.cases import CASES
from tests.agents.claude import CLAUDE
from tests.agents.codex import CODEX
from tests.agents.opencode import OPENCODE
from tests.agents.real_cases import REAL_CASES
from tests.agents.stage import CaseFailedError, CaseLeftError, Stage

ALL_CASES = {**CASES, **REAL_CASES}
AGENTS = {agent.name: agent for agent in (CLAUDE, CODEX, AIDER, OPENCODE)}


def main() -> int:
    """All cases with all agents, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where they are or will be installed")
    parser.add_argument("--case", default="", metavar="WORDS", help="only cases whose name has these")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these of {', '.join(AGENTS)}")
    args = parser.parse_args()
    if unknown := set(args.names) - AGENTS.keys():
        parser.error(f"no such agent: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as made:
        folder = (args.keep or Path(made)).resolve()
        told = Counter[str]()
        for name in args.names or AGENTS:
            told += _all_of(AGENTS[name], folder / name, args.case)
    print(", ".join(f"{count} {verdict}" for verdict, count in told.items()))
    return int("FAILED" in told)


def _all_of(agent: Agent, folder: Path, words: str) -> Counter[str]:
    try:
        programs = agent.install(folder)
    except NotInstallableError as error:
        return _say("left", agent, "everything", str(error))
    told = Counter[str]()
    for name in ALL_CASES:
        if words in name:
            told += _one(agent, name, programs)
    return told


def _one(agent: Agent, name: str, programs: Path) -> Counter[str]:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        try:
            asyncio.run(ALL_CASES[name](Stage(agent, programs, Path(home))))
        except CaseLeftError as why:
            return _say("left", agent, name, str(why))
        except CaseFailedError as why:
            return _say("FAILED", agent, name, str(why))
    return _say("ok", agent, name, f"{time.perf_counter() - began:.1f} s")


def _say(verdict: str, agent: Agent, name: str, why: str) -> Counter[str]:
    print(f"{verdict:6} {agent.name}: {name} ({why})", flush=True)
    return Counter([verdict])


if __name__ == "__main__":
    sys.exit(main())
