"""The journal: a run's history is exact, survives its process, and costs requests nothing."""

from __future__ import annotations

import sqlite3
import stat
import zlib

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crtui.clock import ManualClock
from crtui.core.inputs import Limits, ModelReport, Poll, Usage, WindowReport
from crtui.core.now import DAY, HOUR, MINUTE
from crtui.engine import journal as journal_module
from crtui.engine.journal import CHECKPOINT_INPUTS, CHECKPOINT_MS
from crtui.providers.probing import Observation
from tests.engine.conftest import TEXT, Live, config_data, replayed

RULES = {
    "profile": [
        {"name": "default", "chain": ["a", "b"]},
        {"name": "review", "chain": ["b", "a"], "tactic": "random"},
    ],
    "rule": [{"when": {"content_contains": "review"}, "profile": "review"}],
}


def eventful(live: Live) -> None:
    """A bit of everything that leaves a trace in the core."""
    live.serve(3)
    for _ in range(2):
        live.serve(ok=False)
    window = WindowReport("5h", "headers", 80.0, 20.0, 100.0, live.clock.now().wall + HOUR)
    live.serve(ok=False, status=429, limits=Limits(30_000, (window,)))
    live.engine.poll(Poll("a", ok=True, models=(ModelReport("m", True, 8192, None),)))
    live.order("pin", "b", for_ms=60_000)
    live.ask(session="stays open")
    live.clock.advance(12_345)


def rows(live: Live, sql: str) -> list[tuple]:
    with sqlite3.connect(live.path) as db:
        found = db.execute(sql).fetchall()
    db.close()
    return found


def test_the_export_of_a_live_run_replays_to_the_state_that_is_shown(live):
    live.start()
    eventful(live)
    live.turn()

    assert live.replayed() == live.shown()


def test_the_export_of_a_run_that_has_ended_replays_to_its_last_state(live):
    live.start()
    eventful(live)
    live.stop()

    assert replayed(live.exported()) == live.shown()


def test_a_rule_that_matched_by_a_text_matches_again_without_it(live):
    live.start(config_data("a", "b", **RULES))
    live.ask(content=TEXT)
    assert live.profile == "review"
    live.answer("b")
    live.ask()
    assert live.profile == "default"
    live.turn()
    lines = live.exported()

    assert replayed(lines)["events"] == live.shown()["events"]
    assert b"please" not in b"".join(lines)


def test_a_poll_that_was_under_way_at_a_refusal_lifts_nothing_and_replays_the_same(live):
    live.start()
    room = Poll("a", ok=True, windows=(WindowReport("5h", "poll", 10.0),))
    asked = live.clock.now()
    full = WindowReport("5h", "headers", 100.0)
    live.serve(ok=False, status=429, limits=Limits(90_000, (full,)))
    live.clock.advance(40)
    live.engine.observe(Observation(room, asked))
    live.turn()
    shown = live.shown()

    assert shown["providers"][0]["quota"]["state"] == "quota_exhausted"
    assert live.replayed() == shown
    live.engine.observe(Observation(room, live.clock.now()))
    assert live.shown()["providers"][0]["quota"]["state"] == "available"


def test_an_export_from_a_checkpoint_carries_its_state_and_what_was_in_flight(live):
    live.start()
    eventful(live)
    live.clock.advance(31 * MINUTE)
    live.serve(2)
    live.turn()
    since = live.clock.now().wall
    live.clock.advance(5_000)
    live.serve(2)
    live.turn()
    lines, whole = live.exported(since), live.exported()

    assert len(lines) < len(whole)
    assert b'"state"' in lines[0]
    shown = live.shown()
    assert sum(row["in_flight"] for row in shown["providers"]) == 1
    assert live.replayed(since) == shown


def test_an_export_that_begins_while_a_trial_is_under_way_knows_whose_it_is(live):
    live.start()
    live.serve(ok=False, status=429, limits=Limits(10_000))
    live.clock.advance(10_000)
    provider, trial = live.ask(), live.ticket
    live.clock.advance(CHECKPOINT_MS)
    live.serve()
    live.answer(provider, ticket=trial)
    live.turn()
    since = live.clock.now().wall

    assert len(live.exported(since)) < len(live.exported())
    assert live.replayed(since)["providers"] == live.shown()["providers"]


@pytest.mark.fault("X05")
def test_what_began_before_a_refusal_is_no_evidence_of_room_across_a_checkpoint_either(live):
    live.start(config_data("a"))
    live.ask()
    first = live.ticket
    live.ask()
    live.answer("a", ok=False, status=429, limits=Limits(600_000))
    live.clock.advance(CHECKPOINT_MS)
    window = WindowReport("1m", "headers", remaining=5.0, limit=10.0)
    live.answer("a", ticket=first, limits=Limits(None, (window,)))
    live.turn()
    [shown] = live.shown()["providers"]
    [again] = live.replayed(live.clock.now().wall)["providers"]

    assert shown["quota"]["state"] == "quota_exhausted"
    assert again == shown
    live.kill()
    live.start(config_data("a"))
    assert live.shown()["providers"] == [shown], "nor after a kill"


def test_a_restart_knows_what_was_known(live):
    live.start()
    eventful(live)
    before = live.shown()
    live.stop()
    live.start()
    after = live.shown()

    for row in before["providers"]:
        row["in_flight"] = 0
    assert after["providers"] == before["providers"]
    assert after["events"] == before["events"]
    assert list(live.notices) == []


@pytest.mark.fault("X05")
def test_after_a_kill_everything_that_was_written_is_known(live):
    live.start()
    live.serve(5)
    live.turn()
    before = live.shown()
    live.serve(5)
    live.kill()
    live.start()

    assert [row["usage"] for row in live.shown()["providers"]] == [
        row["usage"] for row in before["providers"]
    ]


def test_a_restart_of_a_restart_still_replays_to_what_is_shown(live):
    live.start()
    eventful(live)
    live.stop()
    live.clock.advance(5_000)
    live.start()
    live.serve(4)
    live.turn()
    shown = live.shown()

    assert shown["gateway"]["requests"] == 4, "the run's, not those of all runs"
    assert live.replayed() == shown


def test_a_checkpoint_of_a_journal_that_counted_no_requests_can_be_exported(live):
    live.start()
    live.serve(2)
    live.stop()
    with sqlite3.connect(live.path) as db:
        [saved] = db.execute("SELECT saved FROM checkpoints ORDER BY id LIMIT 1").fetchone()
        data = orjson.loads(zlib.decompress(saved))
        del data["requests"]
        db.execute("UPDATE checkpoints SET saved = ?", (zlib.compress(orjson.dumps(data)),))
    db.close()

    assert replayed(live.exported())["gateway"]["requests"] == 2


def test_time_that_passed_while_it_was_off_is_taken_off_every_wait(live):
    live.start()
    live.serve(ok=False, status=429, limits=Limits(60_000))
    until = live.shown()["providers"][0]["quota"]["retry_after"]
    live.stop()
    live.clock.advance(20_000)
    live.start()
    assert live.shown()["providers"][0]["quota"]["retry_after"] == until
    live.stop()
    live.clock.advance(60_000)
    live.start()

    assert live.shown()["providers"][0]["quota"]["state"] == "available"


@pytest.mark.fault("S30")
def test_another_boots_clock_changes_no_wait(live):
    live.start()
    live.serve(ok=False, status=429, limits=Limits(60_000))
    until = live.shown()["providers"][0]["quota"]["retry_after"]
    live.stop()
    live.clock = ManualClock(wall=live.clock.now().wall, mono=5)
    live.start()

    assert live.shown()["providers"][0]["quota"]["retry_after"] == until


def test_overrides_and_spend_survive_and_a_provider_that_is_gone_is_left_out(live):
    paid = config_data("a", "b")
    for row in paid["provider"]:
        row |= {"monthly_usd": 10.0, "price": {"input": 1.0, "output": 1.0}}
    live.start(paid)
    live.order("drain", "a")
    live.serve(usage=Usage(1_000_000, 0))
    live.stop()
    live.start(config_data("b", "c"))
    [row, new] = live.shown()["providers"]
    assert (row["usage"]["input_tokens"], new["usage"]["requests"]) == (1_000_000, 0)
    live.stop()
    live.start(paid)
    [first, second] = live.shown()["providers"]

    assert first["operator"]["override"] == "none", "what was dropped from the config is forgotten"
    assert second["budget"]["spent_usd"] == 1.0


def test_a_wall_clock_that_is_set_begins_a_new_segment_that_replays_exactly(live):
    live.start()
    eventful(live)
    live.clock.jump_wall(3 * HOUR)
    live.serve(2)
    live.turn()

    assert rows(live, "SELECT count(*) FROM segments") == [(2,)]
    assert live.replayed() == live.shown()


def test_checkpoints_come_with_inputs_and_time_but_never_without_inputs(live):
    live.start()
    live.serve(1)
    live.turn()
    assert rows(live, "SELECT count(*) FROM checkpoints") == [(1,)]
    live.clock.advance(CHECKPOINT_MS)
    live.serve(1)
    live.turn()
    [(_, after)] = rows(live, "SELECT max(id), after FROM checkpoints")
    assert after == 3
    for _ in range(CHECKPOINT_INPUTS // 3 + 1):
        live.clock.advance(10)
        live.answer(live.ask())
    live.turn()
    [(_, after)] = rows(live, "SELECT max(id), after FROM checkpoints")
    assert after == 3 + CHECKPOINT_INPUTS
    live.clock.advance(CHECKPOINT_MS)
    live.engine._stamp()
    assert not live.journal.wants_checkpoint(live.clock.advance(CHECKPOINT_MS * 10))
    live.turn()

    assert rows(live, "SELECT count(*) FROM checkpoints WHERE NOT kept")[0][0] <= 1


@pytest.mark.fault("D18")
def test_a_queue_that_is_full_drops_history_with_a_count_and_the_rest_is_whole(live, monkeypatch):
    monkeypatch.setattr(journal_module, "QUEUED", 0)
    live.start()
    live.journal._limit = 20
    live.serve(10)
    assert live.journal.dropped == 21
    live.turn()

    assert list(live.notices) == ["21 inputs are missing in the journal: the disk was too slow or full"]
    assert live.shown() == live.replayed()


@pytest.mark.fault("D14")
def test_files_are_private_under_any_umask(live):
    import os

    old = os.umask(0)
    try:
        live.start()
        live.serve(3)
        live.turn()
    finally:
        os.umask(old)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in live.folder.iterdir()}
    assert set(modes) == {"journal.db", "journal.db-wal", "journal.db-shm", "lock"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(live.folder.stat().st_mode) == 0o700


@pytest.mark.fault("K11", "K29")
def test_neither_secrets_nor_texts_reach_the_journal(live):
    data = config_data("a")
    data["provider"][0] |= {"auth": "key", "api_key_env": "SOME_KEY"}
    live.start(data)
    live.ask(content=TEXT)
    live.answer("a")
    live.stop()
    written = live.path.read_bytes()

    assert b"SOME_KEY" in written
    assert b"please review" not in written


steps = st.lists(
    st.tuples(
        st.integers(0, 40_000),
        st.sampled_from(["ok", "500", "429", "open", "drain", "pin", "reset", "poll", "turn", "jump"]),
    ),
    max_size=40,
)


def act(live: Live, what: str) -> None:
    match what:
        case "ok":
            live.serve()
        case "500":
            live.serve(ok=False)
        case "429":
            live.serve(ok=False, status=429, limits=Limits(15_000))
        case "open":
            live.ask(session="open")
        case "poll":
            live.engine.poll(Poll("b", ok=False, error="no"))
        case "turn":
            live.turn()
        case "jump":
            live.clock.jump_wall(DAY // 3)
        case order:
            live.order(order, "a", for_ms=None if order == "reset" else 20_000)


@given(steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_replay_of_the_journal_is_the_state_that_is_shown(tmp_path_factory, story):
    live = Live(tmp_path_factory.mktemp("live"), ManualClock(mono=98_765))
    live.start(config_data("a", "b", "c"))
    try:
        for wait, what in story:
            live.clock.advance(wait)
            if what in ("ok", "500", "429", "open") and live.engine.snapshot().profiles[0].order == ():
                continue
            act(live, what)
        shown = live.shown()
        live.turn()
        again = live.replayed()
        assert again["providers"] == shown["providers"]
        assert again["profiles"] == shown["profiles"]
        assert again["gateway"] == shown["gateway"]
    finally:
        live.kill()


def test_a_journal_from_before_checkpoints_held_tickets_goes_on(live):
    live.start()
    live.serve(3)
    live.ask()
    live.clock.advance(CHECKPOINT_MS)
    live.serve(2)
    live.turn()
    live.kill()
    with sqlite3.connect(live.path) as db:
        for number, saved in db.execute("SELECT id, saved FROM checkpoints").fetchall():
            data = orjson.loads(zlib.decompress(saved)) | {"in_flight": []}
            for row in (data["core"] or {"providers": {}})["providers"].values():
                del row["tickets"]
            blob = zlib.compress(orjson.dumps(data))
            db.execute("UPDATE checkpoints SET exact = 0, saved = ? WHERE id = ?", (blob, number))
    db.close()
    live.start()
    live.serve(1)
    live.turn()

    assert list(live.notices) == []
    assert sum(row["usage"]["ok"] for row in live.shown()["providers"]) == 6
    assert live.replayed()["providers"] == live.shown()["providers"]


@pytest.mark.parametrize("line", [b"not json", b'{"input":"attempt","provider":"gone","ok":true}', b"{}"])
def test_a_line_that_cannot_be_fed_does_not_keep_a_run_from_starting(live, line):
    live.start()
    live.serve(2)
    live.turn()
    live.kill()
    with sqlite3.connect(live.path) as db:
        db.execute("UPDATE inputs SET line = ? WHERE id = 2", (line.decode(),))
    db.close()
    live.start()

    assert sum(row["usage"]["ok"] for row in live.shown()["providers"]) == 2
    assert orjson.loads(live.exported()[0])["crtui"] == "trace"
