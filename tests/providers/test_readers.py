"""What the answers of free endpoints say; the bodies are shortened from the servers' own documentation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.inputs import ModelReport, WindowReport
from crtui.core.now import DAY
from crtui.core.views import ServerView
from crtui.providers.kinds import FACTS
from crtui.providers.llamacpp import read_llamacpp_metrics, read_props, read_slots
from crtui.providers.model_lists import (
    MAX_MODELS,
    read_gemini_models,
    read_lmstudio_v0,
    read_lmstudio_v1,
    read_model_list,
)
from crtui.providers.ollama import Shown, canonical, read_ps, read_show, read_tags, read_version
from crtui.providers.openrouter import read_openrouter_key
from crtui.providers.reading import ProbeError
from crtui.providers.seen import CAPABILITIES, Seen, Traits, nothing
from crtui.providers.vllm import read_vllm_metrics, read_vllm_version
from crtui.text import scrub
from tests.providers import bodies
from tests.providers.bodies import MIDNIGHT, WALL, body

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
    assert read_tags(body({"models": None}), WALL).models == ()
    assert read_model_list(body({"data": []}), WALL).models == ()


ABILITIES: list[tuple[Seen, str, tuple[str, ...] | None]] = [
    (read_model_list(body(bodies.OPENAI_LIST), WALL), "gpt-5.6", None),
    (read_model_list(body(bodies.ANTHROPIC_OLD), WALL), "claude-haiku-4-5", None),
    (read_model_list(body(bodies.ANTHROPIC_NEW), WALL), "claude-sonnet-4-6", ("vision", "thinking")),
    (
        read_model_list(body(bodies.OPENROUTER_MODELS), WALL),
        "qwen/qwen3-coder:free",
        ("vision", "tools", "thinking"),
    ),
    (read_model_list(body(bodies.LLAMACPP_LIST_NEW), WALL), "tiny", ("vision",)),
    (read_gemini_models(body(bodies.GEMINI), WALL), "gemini-3-pro", ("thinking",)),
    (read_gemini_models(body(bodies.GEMINI), WALL), "gemini-embedding-001", ("embedding",)),
    (read_lmstudio_v0(body(bodies.LMSTUDIO_V0), WALL), "qwen/qwen3.5-9b", ("vision",)),
    (read_lmstudio_v1(body(bodies.LMSTUDIO_V1), WALL), "qwen/qwen3.5-9b", ("vision", "tools")),
    (read_lmstudio_v1(body(bodies.LMSTUDIO_V1), WALL), "nomic", ("embedding",)),
    (read_tags(body(bodies.OLLAMA_TAGS_OLD), WALL), "qwen3:4b", None),
    (read_tags(body(bodies.OLLAMA_TAGS_NEW), WALL), "qwen3:4b", ("tools", "thinking")),
]


@pytest.mark.parametrize(("seen", "model", "capabilities"), ABILITIES)
def test_what_a_model_can_do_is_told_where_its_server_tells_it(
    seen: Seen, model: str, capabilities: tuple[str, ...] | None
) -> None:
    assert seen.traits.get(model, Traits()).capabilities == capabilities


def test_lm_studio_s_two_lists_agree_on_what_is_loaded_and_with_which_window() -> None:
    loaded = (ModelReport("qwen/qwen3.5-9b", True, 4096), ModelReport("nomic", False, 2048))
    old, new = (
        read_lmstudio_v0(body(bodies.LMSTUDIO_V0), WALL),
        read_lmstudio_v1(body(bodies.LMSTUDIO_V1), WALL),
    )
    assert (old.models, new.models) == (loaded, loaded)
    assert old.with_more(new).traits["qwen/qwen3.5-9b"] == Traits(("vision", "tools"), 6_548_927_017)


@pytest.mark.parametrize("row", [{"id": "a"}, {"id": "a", "state": 3, "max_context_length": "9"}])
def test_lm_studio_s_silence_is_unknown(row: object) -> None:
    assert read_lmstudio_v0(body({"data": [row]}), WALL) == Seen((ModelReport("a"),))


def test_ollama_s_running_models_are_joined_to_those_on_disk() -> None:
    tags = read_tags(body({"models": [{"name": "a:1"}, {"name": "b:1", "model": "b:1"}]}), WALL)
    running = [
        {"name": "b:1", "size": 9, "size_vram": 7, "context_length": 4096},
        {"name": "c:1", "size_vram": 0},
    ]
    both = tags.with_more(read_ps(body({"models": running}), WALL))
    assert both.models == (
        ModelReport("a:1", False),
        ModelReport("b:1", True, 4096, 7),
        ModelReport("c:1", True, None, 0),
    )


def test_without_the_running_models_nobody_claims_what_is_loaded() -> None:
    tags = read_tags(body({"models": [{"name": "a:1"}]}), WALL)
    assert tags.with_more(Seen()).models == (ModelReport("a:1"),)


def test_a_cloud_model_s_stub_takes_no_room() -> None:
    traits = read_tags(body(bodies.OLLAMA_TAGS_NEW), WALL).traits
    assert [traits[name].size_bytes for name in ("qwen3:4b", "gpt-oss:120b-cloud")] == [2_620_788_260, None]


def test_ollama_shows_the_window_a_modelfile_asks_for_and_never_the_trained_one() -> None:
    assert read_show(body(bodies.OLLAMA_SHOW_OLD)) == Shown(None, 8192)
    assert read_show(body(bodies.OLLAMA_SHOW_NEW)) == Shown(("tools", "thinking"), None)
    assert read_show(body({"parameters": "num_ctx 0", "capabilities": []})) == Shown((), None)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("x", "x:latest"),
        ("x:latest", "x:latest"),
        ("library/x", "x:latest"),
        ("registry.ollama.ai/library/x:7b", "x:7b"),
        ("https://registry.ollama.ai/me/x", "me/x:latest"),
        ("me/x:7b", "me/x:7b"),
        ("hf.co/Org/Model-GGUF:Q4_K_M", "hf.co/Org/Model-GGUF:Q4_K_M"),
        ("localhost:5000/me/x", "localhost:5000/me/x:latest"),
        ("X", "X:latest"),
    ],
)
def test_a_model_s_name_is_filled_in_as_ollama_does_it(name: str, full: str) -> None:
    assert canonical(name) == full == canonical(full)


def test_versions_are_told() -> None:
    assert read_version(body({"version": "0.14.2"}), WALL).server == ServerView(version="0.14.2")
    assert read_vllm_version(body({"version": "0.11.0"}), WALL).server == ServerView(version="0.11.0")
    assert read_version(body({"version": 3}), WALL).server == ServerView()


def test_vllm_s_engines_are_added_up_and_the_fullest_cache_counts() -> None:
    assert read_vllm_metrics(bodies.VLLM_METRICS_NEW, WALL).server == ServerView(
        running=5, waiting=1, cache_ratio=0.8125
    )
    assert read_vllm_metrics(bodies.VLLM_METRICS_OLD, WALL).server == ServerView(
        running=1, waiting=0, cache_ratio=0.125
    )


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "-1e99", "x", ""])
def test_a_gauge_without_a_sensible_number_is_unknown(value: str) -> None:
    page = f"other 1\nvllm:num_requests_running {value}\n".encode()
    assert read_vllm_metrics(page, WALL).server == ServerView()


def test_llama_cpp_tells_slots_window_build_and_what_the_model_reads() -> None:
    old, new = (
        read_props(body(bodies.LLAMACPP_PROPS_OLD), WALL),
        read_props(body(bodies.LLAMACPP_PROPS_NEW), WALL),
    )
    assert old == Seen(server=ServerView(version="b5200-abcdef0", slots=2), context=8192)
    assert new.server == ServerView(version="b9100-1234567", slots=2, asleep=False)
    assert (new.context, new.capabilities) == (2048, ("vision", "tools"))


def test_llama_cpp_s_working_slots_fill_the_cache_and_old_prompts_do_not_count() -> None:
    assert read_slots(body(bodies.LLAMACPP_SLOTS_NEW), WALL).server == ServerView(
        running=1, slots=2, cache_ratio=0.25
    )
    assert read_slots(body(bodies.LLAMACPP_SLOTS_OLD), WALL).server == ServerView(running=1, slots=2)
    idle = [slot | {"is_processing": False} for slot in bodies.LLAMACPP_SLOTS_OLD]
    assert read_slots(body(idle), WALL).server == ServerView(running=0, slots=2, cache_ratio=0.0)
    assert read_slots(body([{"id": 0, "n_ctx": 4096}]), WALL).server == ServerView(slots=1)


def test_an_old_llama_cpp_s_own_cache_gauge_counts_where_slots_tell_no_tokens() -> None:
    both = read_llamacpp_metrics(bodies.LLAMACPP_METRICS_OLD, WALL).with_more(
        read_slots(body(bodies.LLAMACPP_SLOTS_OLD), WALL)
    )
    assert both.server == ServerView(running=1, waiting=3, slots=2, cache_ratio=0.25)


def test_what_holds_for_every_model_does_not_replace_what_one_tells_itself() -> None:
    listed = Seen((ModelReport("a", True), ModelReport("b", True, 7)), traits={"b": Traits(("tools",))})
    settled = listed.with_more(Seen(context=9, capabilities=("vision",))).settled()
    assert settled.models == (ModelReport("a", True, 9), ModelReport("b", True, 7))
    assert settled.traits == {"a": Traits(("vision",)), "b": Traits(("vision", "tools"))}


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


READERS = sorted(
    {probe.read for facts in FACTS.values() for probe in facts.probes if probe.read is not nothing},
    key=lambda read: read.__name__,
)
SAYS_NOTHING = (read_version, read_vllm_version, read_props)
"""Of these an object without a single known field is an answer that leaves all unknown."""


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"3", b"[3]", b"[" * 100_000, b"{}", b'{"data":3,"models":"x"}']
)
def test_another_program_s_answer_is_told_as_such(read: object, raw: bytes) -> None:
    if read in SAYS_NOTHING and raw.startswith(b"{"):
        assert read(raw, WALL).settled().server == ServerView()  # type: ignore[operator]
        return
    with pytest.raises(ProbeError, match=r"^the answer .*; (is|are) base_url"):
        read(raw, WALL)  # type: ignore[operator]


KEY_NAMES = [
    "data",
    "models",
    "id",
    "key",
    "name",
    "meta",
    "limit",
    "limit_remaining",
    "context_length",
    "size_vram",
    "size",
    "state",
    "status",
    "value",
    "free_model_daily_requests",
    "top_provider",
    "n_ctx",
    "total_slots",
    "is_processing",
    "n_prompt_tokens",
    "modalities",
    "vision",
    "default_generation_settings",
    "loaded_instances",
    "config",
    "capabilities",
    "architecture",
    "input_modalities",
    "version",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEY_NAMES), inner, max_size=5)
    ),
)


@given(JSON)
def test_no_answer_breaks_a_reader_and_no_number_is_negative(value: object) -> None:
    for read in READERS:
        try:
            seen = read(body(value), WALL).settled()
        except ProbeError:
            continue
        numbers = [n for m in seen.models or () for n in (m.context, m.vram_bytes)]
        numbers += [n for w in seen.windows for n in (w.remaining, w.limit, w.used_percent)]
        numbers += [traits.size_bytes for traits in seen.traits.values()]
        if (server := seen.server) is not None:
            numbers += [server.running, server.waiting, server.slots, server.cache_ratio]
        assert all(n is None or n >= 0 for n in numbers)
        assert all(m.name == scrub(m.name) for m in seen.models or ())
        assert all(set(t.capabilities or ()) <= set(CAPABILITIES) for t in seen.traits.values())


@given(st.text() | st.text('vllm:num_requests_running{}"=0 \n\t#.', max_size=60))
def test_no_page_of_metrics_breaks_its_readers(page: str) -> None:
    for read in (read_vllm_metrics, read_llamacpp_metrics):
        try:
            server = read(page.encode("utf-8", "replace"), WALL).server
        except ProbeError:
            continue
        assert server is not None
        assert server.running is None or server.running >= 0
