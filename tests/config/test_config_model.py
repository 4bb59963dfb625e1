"""What a config means: defaults by kind, profiles, and the settings the core gets."""

import pytest

from crtui.config.kinds import KINDS
from crtui.config.model import Config
from crtui.core.settings import (
    Capabilities,
    CoreSettings,
    Price,
    ProfileSettings,
    ProviderSettings,
    RuleSettings,
)

FULL = {
    "gateway": {"listen": "[::1]:80", "token_env": "T", "allowed_hosts": ["h.example"], "max_body_mb": 1},
    "routing": {"default_profile": "p", "allow_paid": True},
    "health": {"threshold": 5, "recovery_s": 1.5, "probe": True},
    "provider": [
        {
            "name": "A.b_c@d-1",
            "kind": "anthropic",
            "auth": "key",
            "api_key_file": "~/key",
            "wires": ["messages", "chat"],
            "models": {"claude-.*": "m"},
            "paid": True,
            "weight": 0,
            "capacity": 4,
            "tier": 2,
            "daily_tokens": 0,
            "monthly_usd": 50,
            "price": {"input": 3, "cache_read": 0.3},
            "capabilities": {"vision": False, "context": 200_000},
            "threshold": 2,
        },
        {"name": "b", "kind": "anthropic", "auth": "client", "recovery_s": 60},
        {"name": "c", "kind": "ollama", "auth": "client", "daily_tokens": 7, "pull": True, "probe": False},
    ],
    "profile": [{"name": "p", "chain": ["b"], "memory_pressure_cooldown_s": 10, "adaptive": True}],
    "rule": [{"when": {"has_image": True}, "profile": "p"}, {"when": {"model_pattern": "x"}, "profile": "p"}],
    "shared": {"url": "redis://127.0.0.1", "namespace": "team-a"},
}


def test_the_core_gets_every_setting_with_defaults_filled_in_and_seconds_as_milliseconds() -> None:
    assert Config.model_validate(FULL).to_core() == CoreSettings(
        providers=(
            ProviderSettings(
                "A.b_c@d-1",
                "anthropic",
                ("messages", "chat"),
                paid=True,
                weight=0,
                capacity=4,
                tier=2,
                daily_tokens=None,
                monthly_usd=50.0,
                price=Price(input=3.0, cache_read=0.3),
                capabilities=Capabilities(vision=False, context=200_000),
                threshold=2,
                recovery_ms=1500,
                free_probe=True,
            ),
            ProviderSettings(
                "b", "anthropic", ("messages",), threshold=5, recovery_ms=60_000, free_probe=False
            ),
            ProviderSettings(
                "c",
                "ollama",
                ("messages", "chat", "responses"),
                daily_tokens=7,
                threshold=5,
                recovery_ms=1500,
            ),
        ),
        profiles=(ProfileSettings("p", ("b",), memory_cooldown_ms=10_000, adaptive=True),),
        rules=(RuleSettings("has_image", True, "p"), RuleSettings("model_pattern", "x", "p")),
        default_profile="p",
        allow_paid=True,
    )


def test_a_config_survives_the_way_through_json_values() -> None:
    config = Config.model_validate(FULL)
    assert Config.model_validate(config.to_data()) == config


def test_without_profiles_there_is_one_over_all_providers_in_file_order() -> None:
    tables = [{"name": name, "kind": "ollama"} for name in ("z", "a", "m")]
    config = Config.model_validate({"provider": tables})
    assert config.to_core().profiles == (ProfileSettings("default", ("z", "a", "m")),)


def test_nothing_at_all_is_a_config_with_one_empty_chain() -> None:
    assert Config().to_core() == CoreSettings((), (ProfileSettings("default", ()),))


@pytest.mark.parametrize(
    ("kind", "wires"),
    [
        ("anthropic", ("messages",)),
        ("openai", ("chat", "responses")),
        ("openrouter", ("messages", "chat", "responses")),
        ("gemini", ("chat",)),
        ("ollama", ("messages", "chat", "responses")),
        ("lmstudio", ("messages", "chat", "responses")),
        ("llamacpp", ("messages", "chat", "responses")),
        ("vllm", ("messages", "chat", "responses")),
        ("openai-compatible", ("chat",)),
    ],
)
def test_each_kind_speaks_its_wires_by_default(kind: str, wires: tuple[str, ...]) -> None:
    config = Config.model_validate({"provider": [{"name": "x", "kind": kind}]})
    assert config.providers[0].wires == wires


def test_the_table_of_default_wires_is_complete() -> None:
    assert all(set(facts.wires) <= set(facts.speaks) for facts in KINDS.values())
    assert len(KINDS) == 9


@pytest.mark.parametrize(
    ("table", "auth", "variable"),
    [
        ({"kind": "anthropic"}, "key", "ANTHROPIC_API_KEY"),
        ({"kind": "openai", "api_key_env": "MINE"}, "key", "MINE"),
        ({"kind": "openai", "api_key_file": "/k"}, "key", None),
        ({"kind": "gemini", "keyring": True}, "key", None),
        ({"kind": "anthropic", "auth": "client"}, "client", None),
        ({"kind": "anthropic", "auth": "none"}, "none", None),
        ({"kind": "ollama"}, "none", None),
        ({"kind": "vllm", "api_key_env": "VLLM"}, "key", "VLLM"),
        ({"kind": "openai-compatible"}, "none", None),
    ],
)
def test_auth_follows_from_the_kind_and_the_key_named(
    table: dict[str, object], auth: str, variable: str | None
) -> None:
    provider = Config.model_validate({"provider": [{"name": "x"} | table]}).providers[0]
    assert (provider.auth, provider.api_key_env) == (auth, variable)


def test_a_config_cannot_be_changed() -> None:
    config = Config()
    with pytest.raises(ValueError, match="frozen"):
        config.gateway.listen = "0.0.0.0:1"  # type: ignore[misc]
