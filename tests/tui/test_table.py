"""The table's rows: which columns fit, and that nothing is cut without saying so."""

from __future__ import annotations

import pytest

from crtui.tui.line import plain, width_of
from crtui.tui.order import SORTS, arrange, entries, matches
from crtui.tui.rows import table
from crtui.tui.status import GROUPS
from crtui.tui.why import why
from tests.fakes import snapshots as fake

NOW = fake.NOW
BUSY = entries(fake.busy(), fake.recent(fake.busy()))


def rows(width: int) -> dict[str, str]:
    made = table(BUSY, width, NOW, "chain")
    return dict(zip(made.names, map(plain, made.lines), strict=True))


def test_the_narrow_table_keeps_state_provider_left_and_next() -> None:
    shown = rows(43)
    assert shown["anthropic-max"] == "▶ ● OK    anthropic-max  33%  empty   1h17"
    assert shown["groq"].rstrip() == "  ◇ QUOT  groq            0%  reset   2h53"
    assert shown["cerebras"] == "  ◌ COOL  cerebras       35%  retry    42s"


def test_the_wide_table_has_speed_errors_and_reasons() -> None:
    shown = rows(120)
    assert shown["openai-plus"].split()[5:7] == ["4h00", "704"]
    assert shown["openai-plus"].rstrip().endswith("7.4% 3 failures in a row: 500 internal server err…")


def test_where_reasons_have_no_column_they_stand_in_for_missing_numbers() -> None:
    shown = rows(79)
    assert shown["cerebras"].endswith("  rate limited")
    assert shown["anthropic-max"].endswith("2.0s   0.2%")


@pytest.mark.parametrize("width", range(40, 170, 3))
def test_every_row_fits_and_what_is_cut_says_so(width: int) -> None:
    made = table(BUSY, width, NOW, "attention")
    assert width_of(made.header) <= width
    for entry, line in zip(BUSY, table(BUSY, width, NOW, "chain").lines, strict=True):
        assert width_of(line) <= width
        shown = plain(line)
        assert entry.provider.name in shown or "…" in shown
        reason = why(entry.provider)
        if "WHY" in plain(made.header) and reason:
            assert reason in shown or shown.rstrip().endswith("…")


def test_exactly_one_row_is_marked_as_served_next() -> None:
    assert [name for name, line in rows(79).items() if line.startswith("▶")] == ["anthropic-max"]


def test_attention_order_puts_trouble_first_and_keeps_chain_order_inside() -> None:
    ordered = arrange(BUSY, "attention")
    groups = [GROUPS.index(entry.status.group) for entry in ordered]
    assert groups == sorted(groups)
    assert [e.provider.name for e in ordered if e.status.group == "out"] == ["groq", "deepinfra"]


def test_chain_order_is_the_default_profiles_chain_then_the_rest() -> None:
    names = [entry.provider.name for entry in arrange(BUSY, "chain")]
    assert names[0] == "anthropic-max"
    assert names[-1] == "together"


@pytest.mark.parametrize(
    ("sort", "first"),
    [("name", "anthropic-api"), ("left", "groq"), ("latency", "anthropic-api"), ("errors", "deepinfra")],
)
def test_each_sort_order_starts_with_its_extreme(sort: str, first: str) -> None:
    assert arrange(BUSY, sort)[0].provider.name == first  # type: ignore[arg-type]


@pytest.mark.parametrize("sort", SORTS)
def test_sorting_loses_nobody_and_reversing_turns_it_round(sort: str) -> None:
    names = {entry.provider.name for entry in arrange(BUSY, sort)}  # type: ignore[arg-type]
    assert len(names) == 14
    backwards = arrange(BUSY, sort, reverse=True)  # type: ignore[arg-type]
    assert {entry.provider.name for entry in backwards} == names


def test_the_header_marks_the_sorted_column() -> None:
    assert "LEFT↓" not in plain(table(BUSY, 79, NOW, "attention").header)
    assert "STATE↓" in plain(table(BUSY, 79, NOW, "attention").header)
    for sort in SORTS:
        assert ("↓" in plain(table(BUSY, 120, NOW, sort).header)) is (sort != "chain")
    assert "PROVIDER↑" in plain(table(BUSY, 79, NOW, "name", reverse=True).header)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("ollama", {"ollama-32b", "ollama-7b"}),
        ("OLLAMA", set()),
        ("state:down", {"deepinfra"}),
        ("state:out", {"groq", "deepinfra"}),
        ("model:opus", {"anthropic-max"}),
        ("anthropic !api", {"anthropic-max"}),
        ("rate", {"cerebras"}),
        ("kind:lmstudio", {"lmstudio"}),
        ("nobody", set()),
    ],
)
def test_filters_are_smart_case_and_can_be_turned_round(wanted: str, names: set[str]) -> None:
    assert {entry.provider.name for entry in BUSY if matches(entry, wanted)} == names


def test_an_empty_filter_lets_everybody_through() -> None:
    assert all(matches(entry, "") for entry in BUSY)
