"""An agent's windows as hearsay of the providers that stand for its subscription."""

from __future__ import annotations

import pytest

from crtui.agents.subscriptions import FRESH_MS, Subscriptions
from crtui.config.model import Config
from crtui.core.core import Core
from crtui.core.inputs import Hearsay, Poll, Tick, WindowReport
from crtui.core.now import HOUR, MINUTE, Now
from crtui.core.settings import CoreSettings
from crtui.core.views import AgentView, GatewayView, WindowView
from tests.agentlogs.logs import T0

RESET = T0 + 2 * HOUR


def agent(*windows: WindowView, name: str = "claude") -> AgentView:
    return AgentView(name, T0, None, windows=windows)


def window(name: str = "5h", used: float | None = 40.0, at: int = T0) -> WindowView:
    return WindowView(name, "status line", at, used_percent=used, resets_at=RESET)


def heard(told: Subscriptions, *agents: AgentView, now: int = T0) -> list[Hearsay]:
    return list(told.news(agents, now))


def test_a_window_becomes_hearsay_of_every_provider_of_that_agent() -> None:
    told = Subscriptions({"max": "claude", "other": "claude", "plus": "codex"})

    found = heard(told, agent(window()))

    report = WindowReport("5h", "subscription", 40.0, resets_at=RESET)
    assert found == [Hearsay("max", (report,)), Hearsay("other", (report,))]


def test_the_same_word_is_told_once_and_a_newer_one_again() -> None:
    told = Subscriptions({"max": "claude"})

    assert len(heard(told, agent(window()))) == 1
    assert heard(told, agent(window())) == []
    (again,) = heard(told, agent(window(at=T0 + 1), window("7d")), now=T0 + 1)
    assert [w.name for w in again.windows] == ["5h", "7d"]


@pytest.mark.parametrize(
    "stale",
    [window(at=T0 - FRESH_MS), window(at=T0 + MINUTE), window(used=None)],
    ids=["old", "ahead", "unknown"],
)
def test_old_words_and_unknown_windows_decide_nothing(stale: WindowView) -> None:
    assert heard(Subscriptions({"max": "claude"}), agent(stale)) == []


def test_of_a_used_up_account_nothing_is_told() -> None:
    told = Subscriptions({"max": "claude"})

    assert heard(told, agent(window(used=100.0), window("7d", 10.0))) == []


def test_the_core_merges_them_with_what_it_knows_and_marks_a_passed_reset() -> None:
    config = Config.model_validate({"provider": [{"name": "max", "kind": "anthropic", "auth": "client"}]})
    core, now = Core(config.to_core(), Now(0, T0), 1), Now(0, T0)
    core.feed(Poll("max", ok=True, windows=(WindowReport("7d", "subscription", 10.0),)), now)

    for news in Subscriptions({"max": "claude"}).news([agent(window())], T0):
        core.feed(news, now)

    shown = core.snapshot(now, GatewayView("", "", T0)).providers[0].quota.windows
    assert {w.name: (w.used_percent, w.source) for w in shown} == {
        "7d": (10.0, "subscription"),
        "5h": (40.0, "subscription"),
    }
    later = Now(2 * HOUR, RESET)
    core.feed(Tick(), later)
    late = core.snapshot(later, GatewayView("", "", T0)).providers[0].quota.windows
    assert [w.name for w in late if w.unconfirmed] == ["5h"]


@pytest.mark.parametrize(
    ("table", "whose"),
    [
        ({"kind": "anthropic", "auth": "client"}, "claude"),
        ({"kind": "openai", "auth": "client"}, "codex"),
        ({"kind": "openrouter", "auth": "client"}, None),
        ({"kind": "anthropic", "auth": "key", "api_key_env": "K"}, None),
        ({"kind": "anthropic", "auth": "key", "api_key_env": "K", "subscription": "claude"}, "claude"),
        ({"kind": "openai-compatible", "base_url": "http://h", "subscription": "codex"}, "codex"),
    ],
)
def test_a_provider_with_the_callers_credential_is_its_vendors_subscription(
    table: dict[str, str], whose: str | None
) -> None:
    config = Config.model_validate({"provider": [{"name": "a", **table}]})

    assert isinstance(config.to_core(), CoreSettings)
    assert config.providers[0].subscribed == whose
