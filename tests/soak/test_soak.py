"""The soak's command works, and each of its judges notices what it is there for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.soak.__main__ import main
from tests.soak.growth import Sample, growth
from tests.soak.journal import broken_rules

FLAT = [Sample(80 + number % 3, 40 + number % 7, 6) for number in range(30)]


@pytest.mark.fault("L19")
def test_a_soak_of_moments_finds_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--minutes", "0.03", "--rate", "40"]) == 0
    told = capsys.readouterr().out
    assert "providers:" in told
    assert told.endswith("good\n")


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.fault("L19")
def test_a_soak_of_two_minutes_finds_that_nothing_grows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--minutes", "2", "--rate", "20"]) == 0
    assert "no verdict on growth" not in capsys.readouterr().out


def test_what_only_trembles_has_not_grown() -> None:
    assert list(growth(FLAT)) == []
    assert list(growth([*[Sample(20, 5, 1)] * 10, *FLAT[10:]])) == [], "the first third is for warming up"


@pytest.mark.parametrize(
    ("leak", "name"),
    [((0.7, 0, 0), "memory"), ((0, 6, 0), "descriptors"), ((0, 0, 0.3), "threads")],
)
def test_a_leak_is_noticed(leak: tuple[float, float, float], name: str) -> None:
    rss, descriptors, threads = leak
    leaking = [
        Sample(s.rss_mib + n * rss, s.descriptors + int(n * descriptors), s.threads + int(n * threads))
        for n, s in enumerate(FLAT)
    ]
    assert [fault.split()[0] for fault in growth(leaking)] == [name]


def begin(ticket: int, t: float = 1, provider: str = "a") -> dict[str, Any]:
    return {"t": t, "input": "begin", "ticket": ticket, "provider": provider}


def end(
    ticket: int, t: float = 2, *, ok: bool = True, request: str = "r", provider: str = "a"
) -> dict[str, Any]:
    return {"t": t, "input": "attempt", "ticket": ticket, "provider": provider, "ok": ok, "request": request}


WHOLE = (begin(1), end(1, ok=False), begin(2, 2), end(2))


def rules_broken_by(*lines: dict[str, Any], attempts: int = 2) -> list[str]:
    return list(broken_rules(["header", *map(json.dumps, lines)], {"r": attempts}))


def test_a_chain_of_attempts_that_ends_with_the_one_that_served_breaks_no_rule() -> None:
    assert rules_broken_by(*WHOLE) == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((*WHOLE, begin(3)), "ticket 3 has no end"),
        ((*WHOLE, begin(2)), "ticket 2 begins twice"),
        ((begin(1), end(1, ok=False), end(1)), "ends at a, but began at None"),
        ((begin(1), end(1, ok=False), begin(2, 2, "b"), end(2)), "ends at a, but began at b"),
        ((begin(1), end(1), begin(2, 2), end(2)), "was tried again after it had been served"),
        ((begin(1, 2), end(1, 1.5, ok=False), begin(2, 2), end(2)), "time goes back from 2 to 1.5"),
        ((begin(1), end(1)), "has 1 attempts, told were 2"),
    ],
)
def test_a_broken_journal_is_noticed(lines: tuple[dict[str, Any], ...], words: str) -> None:
    assert any(words in fault for fault in rules_broken_by(*lines))
