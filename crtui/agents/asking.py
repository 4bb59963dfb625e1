"""Asks the vendors' usage endpoints, where that is switched on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from crtui import __version__
from crtui.agents.endpoints import Credential, Endpoint
from crtui.agents.entry import Agent, Limit
from crtui.agents.turn import Turn
from crtui.wire.jsonview import loads
from crtui.wire.limits import read_limits

DEADLINE_S: Final = 5.0
MAX_BODY: Final = 1024 * 1024
USER_AGENT: Final = f"crtui/{__version__}"
"""Its own name: a vendor that serves its own client only is asked less and less, and nothing is shown."""

Found = tuple[Agent, list[Limit]]


class UsageAsker:
    """Asks each endpoint at most every three minutes, over all processes of a state directory."""

    def __init__(self, endpoints: Iterable[Endpoint], folder: Path) -> None:
        self._turns = [(endpoint, Turn(folder, endpoint.agent)) for endpoint in endpoints]

    def ask(self, now: int) -> list[Found]:
        """The windows of those whose turn it is and that answered; a fault is only a longer wait."""
        found: list[Found] = []
        for endpoint, turn in self._turns:
            credential = endpoint.credential(now)
            if credential is None:
                continue
            try:
                with turn.take(now) as free:
                    limits = self._get(endpoint, credential, turn, now) if free else None
            except OSError:
                continue
            if limits is not None:
                found.append((endpoint.agent, limits))
        return found

    def _get(self, endpoint: Endpoint, credential: Credential, turn: Turn, now: int) -> list[Limit] | None:
        headers = {
            "authorization": f"Bearer {credential.token.reveal()}",
            "user-agent": USER_AGENT,
            "accept": "application/json",
            **credential.headers,
        }
        try:
            status, told, body = _request(endpoint.url, headers, endpoint.body)
            if status == HTTPStatus.OK:
                return list(endpoint.read(loads(body), now))
            turn.refused(now, read_limits(told, body, status, now).retry_after_ms)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            turn.refused(now, None)
        return None


def _request(
    url: str, headers: Mapping[str, str], content: bytes | None
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of a GET, or of a POST of ``content``.

    Raises ``httpx.HTTPError``, and ``ValueError`` for a huge body.
    """
    with (
        httpx.Client(timeout=DEADLINE_S, trust_env=False, follow_redirects=False) as client,
        client.stream(
            "GET" if content is None else "POST", url, headers=dict(headers), content=content
        ) as answer,
    ):
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > MAX_BODY:
                raise ValueError("too large an answer")
        return answer.status_code, answer.headers, bytes(body)
