"""Memory pressure: which words count, and how long a provider rests."""

import pytest

from crtui.core.inputs import MemoryReport
from crtui.core.memory import speaks_of_memory
from tests.core.world import World

OOM = "model requires more system memory (9.1 GiB) than is available"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("CUDA error: OUT OF MEMORY", True),
        ("insufficient memory", True),
        (OOM, True),
        ("failed to allocate buffer", True),
        ("ggml_cuda_host_malloc: failed", True),
        ("cudaMalloc failed", True),
        ("killed by OOM", True),
        ("oom-killed", True),
        ("the room was booked", False),
        ("zoom failed", False),
        ("OOM_SCORE", False),
        ("failed to load model", False),
        ("failed to load model: unable to malloc 4 GiB", True),
        ("failed to load model 'x': VRAM is full", True),
        ("memory of a goldfish", False),
        ("", False),
    ],
)
def test_only_these_words_of_a_body_tell_of_memory(body, expected):
    assert speaks_of_memory(body) is expected


@pytest.mark.parametrize(
    ("action", "kinds", "dropped"),
    [
        ("off", [], {}),
        ("warn", ["memory.detected"], {}),
        ("skip", ["memory.detected", "memory.pressured"], {"a": "memory:pressured"}),
    ],
)
def test_what_it_leads_to_is_the_profiles_choice(action, kinds, dropped):
    world = World("a", "b", profile={"memory_action": action})
    world.fail("a", 500, error=OOM)

    assert world.kinds("a") == kinds
    assert world.dropped() == dropped


def test_the_cooldown_ends_exactly_at_its_deadline():
    world = World("a", "b", profile={"memory_cooldown_ms": 30_000})
    world.fail("a", 500, error=OOM)

    assert world.at(29.999).order() == "b"
    assert world.at(30).order() == "a b"
    assert world.kinds("a") == ["memory.detected", "memory.pressured", "memory.recovered"]


def test_a_new_sighting_starts_the_cooldown_again():
    world = World("a", profile={"memory_cooldown_ms": 30_000})
    world.fail("a", 500, error=OOM)
    world.at(20).fail("a", 500, error=OOM)

    assert world.seconds_until(world.row("a").memory.until) == 50
    assert world.kinds("a").count("memory.pressured") == 1


def test_a_poll_above_95_percent_warns_and_never_excludes():
    world = World("a")
    world.poll("a", memory=MemoryReport(96, 100))
    world.poll("a", memory=MemoryReport(97, 100))

    assert world.kinds("a") == ["poll.ok", "memory.detected"]
    assert world.order() == "a"
    assert world.row("a").memory.ratio == 0.97


def test_a_client_that_left_says_nothing_of_memory():
    world = World("a")
    world.fail("a", error_kind="client", error=OOM)

    assert not world.row("a").memory.pressured
