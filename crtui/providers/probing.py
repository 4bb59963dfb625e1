"""One poll of one provider: its free endpoints asked with GET, and what they said as the core's ``Poll``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx

from crtui.core.inputs import Poll
from crtui.providers.kinds import Probe
from crtui.providers.probes import ProbeError, Seen, error_message
from crtui.providers.provider import Provider
from crtui.providers.trouble import in_words
from crtui.text import mask_secrets, scrub

MAX_BODY: Final = 4 * 1024 * 1024
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


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


def probe_client() -> httpx.AsyncClient:
    """A client fit for polls: no proxy or netrc from the environment, no redirects, no cookies kept."""
    limits = httpx.Limits(max_connections=32, max_keepalive_connections=16)
    return httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=None, limits=limits)


async def poll(
    provider: Provider, probes: Sequence[Probe], client: httpx.AsyncClient, wall: int, deadline_s: float
) -> Poll:
    """Ask the endpoints in turn. The first decides whether the poll is good, the others only add to it.

    ``wall`` is the time in milliseconds, ``deadline_s`` holds for all of it. Raises only if cancelled.
    """
    if provider.lacks_key:
        return Poll(provider.name, False, "no key; `crtui check` tells why")
    ends_at = asyncio.get_running_loop().time() + deadline_s
    seen = Seen()
    for i, probe in enumerate(probes):
        try:
            async with asyncio.timeout_at(ends_at):
                seen = seen.with_more(await _ask(provider, probe, client, wall))
        except Exception as error:
            # Caught whole: what one provider's answer breaks must not end the polling of the others.
            if i == 0:
                return Poll(provider.name, False, _safe_words(provider, error))
    return Poll(provider.name, True, models=seen.models, windows=seen.windows)


def _safe_words(provider: Provider, error: Exception) -> str:
    words = str(error) if isinstance(error, ProbeError) else in_words(error)
    known = [] if provider.secret is None else [provider.secret.reveal()]
    return scrub(mask_secrets(words, known))


async def _ask(provider: Provider, probe: Probe, client: httpx.AsyncClient, wall: int) -> Seen:
    answer = await _get(client, provider.probe_url(probe), provider.credential("messages", {}))
    if answer.status == HTTPStatus.OK:
        return probe.read(answer.body, wall)
    if probe.may_lack and answer.status in _ABSENT:
        return Seen()
    raise ProbeError(_refusal(answer))


async def _get(client: httpx.AsyncClient, url: str, credential: dict[str, str]) -> _Answer:
    # Unpacking is left out on purpose: a small body could unfold to gigabytes.
    headers = {"accept": "application/json", "accept-encoding": "identity"} | credential
    async with client.stream("GET", url, headers=headers) as response:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ProbeError("the answer is compressed although that was declined")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_BODY:
                raise ProbeError("the answer is larger than 4 MiB")
        return _Answer(response.status_code, bytes(body))


def _refusal(answer: _Answer) -> str:
    if answer.status in _MEANINGS:
        return f"HTTP {answer.status}: {_MEANINGS[answer.status]}"
    words = error_message(answer.body)
    return f"HTTP {answer.status}: {words}" if words else f"HTTP {answer.status}"
