"""The usage endpoints: asked seldom, by one process at a time, with credentials that are only read."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crtui.agents.asking import Found, UsageAsker
from crtui.agents.endpoints import Credential, Endpoint, endpoints_of, read_claude, read_codex, read_gemini
from crtui.agents.entry import Limit
from crtui.agents.turn import BACK_OFF_MS, EVERY_MS, Turn
from crtui.config.model import Config
from crtui.core.now import DAY, HOUR, MINUTE
from crtui.secret import Secret
from tests.agentlogs.logs import T0, Machine, stamp
from tests.fakes.upstream import Script, Upstream, ok_json, status, whole

TOKEN = "sk-ant-oat01-not-a-real-token"


def window(used: Any, resets_at: int | None = None) -> dict[str, Any]:
    return {"utilization": used, "resets_at": None if resets_at is None else stamp(resets_at)}


def told(limits: Iterator[Limit]) -> dict[str, tuple[float | None, int | None]]:
    return {limit.report.name: (limit.report.used_percent, limit.report.resets_at) for limit in limits}


def test_claudes_flat_windows_are_percentages_even_below_one() -> None:
    body = {
        "five_hour": window(0.8, T0 + HOUR),
        "seven_day": window(35, T0 + DAY),
        "seven_day_opus": window(12.5, T0 + DAY),
        "seven_day_sonnet": None,
        "iguana_necktie": window(9, T0 + DAY),
        "extra_usage": {"is_enabled": True, "utilization": 50},
    }

    assert told(read_claude(body, T0)) == {
        "5h": (0.8, T0 + HOUR),
        "7d": (35.0, T0 + DAY),
        "7d_opus": (12.5, T0 + DAY),
    }


def test_claudes_list_of_limits_goes_before_the_flat_windows() -> None:
    rows = [
        {"kind": "session", "percent": 40, "resets_at": stamp(T0 + HOUR)},
        {"kind": "weekly_all", "percent": 20, "resets_at": stamp(T0 + DAY)},
        {
            "kind": "weekly_scoped",
            "percent": 7,
            "resets_at": None,
            "scope": {"model": {"display_name": "Opus"}},
        },
        {"kind": "weekly_scoped", "percent": 7, "scope": None},
        {"kind": "session", "percent": None},
        {"kind": "new_kind", "percent": 99, "resets_at": stamp(T0 + DAY)},
        "nonsense",
    ]

    assert told(read_claude({"five_hour": window(99), "limits": rows}, T0)) == {
        "5h": (40.0, T0 + HOUR),
        "7d": (20.0, T0 + DAY),
        "7d_opus": (7.0, None),
    }


def test_nothing_used_and_no_reset_is_a_placeholder() -> None:
    assert told(read_claude({"five_hour": window(0), "seven_day": window(0, T0 + DAY)}, T0)) == {
        "7d": (0.0, T0 + DAY)
    }


def test_codexs_windows_are_known_by_length_and_a_models_by_its_meter() -> None:
    def slot(used: Any, seconds: Any, reset_at: Any = None) -> dict[str, Any]:
        return {"used_percent": used, "limit_window_seconds": seconds, "reset_at": reset_at}

    reset = T0 // 1000 + 60
    body = {
        "plan_type": "plus",
        "rate_limit": {"primary_window": slot(41, 604_800, reset), "secondary_window": slot(7, 18_000)},
        "additional_rate_limits": [
            {"metered_feature": "codex_bengalfox", "rate_limit": {"primary_window": slot(3, 18_000)}},
            {"metered_feature": None, "rate_limit": {"primary_window": slot(99, 18_000)}},
        ],
    }

    assert told(read_codex(body, T0)) == {
        "7d": (41.0, reset * 1000),
        "5h": (7.0, None),
        "5h_bengalfox": (3.0, None),
    }


def bucket(model: Any, left: Any, resets_at: int | None = T0 + DAY, kind: str = "REQUESTS") -> dict[str, Any]:
    reset = None if resets_at is None else stamp(resets_at)
    return {"modelId": model, "remainingFraction": left, "resetTime": reset, "tokenType": kind}


def test_of_geminis_buckets_the_one_with_the_least_left_stands_for_its_family() -> None:
    buckets = [
        bucket("gemini-2.5-pro", 0.75),
        bucket("gemini-3-pro-preview", 0.4, T0 + HOUR),
        bucket("gemini-3-pro-preview", 0.9, T0 + DAY, "TOKENS"),
        bucket("gemini-2.5-flash", 1),
        bucket("gemini-2.5-flash-lite", 0, None),
        bucket("text-embedding-1", 0.1),
        {"modelId": "gemini-2.5-flash", "resetTime": stamp(T0 + HOUR)},
        bucket("gemini-2.5-flash", 1.2),
        bucket("gemini-2.5-flash", True),
        bucket(None, 0.5),
        "nonsense",
    ]

    assert told(read_gemini({"buckets": buckets}, T0)) == {
        "pro": (60.0, T0 + HOUR),
        "flash": (0.0, T0 + DAY),
        "flash-lite": (100.0, None),
    }


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        5,
        {"rate_limit": 5, "five_hour": "x", "limits": {}, "buckets": 1},
        {"limits": [1], "buckets": [1]},
    ],
)
def test_nonsense_tells_nothing(body: object) -> None:
    assert [*read_claude(body, T0), *read_codex(body, T0), *read_gemini(body, T0)] == []


def keep(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value))


def credential(machine: Machine, agent: str, **environ: str) -> Credential | None:
    found = {each.agent: each for each in endpoints_of({**machine.environ, **environ})}
    return found[agent].credential(T0)  # type: ignore[index]


def test_claudes_token_is_that_of_the_environment_or_of_its_file(machine: Machine) -> None:
    held = {"accessToken": TOKEN, "expiresAt": T0 + 1, "scopes": ["user:inference", "user:profile"]}
    file = machine.home / ".claude" / ".credentials.json"
    assert credential(machine, "claude") is None
    keep(file, {"claudeAiOauth": held})
    found = credential(machine, "claude")
    assert found is not None
    assert found.token.reveal() == TOKEN
    assert found.headers == {"anthropic-beta": "oauth-2025-04-20"}
    named = credential(machine, "claude", CLAUDE_CODE_OAUTH_TOKEN="other")
    assert named is not None
    assert named.token.reveal() == "other"


@pytest.mark.parametrize(
    "change",
    [{"expiresAt": T0}, {"scopes": ["user:inference"]}, {"accessToken": ""}],
    ids=["over", "scope", "empty"],
)
def test_a_token_that_would_not_do_is_not_used_and_never_renewed(
    machine: Machine, change: dict[str, object]
) -> None:
    file = machine.home / ".claude" / ".credentials.json"
    held = {"accessToken": TOKEN, "refreshToken": "r", "expiresAt": T0 + 1, "scopes": ["user:profile"]}
    keep(file, {"claudeAiOauth": held | change})
    before = file.read_bytes()

    assert credential(machine, "claude") is None
    assert file.read_bytes() == before


def test_codexs_token_comes_with_its_account(machine: Machine) -> None:
    assert credential(machine, "codex") is None
    keep(machine.codex / "auth.json", {"tokens": {"access_token": TOKEN, "account_id": "acc"}})
    found = credential(machine, "codex")
    assert found is not None
    assert (found.token.reveal(), found.headers) == (TOKEN, {"chatgpt-account-id": "acc"})
    (machine.codex / "auth.json").write_text("{damaged")
    assert credential(machine, "codex") is None


def test_geminis_token_is_used_for_the_hour_that_it_lasts(machine: Machine) -> None:
    file = machine.home / ".gemini" / "oauth_creds.json"
    assert credential(machine, "gemini") is None
    keep(file, {"access_token": TOKEN, "refresh_token": "r", "expiry_date": T0 + 1})
    found = credential(machine, "gemini")
    assert found is not None
    assert found.token.reveal() == TOKEN
    keep(file, {"access_token": TOKEN, "refresh_token": "r", "expiry_date": T0})
    before = file.read_bytes()
    assert credential(machine, "gemini") is None
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("environ", "asked"),
    [({}, {}), ({"GOOGLE_CLOUD_PROJECT": "team"}, {"project": "team"})],
    ids=["the account's own", "named"],
)
async def test_geminis_quota_is_posted_for_and_its_answer_told(
    machine: Machine, environ: dict[str, str], asked: dict[str, str]
) -> None:
    keep(machine.home / ".gemini" / "oauth_creds.json", {"access_token": TOKEN, "expiry_date": T0 + HOUR})
    endpoint = endpoints_of({**machine.environ, **environ})[-1]
    async with Upstream(ok_json({"buckets": [bucket("gemini-2.5-pro", 0.25)]})) as upstream:
        asking = UsageAsker(
            [replace(endpoint, url=upstream.url + "/v1internal:retrieveUserQuota")], machine.state
        )
        ((agent, limits),) = await asyncio.to_thread(asking.ask, T0)

    assert (agent, told(iter(limits))) == ("gemini", {"pro": (75.0, T0 + DAY)})
    (seen,) = upstream.requests
    assert (seen.method, seen.target, json.loads(seen.body)) == (
        "POST",
        "/v1internal:retrieveUserQuota",
        asked,
    )
    assert (seen.header("authorization"), seen.header("content-type")) == (
        f"Bearer {TOKEN}",
        "application/json",
    )


def asker(machine: Machine, url: str) -> UsageAsker:
    endpoint = endpoints_of({})[0]
    signed = Credential(Secret(TOKEN), {"anthropic-beta": "b"})
    return UsageAsker([replace(endpoint, url=url, credential=lambda _: signed)], machine.state)


async def ask(machine: Machine, script: Script, *times: int) -> tuple[list[list[Found]], Upstream]:
    """What is found at each of these times by a program that is started anew each time."""
    async with Upstream(*[script] * len(times)) as upstream:
        found = [await asyncio.to_thread(asker(machine, upstream.url).ask, at) for at in times]
    return found, upstream


GOOD = ok_json({"five_hour": {"utilization": 40, "resets_at": None}})


async def test_an_answer_is_told_and_the_request_is_made_in_our_own_name(machine: Machine) -> None:
    (found,), upstream = await ask(machine, GOOD, T0)

    ((agent, limits),) = found
    assert (agent, [(limit.at, limit.report.used_percent) for limit in limits]) == ("claude", [(T0, 40.0)])
    (seen,) = upstream.requests
    assert (seen.method, seen.header("authorization")) == ("GET", f"Bearer {TOKEN}")
    assert (seen.header("anthropic-beta"), (seen.header("user-agent") or "")[:6]) == ("b", "crtui/")


async def test_it_is_asked_every_three_minutes_at_most(machine: Machine) -> None:
    times = [T0, T0 + 1, T0 + EVERY_MS - 1, T0 + EVERY_MS]
    found, upstream = await ask(machine, GOOD, *times)

    assert EVERY_MS == 3 * MINUTE
    assert [len(each) for each in found] == [1, 0, 0, 1]
    assert len(upstream.requests) == 2


@pytest.mark.parametrize(
    ("refusal", "wait"),
    [
        (status(429, {}, ("retry-after", "0")), BACK_OFF_MS),
        (status(429, {}, ("retry-after", "10")), BACK_OFF_MS),
        (status(429, {}, ("retry-after", "900")), 15 * MINUTE),
        (status(429, {}, ("retry-after", "99999999")), DAY),
        (status(403, {"error": {"message": "scope"}}), BACK_OFF_MS),
        (status(302, {}, ("location", "http://127.0.0.1:1/")), BACK_OFF_MS),
        (whole(200, b"not json"), BACK_OFF_MS),
        (whole(200, b"x" * 2_000_000), BACK_OFF_MS),
    ],
)
async def test_after_a_refusal_it_is_left_alone_for_five_minutes_at_least(
    machine: Machine, refusal: Script, wait: int
) -> None:
    found, upstream = await ask(machine, refusal, T0, T0 + wait - 1, T0 + wait)

    assert found == [[], [], []]
    assert len(upstream.requests) == 2


async def test_one_that_is_not_there_is_left_alone_too(machine: Machine) -> None:
    async with Upstream() as upstream:
        url = upstream.url
    assert await asyncio.to_thread(asker(machine, url).ask, T0) == []

    found, _ = await ask(machine, GOOD, T0 + BACK_OFF_MS - 1, T0 + BACK_OFF_MS)
    assert [len(each) for each in found] == [0, 1]


def test_while_one_process_asks_another_has_no_turn(tmp_path: Path) -> None:
    one, other = Turn(tmp_path, "claude"), Turn(tmp_path, "claude")
    with one.take(T0) as first, other.take(T0) as second:
        assert (first, second) == (True, False)
    with other.take(T0 + EVERY_MS) as later:
        assert later


def test_a_clock_that_was_wrong_stops_nothing_for_ever(tmp_path: Path) -> None:
    turn = Turn(tmp_path, "claude")
    with turn.take(T0 + 400 * DAY) as ahead:
        assert ahead
    with turn.take(T0) as now:
        assert now


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"next_at": "x"}'])
def test_a_damaged_file_of_times_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "usage-claude.json").write_bytes(content)

    with Turn(tmp_path, "claude").take(T0) as free:
        assert free


def test_the_token_is_written_nowhere(machine: Machine) -> None:
    with Turn(machine.state, "claude").take(T0):
        pass
    endpoint = Endpoint("claude", "http://127.0.0.1:1", lambda _: Credential(Secret(TOKEN), {}), read_claude)
    UsageAsker([endpoint], machine.state).ask(T0 + EVERY_MS)

    assert TOKEN not in repr(endpoint.credential(T0))
    for file in machine.state.iterdir():
        assert TOKEN.encode() not in file.read_bytes()
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600


def test_nothing_is_asked_unless_it_is_switched_on() -> None:
    assert not Config.model_validate({}).agents.usage_endpoints
    assert Config.model_validate({"agents": {"usage_endpoints": True}}).agents.usage_endpoints
