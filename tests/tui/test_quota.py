"""Limits: which one binds, how long it lasts, and where that is known from."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from crtui.core.now import DAY, HOUR, MINUTE
from crtui.core.views import BudgetView, BurnView
from crtui.tui.line import plain, width_of
from crtui.tui.meters import binding, length_of, meters_of
from crtui.tui.quota_lines import burn_lines, outlook, quota_panel, window_lines
from tests.fakes import snapshots as fake

NOW = fake.NOW


def test_the_scarcest_known_limit_binds() -> None:
    provider = fake.limited(
        "a", fake.window("5h", 10.0), fake.window("weekly", 80.0), fake.window("old", 99.0, unconfirmed=True)
    )
    meter = binding(provider)
    assert meter is not None
    assert (meter.label, meter.left) == ("weekly", 20.0)


def test_days_tokens_and_months_money_are_limits_too() -> None:
    provider = fake.provider(
        burn=BurnView(1000, 400, 1.0, 900, None, NOW + HOUR), budget=BudgetView(10.0, 2.5, "2026-11")
    )
    assert [(m.label, m.left) for m in meters_of(provider)] == [("day", 60.0), ("month", 75.0)]


def test_a_provider_without_limits_has_no_meter() -> None:
    assert binding(fake.provider()) is None


def test_a_share_is_worked_out_from_remaining_and_limit() -> None:
    provider = fake.limited("a", fake.window("requests", None, remaining=1000, limit=4000))
    assert [(m.left, m.used) for m in meters_of(provider)] == [(25.0, 3000)]


def test_spending_that_is_unknown_is_no_percentage() -> None:
    meter = binding(fake.provider(budget=BudgetView(10.0, None, "2026-11")))
    assert meter is not None
    assert meter.left is None


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("5h", 5 * HOUR),
        ("7d", 7 * DAY),
        ("weekly", 7 * DAY),
        ("daily", DAY),
        ("requests/minute", MINUTE),
        ("credits", None),
    ],
)
def test_a_windows_name_tells_its_length(name: str, length: int | None) -> None:
    assert length_of(name) == length


def test_the_pace_compares_use_with_time_gone_by() -> None:
    provider = fake.limited(
        "a", fake.window("5h", 50.0, 150 * MINUTE), fake.window("5h two", 80.0, 150 * MINUTE)
    )
    assert [m.pace(NOW) for m in meters_of(provider)] == [pytest.approx(1.0), pytest.approx(1.6)]


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (fake.window(empty=(MINUTE * 60, MINUTE * 120)), "empty ~15:33 (15:03–16:03)"),
        (fake.window(lasts=True), "ok to reset"),
        (fake.window(), "too fast"),
        (fake.window(used=20.0), "ok so far"),
        (fake.window("requests"), "no trend"),
        (fake.window(used=100.0), "used up"),
        (fake.window(unconfirmed=True), "reset passed, unconfirmed"),
        (fake.window(used=None), "not known"),
        (fake.window(resets_in=None), "ok"),
    ],
)
def test_the_outlook_says_whether_it_lasts(window: fake.WindowView, said: str) -> None:
    (meter,) = meters_of(fake.limited("a", window))
    assert plain(outlook(meter, NOW, UTC)) == said


def test_the_panel_lists_the_scarcest_first_and_tells_as_much_as_there_is_room_for() -> None:
    shown = fake.busy()
    tight = [plain(line) for line in quota_panel(shown, 48, 10, NOW, UTC)]
    roomy = [plain(line) for line in quota_panel(shown, 48, 2 * len(tight), NOW, UTC)]
    whole = [plain(line) for line in quota_panel(shown, 48, 60, NOW, UTC)]
    assert [line.split()[0] for line in tight[:3]] == ["groq", "openai-plus", "anthropic-max"]
    assert tight[2] == "anthropic-max ━━━╌╌╌╌╌  33%   2h14 empty ~16:00"
    assert len(roomy) == 2 * len(tight)
    assert roomy[5].strip() == "empty ~16:00 · headers 12s ago"
    assert whole[0] == "groq"
    assert sum("anthropic-max" in line for line in whole) == 1
    assert len(whole) == len(tight) + 2 * sum(len(meters_of(p)) for p in shown.providers)


def test_with_less_room_every_limit_takes_one_line() -> None:
    shown = fake.busy()
    full = len(quota_panel(shown, 48, 99, NOW, UTC))
    lines = [plain(line) for line in quota_panel(shown, 48, full - 1, NOW, UTC)]
    limits = sum(len(meters_of(p)) for p in shown.providers)
    assert len(lines) == limits + sum(bool(meters_of(p)) for p in shown.providers)
    assert any(line.startswith(" 5h") and "33%" in line and "empty" in line for line in lines)


def test_without_any_limit_the_panel_says_so() -> None:
    (line,) = quota_panel(fake.no_traffic(), 60, 10, NOW, UTC)
    assert "No provider has told a limit" in plain(line)


def test_every_window_tells_its_source_and_age() -> None:
    provider = fake.limited(
        "a", fake.window("5h", source="subscription", age=5 * MINUTE), fake.window("weekly")
    )
    lines = [plain(line) for line in window_lines(provider, 70, NOW, UTC)]
    assert lines[0] == "5h     ━━━╌╌╌╌╌  33% resets 2h14"
    assert lines[1].strip() == "too fast · pace 1.2× · subscription 5m ago"
    assert len(lines) == 4


@pytest.mark.parametrize("width", [24, 36, 48, 80])
def test_no_line_is_wider_than_its_panel(width: int) -> None:
    for provider in fake.busy().providers:
        lines = [*window_lines(provider, width, NOW, UTC), *burn_lines(provider, width, NOW, UTC)]
        assert all(width_of(line) <= width for line in lines)
    assert all(width_of(line) <= width for line in quota_panel(fake.busy(), width, 40, NOW, UTC))


def test_burn_tells_the_rate_the_projection_and_the_money() -> None:
    provider = fake.provider(
        burn=BurnView(500_000, 310_000, 5100.0, 780_000, NOW + 38 * MINUTE, NOW + 9 * HOUR),
        budget=BudgetView(50.0, 14.8, "2026-11"),
    )
    text = "\n".join(plain(line) for line in burn_lines(provider, 60, NOW, UTC))
    assert "5.1k tok/min" in text
    assert "310k tokens of 500k, 780k by midnight UTC" in text
    assert "empty ~14:41" in text
    assert "$14.80 of $50.00 in 2026-11" in text


def partly_priced(requests: int, spent: float | None = 14.8, **more: Any) -> fake.ProviderView:
    return fake.provider("a-name-in-full", budget=BudgetView(50.0, spent, "2026-11", requests), **more)


@pytest.mark.parametrize(
    ("requests", "spent", "said"),
    [
        (12, 14.8, ["spent    ≥$14.80 of $50.00 in 2026-11", "unpriced 12 requests, not in what is spent"]),
        (1, None, ["spent    unknown of $50.00 in 2026-11", "unpriced 1 request"]),
        (0, 14.8, ["spent    $14.80 of $50.00 in 2026-11"]),
    ],
)
def test_a_spend_that_lacks_requests_is_a_least_and_says_how_many_in_44_columns(requests, spent, said):
    lines = [plain(line).rstrip() for line in burn_lines(partly_priced(requests, spent), 44, NOW, UTC)]
    money = [line for line in lines if line.startswith(("spent", "unpriced"))]
    assert money == said


def test_where_nothing_has_a_price_its_lack_is_said_once():
    provider = fake.provider("at-home", budget=BudgetView(None, None, "2026-11", 51))
    lines = [plain(line).rstrip() for line in burn_lines(provider, 44, NOW, UTC)]
    money = [line for line in lines if line.startswith(("spent", "unpriced"))]
    assert money == ["spent    unknown in 2026-11"]


def test_hidden_money_hides_what_is_not_priced_too():
    lines = [plain(line) for line in burn_lines(partly_priced(12), 60, NOW, UTC, money=False)]
    assert not [line for line in lines if "unpriced" in line or "$" in line]


@pytest.mark.parametrize("height", [1, 2, 3])
def test_a_cap_that_is_not_counted_in_full_never_reads_as_fine(height: int):
    lines = panel(fake.snapshot(partly_priced(12)), 44, height)
    assert any(line.rstrip().endswith("12 unpriced") or "12 unpriced ·" in line for line in lines)
    assert not any(" ok" in line for line in lines)
    assert ("≥$14.80/$50.00" in "".join(lines)) is (height > 2)


def test_a_cap_that_is_reached_anyway_is_used_up():
    (meter,) = meters_of(partly_priced(12, 50.0))
    assert plain(outlook(meter, NOW, UTC)) == "used up"


def panel(shown: fake.Snapshot, width: int = 60, height: int = 40) -> list[str]:
    return [plain(line) for line in quota_panel(shown, width, height, NOW, UTC)]


def test_agents_at_work_are_told_after_the_providers() -> None:
    alone = panel(fake.busy())
    both = panel(fake.replace(fake.busy(), agents=(fake.agent(), fake.agent("gemini"))), height=60)
    assert both[: len(alone)] == panel(fake.busy(), height=60)[: len(alone)]
    assert both[len(alone) :] == [
        "Claude Code",
        " 5h block 1.2M tok  ends ~2h15  7.3k/min",
        " 2.1M–2.9M by 16:18 · logs 12s ago",
        "Gemini CLI",
        " 5h block 1.2M tok  ends ~2h15  7.3k/min",
        " 2.1M–2.9M by 16:18 · logs 12s ago",
    ]


def test_agents_are_told_while_no_provider_has_told_a_limit() -> None:
    assert panel(fake.replace(fake.no_traffic(), agents=(fake.agent(),)))[0] == "Claude Code"
    assert panel(fake.replace(fake.no_providers(), agents=(fake.agent(),)), 44, 1) == [
        "Claude Code   1.2M tok  2h15  2.1M–2.9M"
    ]


def test_with_little_room_an_agent_takes_one_line_and_the_providers_theirs() -> None:
    shown = fake.replace(fake.busy(), agents=(fake.agent(),))
    lines = panel(shown, 48, len(panel(fake.busy(), 48, 10)) + 1)
    assert lines[-1] == "Claude Code   1.2M tok  2h15  2.1M–2.9M"
    assert lines[:-1] == panel(fake.busy(), 48, 10)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (52, " 5h         ━━━╌╌╌╌╌  33%   2h14 empty ~15:18"),
        (40, " 5h ━━━╌╌╌╌╌  33%   2h14 empty ~15:18"),
    ],
)
def test_an_agents_window_in_one_line_tells_its_end_at_any_width(width: int, line: str) -> None:
    window = fake.window("5h", 67.0, empty=(60 * MINUTE, 90 * MINUTE), source="agent log")
    shown = fake.replace(fake.no_providers(), agents=(fake.agent("codex", window),))
    assert panel(shown, width, 2)[1].rstrip() == line


def test_an_agents_window_tells_countdown_pace_end_source_and_age() -> None:
    window = fake.window("5h", 67.0, empty=(60 * MINUTE, 90 * MINUTE), source="agent log")
    weekly = fake.window("7d", 41.0, 3 * DAY, source="agent log")
    lines = panel(fake.snapshot(), 80)
    assert "No provider has told a limit" in lines[0]
    lines = panel(fake.replace(fake.snapshot(), agents=(fake.agent("codex", window, weekly),)), 80)
    assert lines[3:] == [
        " 5h ━━━╌╌╌╌╌  33% resets 2h14",
        "    empty ~15:18 (15:03–15:33) · pace 1.2× · agent log 12s ago",
        " 7d ━━━━━╌╌╌  59% resets 3d00",
        "    ok so far · pace 0.7× · agent log 12s ago",
    ]


def test_a_window_that_its_provider_shows_is_not_told_twice() -> None:
    there = fake.limited("max", fake.window("5h", 20.0, age=5 * MINUTE), kind="anthropic")
    older = fake.agent("claude", fake.window("5h", 30.0, age=6 * MINUTE), fake.window("7d"))
    newer = fake.agent("claude", fake.window("5h", 30.0, age=4 * MINUTE))
    other = fake.agent("codex", fake.window("5h", 30.0, age=6 * MINUTE))

    def meters(agent: fake.AgentView) -> list[str]:
        shown = fake.replace(fake.snapshot(there), agents=(agent,))
        name = {"claude": "Claude Code", "codex": "Codex"}[agent.name]
        lines = panel(shown)
        return [line.split()[0] for line in lines[lines.index(name) + 3 :: 2]]

    assert meters(older) == ["7d"]
    assert meters(newer) == ["5h"]
    assert meters(other) == ["5h"]


def test_an_agent_that_rests_tells_its_day_and_then_nothing() -> None:
    resting = fake.agent(block=None, last_at=NOW - 6 * HOUR)
    assert panel(fake.replace(fake.snapshot(), agents=(resting,))) == [
        "Claude Code",
        " last 6h ago, 1.9M tok today",
    ]
    gone = fake.replace(resting, last_at=NOW - 2 * DAY)
    assert "No provider has told a limit" in panel(fake.replace(fake.snapshot(), agents=(gone,)))[0]


def test_the_end_of_an_official_window_is_no_estimate() -> None:
    official = fake.replace(fake.agent().block, estimated=False)
    lines = panel(fake.replace(fake.snapshot(), agents=(fake.agent(block=official),)))
    assert lines[1] == " 5h block 1.2M tok  ends 2h15  7.3k/min"


def test_what_is_not_read_yet_and_what_was_not_understood_is_said() -> None:
    shown = fake.agent(reading=True, skipped=3)
    lines = panel(fake.replace(fake.snapshot(), agents=(shown,)), 70)
    assert lines[2] == " 2.1M–2.9M by 16:18 · logs 12s ago, still reading · 3 bad lines"
    young = fake.replace(fake.agent().block, projected_from=None, projected_to=None, tokens_per_min=None)
    lines = panel(fake.replace(fake.snapshot(), agents=(fake.agent(block=young),)))
    assert lines[1:] == [" 5h block 1.2M tok  ends ~2h15", " no projection yet · logs 12s ago"]


@pytest.mark.parametrize("width", [12, 24, 36, 48, 80])
@pytest.mark.parametrize("height", [1, 3, 30])
def test_no_line_of_an_agent_is_wider_than_the_panel(width: int, height: int) -> None:
    agents = (
        fake.agent("claude", fake.window(), skipped=4),
        fake.agent("codex", block=None),
        fake.agent("x" * 30),
    )
    shown = fake.replace(fake.no_traffic(), agents=agents)
    assert all(width_of(line) <= width for line in quota_panel(shown, width, height, NOW, UTC))


def test_where_there_is_room_an_agents_windows_have_a_line_each() -> None:
    window = fake.window("5h", 67.0, empty=(60 * MINUTE, 90 * MINUTE), source="agent log")
    shown = fake.replace(fake.busy(), agents=(fake.agent("codex", window),))
    fewest = len(fake.busy().providers)
    roomy = next(
        lines for height in range(fewest, 99) if (lines := panel(shown, 48, height))[-1].startswith(" 5h")
    )
    assert roomy[-2:] == [
        "Codex         1.2M tok  2h15  2.1M–2.9M",
        " 5h         ━━━╌╌╌╌╌  33%   2h14 empty ~15:18",
    ]
