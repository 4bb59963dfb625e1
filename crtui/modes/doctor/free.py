"""What a provider's free endpoints say of its key, its clock and its models."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx

from crtui.config.model import Provider as ProviderTable
from crtui.core.now import MINUTE, SECOND
from crtui.modes.doctor.asking import Answer, Line
from crtui.modes.doctor.checks import Check
from crtui.modes.doctor.named_models import model_checks
from crtui.modes.text import span
from crtui.providers.kinds import Probe
from crtui.providers.pages import rest_of
from crtui.providers.probing import refusal, safe_words
from crtui.providers.provider import Provider
from crtui.providers.reading import ProbeError
from crtui.providers.seen import Seen

SKEW_MS: Final = MINUTE
"""From here on the times a provider states are wrong by more than what they are rounded to."""
_LACKING: Final = frozenset({404, 405, 501})
_STRICT: Final = frozenset({"anthropic", "openai", "openrouter", "gemini"})
"""Their free endpoints are known to check the key."""
FAULTS: Final = (ProbeError, OSError, httpx.HTTPError)


@dataclass(frozen=True, slots=True)
class _Heard:
    """One free endpoint's answer. ``models`` is None if it did not list any."""

    answer: Answer
    models: tuple[str, ...] | None
    refused: bool = False


async def examine(line: Line, table: ProviderTable) -> tuple[list[Check], tuple[str, ...]]:
    """Ask what costs nothing, and which models there are.

    Ends with the first answer that shows the provider cannot work.
    """
    probes = [probe for probe in line.provider.probes if probe.needed]
    if not probes:
        return await _without_key(line), ()
    models: tuple[str, ...] | None = None
    checks: list[Check] = []
    for probe in probes:
        try:
            heard = await _hear(line, probe)
        except FAULTS as error:
            words = safe_words(line.provider, error)
            return [*checks, Check("answer", "fail", words, _url_of(line.provider))], ()
        if not checks:
            checks = _clock(heard.answer)
        if heard.refused:
            return [*checks, _refused(line.provider, table, heard.answer)], ()
        models = models if heard.models is None else heard.models
    return [await _key(line, probes[-1]), *checks, *model_checks(table, models)], models or ()


async def _without_key(line: Line) -> list[Check]:
    """Only callers hold its key: that it answers at all is what can be known."""
    note = Check("key", "note", "the caller's own is forwarded; only a request can prove it")
    try:
        answer = await line.get(line.provider.base_url + "/", {})
    except FAULTS as error:
        return [Check("answer", "fail", safe_words(line.provider, error), _url_of(line.provider))]
    return [note, *_clock(answer)]


async def _hear(line: Line, probe: Probe) -> _Heard:
    url, headers = line.provider.probe_url(probe), line.provider.probe_credential(probe)
    answer = await line.get(url, headers)
    if answer.status != HTTPStatus.OK:
        lacks = probe.may_lack and answer.status in _LACKING
        return _Heard(answer, None, refused=not lacks)

    async def page(url: str) -> Seen:
        further = await line.get(url, headers)
        if further.status != HTTPStatus.OK:
            raise ProbeError(refusal(line.provider, further.status, further.body))
        return probe.read(further.body, further.wall)

    listed = (await rest_of(probe.read(answer.body, answer.wall), url, page)).models
    return _Heard(answer, None if listed is None else tuple(model.name for model in listed))


def _refused(provider: Provider, table: ProviderTable, answer: Answer) -> Check:
    said = refusal(provider, answer.status, answer.body)
    match answer.status:
        case 401 | 403:
            return Check("key", "fail", said, valid_key(table))
        case 402 | 429:
            return Check("quota", "warn", said)
        case 503 if provider.local:
            return Check("answer", "warn", f"{said}; it may still be loading its model")
        case status:
            return Check("answer", "fail", said, None if status >= 500 else _url_of(provider))


async def _key(line: Line, probe: Probe) -> Check:
    """Whether what was answered proves the key: some servers list their models to anybody."""
    provider = line.provider
    if provider.secret is None:
        return Check("key", "ok", "none is needed")
    if provider.kind in _STRICT:
        return Check("key", "ok", "accepted")
    try:
        answer = await line.get(provider.probe_url(probe), {})
    except FAULTS:
        return Check("key", "note", "not refused")
    if answer.status in (401, 403):
        return Check("key", "ok", "accepted")
    return Check("key", "note", "not proved: what is free here is open to anybody; --billed proves it")


def _clock(answer: Answer) -> list[Check]:
    """How far this machine's clock is from the provider's, which tells it to the second."""
    try:
        theirs = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return []
    ahead = answer.wall - int(theirs * SECOND)
    if abs(ahead) <= SKEW_MS:
        return [Check("clock", "ok", "agrees with the provider's")]
    said = f"this machine's is {span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the provider's"
    return [Check("clock", "warn", said, "set this machine's clock: reset times would be wrong by that")]


def valid_key(table: ProviderTable) -> str:
    """What to change where a key is refused or missing."""
    if table.api_key_env is not None:
        return f'export a valid key in {table.api_key_env}, or name another variable: api_key_env = "NAME"'
    if table.api_key_file is not None:
        return f"put a valid key into {table.api_key_file}"
    if table.keyring:
        return f"keyring set crtui {table.name}"
    return 'api_key_env = "THE_VARIABLE_WITH_ITS_KEY"'


def _url_of(provider: Provider) -> str:
    return f'kind = "{provider.kind}" and base_url = "{provider.base_url}": correct the one that is wrong'
