"""A config where there is none: from logins, keys in the environment and servers on this machine.

Nothing but a GET without credential goes out, and only to the usual local ports (or where
``OLLAMA_HOST`` points). A server counts only if it says itself what it is.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urlsplit

import httpx

from crtui.config.agents import claude_logged_in, codex_logged_in, installed
from crtui.config.fields import check_base_url
from crtui.config.kinds import KINDS, Kind
from crtui.config.model import Config
from crtui.config.stand_in import LISTINGS, in_table, stand_in

DEADLINE_S: Final = 0.6
MAX_BODY: Final = 1024 * 1024

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place where a server of a kind may listen."""

    kind: Kind
    base_url: str


_Answering = tuple[Endpoint, str | None]
"""A server that is there, and which of its models stands in for a cloud's."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found: a config to start with, and a line for a person about each part of it.

    ``agents`` are the coding agents installed here; ``chatgpt``: Codex is logged in with ChatGPT.
    """

    config: Config
    found: list[str]
    agents: tuple[str, ...] = ()
    chatgpt: bool = False


# Variable, provider table. The first variable of a name that is set wins.
_CLOUD: Final[tuple[tuple[str, dict[str, object]], ...]] = (
    ("ANTHROPIC_API_KEY", {"name": "anthropic", "kind": "anthropic"}),
    ("OPENAI_API_KEY", {"name": "openai", "kind": "openai"}),
    ("OPENROUTER_API_KEY", {"name": "openrouter", "kind": "openrouter"}),
    ("GEMINI_API_KEY", {"name": "gemini", "kind": "gemini"}),
    ("GOOGLE_API_KEY", {"name": "gemini", "kind": "gemini"}),
    (
        "GROQ_API_KEY",
        {"name": "groq", "kind": "openai-compatible", "base_url": "https://api.groq.com/openai"},
    ),
    (
        "MISTRAL_API_KEY",
        {"name": "mistral", "kind": "openai-compatible", "base_url": "https://api.mistral.ai"},
    ),
)

KEY_VARIABLES: Final = frozenset(variable for variable, _ in _CLOUD)
"""Where keys of a person's own are looked for."""


async def discover(
    environ: Mapping[str, str],
    *,
    endpoints: Sequence[Endpoint] | None = None,
    deadline_s: float = DEADLINE_S,
) -> Discovery:
    """Look round; takes ``deadline_s`` at most.

    In the chain a subscription, which is paid for already, comes before keys, and those before local servers.

    ``endpoints`` defaults to ``usual_endpoints(environ)``.
    """
    tables, found = _from_logins(environ)
    by_key, told = _from_keys(environ)
    tables, found = tables + by_key, found + told
    places = usual_endpoints(environ) if endpoints is None else endpoints
    for endpoint, model in await _answering(places, deadline_s):
        name = _free_name(endpoint, {str(table["name"]) for table in tables})
        table: dict[str, object] = {"name": name, "kind": endpoint.kind, "base_url": endpoint.base_url}
        tables.append(table if model is None else table | in_table(endpoint.kind, model))
        note = "" if model is None else f", {model} stands in for a cloud's model"
        found.append(f"{name}: answers at {endpoint.base_url}{note}")
    config = Config.model_validate({"provider": tables})
    return Discovery(config, found, installed(environ), codex_logged_in(environ))


def usual_endpoints(environ: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """Where each kind of local server listens unless told otherwise; llama.cpp is moving to 9931."""
    return (
        Endpoint("ollama", ollama_base(environ.get("OLLAMA_HOST", ""))),
        Endpoint("lmstudio", "http://127.0.0.1:1234"),
        Endpoint("llamacpp", "http://127.0.0.1:8080"),
        Endpoint("llamacpp", "http://127.0.0.1:9931"),
        Endpoint("vllm", "http://127.0.0.1:8000"),
    )


def ollama_base(host: str) -> str:
    """Ollama's base URL from ``OLLAMA_HOST``: host, port and scheme may each be missing.

    The wildcard addresses it is told to listen on are reached by loopback; what is no address counts
    as not set.
    """
    usual = KINDS["ollama"].base_url or ""
    scheme, _, rest = host.strip().rpartition("://")
    try:
        parts = urlsplit(f"//{rest}")
        name, port = parts.hostname or "127.0.0.1", parts.port
    except ValueError:
        return usual
    if not rest:
        return usual
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)
    port = port or {"http": 80, "https": 443}.get(scheme, 11434)
    try:
        return check_base_url(f"{scheme or 'http'}://{f'[{name}]' if ':' in name else name}:{port}")
    except ValueError:
        return usual


def _from_logins(environ: Mapping[str, str]) -> tuple[list[dict[str, object]], list[str]]:
    if not claude_logged_in(environ):
        return [], []
    return [{"name": "claude", "kind": "anthropic", "auth": "client"}], ["claude: Claude Code is logged in"]


def _from_keys(environ: Mapping[str, str]) -> tuple[list[dict[str, object]], list[str]]:
    tables: dict[object, dict[str, object]] = {}
    found: list[str] = []
    for variable, table in _CLOUD:
        if environ.get(variable) and table["name"] not in tables:
            tables[table["name"]] = table | {"api_key_env": variable}
            found.append(f"{table['name']}: {variable} is set")
    return list(tables.values()), found


def _free_name(endpoint: Endpoint, taken: set[str]) -> str:
    if endpoint.kind not in taken:
        return endpoint.kind
    return f"{endpoint.kind}-{urlsplit(endpoint.base_url).port}"


async def _answering(endpoints: Sequence[Endpoint], deadline_s: float) -> list[_Answering]:
    """Those that identified themselves in time, in the order given, each address once."""
    places = list({endpoint.base_url: endpoint for endpoint in reversed(endpoints)}.values())[::-1]
    if not places:
        return []
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=deadline_s) as client:
        asking = [asyncio.create_task(_known(client, place, deadline_s / 2)) for place in places]
        _, late = await asyncio.wait(asking, timeout=deadline_s)
        for task in late:
            task.cancel()
        answers = await asyncio.gather(*asking, return_exceptions=True)
    return [answer for answer in answers if isinstance(answer, tuple)]


async def _known(client: httpx.AsyncClient, endpoint: Endpoint, patience_s: float) -> _Answering | None:
    """None where it did not identify itself. Its models are not waited for long."""
    path, proves = _PROOFS[endpoint.kind]
    told = await _asked(client, endpoint.base_url + path)
    if told is None or not proves(*told):
        return None
    listing = LISTINGS.get(endpoint.kind)
    with suppress(TimeoutError, httpx.HTTPError, ValueError):
        async with asyncio.timeout(patience_s):
            if listing is not None and (listed := await _asked(client, endpoint.base_url + listing)):
                return endpoint, stand_in(endpoint.kind, listed[0])
    return endpoint, None


async def _asked(client: httpx.AsyncClient, url: str) -> tuple[Json, Mapping[str, str]] | None:
    """A JSON object and its headers; None for anything else. Raises what ``httpx`` and ``json`` do."""
    async with client.stream("GET", url, headers={"accept-encoding": "identity"}) as response:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_BODY:
                return None
    answer: object = json.loads(body)
    return (cast("Json", answer), response.headers) if isinstance(answer, dict) else None


def _is_ollama(answer: Json, _: Mapping[str, str]) -> bool:
    return set(answer) == {"version"} and isinstance(answer["version"], str)


def _is_llamacpp(answer: Json, headers: Mapping[str, str]) -> bool:
    # It names itself in a header of every answer, also while loading and where it wants a key.
    return headers.get("server", "").lower() == "llama.cpp" or "llamacpp" in _owners(answer)


def _is_vllm(answer: Json, _: Mapping[str, str]) -> bool:
    return "vllm" in _owners(answer)


def _is_lmstudio(answer: Json, _: Mapping[str, str]) -> bool:
    # It has no name of its own in the list; on its own port, a list that nobody else claims is its.
    listed = answer.get("object") == "list" and isinstance(answer.get("data"), list)
    return listed and not _owners(answer) & {"llamacpp", "vllm", "library"}


def _owners(answer: Json) -> set[object]:
    rows = answer.get("data")
    if not isinstance(rows, list):
        return set()
    listed = [cast("Json", row) for row in cast("list[object]", rows) if isinstance(row, dict)]
    return {owner for row in listed if isinstance(owner := row.get("owned_by"), str)}


_PROOFS: Final[dict[Kind, tuple[str, Callable[[Json, Mapping[str, str]], bool]]]] = {
    "ollama": ("/api/version", _is_ollama),
    "lmstudio": ("/v1/models", _is_lmstudio),
    "llamacpp": ("/v1/models", _is_llamacpp),
    "vllm": ("/v1/models", _is_vllm),
}
