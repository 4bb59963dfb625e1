"""``--trace``: a new private file, whole lines in it, and never a request lost to it."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from crtui.engine.notices import Notices
from crtui.engine.recorder import TraceRecorder
from crtui.errors import CrtuiError
from tests.engine.conftest import Live, replayed

ENDED = "--trace: {}: {}; the recording has ended, start again with another file"


def total(live: Live) -> int:
    return sum(row["usage"]["requests"] for row in live.shown()["providers"])


def open_one(path: Path) -> TraceRecorder:
    return TraceRecorder(path, {}, 0, Notices())


@pytest.mark.parametrize("room", [0, 300, 20_000, 21_333])
@pytest.mark.fault("D01")
def test_a_full_disk_ends_the_recording_and_no_request(live, tmp_path, small_files, room):
    trace = tmp_path / "run.jsonl"
    small_files(room)
    live.start(trace=trace)
    live.serve(200)
    live.recorder.close()
    small_files(None)
    lines = trace.read_bytes().splitlines(keepends=True)

    assert [notice for notice in live.notices if "--trace" in notice] == [
        ENDED.format(trace, "File too large")
    ]
    assert total(live) == 200
    assert all(line.endswith(b"}\n") for line in lines), "what is there can be replayed"
    if room > 300:
        assert replayed(lines)["providers"][0]["usage"]["requests"] > 30


@pytest.mark.fault("D01")
def test_a_disk_that_is_full_when_it_ends_is_told_too(live, tmp_path, small_files):
    trace = tmp_path / "run.jsonl"
    live.start(trace=trace)
    small_files(trace.stat().st_size)
    live.serve(2)
    assert list(live.notices) == []
    live.recorder.close()

    assert list(live.notices) == [ENDED.format(trace, "File too large")]
    assert len(trace.read_bytes().splitlines()) == 1


def test_a_device_and_a_pipe_are_written_as_they_are(live, tmp_path):
    live.start(trace=Path("/dev/full"))
    live.serve(1)
    assert list(live.notices) == [ENDED.format("/dev/full", "No space left on device")]
    live.recorder.close()
    live.stop()
    fifo, read = tmp_path / "fifo", list[bytes]()
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
    reader.start()
    live.start(trace=fifo)
    live.serve(3)
    shown = live.shown()
    live.recorder.close()
    reader.join(10)

    assert list(live.notices) == []
    assert replayed(read[0].splitlines())["providers"] == shown["providers"]


def test_a_descriptor_is_taken_for_what_it_is_though_it_leads_to_a_file(live, tmp_path):
    out = tmp_path / "out.jsonl"
    out.write_text("before\n")
    with out.open("ab") as file:
        live.start(trace=Path(f"/dev/fd/{file.fileno()}"))
        live.recorder.close()

    assert out.read_text().startswith('before\n{"crtui":"trace"')


@pytest.mark.fault("D14")
def test_a_trace_is_private_under_any_umask(tmp_path):
    old = os.umask(0)
    try:
        open_one(tmp_path / "run.jsonl").close()
    finally:
        os.umask(old)

    assert stat.S_IMODE((tmp_path / "run.jsonl").stat().st_mode) == 0o600


@pytest.mark.fault("D29")
def test_a_file_that_exists_is_refused_by_whatever_name_and_kept(tmp_path):
    old, link = tmp_path / "old.jsonl", tmp_path / "link.jsonl"
    old.write_text("kept")
    link.symlink_to(old)
    for path in (old, link):
        with pytest.raises(CrtuiError, match=f"--trace: {path} exists; name another file, or remove it"):
            open_one(path)
    assert old.read_text() == "kept"


@pytest.mark.parametrize(
    ("name", "why"), [("", "Is a directory"), ("gone/run.jsonl", "No such file or directory")]
)
def test_a_file_that_cannot_be_is_one_line_with_its_remedy(tmp_path, name, why):
    with pytest.raises(CrtuiError, match=f"{why}; name another file"):
        open_one(tmp_path / name)
