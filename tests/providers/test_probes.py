"""What the answers of free endpoints say; the bodies are shortened from the servers' own documentation."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.inputs import ModelReport, WindowReport
from crtui.core.now import DAY
from crtui.providers.kinds import FACTS
from crtui.providers.probes import (
    MAX_MODELS,
    ProbeError,
    Seen,
    error_message,
    read_lmstudio,
    read_model_list,
    read_ollama_ps,
    read_ollama_tags,
    read_openrouter_key,
)

WALL = 1_795_165_200_000
"""Friday 2026-11-20, 09:00 UTC."""
MIDNIGHT = 1_795_219_200_000


def body(value: object) -> bytes:
    return json.dumps(value).encode()


LISTED = [
    ({"id": "gpt-5.6", "object": "model", "owned_by": "openai"}, ModelReport("gpt-5.6")),
    ({"id": "claude", "type": "model", "max_input_tokens": 200_000}, ModelReport("claude", None, 200_000)),
    ({"id": "models/gemini-3", "owned_by": "google"}, ModelReport("gemini-3")),
    ({"id": "q", "owned_by": "vllm", "max_model_len": 32_768}, ModelReport("q", True, 32_768)),
    (
        {"id": "/m.gguf", "owned_by": "llamacpp", "meta": {"n_ctx": 4096, "n_ctx_train": 131_072}},
        ModelReport("/m.gguf", True, 4096),
    ),
    ({"id": "m", "owned_by": "llamacpp", "meta": None}, ModelReport("m")),
    ({"id": "m", "meta": {}, "status": {"value": "unloaded"}}, ModelReport("m", False)),
    ({"id": "m", "meta": {}, "status": {"value": "loaded"}}, ModelReport("m", True)),
    (
        {"id": "a/b:free", "context_length": 200, "top_provider": {"context_length": 100}},
        ModelReport("a/b:free", None, 100),
    ),
    (
        {"id": "a/b", "context_length": 200, "top_provider": {"context_length": None}},
        ModelReport("a/b", None, 200),
    ),
    ({"id": "x", "context_length": 0}, ModelReport("x")),
    ({"id": "x", "context_length": -1}, ModelReport("x")),
    ({"id": "x", "context_length": True}, ModelReport("x")),
    ({"id": "x", "context_length": "8192"}, ModelReport("x")),
    ({"id": "x", "max_model_len": 1e300}, ModelReport("x")),
    ({"id": "bad\x1b[2J\u202ename"}, ModelReport("badname")),
]


@pytest.mark.parametrize(("row", "report"), LISTED)
def test_a_model_list_is_read_in_every_server_s_form(row: object, report: ModelReport) -> None:
    assert read_model_list(body({"data": [row]}), WALL) == Seen((report,))


def test_rows_without_a_name_or_named_before_are_left_out() -> None:
    rows = [{"id": "a", "max_model_len": 1}, {"id": "a"}, {"id": ""}, {"id": 3}, "x", None, {}]
    assert read_model_list(body({"data": rows}), WALL).models == (ModelReport("a", None, 1),)


def test_a_list_is_cut_at_its_bound() -> None:
    rows = [{"id": f"m{i}"} for i in range(MAX_MODELS + 1)]
    assert len(read_model_list(body({"data": rows}), WALL).models or ()) == MAX_MODELS


def test_an_empty_list_is_known_to_be_empty() -> None:
    assert read_ollama_tags(body({"models": None}), WALL).models == ()
    assert read_model_list(body({"data": []}), WALL).models == ()


def test_ollama_s_running_models_are_joined_to_those_on_disk() -> None:
    tags = read_ollama_tags(body({"models": [{"name": "a:1"}, {"name": "b:1", "model": "b:1"}]}), WALL)
    running = [
        {"name": "b:1", "size": 9, "size_vram": 7, "context_length": 4096},
        {"name": "c:1", "size_vram": 0},
    ]
    both = tags.with_more(read_ollama_ps(body({"models": running}), WALL))
    assert both.models == (
        ModelReport("a:1", False),
        ModelReport("b:1", True, 4096, 7),
        ModelReport("c:1", True, None, 0),
    )


def test_without_the_running_models_nobody_claims_what_is_loaded() -> None:
    tags = read_ollama_tags(body({"models": [{"name": "a:1"}]}), WALL)
    assert tags.with_more(Seen()).models == (ModelReport("a:1"),)


def test_lm_studio_tells_what_is_loaded_and_with_which_window() -> None:
    rows = [
        {"id": "a", "state": "loaded", "max_context_length": 9, "loaded_context_length": 4},
        {"id": "b", "state": "not-loaded", "max_context_length": 9},
        {"id": "c"},
    ]
    assert read_lmstudio(body({"data": rows}), WALL).models == (
        ModelReport("a", True, 4),
        ModelReport("b", False, 9),
        ModelReport("c"),
    )


def credit(
    used: float | None, remaining: float | None, limit: float | None, resets_at: int | None
) -> WindowReport:
    return WindowReport("credit", "poll", used, remaining, limit, resets_at)


KEYS = [
    ({"limit": None, "limit_remaining": None, "limit_reset": None}, ()),
    ({"limit": 100, "limit_remaining": 74.5, "limit_reset": None}, (credit(25.5, 74.5, 100, None),)),
    ({"limit": 5, "limit_remaining": 0, "limit_reset": "daily"}, (credit(100, 0, 5, MIDNIGHT),)),
    ({"limit": 5, "limit_remaining": -1, "limit_reset": "weekly"}, (credit(100, 0, 5, MIDNIGHT + 2 * DAY),)),
    ({"limit": 5, "limit_remaining": 6, "limit_reset": "monthly"}, (credit(0, 6, 5, 1_796_083_200_000),)),
    ({"limit": 0, "limit_remaining": 0}, (credit(None, 0, 0, None),)),
    ({"limit": 1e300, "limit_remaining": 10**30}, ()),
    ({"limit": 5}, (credit(None, None, 5, None),)),
    ({"limit": True, "limit_remaining": "3", "limit_reset": "hourly"}, ()),
    (
        {"is_free_tier": True, "free_model_daily_requests": {"limit": 50, "remaining": 10, "used": 40}},
        (WindowReport("free-day", "poll", 80, 10, 50, MIDNIGHT),),
    ),
    ({"is_free_tier": False, "free_model_daily_requests": {"limit": 1000, "remaining": 0}}, ()),
    ({"free_model_daily_requests": None}, ()),
]


@pytest.mark.parametrize(("data", "windows"), KEYS)
def test_openrouter_s_key_tells_credit_and_free_requests(
    data: object, windows: tuple[WindowReport, ...]
) -> None:
    assert read_openrouter_key(body({"data": data}), WALL) == Seen(None, windows)


def test_a_week_ends_with_sunday_also_on_a_monday() -> None:
    monday = MIDNIGHT + 2 * DAY
    data = body({"data": {"limit": 1, "limit_reset": "weekly"}})
    ends = [read_openrouter_key(data, wall).windows[0].resets_at for wall in (monday - 1, monday)]
    assert ends == [monday, monday + 7 * DAY]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"error":{"message":"Loading model","code":503}}', "Loading model"),
        (b'{"error":"model not found"}', "model not found"),
        (b'{"type":"error","error":{"type":"x","message":"Overloaded"}}', "Overloaded"),
        (b'{"error":3}', ""),
        (b"<html>", ""),
        (b"[]", ""),
    ],
)
def test_an_error_s_words_are_found_in_any_envelope(raw: bytes, words: str) -> None:
    assert error_message(raw) == words


READERS = sorted(
    {probe.read for facts in FACTS.values() for probe in facts.probes}, key=lambda read: read.__name__
)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"[]", b"3", b"{}", b'{"data":3,"models":"x"}', b"[" * 100_000]
)
def test_another_program_s_answer_is_told_as_such(read: object, raw: bytes) -> None:
    with pytest.raises(ProbeError, match=r"^the answer .*; (is|are) base_url"):
        read(raw, WALL)  # type: ignore[operator]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "data",
                    "models",
                    "id",
                    "name",
                    "meta",
                    "limit",
                    "limit_remaining",
                    "context_length",
                    "size_vram",
                    "state",
                    "status",
                    "value",
                    "free_model_daily_requests",
                    "top_provider",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
)


@given(JSON)
def test_no_answer_breaks_a_reader_and_no_number_is_negative(value: object) -> None:
    for read in READERS:
        try:
            seen = read(body(value), WALL)
        except ProbeError:
            continue
        numbers = [n for m in seen.models or () for n in (m.context, m.vram_bytes)]
        numbers += [n for w in seen.windows for n in (w.remaining, w.limit, w.used_percent)]
        assert all(n is None or n >= 0 for n in numbers)
        assert all(m.name.isprintable() for m in seen.models or ())
