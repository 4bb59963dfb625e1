"""What is shown of the agents: the running block, the windows, and how much was read."""

from __future__ import annotations

from crtui.agents.board import Board
from crtui.agents.entry import Limit
from crtui.core.encode import agent_json, snapshot_from_json, snapshot_json
from crtui.core.inputs import WindowReport
from crtui.core.now import DAY, HOUR, MINUTE
from crtui.core.views import AgentBlockView, AgentView
from tests.agentlogs.logs import T0, Machine, append, claude, codex_meta, codex_run, rollout, write
from tests.fakes import snapshots as fake

NOW = T0 + HOUR


def view(machine: Machine, board: Board, now: int = NOW) -> AgentView:
    machine.totals()
    return next(view for view in board.views(now) if view.name == "claude")


def at(minutes: int, tokens: int = 100) -> dict[str, object]:
    return claude(f"m{minutes}", T0 + minutes * MINUTE, (tokens, 0, 0, 0), request=f"r{minutes}")


def test_an_agent_without_a_log_is_not_shown(machine: Machine) -> None:
    assert Board(machine.memory).views(NOW) == ()


def test_the_running_block_is_shown_with_pace_and_projection(machine: Machine) -> None:
    write(machine.projects / "p" / "s.jsonl", [at(-600), at(0), at(20), at(30)])

    found = view(machine, Board(machine.memory))

    assert found.block == AgentBlockView(T0, T0 + 5 * HOUR, 300, 0, 0, 0, 10.0, 1100, 2700)
    assert (found.block.tokens, found.last_at, found.files, found.skipped) == (300, T0 + 30 * MINUTE, 1, 0)


def test_a_block_that_is_over_is_not_shown(machine: Machine) -> None:
    write(machine.projects / "p" / "s.jsonl", [at(0)])

    assert view(machine, Board(machine.memory), T0 + 6 * HOUR).block is None


def test_older_answers_that_are_found_later_move_the_block(machine: Machine) -> None:
    file = write(machine.projects / "p" / "s.jsonl", [at(90)])
    board = Board(machine.memory)
    before = view(machine, board, T0 + 2 * HOUR).block
    append(file, at(5))
    after = view(machine, board, T0 + 2 * HOUR).block

    assert before is not None
    assert after is not None
    assert (before.start, before.tokens) == (T0 + HOUR, 100)
    assert (after.start, after.tokens) == (T0, 200)


def test_newer_answers_add_to_the_block_and_then_begin_the_next(machine: Machine) -> None:
    file = write(machine.projects / "p" / "s.jsonl", [at(10)])
    board = Board(machine.memory)
    shown = []
    for minutes in (20, 299, 301, 320):
        view(machine, board)
        append(file, at(minutes))
        block = view(machine, board, T0 + minutes * MINUTE).block
        assert block is not None
        shown.append((block.start - T0, block.tokens))

    assert shown == [(0, 200), (0, 300), (5 * HOUR, 100), (5 * HOUR, 200)]


def told(machine: Machine, minute: int, used: float) -> None:
    report = WindowReport("5h", "status line", used, resets_at=T0 + 5 * HOUR)
    machine.memory.note_limits("claude", "status line", [Limit(T0 + minute * MINUTE, report)])


def test_a_window_that_is_told_to_stand_still_does_not_run_out(machine: Machine) -> None:
    write(machine.projects / "p" / "s.jsonl", [at(minute) for minute in range(61)])
    board, shown = Board(machine.memory), []
    for minute in range(121):
        told(machine, minute, min(60.0, minute))
        if minute in (60, 70, 90, 120):
            shown.append(view(machine, board, T0 + minute * MINUTE).windows[0])

    assert [window.exhausts_from is not None for window in shown] == [True, True, False, False]
    assert (shown[0].exhausts_from or 0) < (shown[1].exhausts_from or 0)
    assert not any(window.lasts for window in shown)


def test_a_window_is_taken_to_fill_while_its_agent_works_and_nothing_is_told(machine: Machine) -> None:
    log = write(machine.projects / "p" / "s.jsonl", [at(minute) for minute in range(61)])
    for minute in range(61):
        told(machine, minute, float(minute))
    board = Board(machine.memory)
    before = view(machine, board, T0 + 60 * MINUTE).windows[0]
    append(log, at(80))
    after = view(machine, board, T0 + 80 * MINUTE).windows[0]

    assert before.exhausts_from is not None
    assert (after.exhausts_from, after.exhausts_to) == (before.exhausts_from, before.exhausts_to)


def test_each_agent_has_its_own_block(machine: Machine) -> None:
    session = "11111111-1111-4111-8111-111111111111"
    write(machine.projects / "p" / "s.jsonl", [at(0)])
    rollout(machine.codex, session, [codex_meta(session), *codex_run(T0 + 30 * MINUTE, [(50, 5, 0)])])
    machine.totals()

    shown = {view.name: view.block and view.block.tokens for view in Board(machine.memory).views(NOW)}

    assert shown == {"claude": 100, "codex": 55}


def test_a_window_past_its_reset_is_unconfirmed_and_its_percentage_gone(machine: Machine) -> None:
    report = WindowReport("5h", "status line", 40.0, resets_at=NOW)
    machine.memory.note_limits("claude", "status line", [Limit(T0, report)])
    board = Board(machine.memory)

    (before,) = board.views(NOW - 1)[0].windows
    (after,) = board.views(NOW)[0].windows

    assert (before.used_percent, before.unconfirmed, before.observed_at) == (40.0, False, T0)
    assert (after.used_percent, after.unconfirmed, after.resets_at) == (None, True, NOW)


def reset(machine: Machine, at: int) -> None:
    report = WindowReport("5h", "status line", 40.0, resets_at=at)
    machine.memory.note_limits("claude", "status line", [Limit(T0, report)])


def test_an_official_reset_overrides_the_block(machine: Machine) -> None:
    """The window runs from 14:50 to 19:50; by the answers alone there would be two, from 14:00 and 19:00."""
    write(machine.projects / "p" / "s.jsonl", [at(-20), at(-5), at(245), at(270)])
    reset(machine, T0 + 4 * HOUR + 50 * MINUTE)

    block = view(machine, Board(machine.memory), T0 + 280 * MINUTE).block

    assert block is not None
    assert (block.start, block.end) == (T0 - 10 * MINUTE, T0 + 290 * MINUTE)
    assert (block.tokens, block.estimated) == (300, False)


def test_after_an_official_reset_a_new_block_begins(machine: Machine) -> None:
    file = write(machine.projects / "p" / "s.jsonl", [at(0), at(100)])
    reset(machine, T0 + 110 * MINUTE)
    board = Board(machine.memory)
    assert view(machine, board, T0 + 111 * MINUTE).block is None
    append(file, at(115))

    block = view(machine, board, T0 + 120 * MINUTE).block

    assert block is not None
    assert (block.start, block.tokens, block.estimated) == (T0 + HOUR, 100, True)


def test_a_reset_that_is_too_far_off_for_the_window_overrides_nothing(machine: Machine) -> None:
    write(machine.projects / "p" / "s.jsonl", [at(0)])
    reset(machine, T0 + DAY)

    block = view(machine, Board(machine.memory)).block

    assert block is not None
    assert block.start == T0


def test_an_agent_is_known_by_its_window_alone(machine: Machine) -> None:
    machine.memory.note_limits("claude", "status line", [Limit(T0, WindowReport("5h", "status line", 1.0))])

    (shown,) = Board(machine.memory).views(NOW)

    assert (shown.name, shown.block, shown.files) == ("claude", None, 0)


def test_todays_tokens_are_those_since_midnight(machine: Machine) -> None:
    write(machine.projects / "p" / "s.jsonl", [at(0), at(-4000)])

    assert view(machine, Board(machine.memory), T0 + MINUTE).today_tokens == 100
    assert view(machine, Board(machine.memory), T0 + 2 * DAY).today_tokens == 0


def test_agents_travel_in_the_state_as_json_and_back() -> None:
    block = AgentBlockView(T0, T0 + 5 * HOUR, 1, 2, 3, 4, 5.0, 6, 7)
    agent = AgentView("claude", T0, block, 9, (fake.window(),), 3, 1)
    snapshot = fake.replace(fake.busy(), agents=(agent,))

    data = snapshot_json(snapshot)

    assert data["agents"] == [agent_json(agent)]
    assert data["agents"][0]["block"]["start"] == "2026-11-19T15:00:00.000Z"
    assert snapshot_from_json(data).agents == (agent,)
    assert snapshot_from_json({k: v for k, v in data.items() if k != "agents"}).agents == ()
