"""Traces in, the same bytes out; bad ones named by file and line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crtui.core.inputs import Attempt, Began, Command, Hearsay, Poll, Tick, Usage, WindowReport
from crtui.core.now import Now
from crtui.core.plan import Ask, Content
from crtui.errors import ConfigError, TraceError
from crtui.replay.run import Replay
from crtui.wire.trace_in import decode
from crtui.wire.trace_out import encode

TRACES = Path(__file__).parent.parent / "data" / "traces"
HEADER = (
    '{"crtui":"trace","version":1,"start":"2026-11-20T09:00:00Z","seed":1,"config":'
    '{"provider":[{"name":"a","kind":"ollama"}],"profile":[{"name":"default","chain":["a"]}]}}'
)


def run(name: str) -> list[dict]:
    with (TRACES / name).open("rb") as lines:
        return list(Replay(lines, name).outputs())


def plans(outputs: list[dict]) -> dict[str, tuple]:
    return {
        o["id"]: (o["order"], [f"{d['provider']}:{d['guard']}:{d['code']}" for d in o["dropped"]])
        for o in outputs
        if o["output"] == "plan"
    }


def test_a_rate_limit_moves_requests_on_and_back_again():
    assert plans(run("rate-limit.jsonl")) == {
        "r1": (["a", "b"], []),
        "r2": (["b"], ["a:quota:rate_limited"]),
        "r3": (["b"], ["a:quota:rate_limited"]),
        "r4": (["a", "b"], []),
    }


def test_an_outage_memory_and_orders_are_told_in_order_with_their_own_times():
    outputs = run("outage.jsonl")
    told = [
        (o["t"], o["kind"], o.get("provider"))
        for o in outputs
        if o["output"] == "event" and not o["kind"].startswith(("attempt", "route"))
    ]

    assert told == [
        (1, "health.changed", "a"),
        (1, "signal.changed", "a"),
        (3, "health.changed", "a"),
        (4, "memory.detected", "b"),
        (4, "memory.pressured", "b"),
        (4, "signal.changed", "b"),
        (5, "operator.changed", "a"),
        (8, "operator.changed", "a"),
        (13, "health.half_open", "a"),
        (14, "health.changed", "a"),
        (14, "signal.changed", "a"),
        (14, "poll.ok", "b"),
        (34, "memory.recovered", "b"),
    ]
    assert plans(outputs) == {
        "down": (["b", "a"], []),
        "oom": (["a"], ["b:memory:pressured"]),
        "pinned": (["a"], ["b:memory:pressured"]),
        "half-open": (["a"], ["b:memory:pressured"]),
        "back": (["a", "b"], []),
    }


def test_the_command_prints_the_same_bytes_every_time_and_ends_with_the_state():
    command = [sys.executable, "-m", "crtui", "replay", str(TRACES / "outage.jsonl"), "--final-state"]
    first, second = (subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2))

    assert first == second
    last = json.loads(first.splitlines()[-1])
    assert (last["output"], last["schema"], last["t"]) == ("state", 1, 40)
    assert [row["name"] for row in last["providers"]] == ["a", "b"]
    assert last["providers"][1]["models"] == [
        {
            "name": "qwen3:4b",
            "loaded": True,
            "context": 8192,
            "vram_bytes": None,
            "size_bytes": None,
            "capabilities": None,
        }
    ]


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        ("chat", {"messages": [{"role": "user", "content": "fix the bug"}]}),
        ("messages", {"messages": [{"role": "user", "content": [{"type": "text", "text": "fix the bug"}]}]}),
        ("responses", {"input": "fix the bug"}),
    ],
)
def test_the_body_of_a_route_falls_under_the_rule_it_falls_under_live(wire, body):
    header = json.loads(HEADER)
    header["config"]["profile"].append({"name": "bugs", "chain": ["a"]})
    header["config"]["rule"] = [{"when": {"content_contains": "bug"}, "profile": "bugs"}]
    route = {"t": 1, "input": "route", "id": "r", "wire": wire, "body": body}
    outputs = list(Replay([json.dumps(header).encode(), json.dumps(route).encode()], "t").outputs())

    [plan] = [output for output in outputs if output["output"] == "plan"]
    assert (plan["profile"], plan["rule"]) == ("bugs", "content_contains=bug")


def test_a_config_file_replaces_the_headers(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(
        '[gateway]\nlisten = "0.0.0.0:4747"\n'
        '[[provider]]\nname = "a"\nkind = "ollama"\npaid = true\n[[provider]]\nname = "b"\nkind = "ollama"\n'
    )
    command = [
        sys.executable,
        "-m",
        "crtui",
        "replay",
        str(TRACES / "rate-limit.jsonl"),
        "--config",
        str(config),
    ]
    lines = subprocess.run(command, capture_output=True, check=True).stdout.splitlines()

    assert plans([json.loads(line) for line in lines])["r1"] == (["b"], ["a:paid:gated"])


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        ([], 1, "empty"),
        (["{}"], 1, "a trace starts with"),
        (['{"crtui":"trace","version":9}'], 1, "version 9"),
        (['{"crtui":"trace","version":1,"start":"soon"}'], 1, "RFC 3339"),
        (['{"crtui":"trace","version":1,"start":"9999-12-31T23:59:59Z"}'], 1, "from 1970 on and before 2900"),
        (['{"crtui":"trace","version":1,"start":"0001-01-01T00:00:00Z"}'], 1, "from 1970 on and before 2900"),
        ([HEADER, "{"], 2, "not JSON"),
        ([HEADER, "", "[]"], 3, "not a JSON object"),
        ([HEADER, '{"input":"tick"}'], 2, "t must be seconds"),
        ([HEADER, '{"t":NaN,"input":"tick"}'], 2, "not JSON"),
        ([HEADER, '{"t":5,"input":"tick"}', '{"t":4,"input":"tick"}'], 3, "goes back from 5 to 4"),
        ([HEADER, '{"t":1,"input":"what"}'], 2, "input must be one of attempt, route"),
        ([HEADER, '{"t":1,"input":"attempt","ok":true}'], 2, "provider is missing"),
        ([HEADER, '{"t":1,"input":"attempt","provider":"a"}'], 2, "ok is missing"),
        ([HEADER, '{"t":1,"input":"attempt","provider":"ghost","ok":true}'], 2, "unknown provider 'ghost'"),
        (
            [HEADER, '{"t":1,"input":"attempt","provider":"a","ok":true,"latency_ms":"x"}'],
            2,
            "latency_ms must be",
        ),
        (
            [HEADER, '{"t":1,"input":"attempt","provider":"a","ok":false,"error_kind":"x"}'],
            2,
            "error_kind must be",
        ),
        (
            [HEADER, '{"t":1,"input":"poll","provider":"a","ok":true,"models":[3]}'],
            2,
            "models[0] must be an object",
        ),
        ([HEADER, '{"t":1,"input":"route","id":"r"}'], 2, "wire is missing"),
        ([HEADER, '{"t":1,"input":"route","wire":"chat","profile":"x"}'], 2, "unknown profile 'x'"),
        (
            [HEADER, '{"t":1,"input":"command","command":"pin","provider":"a","for_s":0}'],
            2,
            "for_s must be above 0",
        ),
        ([HEADER, '{"t":1,"input":"command","command":"fly","provider":"a"}'], 2, "command must be one of"),
    ],
)
def test_a_bad_trace_is_named_by_file_line_and_field(lines, line, words):
    with pytest.raises(TraceError) as caught:
        list(Replay([text.encode() for text in lines], "bad.jsonl").outputs())

    assert str(caught.value).startswith(f"bad.jsonl:{line}: ")
    assert words in str(caught.value)


def test_a_bad_config_in_the_header_is_named_by_its_key():
    header = HEADER.replace('"ollama"', '"olama"')

    with pytest.raises(ConfigError, match=r"provider\[0\].kind|ollama"):
        Replay([header.encode()], "bad.jsonl")


@pytest.mark.parametrize(
    "item",
    [
        Attempt(
            "a",
            False,
            ticket=4,
            status=500,
            error="boom",
            message="boom",
            wire="chat",
            profile="default",
            model="m",
            latency_ms=12,
            ttft_ms=3,
            midstream=True,
            usage=Usage(1, 2, 3, 4),
        ),
        Attempt("a", True, status=200),
        Poll("a", False, "connection refused"),
        Poll("a", True, models=(), took_ms=1_200),
        Hearsay("a", (WindowReport("5h", "subscription", 40.0, resets_at=1_795_165_260_000),)),
        Began("a", 7, "default"),
        Command("pin", "a", 90_000),
        Command("paid", allow=True),
        Tick(),
        Ask("chat", "r1", "default", "m", "s", Content(True, False, True, "", 99), owners=("b", "a")),
    ],
)
def test_what_is_written_reads_back(item):
    line = json.loads(encode(item))

    assert decode(line, 0) == item


def test_time_in_a_trace_is_virtual():
    replay = Replay([HEADER.encode()], "t")

    assert replay.header.at(1.5) == Now(1500, 1_795_165_201_500)
