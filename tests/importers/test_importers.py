"""Other tools' configs become valid ones of this one, and never carry a key along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from crtui.config.importers import READERS, imported
from crtui.config.load import parse
from crtui.config.model import Config, Provider
from crtui.errors import ConfigError
from crtui.modes.importing import import_config

CANARY = "sk-canary-0123456789abcdef"


def read(tool: str, data: object) -> tuple[Config, str]:
    text = imported(tool, yaml.safe_dump(data).encode(), "file")
    config, faults = parse(text)
    assert config is not None, faults
    return config, text


def by_name(config: Config) -> dict[str, Provider]:
    return {provider.name: provider for provider in config.providers}


LOCAL = {"name": "local", "base_url": "http://localhost:11434/v1", "model": "qwen3:4b"}
CLAUDE = {
    "name": "claude",
    "kind": "anthropic",
    "base_url": "https://api.anthropic.com/v1",
    "model": "claude-sonnet-4-6",
    "api_key_env": "MY_KEY",
    "paid": True,
}


def coderouter(**top: object) -> tuple[Config, str]:
    profiles = [{"name": "default", "providers": ["local", "claude"]}]
    return read("coderouter", {"providers": [LOCAL, CLAUDE], "profiles": profiles, **top})


def test_coderouters_chain_keys_and_models_are_kept():
    config, _ = coderouter(allow_paid=True)
    found = by_name(config)
    assert (found["local"].kind, found["local"].auth, found["local"].model) == ("ollama", "none", "qwen3:4b")
    assert (found["claude"].kind, found["claude"].api_key_env, found["claude"].paid) == (
        "anthropic",
        "MY_KEY",
        True,
    )
    assert (config.profiles[0].chain, config.routing.allow_paid) == (("local", "claude"), True)


def test_coderouters_costs_become_prices_by_its_own_shares():
    cost = {"input_tokens_per_million": 4.0, "output_tokens_per_million": 8.0, "monthly_budget_usd": 9}
    row = {**CLAUDE, "cost": {**cost, "cache_creation_premium": 2.0}, "capabilities": {"tools": False}}
    config, _ = coderouter(providers=[LOCAL, row])
    claude = by_name(config)["claude"]
    assert claude.price is not None
    assert claude.price.model_dump(exclude_none=True) == {
        "input": 4.0,
        "output": 8.0,
        "cache_read": 0.4,
        "cache_write": 8.0,
    }
    assert (claude.monthly_usd, claude.capabilities.tools) == (9, None)


def test_coderouters_rules_are_kept_only_where_they_ran():
    rules = [
        {"id": "a", "profile": "default", "match": {"has_image": True}},
        {"id": "b", "profile": "default", "match": {"cjk_ratio_min": 0.3}},
        {"id": "c", "profile": "nowhere", "match": {"has_tools": True}},
    ]
    auto = {"rules": rules, "default_rule_profile": "default"}
    ran, text = coderouter(default_profile="auto", auto_router=auto)
    idle, said = coderouter(default_profile="default", auto_router=auto)
    assert [rule.when.model_dump(exclude_none=True) for rule in ran.rules] == [{"has_image": True}]
    assert "# no counterpart for a rule by cjk_ratio_min" in text
    assert idle.rules == ()
    assert "auto_router is left out" in said


def test_what_a_config_cannot_hold_is_said_above_its_table_and_left_out():
    row = {**LOCAL, "name": "my model!", "output_filters": ["strip_thinking"], "timeout_s": 1e9}
    profiles = [
        {"name": "default", "providers": ["my model!", "ghost"], "tool_loop_action": "break"},
        {"name": "empty", "providers": ["ghost"]},
    ]
    config, text = read("coderouter", {"providers": [row], "profiles": profiles})
    assert (config.providers[0].name, config.providers[0].idle_timeout_s) == ("my-model", 600)
    assert [profile.name for profile in config.profiles] == ["default"]
    for words in ("output_filters", "is too large", "no such provider: ghost", "tool_loop_action", "empty"):
        assert words in text


def litellm(*rows: dict[str, object], **top: object) -> tuple[Config, str]:
    return read("litellm", {"model_list": list(rows), **top})


def deployment(group: str, model: str, **params: object) -> dict[str, object]:
    return {"model_name": group, "litellm_params": {"model": model, **params}}


_MISTRAL = ("https://api.mistral.ai", "MISTRAL_API_KEY")


@pytest.mark.parametrize(
    ("model", "params", "kind", "base", "sent", "key"),
    [
        ("anthropic/opus", {}, "anthropic", "https://api.anthropic.com", "opus", "ANTHROPIC_API_KEY"),
        ("gpt-4o", {"api_key": "os.environ/OWN"}, "openai", "https://api.openai.com", "gpt-4o", "OWN"),
        ("openai/x", {"api_base": "http://h:80/v1"}, "openai-compatible", "http://h:80/v1", "x", None),
        ("ollama_chat/llama3.1", {}, "ollama", "http://127.0.0.1:11434", "llama3.1", None),
        ("groq/llama", {}, "openai-compatible", "https://api.groq.com/openai", "llama", "GROQ_API_KEY"),
        ("openrouter/a/b", {}, "openrouter", "https://openrouter.ai/api", "a/b", "OPENROUTER_API_KEY"),
        ("x/y", {"custom_llm_provider": "mistral"}, "openai-compatible", *_MISTRAL[:1], "x/y", *_MISTRAL[1:]),
    ],
)
def test_litellms_prefixes_lead_to_kinds(
    model: str, params: dict[str, object], kind: str, base: str, sent: str, key: str | None
):
    config, _ = litellm(deployment("g", model, **params))
    [found] = config.providers
    assert (found.kind, found.base_url, found.model, found.api_key_env) == (kind, base, sent, key)


def test_a_request_goes_to_the_group_it_names_and_then_to_its_fallbacks():
    config, _ = litellm(
        deployment("big", "gpt-4o", order=1, weight=3),
        deployment("big", "anthropic/claude-opus-4-6"),
        deployment("small model", "gpt-4o-mini"),
        deployment("any/*", "openai/*"),
        router_settings={"routing_strategy": "least-busy", "cooldown_time": 30},
        litellm_settings={"fallbacks": [{"big": ["small model"]}]},
    )
    big = config.profiles[0]
    assert (big.name, big.chain, big.tactic) == ("big", ("big", "big-2", "small-model"), "capacity_based")
    assert {p.name: (p.tier, p.weight) for p in config.providers}["small-model"] == (2, 1)
    assert [(rule.when.model_pattern, rule.profile) for rule in config.rules] == [
        ("big", "big"),
        (r"small\ model", "small-model"),
        ("any/.*", "any"),
    ]
    assert config.health.recovery_s == 30


def test_litellms_costs_and_what_a_model_can_do_are_kept():
    row = deployment("g", "gpt-4o", input_cost_per_token="2.5e-06", output_cost_per_token=1e-5)
    row["model_info"] = {"supports_vision": True, "max_input_tokens": 128000}
    config, _ = litellm(row)
    [found] = config.providers
    assert found.price is not None
    assert (found.price.input, found.price.output) == (2.5, 10.0)
    assert (found.capabilities.vision, found.capabilities.context) == (True, 128000)


def test_a_vendor_without_counterpart_is_named_and_left_out():
    config, text = litellm(deployment("a", "azure/eu", api_key=CANARY), deployment("b", "gpt-4o"))
    assert [p.name for p in config.providers] == ["b"]
    assert "# left out: a: no counterpart for azure/eu" in text


ROUTER = """\
{ // as its own users write it
  "APIKEY": "%(key)s", "HOST": "0.0.0.0", "PORT": 3456, "API_TIMEOUT_MS": 60000,
\t"Providers": [
    {"name": "deepseek", "api_base_url": "https://api.deepseek.com/chat/completions", "api_key": "${DEEP}",
     "models": ["chat", "reasoner"], "transformer": {"use": ["deepseek"]}},
    {"name": "or", "api_base_url": "https://openrouter.ai/api/v1/chat/completions", "api_key": "%(key)s"},
    {"name": "direct", "api_base_url": "https://llm.example.com/v1/messages", "api_key": "%(key)s",
     "transformer": {"use": [["Anthropic", {}]]}},
    {"name": "local", "api_base_url": "http://localhost:11434/v1/chat/completions", "api_key": "ollama"},
    {"name": "gemini", "api_key": "k",
     "api_base_url": "https://generativelanguage.googleapis.com/v1beta/models/"},
    {"name": "idle", "api_base_url": "https://idle.example.com", "api_key": "%(key)s"},
  ],
  "Router": {"default": "deepseek,chat", "background": "local,qwen3:4b", "think": "deepseek,reasoner",
    "longContext": "or,google/gemini", "longContextThreshold": 90000, "image": "gemini,gemini-2.5-flash"},
  "fallback": {"default": ["direct,claude-opus-4-6"]}, /* and more */
}
"""


def test_claude_code_routers_routes_become_profiles_and_rules():
    text = imported("claude-code-router", (ROUTER % {"key": CANARY}).encode(), "config.json")
    config, _ = parse(text)
    assert config is not None
    assert {p.name: p.chain for p in config.profiles} == {
        "default": ("deepseek", "direct"),
        "background": ("local",),
        "image": ("gemini",),
        "longContext": ("or",),
        "think": ("deepseek-2",),
    }
    assert [rule.profile for rule in config.rules] == ["longContext", "background", "image"]
    assert config.rules[0].when.content_token_count_min == 90_000
    found = by_name(config)
    assert (found["deepseek"].model, found["deepseek-2"].model) == ("chat", "reasoner")
    assert (found["direct"].kind, found["direct"].wires) == ("anthropic", ("messages",))
    assert (found["or"].wires, found["local"].auth) == (("messages", "chat"), "none")
    assert (config.gateway.listen, found["direct"].idle_timeout_s) == ("127.0.0.1:3456", 60)


def test_a_key_in_plain_is_replaced_by_a_variable_and_told():
    text = imported("claude-code-router", (ROUTER % {"key": CANARY}).encode(), "config.json")
    config, _ = parse(text)
    assert config is not None
    assert {p.name: p.api_key_env for p in config.providers} == {
        "deepseek": "DEEP",
        "deepseek-2": "DEEP",
        "or": "OPENROUTER_API_KEY",
        "direct": "ANTHROPIC_API_KEY",
        "local": None,
        "gemini": "GEMINI_API_KEY",
    }
    assert "not copied; export OPENROUTER_API_KEY" in text
    assert CANARY not in text


@pytest.mark.parametrize("tool", READERS)
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "holds no table"),
        (b"- 1\n- 2", "holds no table"),
        (b"a: [1, 2", "file:1: "),
        (b"a: !!python/object:os.system {}", "file:1: "),
        (b"\xff\xfe\x00", "UTF-16"),
        pytest.param(b"a: " + b"[" * 600, "file", id="nested deeply"),
        pytest.param(b"x" * 2_000_000, "larger than 1 MiB", id="large"),
    ],
)
def test_a_file_that_is_no_such_config_is_one_line(tool: str, data: bytes, said: str):
    with pytest.raises(ConfigError) as fault:
        imported(tool, data, "file")
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


KEYS = st.sampled_from(
    [
        *("providers", "profiles", "name", "kind", "base_url", "model", "api_key", "api_key_env", "cost"),
        *(
            "model_list",
            "litellm_params",
            "model_name",
            "api_base",
            "router_settings",
            "fallbacks",
            "auto_router",
        ),
        *(
            "Providers",
            "Router",
            "api_base_url",
            "default",
            "background",
            "transformer",
            "use",
            "rules",
            "match",
        ),
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.just(CANARY),
    st.text(max_size=12),
    st.sampled_from(["https://h.example.com/v1", "openai/x", "a,b", "anthropic", "$X", "http://u:p@h"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@pytest.mark.parametrize("tool", READERS)
@settings(max_examples=60, deadline=None)
@given(data=st.dictionaries(KEYS, VALUES, min_size=1, max_size=6))
def test_whatever_stands_in_the_file_the_result_is_valid_or_refused(tool: str, data: dict[str, object]):
    try:
        text = READERS[tool](data).text()
    except ConfigError:
        return
    config, faults = parse(text)
    assert (config is not None, faults) == (True, [])


def secretive(tool: str) -> object:
    """A config of each tool with a key wherever one can stand."""
    url = "https://h.example.com/v1"
    return {
        "coderouter": {
            "providers": [{"name": "p", "base_url": url, "api_key": CANARY, "extra_body": {"key": CANARY}}],
            "profiles": [{"name": "default", "providers": ["p"]}],
        },
        "litellm": {
            "model_list": [deployment("g", "openai/x", api_base=url, api_key=CANARY, aws_secret=CANARY)],
            "general_settings": {"master_key": CANARY, "database_url": f"postgresql://u:{CANARY}@h"},
            "environment_variables": {"X": CANARY},
        },
        "claude-code-router": json.loads(
            json.dumps(
                {
                    "Providers": [{"name": "p", "api_base_url": url, "api_key": CANARY}],
                    "Router": {"default": "p,m"},
                    "APIKEY": CANARY,
                    "PROXY_URL": f"http://u:{CANARY}@h",
                }
            )
        ),
    }[tool]


@pytest.mark.parametrize("tool", READERS)
def test_no_value_of_a_key_without_counterpart_is_repeated(tool: str):
    config, text = read(tool, secretive(tool))
    assert len(config.providers) == 1
    assert CANARY not in text


def test_the_command_prints_the_config_and_names_a_file_it_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({"model_list": [deployment("g", "gpt-4o")]}))
    assert import_config("litellm", file) == 0
    assert parse(capsys.readouterr().out)[1] == []
    with pytest.raises(ConfigError, match="cannot be read"):
        import_config("litellm", tmp_path / "none.yaml")
