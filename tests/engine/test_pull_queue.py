"""Which model a server is sent for next: pure, on made-up times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crtui.engine.pull_queue import FIRST_RETRY_MS, LONGEST_RETRY_MS, PullQueue
from crtui.providers.ollama import canonical


def queue(*models: str, asked: bool = False) -> PullQueue:
    made = PullQueue()
    for model in models:
        made.want(model, asked=asked)
    return made


def names(given: PullQueue) -> list[str]:
    return [job.model for job in given.jobs]


def test_models_are_fetched_one_after_the_other_in_the_order_of_the_wishes() -> None:
    made = queue("a", "b")
    first = made.take(0)
    assert first is not None
    assert made.take(0) is first
    assert made.next_at() is None
    made.finished()
    second = made.take(0)
    assert second is not None
    assert (first.model, second.model, names(made)) == ("a", "b", ["b"])


def test_two_wishes_for_one_model_are_one_job() -> None:
    made = queue("x")
    assert not made.want("x:latest", asked=True)
    assert not made.want("library/x", asked=False)
    assert (names(made), made.asked) == (["x"], ("x",))


def test_a_failure_waits_longer_each_time_and_lets_the_others_go_first() -> None:
    made = queue("a", "b")
    waits: list[int] = []
    now = 0
    for _ in range(12):
        job = made.take(now)
        assert job is not None
        assert job.model == "a"
        made.failed("reset", now, final=False)
        waits.append(job.ready_at - now)
        following = made.take(now)
        assert following is not None
        assert following.model == "b"
        made.failed("reset", now, final=False)
        now = job.ready_at
        made.want("b", asked=True)
        made.cancel("b")
        made.want("b", asked=True)
    assert waits[:3] == [FIRST_RETRY_MS, 2 * FIRST_RETRY_MS, 4 * FIRST_RETRY_MS]
    assert waits[-1] == LONGEST_RETRY_MS


def test_what_would_end_the_same_is_given_up_if_asked_for_and_tried_on_if_declared() -> None:
    asked, declared = queue("a", asked=True), queue("a")
    for made in (asked, declared):
        made.take(0)
        made.failed("file does not exist", 0, final=True)
    assert (asked.next_at(), asked.asked, names(asked)) == (None, (), ["a"])
    assert declared.next_at() == FIRST_RETRY_MS


def test_asking_again_brings_a_job_back_at_once() -> None:
    made = queue("a", asked=True)
    made.take(0)
    made.failed("file does not exist", 0, final=True)
    assert made.want("a", asked=True)
    assert made.next_at() == 0


def test_a_cancelled_model_is_not_fetched_for_being_declared_until_it_is_asked_for() -> None:
    made = queue("a")
    assert made.cancel("a:latest") is not None
    assert not made.want("a", asked=False)
    assert made.take(0) is None
    assert made.want("a", asked=True)
    made.cancel("a")
    assert made.cancel("a") is None


def test_a_running_job_that_is_cancelled_and_asked_for_anew_is_not_lost() -> None:
    made = queue("a", "b")
    running = made.take(0)
    assert made.cancel("a") is running
    made.want("a", asked=True)
    made.finished()
    assert names(made) == ["b", "a"]


def test_what_has_arrived_by_another_way_needs_no_job() -> None:
    made = queue("a", "b", "c", asked=True)
    made.take(0)
    made.arrived(frozenset({"a:latest", "b:latest"}))
    assert names(made) == ["a", "c"]


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["want", "ask", "cancel", "take", "finish", "fail", "give up", "arrive"]),
        st.sampled_from(["a", "a:latest", "b:7b", "c"]),
        st.integers(0, 10**6),
    ),
    max_size=40,
)


@given(ORDERS)
def test_whatever_happens_there_is_one_job_a_model_and_what_is_asked_for_is_kept(
    orders: list[tuple[str, str, int]],
) -> None:
    made, now = PullQueue(), 0
    for order, model, passed in orders:
        now += passed
        match order:
            case "want" | "ask":
                made.want(model, asked=order == "ask")
                if order == "ask":
                    assert canonical(model) in {canonical(name) for name in made.asked} or made.running
            case "cancel":
                made.cancel(model)
                assert canonical(model) not in map(canonical, names(made))
            case "take":
                job = made.take(now)
                assert job is None or job.ready_at <= now or job.attempts == 0 or job is made.running
            case "finish":
                made.finished()
            case "fail" | "give up":
                made.failed("x", now, final=order == "give up")
            case _:
                made.arrived(frozenset({canonical(model)}))
        full = list(map(canonical, names(made)))
        assert len(full) == len(set(full))
        assert set(made.asked) <= set(names(made))
        assert made.running is None or made.next_at() is None
