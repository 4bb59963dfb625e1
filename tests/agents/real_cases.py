"""What is tried with every agent on real model servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx

from tests.agents.cases import LEAVES_S, Case, ask_ten
from tests.agents.stage import LIMIT_S, CaseFailedError, CaseLeftError, Stage, ended, interrupt
from tests.real_servers.running import MODEL, llama_server, vllm_server
from tests.real_servers.servers import VLLM

LOOK_S: Final = 0.1
FREES_S: Final = 10
SMALL_WINDOW: Final = 24_576

Slots = list[dict[str, Any]]


@contextmanager
def _server(*, endless: bool = False) -> Iterator[str]:
    try:
        import xllamacpp  # noqa: F401
    except ImportError:
        raise CaseLeftError("needs a llama.cpp server: pip install xllamacpp") from None
    with llama_server(endless=endless) as url:
        yield url


async def _streamed(stage: Stage) -> None:
    with _server() as url:
        outcome = await stage.ask(stage.config(url, kind="llamacpp"))
    outcome.expect_words()


async def _at_once(stage: Stage) -> None:
    """More than it has slots."""
    with _server() as url:
        await ask_ten(stage, stage.config(url, kind="llamacpp"))


async def _small_window(stage: Stage) -> None:
    """A window that holds the prompt, but is smaller than the output that agents ask for."""
    if missing := VLLM.missing():
        raise CaseLeftError(missing)
    with vllm_server(VLLM.interpreter(), slots=4, context=SMALL_WINDOW) as url:
        outcome = await stage.ask(stage.config(url, kind="vllm", model=MODEL))
    outcome.expect_words()


async def _aborted(stage: Stage) -> None:
    with _server(endless=True) as url:
        async with stage.started(stage.config(url, kind="llamacpp"), "hello") as process:
            writes = await _comes(url, LIMIT_S, lambda slots: any(map(_writes, slots)))
            interrupt(process)
            outcome = await ended(process, LEAVES_S)
            if not writes:
                raise CaseFailedError(f"it did not come to have anything written: {outcome}")
        if not await _comes(url, FREES_S, lambda slots: not any(slot["is_processing"] for slot in slots)):
            raise CaseFailedError("the model was left writing")
        written = max(slot.get("n_prompt_tokens", 0) / slot["n_ctx"] for slot in await _slots(url))
    if written > 0.9:
        raise CaseFailedError("the model wrote until its window was full")


def _writes(slot: dict[str, Any]) -> bool:
    return slot["is_processing"] and slot["next_token"][0]["n_decoded"] > 0


async def _comes(url: str, within_s: float, true: Callable[[Slots], bool]) -> bool:
    """Whether the server's slots come to a state in time."""
    try:
        async with asyncio.timeout(within_s):
            while not true(await _slots(url)):  # noqa: ASYNC110  # a server tells nobody of its own accord
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        return False
    return True


async def _slots(url: str) -> Slots:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"{url}/slots")).json()


REAL_CASES: Final[dict[str, Case]] = {
    "streamed by a real llama.cpp server": _streamed,
    "ten at once on a real llama.cpp server": _at_once,
    "streamed by a real vLLM server with a small window": _small_window,
    "aborted while a real llama.cpp server writes": _aborted,
}
