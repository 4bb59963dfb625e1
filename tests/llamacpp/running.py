"""A llama.cpp server with the tiny model, for as long as a block runs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.terminal import ROOT
from tests.llamacpp import tiny_model


@contextmanager
def llama_server(
    *, slots: int = 4, context: int = tiny_model.CONTEXT, endless: bool = False
) -> Iterator[str]:
    """The root URL of a server that has loaded its model. ``context`` is in tokens a slot.

    An ``endless`` model goes on until its window is full. Raises ``RuntimeError`` with the end of the
    server's log if it does not come up.
    """
    with tempfile.TemporaryDirectory() as made:
        model, log = Path(made) / "tiny.gguf", Path(made) / "log"
        tiny_model.write(model, endless=endless)
        command = [sys.executable, "-m", "tests.llamacpp.serve", str(model)]
        command += ["--slots", str(slots), "--context", str(context)]
        with log.open("wb") as errors, _running(command, errors.fileno()) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url:
                raise RuntimeError(f"no llama.cpp server: {log.read_text(errors='replace')[-500:]}")
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
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
