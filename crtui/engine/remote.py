"""A running gateway over HTTP: its state, its orders, and the link that ``attach`` draws from."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import httpx
import orjson

from crtui.core.encode import snapshot_from_json
from crtui.core.inputs import Command
from crtui.core.views import Snapshot
from crtui.engine.link import BaseLink, LinkStatus
from crtui.errors import CrtuiError, NoGatewayError
from crtui.secret import Secret
from crtui.text import scrub

POLL_S: Final = 0.4
TIMEOUT_S: Final = 5.0
MAX_RETRY_S: Final = 10.0
MARK: Final = "x-crtui-request-id"
"""The header that every answer of a gateway has, and no other program's."""


class GatewayRefusalError(CrtuiError):
    """A gateway answers with an error. ``words`` are its own, after the status."""

    def __init__(self, url: str, words: str) -> None:
        super().__init__(f"the gateway at {url} says {words}")
        self.words = words


class RemoteGateway:
    """The control plane of one gateway. Not thread-safe."""

    def __init__(
        self, url: str, *, read_token: Secret | None = None, control_token: Callable[[], Secret]
    ) -> None:
        """``control_token`` is asked at each order. Raises ``CrtuiError`` for what is no URL."""
        self.url = url.rstrip("/")
        self._read = {} if read_token is None else _bearer(read_token)
        self._control_token = control_token
        try:
            self._client = httpx.Client(base_url=self.url, timeout=TIMEOUT_S, trust_env=False)
        except httpx.InvalidURL:
            raise CrtuiError(f"{scrub(url, 200)} is not a URL; write it as http://127.0.0.1:4747") from None
        self._tag: str | None = None
        self._last: Snapshot | None = None

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def state(self) -> Snapshot:
        """The snapshot now; the same object as last time where nothing has changed.

        Raises ``NoGatewayError`` where none answers, ``CrtuiError`` where it refuses.
        """
        headers = dict(self._read)
        if self._tag is not None and self._last is not None:
            headers["if-none-match"] = self._tag
        answer = self._ask("GET", "/crtui/v1/state", headers=headers)
        if answer.status_code == 304 and self._last is not None:
            return self._last
        self._last = self._snapshot(answer)[1]
        self._tag = answer.headers.get("etag")
        return self._last

    def state_json(self) -> tuple[dict[str, Any], Snapshot]:
        """The state as the gateway sent it, and what it says. Raises like ``state``."""
        return self._snapshot(self._ask("GET", "/crtui/v1/state", headers=self._read))

    def _snapshot(self, answer: httpx.Response) -> tuple[dict[str, Any], Snapshot]:
        try:
            data = orjson.loads(answer.content)
            return data, snapshot_from_json(data)
        except ValueError as fault:
            raise NoGatewayError(f"{self.url} answers, but it is not a crtui gateway") from fault

    def send(self, command: Command) -> None:
        """Give an order.

        Raises ``NoGatewayError``, ``CrtuiError`` with the gateway's own words, or what asking for the
        control token raises.
        """
        body: dict[str, object] = {}
        if command.for_ms is not None:
            body["for_s"] = command.for_ms / 1000
        if command.command == "paid":
            path, body["allow"] = "/crtui/v1/paid", command.allow
        elif command.command == "reset_all":
            path = "/crtui/v1/reset"
        elif command.command in ("pull", "cancel_pull"):
            path = f"/crtui/v1/providers/{command.provider}/pull"
            body |= {"model": command.model, "cancel": command.command == "cancel_pull"}
        else:
            path = f"/crtui/v1/providers/{command.provider}/{command.command}"
        headers = {**_bearer(self._control_token()), "content-type": "application/json"}
        self._ask("POST", path, headers=headers, content=orjson.dumps(body))

    def _ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **rest)
        except httpx.ConnectError as fault:
            raise NoGatewayError(
                f"no gateway answers at {self.url}; start one with `crtui` or `crtui serve`"
            ) from fault
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            # What httpx will not send it quotes, and that may be a token.
            ours = isinstance(fault, httpx.LocalProtocolError)
            why = type(fault).__name__ if ours else scrub(str(fault)) or type(fault).__name__
            raise NoGatewayError(f"no gateway answers at {self.url} ({why})") from None
        if MARK not in answer.headers:
            raise NoGatewayError(f"{self.url} answers, but it is not a crtui gateway")
        if answer.status_code >= 400:
            raise GatewayRefusalError(self.url, f"{answer.status_code}: {_words(answer)}")
        return answer


def _bearer(token: Secret) -> dict[str, str]:
    return {"authorization": f"Bearer {token.reveal()}"}


def _words(answer: httpx.Response) -> str:
    try:
        return scrub(str(orjson.loads(answer.content)["error"]["message"]))
    except (ValueError, KeyError, TypeError):
        return scrub(answer.reason_phrase) or "no reason given"


class RemoteLink(BaseLink):
    """``Link`` to a gateway over HTTP, from a thread of its own; it reconnects for ever."""

    def __init__(self, gateway: RemoteGateway, *, read_only: bool = False) -> None:
        super().__init__(LinkStatus("connecting", gateway.url), read_only=read_only)
        self._gateway = gateway
        self._orders: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._refusals: deque[str] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="crtui-link", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Stop and give the connections back."""
        self._stopping = True
        self._orders.put(None)
        if self._thread.is_alive():
            self._thread.join(TIMEOUT_S)
        self._gateway.close()

    def send(self, command: Command) -> None:
        """Queue an order; the next snapshot follows it at once."""
        if not self._read_only:
            self._orders.put(command)

    def take_refusal(self) -> str | None:
        """Why the gateway did not obey an order, or was not reached with it."""
        return self._refusals.popleft() if self._refusals else None

    def retry_now(self) -> None:
        """Try to reconnect at once."""
        self._orders.put(None)

    def _run(self) -> None:
        attempt = 0
        while not self._stopping:
            try:
                self._latest = self._gateway.state()
            except CrtuiError as fault:
                attempt += 1
                wait = min(0.5 * 2 ** (attempt - 1), MAX_RETRY_S)
                self._status = LinkStatus("lost", self._gateway.url, str(fault), attempt, wait)
                self._obey(wait)
                continue
            attempt = 0
            self._status = LinkStatus("live", self._gateway.url)
            self._obey(POLL_S)

    def _obey(self, wait: float) -> None:
        """Wait for an order at most ``wait`` real seconds, and pass on those that are there."""
        try:
            order = self._orders.get(timeout=wait)
        except queue.Empty:
            return
        while order is not None:
            try:
                self._gateway.send(order)
            except GatewayRefusalError as fault:
                self._refusals.append(fault.words)
            except CrtuiError as fault:
                self._refusals.append(str(fault))
            try:
                order = self._orders.get_nowait()
            except queue.Empty:
                return
