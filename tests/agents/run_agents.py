"""Claude Code and Codex CLI from npm, headless, through ``crtui run`` to scripted providers.

    python -m tests.agents.run_agents [--keep DIR] [NAME ...]

Installs both into a temporary directory (or uses ``--keep DIR`` again) and prints one line a case.
Exits 1 where a case failed. Needs node and npm.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.agents import upstreams as up
from tests.fakes.upstream import Script, Upstream, cut, reset, status, stream

ROOT = Path(__file__).parents[2]
PACKAGES = ("@anthropic-ai/claude-code@2.1.197", "@openai/codex@0.169.0")
LIMIT_S = 120
LIMITED = status(429, {"error": {"message": "slow down"}}, ("retry-after", "60"))


@dataclass(frozen=True)
class Agent:
    """One CLI: how it is asked, and what a provider says to it."""

    name: str
    words: tuple[str, ...]
    wire: str
    good: Script
    broken: Script
    tool: Callable[[Path], Script]
    large: str


@dataclass(frozen=True)
class Case:
    """What two providers do in turn, and how often each is asked at least."""

    name: str
    first: tuple[Script, ...]
    second: tuple[Script, ...]
    asked: tuple[int, int]
    kind: str = "openai-compatible"
    prompt: str = "hello"


CLAUDE = Agent(
    "claude",
    ("claude", "-p", "--model", "claude-sonnet-4-6", "--allowedTools", "Read"),
    "messages",
    up.claude_good,
    cut(*up.CLAUDE_BEGUN, how="reset"),
    lambda file: up.claude_tool("Read", f'{{"file_path":"{file}"}}'),
    # Claude Code itself refuses more than 200,000 tokens.
    "word " * 120_000,
)
CODEX = Agent(
    "codex",
    ("codex", "exec", "--skip-git-repo-check", "-s", "danger-full-access", "-"),
    "responses",
    stream(*up.CODEX),
    cut(*up.CODEX_BEGUN, how="reset"),
    lambda file: up.codex_tool("exec_command", f'{{"cmd":"cat {file}"}}'),
    "word " * 200_000,
)


def cases(agent: Agent, file: Path) -> list[Case]:
    """Everything that is tried with an agent."""
    good = agent.good
    return [
        Case("streamed", (good,), (good,), (1, 0)),
        Case("after a 429", (LIMITED,), (good,), (1, 1)),
        Case("after a dead first provider", (reset,), (good,), (1, 1)),
        Case("a stream cut in the middle", (agent.broken, good), (good,), (1, 0)),
        Case("a tool round trip", (agent.tool(file), good), (good,), (2, 0)),
        Case("a model that loads for half a minute", (up.slow(good),), (good,), (1, 0)),
        Case("a very long prompt", (good,), (good,), (1, 0), prompt=agent.large),
        Case("a backend that takes one system text", (up.picky(good),), (LIMITED,), (1, 0), kind="llamacpp"),
    ]


def install(folder: Path) -> Path:
    """Both agents, in a directory of their own; where their programs are."""
    if not (folder / "node_modules/.bin/codex").exists():
        npm = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES]
        subprocess.run(npm, check=True, capture_output=True, env={**os.environ, "HOME": str(folder)})
        claude = folder / "node_modules/@anthropic-ai/claude-code"
        subprocess.run(["node", "install.cjs"], cwd=claude, check=True, capture_output=True)
    return folder / "node_modules/.bin"


async def run(agent: Agent, case: Case, programs: Path, home: Path) -> str | None:
    """Run one case; None, or why it failed."""
    async with Upstream(*case.first) as first, Upstream(*case.second) as second:
        config = home / "crtui.toml"
        config.write_text("".join(map(_provider, "ab", (first, second), (agent.wire,) * 2, (case.kind,) * 2)))
        crtui = [
            sys.executable,
            "-m",
            "crtui",
            "run",
            "--config",
            str(config),
            "--listen",
            "127.0.0.1:0",
            "--",
        ]
        process = await asyncio.create_subprocess_exec(
            *crtui,
            *agent.words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environ(programs, home),
            cwd=home,
        )
        try:
            async with asyncio.timeout(LIMIT_S):
                out, err = await process.communicate(case.prompt.encode())
        except TimeoutError:
            process.terminate()
            await process.communicate()
            return f"not done within {LIMIT_S} s"
        asked = (len(first.requests), len(second.requests))
    if process.returncode or up.WORDS not in out.decode():
        return f"exit {process.returncode}, asked {asked}: {out.decode()[-300:]!r} {err.decode()[-600:]!r}"
    if asked[0] < case.asked[0] or asked[1] < case.asked[1]:
        return f"asked {asked}, expected at least {case.asked}"
    return None


def _provider(name: str, upstream: Upstream, wire: str, kind: str) -> str:
    return (
        f'[[provider]]\nname = "{name}"\nkind = "{kind}"\nauth = "none"\npoll_s = 0\n'
        f'base_url = "{upstream.url}"\nwires = ["{wire}"]\n'
    )


def _environ(programs: Path, home: Path) -> dict[str, str]:
    """Nothing of the developer's own leaks in, and nothing is reported out."""
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(home),
        "CRTUI_STATE_DIR": str(home / "state"),
        "PYTHONPATH": str(ROOT),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "LANG": "C.UTF-8",
    }


async def main() -> int:
    """All cases, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, metavar="DIR")
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as made:
        programs = install((args.keep or Path(made)).resolve())
        for agent in (CLAUDE, CODEX):
            if args.names and agent.name not in args.names:
                continue
            failed += await _all_of(agent, programs)
    return min(failed, 1)


async def _all_of(agent: Agent, programs: Path) -> int:
    failed = 0
    for number in range(len(cases(agent, Path()))):
        with tempfile.TemporaryDirectory() as made:
            home = Path(made)
            file = home / "note.txt"
            file.write_text("a note\n")
            case, began = cases(agent, file)[number], time.perf_counter()
            why = await run(agent, case, programs, home)
            took = time.perf_counter() - began
            print(
                f"{'FAILED' if why else 'ok':6} {agent.name}: {case.name} ({took:.1f} s) {why or ''}",
                flush=True,
            )
            failed += why is not None
    return failed


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
