"""The commands ``doctor`` and ``import`` from the command line: what they print where, and how they end."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import orjson
import pytest

from crtui.cli import main
from crtui.config.load import parse


@pytest.fixture
def nowhere() -> str:
    """An address on this machine where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}"


def ended(*words: str | os.PathLike[str]) -> object:
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    return end.value.code


def test_a_provider_that_cannot_work_ends_it_with_1(
    tmp_path: Path, nowhere: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[[provider]]\nname = "p"\nkind = "ollama"\nbase_url = "{nowhere}"\n')
    assert ended("doctor", "--config", file) == 1
    text = capsys.readouterr().out
    assert "fail  connect  127.0.0.1 port" in text
    assert "mend: start it: ollama serve" in text
    assert ended("doctor", "p", "--json", "--config", file) == 1
    [row] = orjson.loads(capsys.readouterr().out)["providers"]
    assert (row["provider"], row["verdict"]) == ("p", "cannot work")


@pytest.mark.parametrize("config", ["[[provider]]\nname = 1\n", "[gateway]\n", None])
def test_without_a_usable_config_it_ends_with_2_and_one_line(
    tmp_path: Path, config: str | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CRTUI_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    where: tuple[str | os.PathLike[str], ...] = ()
    if config is not None:
        (tmp_path / "config.toml").write_text(config)
        where = ("--config", tmp_path / "config.toml")
    assert ended("doctor", *where) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("crtui: ")
    assert "Traceback" not in err


def test_an_import_prints_a_config_or_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.json"
    file.write_text(
        '{"Providers": [{"name": "a", "api_base_url": "https://h/v1"}], "Router": {"default": "a,m"}}'
    )
    assert ended("import", "claude-code-router", file) == 0
    assert parse(capsys.readouterr().out)[1] == []
    file.write_text("{")
    assert ended("import", "claude-code-router", file) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert ended("import", "something-else", file) == 2
