"""Sessions stay with their provider, for a while and within bounds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.affinity import SESSIONS, Affinity


def test_an_unknown_session_has_no_provider():
    assert Affinity().get("s", 0, 1_000) is None


@pytest.mark.parametrize(
    ("age", "ttl", "expected"), [(0, 1000, "a"), (999, 1000, "a"), (1000, 1000, None), (0, 0, None)]
)
def test_a_session_is_forgotten_when_its_last_use_is_a_ttl_ago(age, ttl, expected):
    affinity = Affinity()
    affinity.put("s", "a", 5_000)
    assert affinity.get("s", 5_000 + age, ttl) == expected


def test_looking_does_not_prolong_it_and_putting_does():
    affinity = Affinity()
    affinity.put("s", "a", 0)
    assert affinity.get("s", 900, 1000) == "a"
    assert affinity.get("s", 1100, 1000) is None
    affinity.put("s", "b", 1100)
    assert affinity.get("s", 2000, 1000) == "b"


def test_the_least_recently_used_session_goes_first():
    affinity = Affinity(limit=2)
    for session in ("one", "two", "one", "three"):
        affinity.put(session, "a", 0)
    assert [affinity.get(s, 0, 1) for s in ("one", "two", "three")] == ["a", None, "a"]


def test_ten_thousand_sessions_are_remembered():
    affinity = Affinity()
    for number in range(SESSIONS + 5):
        affinity.put(str(number), "a", number)
    assert len(affinity.dump(0)["sessions"]) == SESSIONS
    assert affinity.get("4", SESSIONS, 10**9) is None
    assert affinity.get("5", SESSIONS, 10**9) == "a"


@given(
    st.lists(st.tuples(st.text(max_size=2), st.sampled_from("abc"), st.integers(0, 1000)), max_size=30),
    st.integers(0, 10**9),
)
def test_dump_and_load_are_a_fixed_point_on_any_monotonic_clock(puts, restarted_at):
    affinity, again, mono = Affinity(), Affinity(), 0
    for session, provider, passed in puts:
        mono += passed
        affinity.put(session, provider, mono)
    dumped = affinity.dump(mono)
    again.load(json.loads(json.dumps(dumped)), restarted_at)
    assert again.dump(restarted_at) == dumped
    for session, _, _ in puts:
        assert again.get(session, restarted_at + 500, 800) == affinity.get(session, mono + 500, 800)
