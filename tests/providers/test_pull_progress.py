"""How far a pull has come, from the lines the server sends. Times are made up, nothing is sent."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crtui.core.views import LayerView
from crtui.providers.declared import Comparison, compare
from crtui.providers.pull_progress import MAX_LAYERS, RATE_WINDOW_MS, PullProgress
from crtui.text import scrub
from tests.wire.props import seeded

A, B = "sha256:aaaaaaaaaaaa1111", "sha256:bbbbbbbbbbbb2222"


def layer(digest: str, total: int, completed: int | None = None) -> dict[str, object]:
    line: dict[str, object] = {"status": f"pulling {digest[7:19]}", "digest": digest, "total": total}
    return line if completed is None else line | {"completed": completed}


def folded(*lines: tuple[int, dict[str, object]]) -> PullProgress:
    progress = PullProgress()
    for mono, line in lines:
        progress.fold(line, mono)
    return progress


def test_a_whole_pull_is_followed_from_manifest_to_success() -> None:
    progress = folded((0, {"status": "pulling manifest"}))
    shown = progress.view("m", 0, asked=True)
    assert (shown.model, shown.state, shown.asked, shown.step) == ("m", "pulling", True, "pulling manifest")
    assert (shown.layers, shown.completed_bytes, shown.total_bytes, shown.left_ms) == ((), None, None, None)

    progress.fold(layer(A, 1000), 0)
    progress.fold(layer(A, 1000, 400), 2_000)
    shown = progress.view("m", 2_000, asked=False)
    assert shown.layers == (LayerView("aaaaaaaaaaaa", 1000, 400),)
    assert (shown.bytes_per_s, shown.left_ms) == (200.0, 3_000)

    progress.fold(layer(A, 1000, 1000), 5_000)
    progress.fold(layer(B, 50, 50), 5_000)
    progress.fold({"status": "verifying sha256 digest"}, 5_100)
    shown = progress.view("m", 5_100, asked=False)
    assert (shown.completed_bytes, shown.total_bytes, shown.left_ms) == (1050, 1050, 0)
    assert shown.step == "verifying sha256 digest"
    assert not progress.done
    progress.fold({"status": "success"}, 5_200)
    assert progress.done


def test_what_was_there_before_counts_as_done_but_not_towards_the_rate() -> None:
    shown = folded((0, layer(A, 1000, 800)), (1_000, layer(A, 1000, 900))).view("m", 1_000, asked=False)
    assert (shown.completed_bytes, shown.bytes_per_s, shown.left_ms) == (900, 100.0, 1_000)


def test_a_rate_needs_a_second_and_looks_back_ten() -> None:
    progress = folded((0, layer(A, 10**6, 0)), (500, layer(A, 10**6, 500)))
    assert progress.view("m", 500, asked=False).bytes_per_s is None
    for second in range(1, 41):
        progress.fold(layer(A, 10**6, 500 + 1_000 * second), 500 + 1_000 * second)
    progress.fold(layer(A, 10**6, 40_500 + 40_000), 44_500)
    shown = progress.view("m", 44_500, asked=False)
    assert shown.bytes_per_s is not None
    assert 4_000 < shown.bytes_per_s < 6_000


def test_the_rate_of_a_stream_that_stands_still_falls_and_its_end_recedes() -> None:
    progress = folded((0, layer(A, 1000, 0)), (1_000, layer(A, 1000, 500)))
    now, later = (progress.view("m", mono, asked=False) for mono in (1_000, RATE_WINDOW_MS))
    assert (now.bytes_per_s, later.bytes_per_s) == (500.0, 50.0)
    assert (now.left_ms, later.left_ms) == (1_000, 10_000)


def test_bytes_that_are_fetched_again_do_not_turn_the_rate_round() -> None:
    shown = folded((0, layer(A, 1000, 0)), (1_000, layer(A, 1000, 500)), (2_000, layer(A, 1000, 100))).view(
        "m", 2_000, asked=False
    )
    assert (shown.completed_bytes, shown.bytes_per_s) == (100, 250.0)


def test_more_layers_than_a_model_has_are_not_kept() -> None:
    progress = folded(*((0, layer(f"sha256:{i:012}", 10, 1)) for i in range(3 * MAX_LAYERS)))
    assert len(progress.view("m", 0, asked=False).layers) == MAX_LAYERS


VALUES = st.none() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.integers(), max_size=2)
LINES = st.dictionaries(st.sampled_from(["status", "digest", "total", "completed", "x"]), VALUES)


# On a busy machine hypothesis takes the making of such lists for too slow.
@settings(seeded, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 5_000), LINES), max_size=30))
def test_no_line_breaks_it_and_no_number_is_negative(lines: list[tuple[int, dict[str, object]]]) -> None:
    progress, mono = PullProgress(), 0
    for step, line in lines:
        mono += step
        progress.fold(line, mono)
        shown = progress.view("m", mono, asked=False)
        numbers = [shown.completed_bytes, shown.total_bytes, shown.bytes_per_s, shown.left_ms]
        assert all(number is None or number >= 0 for number in numbers)
        assert all(0 <= layer.completed_bytes <= layer.total_bytes for layer in shown.layers)
        assert shown.step == scrub(shown.step)


def test_declared_and_observed_are_compared_exactly_but_for_what_ollama_fills_in() -> None:
    declared = ["llama3", "qwen3:4b", "library/phi4:latest", "Mistral"]
    observed = ["llama3:latest", "qwen3:8b", "phi4:latest", "mistral:latest"]
    assert compare(declared, observed) == Comparison(("qwen3:4b", "Mistral"), ("qwen3:8b", "mistral:latest"))


def test_a_model_declared_twice_is_missing_once() -> None:
    assert compare(["a:latest", "b", "a"], []).missing == ("a:latest", "b")
    assert compare([], ["a:1"]) == Comparison((), ("a:1",))
