"""The fuzzer's targets hold for the inputs they start from, and what breaks one can be replayed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import targets
from tests.fuzz.__main__ import NAMES, main


def test_the_command_offers_every_target() -> None:
    assert set(NAMES) == set(targets.TARGETS)


@pytest.mark.parametrize("name", NAMES)
def test_a_target_holds_for_the_inputs_it_starts_from(name: str) -> None:
    holds, seeds = targets.TARGETS[name]
    for seed in seeds:
        holds(seed)


def breaks(data: bytes) -> None:
    assert data != b"bad"


def test_a_file_is_replayed_with_what_it_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(targets.TARGETS, "sse", (breaks, ()))
    (tmp_path / "good").write_bytes(b"good")
    (tmp_path / "bad").write_bytes(b"bad")
    assert main(["sse", "--replay", str(tmp_path / "good")]) == 0
    assert capsys.readouterr().out == "sse: holds\n"
    with pytest.raises(AssertionError):
        main(["sse", "--replay", str(tmp_path / "bad")])
