"""Sessions stay with their provider, for a while and within bounds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.affinity import SESSIONS, WARM_MS, Affinity


def test_an_unknown_session_has_no_provider():
    assert Affinity().get("s", 0, 1_000) is None


@pytest.mark.parametrize(
    ("age", "term", "expected"), [(0, 1000, "a"), (999, 1000, "a"), (1000, 1000, None), (0, 0, None)]
)
def test_a_session_belongs_to_a_provider_for_a_term(age, term, expected):
    affinity = Affinity()
    affinity.assign("s", "a", 5_000, settled=True)
    assert affinity.get("s", 5_000 + age, term) == expected


@pytest.mark.parametrize(("settled", "expected"), [(True, "a"), (False, None)])
def test_use_prolongs_the_term_of_its_own_provider_but_not_of_a_stand_in(settled, expected):
    affinity = Affinity()
    affinity.assign("s", "a", 0, settled=settled)
    affinity.served("s", "a", 900, 1000)
    assert affinity.get("s", 1100, 1000) == expected


def test_looking_does_not_prolong_it():
    affinity = Affinity()
    affinity.assign("s", "a", 0, settled=True)
    assert affinity.get("s", 900, 1000) == "a"
    assert affinity.get("s", 1100, 1000) is None


@pytest.mark.parametrize(("away", "expected"), [(WARM_MS - 1, "a"), (WARM_MS, "b")])
def test_a_stand_in_gets_the_session_once_the_cache_at_the_other_is_cold(away, expected):
    affinity = Affinity()
    affinity.assign("s", "a", 0, settled=True)
    affinity.served("s", "a", 10, 10**6)
    affinity.served("s", "b", 10 + away, 10**6)
    assert affinity.get("s", 11 + away, 10**6) == expected


def test_a_session_that_never_was_answered_at_its_provider_belongs_to_the_first_that_answers():
    affinity = Affinity()
    affinity.assign("s", "a", 0, settled=True)
    affinity.served("s", "b", 10, 1000)
    assert affinity.get("s", 20, 1000) == "b"


def test_choosing_the_same_provider_again_keeps_its_cache_in_mind():
    affinity = Affinity()
    affinity.assign("s", "a", 0, settled=True)
    affinity.served("s", "a", 0, 1000)
    affinity.assign("s", "a", 1000, settled=True)
    affinity.served("s", "b", 1001, 1000)
    assert affinity.get("s", 1002, 1000) == "a"


def test_the_least_recently_used_session_goes_first():
    affinity = Affinity(limit=2)
    for session in ("one", "two", "one", "three"):
        affinity.served(session, "a", 0, 1)
    assert [affinity.get(s, 0, 1) for s in ("one", "two", "three")] == ["a", None, "a"]


def test_ten_thousand_sessions_are_remembered():
    affinity = Affinity()
    for number in range(SESSIONS + 5):
        affinity.assign(str(number), "a", number, settled=True)
    assert len(affinity.dump(0)["sessions"]) == SESSIONS
    assert affinity.get("4", SESSIONS, 10**9) is None
    assert affinity.get("5", SESSIONS, 10**9) == "a"


@given(
    st.lists(
        st.tuples(
            st.text(max_size=2),
            st.sampled_from("abc"),
            st.integers(0, 1000),
            st.sampled_from([None, False, True]),
        ),
        max_size=30,
    ),
    st.integers(0, 10**9),
)
def test_dump_and_load_are_a_fixed_point_on_any_monotonic_clock(story, restarted_at):
    affinity, again, mono = Affinity(), Affinity(), 0
    for session, provider, passed, settled in story:
        mono += passed
        if settled is None:
            affinity.served(session, provider, mono, 800)
        else:
            affinity.assign(session, provider, mono, settled=settled)
    dumped = affinity.dump(mono)
    again.load(json.loads(json.dumps(dumped)), restarted_at)
    assert again.dump(restarted_at) == dumped
    for session, *_ in story:
        assert again.get(session, restarted_at + 500, 800) == affinity.get(session, mono + 500, 800)
