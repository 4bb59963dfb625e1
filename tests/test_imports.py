"""What each part drags in when it is imported, proven in a process of its own.

The import rules in ``pyproject.toml`` see the static graph; an import inside a function is only
seen here.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

REPORT = """
import json, sys, threading, socket
def refuse(*_, **__): raise OSError("no network at import")
socket.socket.connect = refuse
import {module}
print(json.dumps([sorted(sys.modules), threading.active_count()]))
"""


def loaded(module: str) -> tuple[set[str], int]:
    done = subprocess.run(
        [sys.executable, "-c", REPORT.format(module=module)], capture_output=True, text=True, check=True
    )
    names, threads = json.loads(done.stdout)
    return set(names), threads


def test_the_core_needs_nothing_but_the_standard_library_and_itself():
    names, _ = loaded("crtui.core.core, crtui.core.encode")
    own = {name for name in names if name.startswith("crtui")}
    foreign = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"crtui"}

    assert {name for name in own if not name.startswith("crtui.core")} == {"crtui"}
    assert {name for name in foreign if not name.startswith("_")} <= {"__main__", "sitecustomize"}
    assert names.isdisjoint({"asyncio", "ssl", "http.client", "logging"})


def test_the_screen_starts_without_http_config_or_charts():
    names, _ = loaded("crtui.modes.screen, crtui.tui.app")

    for dear in ("httpx", "aiohttp", "uvicorn", "pydantic", "plotext", "crtui.gateway", "crtui.config.model"):
        assert dear not in names


def test_a_chart_comes_without_the_plotting_librarys_manual_and_tests():
    names, _ = loaded("crtui.tui.plot; assert crtui.tui.plot.load_plotter() is not None")

    assert "plotext" in names
    assert not [
        name for name in names if name.startswith(("plotext.prettydoc", "plotext._doc.s", "unittest"))
    ]


def test_the_command_line_alone_is_light():
    names, _ = loaded("crtui.cli")

    assert names.isdisjoint({"textual", "httpx", "pydantic", "asyncio"})


@pytest.mark.parametrize("module", ["crtui.compose", "crtui.tui.app", "crtui.demo.world", "crtui.replay.run"])
@pytest.mark.fault("K33", "X25")
def test_importing_starts_no_thread_and_touches_no_network(module):
    _, threads = loaded(module)

    assert threads == 1
