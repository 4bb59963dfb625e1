"""One pull from an Ollama server, as the lines it answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Final

import httpx
import orjson

from crtui.providers.probing import refusal, safe_words
from crtui.providers.provider import Provider
from crtui.providers.reading import Json, ProbeError, parse
from crtui.text import mask_bytes
from crtui.wire.faults import read_fault
from crtui.wire.jsonview import loads

MAX_LINE: Final = 64 * 1024
_MAX_REFUSAL: Final = 64 * 1024
_NO_SUCH_MODEL: Final = ("file does not exist", "invalid model name", "model not found")
"""What the server says of a name that leads nowhere: asking again says it again."""


_NEVER: Final = frozenset({400, 401, 403, 404, 405})


class PullError(Exception):
    """A pull has ended without the model. The message is one safe line; ``final``: it would end so again."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class _RefusedError(ProbeError):
    """What the server says is wrong, in its own words."""

    def __init__(self, words: str, *, final: bool = False) -> None:
        super().__init__(words)
        self.final = final or any(known in words.lower() for known in _NO_SUCH_MODEL)


async def pull_lines(provider: Provider, model: str, client: httpx.AsyncClient) -> AsyncGenerator[Json, None]:
    """Ask for a model and yield each line of the answer, up to its end.

    Closing the iterator cancels the pull at the server, which keeps what it has for the next one.
    Raises ``PullError``, also for an error inside a 200, and after a silence of the provider's idle
    timeout (checking a large layer is silent for minutes).
    """
    request = client.build_request(
        "POST",
        f"{provider.base_url}/api/pull",
        # Servers before 0.1.45 read the name only.
        content=orjson.dumps({"model": model, "name": model, "stream": True}),
        headers={"content-type": "application/json", "accept-encoding": "identity"}
        | provider.credential("messages", {}),
        timeout=httpx.Timeout(provider.idle_timeout_s, connect=provider.connect_timeout_s),
    )
    try:
        answer = await client.send(request, stream=True)
        try:
            async for line in _lines(provider, answer):
                yield line
        finally:
            await answer.aclose()
    except Exception as error:
        # Caught whole: what one server's answer breaks must not end the fetching from the others.
        final = isinstance(error, _RefusedError) and error.final
        raise PullError(safe_words(provider, error), final=final) from error


async def _lines(provider: Provider, answer: httpx.Response) -> AsyncGenerator[Json, None]:
    if answer.status_code != HTTPStatus.OK:
        await _refuse(provider, answer)
    rest = b""
    async for chunk in answer.aiter_raw():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield _line(provider, line)
        if len(rest) > MAX_LINE:
            raise ProbeError("the answer is no list of lines; is this an Ollama server?")
    if rest.strip():
        yield _line(provider, rest)


def _line(provider: Provider, raw: bytes) -> Json:
    if words := _error_in(provider, raw):
        raise _RefusedError(words)
    return parse(raw)


def _error_in(provider: Provider, raw: bytes) -> str:
    """The words of the server's own form of an error; none where it is something else."""
    try:
        fault = read_fault(loads(mask_bytes(raw, provider.secrets)))
    except ValueError:
        return ""
    return "" if fault is None else fault.text


async def _refuse(provider: Provider, answer: httpx.Response) -> None:
    body = b""
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > _MAX_REFUSAL:
            break
    words = _error_in(provider, body) or refusal(provider, answer.status_code, body)
    raise _RefusedError(words, final=answer.status_code in _NEVER)
