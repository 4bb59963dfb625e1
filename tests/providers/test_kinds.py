"""Where each kind is reached, with which credential, and which model it is sent."""

import pytest

from crtui.config.kinds import KINDS, Kind
from crtui.config.model import Config
from crtui.core.settings import Wire
from crtui.providers.kinds import ENDPOINTS, FACTS
from crtui.providers.provider import Provider, build_providers

KEY = "sk-canary-0123456789abcdef"


def provider(environ: dict[str, str] | None = None, **table: object) -> Provider:
    config = Config.model_validate({"provider": [{"name": "p"} | table]})
    return build_providers(config, environ or {})[0]["p"]


URLS: list[tuple[str, str | None, Wire, str]] = [
    ("anthropic", None, "messages", "https://api.anthropic.com/v1/messages"),
    ("anthropic", "https://api.anthropic.com/", "messages", "https://api.anthropic.com/v1/messages"),
    ("anthropic", "https://api.anthropic.com/v1/", "messages", "https://api.anthropic.com/v1/messages"),
    ("anthropic", "https://x.example/anthropic", "messages", "https://x.example/anthropic/v1/messages"),
    ("openai", None, "chat", "https://api.openai.com/v1/chat/completions"),
    ("openai", None, "responses", "https://api.openai.com/v1/responses"),
    ("openrouter", None, "chat", "https://openrouter.ai/api/v1/chat/completions"),
    ("openrouter", "https://openrouter.ai", "chat", "https://openrouter.ai/api/v1/chat/completions"),
    ("openrouter", "https://openrouter.ai/api/v1", "chat", "https://openrouter.ai/api/v1/chat/completions"),
    ("openrouter", None, "messages", "https://openrouter.ai/api/v1/messages"),
    (
        "gemini",
        None,
        "chat",
        "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
    ),
    (
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai/",
        "chat",
        "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
    ),
    ("ollama", None, "messages", "http://127.0.0.1:11434/v1/messages"),
    ("ollama", "http://h:1/api", "chat", "http://h:1/v1/chat/completions"),
    ("lmstudio", "http://h:1/api/v1", "chat", "http://h:1/v1/chat/completions"),
    ("llamacpp", None, "chat", "http://127.0.0.1:8080/v1/chat/completions"),
    ("vllm", "http://[::1]:8000/v1", "chat", "http://[::1]:8000/v1/chat/completions"),
    ("openai-compatible", "https://x.example/api/v1", "chat", "https://x.example/api/v1/chat/completions"),
    ("openai-compatible", "https://x.example/api", "chat", "https://x.example/api/v1/chat/completions"),
    ("openai-compatible", "https://x.example/paas/v4", "chat", "https://x.example/paas/v4/chat/completions"),
]


@pytest.mark.parametrize(("kind", "base_url", "wire", "url"), URLS)
def test_a_base_url_leads_to_the_same_place_however_it_ends(
    kind: str, base_url: str | None, wire: Wire, url: str
) -> None:
    table = {"kind": kind} | ({} if base_url is None else {"base_url": base_url})
    assert provider(**table).url(ENDPOINTS[wire]) == url


def test_every_kind_has_facts_and_its_usual_address_is_a_root() -> None:
    assert FACTS.keys() == KINDS.keys()
    assert all(facts.probes for facts in FACTS.values())
    assert all(not (facts.base_url or "").endswith(("/", "/v1")) for facts in KINDS.values())


@pytest.mark.fault("S43")
def test_probes_lie_below_the_prefix_or_the_root() -> None:
    ollama, openrouter = provider(kind="ollama"), provider({"OPENROUTER_API_KEY": KEY}, kind="openrouter")
    assert [ollama.probe_url(probe) for probe in ollama.probes] == [
        "http://127.0.0.1:11434/api/tags",
        "http://127.0.0.1:11434/api/ps",
        "http://127.0.0.1:11434/api/version",
    ]
    assert openrouter.probe_url(openrouter.probes[0]) == "https://openrouter.ai/api/v1/key"


CALLER = {"authorization": "Bearer caller", "x-api-key": "caller", "cookie": "c", "anthropic-version": "2024"}


def test_anthropic_takes_its_key_in_its_own_header() -> None:
    mine = provider({"ANTHROPIC_API_KEY": KEY}, kind="anthropic", wires=["messages", "chat"])
    assert mine.credential("messages", {}) == {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
    assert mine.credential("messages", CALLER) == {"x-api-key": KEY, "anthropic-version": "2024"}
    assert mine.credential("chat", CALLER) == {"authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize("kind", ["openai", "openrouter", "gemini"])
def test_the_others_take_theirs_as_bearer_and_never_the_caller_s(kind: str) -> None:
    mine = provider({"K": KEY}, kind=kind, api_key_env="K")
    assert mine.credential("chat", CALLER) == {"authorization": f"Bearer {KEY}"}


@pytest.mark.fault("K10", "K40")
def test_only_auth_client_passes_the_caller_s_credential_on_and_nothing_else_of_it() -> None:
    assert provider(kind="anthropic", auth="client").credential("messages", CALLER) == {
        "authorization": "Bearer caller",
        "x-api-key": "caller",
    }
    assert provider(kind="ollama").credential("messages", CALLER) == {}
    assert provider(kind="openai").credential("chat", CALLER) == {}


@pytest.mark.parametrize(
    ("table", "asked", "sent"),
    [
        ({}, "m", None),
        ({}, None, None),
        ({"model": "fixed"}, "m", "fixed"),
        ({"model": "fixed"}, None, "fixed"),
        ({"models": {"claude-.*": "a", "claude-x": "b"}}, "claude-x", "a"),
        ({"models": {"x": "a", "claude-x": "b"}}, "claude-x", "b"),
        ({"models": {"claude": "a"}}, "claude-x", None),
        ({"models": {"claude.*": "a"}}, None, None),
        ({"models": {".*": "a"}}, "m" * 256, "a"),
        ({"models": {".*": "a"}}, "m" * 257, None),
    ],
)
def test_the_model_sent_is_fixed_or_the_first_full_match_or_kept(
    table: dict[str, object], asked: str | None, sent: str | None
) -> None:
    assert provider(kind="ollama", **table).model_for(asked) == sent


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("auth", ["client", "none"])
def test_a_cloud_for_which_only_callers_hold_a_key_is_not_polled_and_the_core_knows(
    kind: Kind, auth: str
) -> None:
    table = {"kind": kind, "auth": auth, "base_url": "http://x"}
    core = Config.model_validate({"provider": [{"name": "p"} | table]}).to_core()
    polled = auth == "none" or kind in {"ollama", "lmstudio", "llamacpp", "vllm"}
    assert bool(provider(**table).probes) is polled
    assert core.providers[0].free_probe is polled


def test_providers_are_built_with_their_keys_and_a_line_for_each_that_is_missing() -> None:
    tables = [
        {"name": "a", "kind": "openai", "api_key_env": "A"},
        {"name": "b", "kind": "openai", "api_key_env": "B"},
        {"name": "c", "kind": "openai-compatible", "base_url": "http://localhost:9"},
        {"name": "unreachable", "kind": "openai-compatible"},
    ]
    providers, warnings = build_providers(Config.model_validate({"provider": tables}), {"A": KEY})
    assert list(providers) == ["a", "b", "c"]
    assert warnings == ["b: no key: B is not set; export it"]
    assert [providers[name].lacks_key for name in "abc"] == [False, True, False]
    assert [providers[name].local for name in "abc"] == [False, False, True]
    assert KEY not in repr(providers)


@pytest.mark.parametrize(
    ("kind", "base_url", "shared"),
    [
        ("ollama", "http://127.0.0.1:11434", True),
        ("llamacpp", "http://[::1]:8080", True),
        ("lmstudio", "http://localhost:1234", True),
        ("ollama", "http://192.168.1.9:11434", False),
        ("vllm", "http://127.0.0.1:8000", False),
        ("openai-compatible", "http://127.0.0.1:4000", False),
    ],
)
def test_this_machine_s_memory_tells_of_servers_on_it_that_take_it_as_they_need(
    kind: str, base_url: str, shared: bool
) -> None:
    assert provider(kind=kind, base_url=base_url).shares_memory is shared


@pytest.mark.parametrize("kind", KINDS)
def test_local_kinds_get_one_system_text_unless_the_config_says_otherwise(kind: Kind) -> None:
    assert provider(kind=kind, base_url="http://h:1").merge_system is (
        kind in ("ollama", "lmstudio", "llamacpp", "vllm")
    )
    assert provider(kind=kind, base_url="http://h:1", merge_system=True).merge_system
    assert not provider(kind=kind, base_url="http://h:1", merge_system=False).merge_system


def test_only_those_that_are_known_to_count_tokens_are_asked_to() -> None:
    assert {kind for kind in KINDS if provider(kind=kind, base_url="http://h:1").counts_tokens} == {
        "anthropic",
        "llamacpp",
        "vllm",
    }
    assert not provider(kind="llamacpp", wires=["chat"]).counts_tokens


def test_who_forwards_the_callers_credential_needs_one_to_serve() -> None:
    forwarding = provider(kind="anthropic", auth="client")
    assert forwarding.may_serve({"x-api-key": "k"})
    assert not forwarding.may_serve({"anthropic-version": "2023-06-01"})
    assert provider(kind="llamacpp").may_serve({})
