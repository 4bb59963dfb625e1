"""What a key saves: CSV that no spreadsheet computes, JSON lines, an SVG; never over another file."""

from __future__ import annotations

import csv
import io
import json
import stat
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from crtui.core.encode import provider_json
from crtui.core.views import ReasonView
from crtui.tui.export import csv_text, json_line, jsonl_text
from crtui.tui.order import entries
from crtui.tui.outfile import write_new
from tests.fakes import snapshots as fake
from tests.tui.test_app import stage


def records(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_record_a_row_in_the_order_shown() -> None:
    busy = fake.busy()
    found = records(csv_text(entries(busy), fake.NOW))
    assert [row["name"] for row in found] == [e.provider.name for e in entries(busy)]
    first = found[0]
    assert (first["state"], first["serves_next"], first["left_percent"]) == ("OK", "yes", "33.0")
    assert (first["next"], first["next_at"]) == ("empty", "2026-11-20T15:20:22.000Z")
    assert (first["p50_ms"], first["requests"], first["why"]) == (
        "640",
        "420",
        "5h limit runs dry before it resets",
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
@pytest.mark.fault("K26")
def test_text_never_starts_a_formula(start: str) -> None:
    name = f'{start}HYPERLINK("http://x";"y")'
    bad = fake.provider(name, reasons=(ReasonView("health", "x", f"{start}1+1, and\nmore"),))
    (row,) = records(csv_text(entries(fake.snapshot(bad)), fake.NOW))
    for value in (row["name"], row["why"]):
        assert value[0] == "'"
        assert "\n" not in value


def test_json_lines_are_the_rows_of_the_state() -> None:
    found = entries(fake.busy())
    lines = jsonl_text(found).splitlines()
    assert [json.loads(line) for line in lines] == [provider_json(e.provider) for e in found]
    assert all(line.isascii() for line in lines)


def test_an_empty_table_is_still_a_csv_file() -> None:
    assert records(csv_text([], fake.NOW)) == []
    assert jsonl_text([]) == ""


@pytest.mark.fault("D29")
def test_a_file_is_its_owners_and_never_written_over(tmp_path: Path) -> None:
    paths = [write_new(tmp_path, ".csv", str(i), fake.NOW, UTC) for i in range(3)]
    assert [path.name for path in paths] == [
        "crtui-20261120-140322.csv",
        "crtui-20261120-140322-2.csv",
        "crtui-20261120-140322-3.csv",
    ]
    assert [path.read_text() for path in paths] == ["0", "1", "2"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}


@pytest.mark.fault("D29")
def test_a_link_laid_in_its_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "crtui-20261120-140322.csv").symlink_to(tmp_path / "victim")
    assert write_new(tmp_path, ".csv", "x", fake.NOW, UTC).name == "crtui-20261120-140322-2.csv"
    assert not (tmp_path / "victim").exists()


async def test_the_export_has_the_filtered_rows_and_says_where_it_is(tmp_path: Path) -> None:
    async with stage(fake.busy(), size=(140, 40), folder=tmp_path) as on:
        await on.press("slash", *"ollama", "enter", "E")
        told = on.text("keys")
        assert "crtui-20261120-140322.csv and crtui-20261120-140322.jsonl" in told
        assert str(tmp_path)[:20] in told
        rows = records((tmp_path / "crtui-20261120-140322.csv").read_text("utf-8"))
        assert [row["name"] for row in rows] == ["ollama-32b", "ollama-7b"]


def saved(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_a_screenshot_is_what_is_seen(tmp_path: Path) -> None:
    async with stage(fake.busy(), folder=tmp_path) as on:
        await on.press("ctrl+s")
        (file,) = saved(tmp_path)
        assert "anthropic-max" in file.read_text("utf-8")
        assert file.name in on.text("keys")


async def test_a_folder_that_cannot_be_written_to_is_told_with_the_remedy(tmp_path: Path) -> None:
    async with stage(fake.busy(), folder=tmp_path / "gone", size=(100, 30)) as on:
        await on.press("E")
        assert "not saved: No such file or directory; start crtui in a folder" in on.text("keys")


async def test_the_row_is_copied_as_json() -> None:
    async with stage(fake.busy()) as on:
        await on.press("Y")
        assert json.loads(on.app.clipboard)["name"] == on.table.selected
        assert "as JSON" in on.text("keys")
    empty = replace(fake.busy(), providers=(), profiles=())
    async with stage(empty) as on:
        await on.press("Y")
        assert on.app.clipboard == ""


def test_one_provider_is_one_line() -> None:
    assert "\n" not in json_line(fake.busy().providers[0])
