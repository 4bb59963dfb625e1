"""Real inference servers with the tiny model, each for as long as a block runs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.fakes.terminal import ROOT
from tests.real_servers import tiny_checkpoint, tiny_gguf, tiny_model

MODEL: Final = "tiny"
_LOOK_S: Final = 0.2
_TOOLS: Final = ("--enable-auto-tool-choice", "--tool-call-parser", "hermes")
_LOOKS: Final = 900
"""Three minutes of looking."""
_END_S: Final = 10
_LOG_TAIL: Final = 500

# It loads nothing, takes a gigabyte for its cache, and leaves the tests a core.
_VLLM_ENVIRONMENT: Final = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "OMP_NUM_THREADS": "1",
}


@contextmanager
def llama_server(
    *, slots: int = 4, context: int = tiny_model.CONTEXT, endless: bool = False
) -> Iterator[str]:
    """The root URL of a llama.cpp server that has loaded its model. ``context`` is in tokens a slot.

    An ``endless`` model goes on until its window is full. Raises ``RuntimeError`` with the end of the
    server's log if it does not come up.
    """
    with tempfile.TemporaryDirectory() as made:
        model, log = Path(made) / "tiny.gguf", Path(made) / "log"
        tiny_gguf.write(model, endless=endless)
        command = [sys.executable, "-m", "tests.real_servers.serve_llamacpp", str(model)]
        command += ["--slots", str(slots), "--context", str(context)]
        with log.open("wb") as errors, _running(command, errors.fileno()) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url:
                raise RuntimeError(f"no llama.cpp server: {_end_of(log)}")
            yield url


@contextmanager
def vllm_server(python: str, *, slots: int, context: int) -> Iterator[str]:
    """The root URL of a vLLM server on the processor, by a ``python`` that has vLLM.

    ``slots`` is how many requests it works on at once. Raises as ``llama_server`` does.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / MODEL
        folder.mkdir()
        tiny_checkpoint.write(folder, context=context)
        options = ["--served-model-name", MODEL, "--max-num-seqs", str(slots), "--enforce-eager", *_TOOLS]
        command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder), *options]
        with _listening(command, "/health", Path(made) / "log", _VLLM_ENVIRONMENT) as url:
            yield url


@contextmanager
def llama_cpp_python_server(python: str, *, context: int) -> Iterator[str]:
    """The root URL of llama-cpp-python's own server, by a ``python`` that has it.

    Raises as ``llama_server`` does.
    """
    with tempfile.TemporaryDirectory() as made:
        model = Path(made) / "tiny.gguf"
        tiny_gguf.write(model)
        command = [python, "-m", "llama_cpp.server", "--model", str(model), "--model_alias", MODEL]
        # It works on one request at a time, and would drop that for the next one.
        command += ["--n_ctx", str(context), "--interrupt_requests", "false"]
        with _listening(command, "/v1/models", Path(made) / "log", {}) as url:
            yield url


@contextmanager
def _running(command: list[str], errors: int) -> Iterator[subprocess.Popen[str]]:
    """A process that ends when its standard input does, or is killed after ten seconds more."""
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
    ) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def _listening(command: list[str], path: str, log: Path, more: Mapping[str, str]) -> Iterator[str]:
    """A server's URL once it answers 200 at ``path``. It ends with all the processes it has made."""
    port = _free_port()
    command = ["nice", *command, "--host", "127.0.0.1", "--port", str(port)]
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, stdout=out, stderr=out, env=os.environ | more, start_new_session=True
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _await(process, url + path, log)
            yield url
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Until it answers. Nothing but asking tells that it does: its log is made for people."""
    for _ in range(_LOOKS):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=_END_S):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(_LOOK_S)
    raise RuntimeError(f"no server: {_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-_LOG_TAIL:]


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
