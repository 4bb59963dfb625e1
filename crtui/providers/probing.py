"""One poll of one provider: its free endpoints asked, and what they said."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

import httpx
import orjson

from crtui.core.inputs import Poll
from crtui.core.now import Now
from crtui.core.views import ServerView
from crtui.providers.exchange import exchange
from crtui.providers.kinds import Probe
from crtui.providers.ollama import Shown, details, read_show
from crtui.providers.pages import rest_of
from crtui.providers.provider import Provider
from crtui.providers.reading import ProbeError
from crtui.providers.seen import Seen, Traits
from crtui.providers.transport import STANDS, Unpooled
from crtui.providers.trouble import ConnectTimeoutError, diagnose
from crtui.text import mask_bytes, mask_secrets, scrub
from crtui.wire.faults import error_text

MAX_BODY: Final = 4 * 1024 * 1024
MAX_SHOWN: Final = 32
"""How many models of one server are looked at in one poll; the rest in the next ones."""
SHOWN_AT_ONCE: Final = 4
_ABSENT: Final = frozenset({404, 405, 501})
# Said in our words: servers quote parts of the key in theirs.
_MEANINGS: Final = {
    301: "redirected; correct base_url",
    302: "redirected; correct base_url",
    307: "redirected; correct base_url",
    308: "redirected; correct base_url",
    401: "the key is refused",
    404: "no such endpoint; are base_url and kind right?",
}

ShownModels = MutableMapping[tuple[str, str], Shown]
"""What was shown of a model, by its name and digest: it is asked for once."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A poll and what it brought that the core has no use for. ``asked`` is when it began.

    ``unreached``: it failed without a byte from the host, which may be this machine's own fault.
    """

    poll: Poll
    asked: Now
    server: ServerView | None = None
    traits: Mapping[str, Traits] = field(default_factory=dict[str, Traits])
    unreached: bool = False


class _RefusedKeyError(ProbeError):
    """The key does not do."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


@dataclass(slots=True)
class _Way:
    """One poll's way to its provider. ``ends_at`` is on the loop's clock; ``stood``: a connection has."""

    client: httpx.AsyncClient
    ends_at: float
    stood: bool = False

    async def fetch(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> _Answer:
        """Raises ``OSError``, also for lateness, ``httpx.HTTPError`` or ``ProbeError``."""
        try:
            async with asyncio.timeout_at(self.ends_at):
                return await self._fetch(method, url, headers, content)
        except TimeoutError as error:
            if self.stood:
                raise
            raise ConnectTimeoutError from error

    async def _fetch(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> _Answer:
        # Unpacking is left out on purpose: a small body could unfold to gigabytes.
        headers = {"accept": "application/json", "accept-encoding": "identity", **headers}
        rest = {"headers": headers, "content": content, "extensions": {STANDS: self._stands}}
        async with exchange(self.client, method, url, **rest) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise ProbeError("the answer is compressed although that was declined")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BODY:
                    raise ProbeError("the answer is larger than 4 MiB")
            return _Answer(response.status_code, bytes(body))

    def _stands(self) -> None:
        self.stood = True


def probe_client() -> httpx.AsyncClient:
    """A client fit for polls: no proxy or netrc from the environment, no redirects.

    Neither cookies nor connections are kept.
    """
    # It trusts nobody until it has to: certificates take 2 MiB and 20 ms, and local servers have none.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust_the_systems = cache(context.load_default_certs)

    async def trust(request: httpx.Request) -> None:
        if request.url.scheme == "https":
            trust_the_systems()

    return httpx.AsyncClient(
        transport=Unpooled(context),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        event_hooks={"request": [trust]},
        trust_env=False,
        follow_redirects=False,
        timeout=None,
    )


async def poll(
    provider: Provider, probes: Sequence[Probe], client: httpx.AsyncClient, wall: int, deadline_s: float
) -> Poll:
    """``observe`` for those who want the core's input only. ``wall`` is the time in milliseconds."""
    return (await observe(provider, probes, client, Now(0, wall), deadline_s, {})).poll


async def observe(
    provider: Provider,
    probes: Sequence[Probe],
    client: httpx.AsyncClient,
    now: Now,
    deadline_s: float,
    shown: ShownModels,
) -> Observation:
    """Ask the endpoints in turn; those that are needed decide whether the poll is good.

    ``deadline_s`` holds for all of it. Raises only if cancelled.
    """
    if provider.lacks_key:
        return Observation(Poll(provider.name, False, "no key; `crtui check` tells why"), now)
    way = _Way(client, asyncio.get_running_loop().time() + deadline_s)
    seen = Seen()
    for probe in probes:
        if probe.wakes and seen.server is not None and seen.server.asleep:
            continue
        try:
            seen = seen.with_more(await _ask(provider, probe, way, now.wall))
        except Exception as error:
            # Caught whole: what one provider's answer breaks must not end the polling of the others.
            if probe.needed or (probe.guarded and isinstance(error, _RefusedKeyError)):
                failed = Poll(provider.name, False, safe_words(provider, error))
                return Observation(failed, now, unreached=not way.stood and diagnose(error).unreached)
    if provider.keeps_models:
        seen = await _with_details(provider, seen, way, shown)
    seen = seen.settled()
    found = Poll(provider.name, True, models=seen.models, windows=seen.windows)
    return Observation(found, now, seen.server, seen.traits)


def safe_words(provider: Provider, error: Exception) -> str:
    """Why no answer came, safe to show: without the provider's key."""
    words = str(error) if isinstance(error, ProbeError) else diagnose(error).words
    return scrub(mask_secrets(words, provider.secrets))


def refusal(provider: Provider, status: int, body: bytes) -> str:
    """What an answer that is not 200 says, in one line that is safe to show."""
    if status in _MEANINGS:
        return f"HTTP {status}: {_MEANINGS[status]}"
    # Masked before the words are cut, and once more as a key may be escaped in JSON.
    words = error_text(mask_bytes(body, provider.secrets))
    line = f"HTTP {status}: {words}" if words else f"HTTP {status}"
    return scrub(mask_secrets(line, provider.secrets))


async def _with_details(provider: Provider, seen: Seen, way: _Way, shown: ShownModels) -> Seen:
    """With what the server shows of each model; where it does not in time, with less."""
    keys = {name: (name, traits.digest) for name, traits in seen.traits.items() if traits.digest}
    unknown = [key for key in keys.values() if key not in shown][:MAX_SHOWN]
    slots = asyncio.Semaphore(SHOWN_AT_ONCE)

    async def show(key: tuple[str, str]) -> None:
        async with slots:
            shown[key] = await _show(provider, key[0], way)

    await asyncio.gather(*map(show, unknown), return_exceptions=True)
    for old in shown.keys() - set(keys.values()):
        del shown[old]
    told = details({name: shown[key] for name, key in keys.items() if key in shown})
    # What is in memory now counts more than what a model's file asks for.
    return told.with_more(seen).in_order_of(seen)


async def _show(provider: Provider, model: str, way: _Way) -> Shown:
    # Servers before 0.1.45 read the name only.
    content = orjson.dumps({"model": model, "name": model})
    headers = {"content-type": "application/json"} | provider.credential("messages", {})
    answer = await way.fetch("POST", f"{provider.base_url}/api/show", headers, content)
    if answer.status != HTTPStatus.OK:
        raise ProbeError(refusal(provider, answer.status, answer.body))
    return read_show(answer.body)


async def _ask(provider: Provider, probe: Probe, way: _Way, wall: int) -> Seen:
    async def page(url: str) -> Seen:
        return await _page(url, provider, probe, way, wall)

    url = provider.probe_url(probe)
    return await rest_of(await page(url), url, page)


async def _page(url: str, provider: Provider, probe: Probe, way: _Way, wall: int) -> Seen:
    answer = await way.fetch("GET", url, provider.probe_credential(probe))
    if answer.status == HTTPStatus.OK:
        return probe.read(answer.body, wall)
    if probe.may_lack and answer.status in _ABSENT:
        return Seen()
    error = _RefusedKeyError if answer.status == HTTPStatus.UNAUTHORIZED else ProbeError
    raise error(refusal(provider, answer.status, answer.body))
