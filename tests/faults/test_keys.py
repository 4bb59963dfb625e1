"""Keys stay where they are needed: in no dump of a crash, and with no process that has no use for them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Place

resource = pytest.importorskip("resource")

KEYED = '[[provider]]\nname = "a"\nkind = "openai-compatible"\nbase_url = "http://127.0.0.1:9"\npoll_s = 0\n'
KEYED += 'api_key_env = "MY_OWN_KEY"\n'
KEYS = {
    "MY_OWN_KEY": "sk-canary-0123456789",
    "GROQ_API_KEY": "gsk-canary-0123456789",
    "EDITOR": "ed",
}
ABORT = [sys.executable, "-c", "import os; os.abort()"]


def ended(process: subprocess.Popen[str]) -> int:
    """How a process was ended: killed, or killed and dumped."""
    found = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert found is not None
    return found.si_code


@pytest.fixture
def dumping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system that dumps what crashes, into a directory that is thrown away."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    monkeypatch.chdir(tmp_path)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        with subprocess.Popen(ABORT, text=True) as crashed:
            if ended(crashed) != os.CLD_DUMPED:
                pytest.skip("this system dumps nothing anyway")
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


@pytest.mark.fault("K30")
@pytest.mark.usefixtures("dumping")
def test_where_what_crashes_is_dumped_a_gateway_is_not(place: Place) -> None:
    with place.serving(place.config(KEYED), **KEYS) as serving:
        serving.process.send_signal(signal.SIGABRT)
        assert ended(serving.process) == os.CLD_KILLED


def environ_of_command(place: Place, *options: str) -> dict[str, str]:
    """What a command that ``crtui run`` starts finds in its environment."""
    show = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
    done = place.run("run", *options, "--listen", "127.0.0.1:0", "--", *show, **KEYS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.fault("K31")
def test_a_command_gets_none_of_the_keys_that_the_config_names(place: Place) -> None:
    environ = environ_of_command(place, "--config", str(place.config(KEYED)))
    assert "MY_OWN_KEY" not in environ
    assert (environ["EDITOR"], environ["GROQ_API_KEY"]) == ("ed", KEYS["GROQ_API_KEY"])
    assert environ["OPENAI_API_KEY"] == "crtui"


@pytest.mark.fault("K31")
def test_without_a_config_it_gets_none_of_those_that_discovery_uses(place: Place) -> None:
    environ = environ_of_command(place)
    assert "GROQ_API_KEY" not in environ
    assert environ["MY_OWN_KEY"] == KEYS["MY_OWN_KEY"], "nobody said that it is a provider's"
