"""The vendors' own usage endpoints: what is asked, with which credential, and what an answer says.

Undocumented by the vendors; as CodexBar (``docs/claude.md``, ``docs/codex.md``, ``docs/gemini.md``) and
ccstatusline (``src/utils/usage-fetch.ts``) have them. The credential is the agent's own. It is read
afresh each time and never renewed: that is the agent's business, and a renewal here would sign it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from crtui.agents import places
from crtui.agents.codex_limits import percent, reset_after
from crtui.agents.entry import Agent, Limit, instant
from crtui.core.inputs import WindowReport
from crtui.secret import Secret
from crtui.text import scrub
from crtui.wire.jsonview import as_count, as_list, as_object, as_text, loads
from crtui.wire.windows import window_name

SOURCE: Final = "usage endpoint"
MAX_CREDENTIALS: Final = 256 * 1024

_CLAUDE_URL: Final = "https://api.anthropic.com/api/oauth/usage"
_CODEX_URL: Final = "https://chatgpt.com/backend-api/wham/usage"
_GEMINI_URL: Final = "https://cloudcode-pa.googleapis.com/v1internal:retrieveUserQuota"
_GEMINI_FAMILIES: Final = ("flash-lite", "flash", "pro")
_GEMINI_PROJECTS: Final = ("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_PROJECT_ID")
_CLAUDE_WINDOWS: Final = {
    "five_hour": "5h",
    "seven_day": "7d",
    "seven_day_opus": "7d_opus",
    "seven_day_sonnet": "7d_sonnet",
    "seven_day_oauth_apps": "7d_oauth_apps",
}
_CLAUDE_KINDS: Final = {"session": "5h", "weekly_all": "7d", "weekly_scoped": "7d"}
_SCOPE: Final = "user:profile"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request is signed with; ``headers`` are those that go with it and are no secret."""

    token: Secret
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One vendor's endpoint. ``credential`` gives None where there is none that would do.

    Where there is a ``body``, it is posted as JSON.
    """

    agent: Agent
    url: str
    credential: Callable[[int], Credential | None]
    read: Callable[[object, int], Iterator[Limit]]
    body: bytes | None = None


def endpoints_of(environ: Mapping[str, str]) -> list[Endpoint]:
    """The endpoints of the agents that may be signed in on this machine."""
    return [
        Endpoint("claude", _CLAUDE_URL, lambda now: _claude_credential(environ, now), read_claude),
        Endpoint("codex", _CODEX_URL, lambda _: _codex_credential(environ), read_codex),
        Endpoint(
            "gemini",
            _GEMINI_URL,
            lambda now: _gemini_credential(environ, now),
            read_gemini,
            orjson.dumps(_gemini_project(environ)),
        ),
    ]


def read_claude(body: object, at: int) -> Iterator[Limit]:
    """The windows of ``/api/oauth/usage``, percentages throughout; ``limits`` supersedes the flat keys."""
    answer = as_object(body)
    rows = [as_object(row) for row in as_list(answer.get("limits"))]
    if rows:
        told = [(_claude_name(row), row.get("percent"), row.get("resets_at")) for row in rows]
    else:
        flat = {name: as_object(answer.get(key)) for key, name in _CLAUDE_WINDOWS.items()}
        told = [(name, row.get("utilization"), row.get("resets_at")) for name, row in flat.items()]
    for name, value, reset in told:
        used, resets_at = percent(value), instant(reset)
        # Nothing used and no reset is a placeholder.
        if name and used is not None and (used or resets_at is not None):
            yield Limit(at, WindowReport(name, SOURCE, used, resets_at=resets_at))


def read_codex(body: object, at: int) -> Iterator[Limit]:
    """The windows of ``/wham/usage``, each known by its length; those of one model carry its meter's name."""
    answer = as_object(body)
    yield from _codex_windows(answer.get("rate_limit"), "", at)
    for row in map(as_object, as_list(answer.get("additional_rate_limits"))):
        meter = scrub(as_text(row.get("metered_feature")), 40).removeprefix("codex_")
        if meter:
            yield from _codex_windows(row.get("rate_limit"), f"_{meter}", at)


def read_gemini(body: object, at: int) -> Iterator[Limit]:
    """The buckets of ``retrieveUserQuota``: of each family of models the one with the least left.

    A bucket tells no length, so its window carries the family's name alone.
    """
    lowest: dict[str, tuple[float, int | None]] = {}
    for row in map(as_object, as_list(as_object(body).get("buckets"))):
        family, used = _gemini_family(as_text(row.get("modelId"))), _used_of(row.get("remainingFraction"))
        if family and used is not None and (family not in lowest or lowest[family][0] < used):
            lowest[family] = (used, instant(row.get("resetTime")))
    for family, (used, resets_at) in lowest.items():
        yield Limit(at, WindowReport(family, SOURCE, used, resets_at=resets_at))


def _gemini_family(model: str) -> str:
    return next((family for family in _GEMINI_FAMILIES if family in model), "")


def _used_of(remaining: object) -> float | None:
    """The percentage used where a share from 0 to 1 is left; one that is not told is unknown."""
    if isinstance(remaining, bool) or not isinstance(remaining, (int, float)) or not 0 <= remaining <= 1:
        return None
    return percent(100 * (1 - remaining))


def _codex_windows(value: object, scope: str, at: int) -> Iterator[Limit]:
    limit = as_object(value)
    for slot in ("primary_window", "secondary_window"):
        window = as_object(limit.get(slot))
        used, seconds = percent(window.get("used_percent")), as_count(window.get("limit_window_seconds"))
        name = window_name(seconds // 60 if seconds else None)
        if name and used is not None:
            resets_at = reset_after(window.get("reset_at"), at)
            yield Limit(at, WindowReport(name + scope, SOURCE, used, resets_at=resets_at))


def _claude_name(row: Mapping[str, object]) -> str:
    name = _CLAUDE_KINDS.get(as_text(row.get("kind")), "")
    model = as_object(as_object(row.get("scope")).get("model"))
    scope = scrub(as_text(model.get("display_name")) or as_text(model.get("id")), 40).lower()
    if row.get("kind") == "weekly_scoped":
        return f"{name}_{scope}" if scope else ""
    return name


def _claude_credential(environ: Mapping[str, str], now: int) -> Credential | None:
    """Claude Code's token: of the environment, else of its file if that still holds and may read usage."""
    headers = {"anthropic-beta": "oauth-2025-04-20"}
    named = environ.get("CLAUDE_CODE_OAUTH_TOKEN")
    if named:
        return Credential(Secret(named), headers)
    for root in places.claude_roots(environ):
        held = as_object(_json(root.parent / ".credentials.json").get("claudeAiOauth"))
        token, expires = as_text(held.get("accessToken")), as_count(held.get("expiresAt"))
        if token and (expires is None or expires > now) and _SCOPE in as_list(held.get("scopes")):
            return Credential(Secret(token), headers)
    return None


def _codex_credential(environ: Mapping[str, str]) -> Credential | None:
    """Codex's token and account."""
    for home in places.codex_homes(environ):
        held = as_object(_json(home / "auth.json").get("tokens"))
        token, account = as_text(held.get("access_token")), as_text(held.get("account_id"))
        if token:
            return Credential(Secret(token), {"chatgpt-account-id": account} if account else {})
    return None


def _gemini_credential(environ: Mapping[str, str], now: int) -> Credential | None:
    """Gemini CLI's token, which lasts an hour, while it holds."""
    for root in places.gemini_roots(environ):
        held = _json(root.parent / "oauth_creds.json")
        token, expires = as_text(held.get("access_token")), as_count(held.get("expiry_date"))
        if token and (expires is None or expires > now):
            return Credential(Secret(token), {"content-type": "application/json"})
    return None


def _gemini_project(environ: Mapping[str, str]) -> dict[str, str]:
    """The project whose quota is meant, where the agent was given one; else it is the account's own."""
    named = next((environ[name] for name in _GEMINI_PROJECTS if environ.get(name)), None)
    return {} if named is None else {"project": named}


def _json(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            return as_object(loads(file.read(MAX_CREDENTIALS)))
    except (OSError, ValueError):
        return {}
