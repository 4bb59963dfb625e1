"""What is tried with every agent: raises ``CaseFailedError``, ``CaseLeftError`` if it makes no sense."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from tests.agents.agent import Agent
from tests.agents.stage import CaseFailedError, CaseLeftError, Stage, ended, interrupt
from tests.agents.upstreams import picky, slow
from tests.cli.conftest import Place
from tests.fakes.upstream import Script, Upstream, cut, reset, status

Case = Callable[[Stage], Awaitable[None]]

LEAVES_S: Final = 20
AT_ONCE: Final = 10
LARGE: Final = "word " * 209_000
"""Codex takes 2**20 characters and no more."""
LIMITED: Final = status(429, {"error": {"message": "slow down"}}, ("retry-after", "60"))


async def _answered(
    stage: Stage,
    first: tuple[Script, ...],
    *more: str,
    second: Script | None = None,
    prompt: str = "hello",
    kind: str = "openai-compatible",
) -> Upstream:
    """Ask once and expect the model's words; the first provider, which plays its scripts.

    The second has to help where it has a script, and must not where it has none.
    """
    agent = stage.agent
    async with Upstream(*first) as one, Upstream(second or agent.good) as two:
        outcome = await stage.ask(stage.config(one.url, two.url, kind=kind), prompt, *more)
    outcome.expect_words()
    asked = (len(one.requests), len(two.requests))
    if asked[0] < len(first) or bool(second) != bool(asked[1]):
        raise CaseFailedError(f"the providers were asked {asked} times")
    return one


def _broken(agent: Agent) -> Script:
    # A reset could overtake the content before it, and another provider would step in.
    return cut(*agent.begun, how="close")


async def _streamed(stage: Stage) -> None:
    one = await _answered(stage, (stage.agent.good,))
    if not one.requests[-1].json.get("stream"):
        raise CaseFailedError("it did not ask for a stream")


async def _whole(stage: Stage) -> None:
    agent = stage.agent
    if agent.whole_after is None:
        raise CaseLeftError("it only asks for streams")
    broken = (_broken(agent),) * agent.whole_after
    one = await _answered(stage, (*broken, agent.good), *agent.whole_words)
    if one.requests[-1].json.get("stream"):
        raise CaseFailedError("it asked for a stream")


async def _tool(stage: Stage) -> None:
    if stage.agent.tool is None:
        raise CaseLeftError("it has no tools")
    one = await _answered(stage, (stage.agent.tool(stage.note), stage.agent.good))
    if b"a note" not in one.requests[-1].body:
        raise CaseFailedError("what the tool said did not come back")


async def _limited(stage: Stage) -> None:
    await _answered(stage, (LIMITED,), second=stage.agent.good)


async def _dead(stage: Stage) -> None:
    await _answered(stage, (reset,), second=stage.agent.good)


async def _cut(stage: Stage) -> None:
    await _answered(stage, (_broken(stage.agent), stage.agent.good))


async def _loading(stage: Stage) -> None:
    await _answered(stage, (slow(stage.agent.good),))


async def _large(stage: Stage) -> None:
    agent = stage.agent
    one = await _answered(stage, (agent.good,), *agent.large_words, prompt=LARGE)
    if max(len(request.body) for request in one.requests) < len(LARGE):
        raise CaseFailedError("it did not send the whole prompt")


async def _one_system_text(stage: Stage) -> None:
    await _answered(stage, (picky(stage.agent.good),), kind="llamacpp")


async def _aborted(stage: Stage) -> None:
    begun = cut(*stage.agent.begun, how="stall")
    async with Upstream(begun) as one, Upstream(stage.agent.good) as two:
        config = stage.config(one.url, two.url)
        async with stage.started(config, "hello") as process:
            asked = await one.request()
            interrupt(process)
            outcome = await ended(process, LEAVES_S)
        if not asked.gone.is_set():
            raise CaseFailedError("the provider was left generating")
        if two.requests:
            raise CaseFailedError("another provider was asked for nobody")
    if "Traceback" in outcome.errors:
        raise CaseFailedError(str(outcome))


async def _at_once(stage: Stage) -> None:
    async with Upstream(stage.agent.good) as upstream:
        await ask_ten(stage, stage.config(upstream.url))
    if len(upstream.requests) < AT_ONCE:
        raise CaseFailedError(f"the provider was asked {len(upstream.requests)} times")


async def ask_ten(stage: Stage, config: Path) -> None:
    """Ten agents on one gateway at the same time, each in a home of its own."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with Place(folder).serving(config) as gateway:
            listen = gateway.url.removeprefix("http://")
            stages = [_beside(stage, folder / str(number)) for number in range(AT_ONCE)]
            outcomes = await asyncio.gather(*(one.ask(config, listen=listen) for one in stages))
    for outcome in outcomes:
        outcome.expect_words()


def _beside(stage: Stage, home: Path) -> Stage:
    home.mkdir()
    return Stage(stage.agent, stage.programs, home)


CASES: Final[dict[str, Case]] = {
    "streamed": _streamed,
    "not streamed": _whole,
    "a tool round trip": _tool,
    "after a 429": _limited,
    "after a dead first provider": _dead,
    "a stream cut in the middle": _cut,
    "aborted by the user": _aborted,
    "a prompt of 1 MB": _large,
    "ten at once": _at_once,
    "a backend that takes one system text": _one_system_text,
    "a model that loads for half a minute": _loading,
}
