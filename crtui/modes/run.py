"""``crtui run -- COMMAND``: a coding agent whose requests go to the gateway."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from crtui.config.credentials import gateway_token
from crtui.config.discover import KEY_VARIABLES
from crtui.config.load import LoadedConfig, load_config
from crtui.config.model import Config
from crtui.errors import CrtuiError
from crtui.modes.agent_env import NO_KEY, AgentSetup, setup_for
from crtui.modes.ask import gateway_url
from crtui.modes.headless import gateway
from crtui.modes.options import Options

_FORWARDED: Final = (signal.SIGTERM, signal.SIGHUP)
_TERMINALS: Final = (signal.SIGINT, signal.SIGQUIT)
"""The terminal sends these to the command too, which decides what they mean."""
_BY_SIGNAL: Final = 128
"""A shell's exit code for a command that a signal ended is this and the signal's number."""


def run(options: Options, command: Sequence[str]) -> int:
    """Run a command with what it needs to reach the gateway; its own exit code.

    Starts a headless gateway where none answers at the configured address, for as long as this command
    runs and others that have joined it. What the gateway has keys of, the command gets no key of: it has
    no use for them, and may do as others tell it. Raises ``CrtuiError`` where either cannot be started.
    """
    words = list(command[1:] if command[:1] == ["--"] else command)
    if not words:
        raise CrtuiError("run what? Name a command, as in `crtui run -- claude`")
    loaded = load_config(options.config, os.environ, options.listen)
    config, withheld = loaded.config, _key_variables(loaded)
    token = gateway_token(config, os.environ)
    with ExitStack() as stack:
        stack.enter_context(_ending_by_signals())
        address = config.gateway.address
        url = stack.enter_context(gateway(options, address, gateway_url(options, None), token))
        agent = Path(words[0]).stem.lower()
        setup = setup_for(agent, url)
        if agent == "claude" and token is None and _takes_callers_key(config):
            withheld -= set(setup.unset)
            setup = _with_own_credential(setup)
        environ = _environ(setup, token.reveal() if token else NO_KEY, withheld)
        return _call([words[0], *setup.arguments, *words[1:]], environ)


def _environ(setup: AgentSetup, key: str, withheld: Collection[str]) -> dict[str, str]:
    out = {*setup.unset, *withheld}
    return {name: value for name, value in os.environ.items() if name not in out} | setup.environ(key)


def _key_variables(loaded: LoadedConfig) -> frozenset[str]:
    """The variables that the gateway's own keys come from."""
    if loaded.path is None:
        return KEY_VARIABLES
    return frozenset(one.api_key_env for one in loaded.config.providers if one.api_key_env is not None)


def _takes_callers_key(config: Config) -> bool:
    return any(one.auth == "client" and "messages" in one.wires for one in config.providers)


def _with_own_credential(setup: AgentSetup) -> AgentSetup:
    """A provider wants the agent's own login or key, so it keeps them."""
    return AgentSetup(setup.variables, arguments=setup.arguments, hints=setup.hints)


def _call(words: list[str], environ: dict[str, str]) -> int:
    with _signals() as (children, early):
        try:
            process = subprocess.Popen(words, env=environ)
        except OSError as error:
            why = "not found" if isinstance(error, FileNotFoundError) else error.strerror
            raise CrtuiError(f"{words[0]}: {why}") from None
        children.append(process)
        for number in early:
            process.send_signal(number)
        code = process.wait()
    return code if code >= 0 else _BY_SIGNAL - code


@contextmanager
def _ending_by_signals() -> Generator[None]:
    """Before and after the command, a signal to end unwinds all that was begun."""

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(_BY_SIGNAL + number)

    with _handled(_FORWARDED, end):
        yield


@contextmanager
def _signals() -> Generator[tuple[list[subprocess.Popen[bytes]], list[int]]]:
    """While the command runs, signals to end are its to obey, and ours to hand on.

    Gives where to put it, and the signals that came before it was there.
    """
    children: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def hand_on(number: int, _frame: FrameType | None) -> None:
        if not children:
            early.append(number)
        for child in children:
            child.send_signal(number)

    def leave(_number: int, _frame: FrameType | None) -> None:
        return

    # Handlers and not SIG_IGN: the command would inherit that.
    with _handled(_FORWARDED, hand_on), _handled(_TERMINALS, leave):
        yield children, early


@contextmanager
def _handled(
    numbers: Sequence[signal.Signals], handler: Callable[[int, FrameType | None], None]
) -> Generator[None]:
    """Obey these signals so, but for those that are ignored, as nohup has it."""
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    old = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, before in old.items():
            signal.signal(number, before)
