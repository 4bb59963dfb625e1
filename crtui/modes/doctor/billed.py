"""Two short requests that cost a few tokens: a streamed answer, and a tool call. Only with ``--billed``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crtui.config.model import Provider as ProviderTable
from crtui.core.inputs import Usage
from crtui.core.money import usd
from crtui.core.settings import Wire
from crtui.modes.doctor.asking import Answer, Line
from crtui.modes.doctor.checks import Check
from crtui.modes.doctor.free import FAULTS, valid_key
from crtui.providers.kinds import ENDPOINTS
from crtui.providers.prices import PriceList
from crtui.providers.probing import refusal, safe_words
from crtui.providers.provider import Provider
from crtui.text import scrub
from crtui.wire.jsonview import as_list, as_object, loads
from crtui.wire.registry import codec_for

MOST_TOKENS: Final = 400
"""A model that thinks first needs some; others stop after two or three."""
_SENT_TOKENS: Final = 150
_ASK: Final = "Answer with the one word: ready"
_CALL: Final = "Call the tool report with the number 7."
_PARAMETERS: Final[dict[str, object]] = {
    "type": "object",
    "properties": {"number": {"type": "integer"}},
    "required": ["number"],
}
_TOOL: Final = "report"
_NO_TOOLS: Final = "capabilities = { tools = false }"
_WORST: Final = Usage(2 * _SENT_TOKENS, 2 * MOST_TOKENS)


def model_to_ask(
    table: ProviderTable, provider: Provider, listed: Sequence[str], prices: PriceList, wall: int
) -> str | None:
    """What the config names first, else the cheapest that is listed, else a local server's first."""
    named = (table.model, *table.models.values(), *table.declare_models)
    if (first := next(filter(None, named), None)) is not None:
        return first
    costs = {name: t.cost(_WORST) for name in listed if (t := prices.tariff(provider.url(""), name, wall))}
    # What costs nothing by the list is often no model that talks.
    paid = {name: cost for name, cost in costs.items() if cost}
    if paid:
        return min(paid, key=lambda name: (paid[name], name))
    return listed[0] if listed and provider.local else None


def announcement(provider: Provider, model: str, prices: PriceList, wall: int) -> str:
    """What asking will cost at most, before it is done."""
    tariff = prices.tariff(provider.url(""), model, wall)
    cost = "at a price that is not known" if tariff is None else f"at most ${usd(tariff.cost(_WORST)):.4f}"
    return (
        f"{provider.name}: asks {scrub(model, 60)} twice, some {_WORST.input} tokens in and "
        f"at most {_WORST.output} out, {cost}"
    )


async def bill(line: Line, table: ProviderTable, model: str) -> list[Check]:
    """Ask for a streamed answer and for a tool call; ends with the first that fails."""
    provider, wire = line.provider, table.wires[0]
    checks: list[Check] = []
    for name, body, judge in (
        ("stream", _spoken(wire, provider, model) | {"stream": True}, _streamed),
        ("tools", _called(wire, provider, model), _tool_called),
    ):
        try:
            answer = await line.post(provider.url(ENDPOINTS[wire]), provider.credential(wire, {}), body)
        except FAULTS as error:
            return [*checks, Check(name, "fail", safe_words(provider, error))]
        refused = _refused(provider, table, name, answer)
        checks.append(judge(wire, answer) if refused is None else refused)
        if checks[-1].status == "fail":
            break
    return checks


def _refused(provider: Provider, table: ProviderTable, name: str, answer: Answer) -> Check | None:
    if answer.status == 200:
        return None
    said = refusal(provider, answer.status, answer.body)
    if answer.status in (401, 403):
        return Check(name, "fail", said, valid_key(table))
    if answer.status in (402, 429):
        return Check(name, "warn", said)
    if name == "tools" and answer.status in (400, 422, 500):
        return Check(name, "warn", said, _NO_TOOLS)
    return Check(name, "fail", said)


def _streamed(wire: Wire, answer: Answer) -> Check:
    """Judged as the gateway judges a stream."""
    reader = codec_for(wire).stream_reader()
    reader.feed(answer.body)
    reader.close()
    if fault := reader.error or (None if reader.complete else reader.broken or "it ended too early"):
        return Check("stream", "fail", fault)
    told = "" if reader.usage is None else f", {reader.usage.output} tokens"
    return Check("stream", "ok", f"{reader.events} events{told}, the first after {answer.first_ms} ms")


def _tool_called(wire: Wire, answer: Answer) -> Check:
    if _TOOL in _calls(wire, answer.body):
        return Check("tools", "ok", "the model called the tool")
    return Check("tools", "warn", "the model did not call the tool", _NO_TOOLS)


def _calls(wire: Wire, body: bytes) -> list[object]:
    """The names of the tools an answer calls."""
    try:
        fields = as_object(loads(body))
    except ValueError:
        return []
    if wire == "messages":
        parts = [as_object(part) for part in as_list(fields.get("content"))]
        return [part.get("name") for part in parts if part.get("type") == "tool_use"]
    if wire == "responses":
        items = [as_object(item) for item in as_list(fields.get("output"))]
        return [item.get("name") for item in items if item.get("type") == "function_call"]
    messages = [as_object(as_object(c).get("message")) for c in as_list(fields.get("choices"))]
    calls = [as_object(call) for message in messages for call in as_list(message.get("tool_calls"))]
    return [as_object(call.get("function")).get("name") for call in calls]


def _spoken(wire: Wire, provider: Provider, model: str, words: str = _ASK) -> dict[str, object]:
    if wire == "responses":
        return {"model": model, "input": words, "max_output_tokens": MOST_TOKENS}
    # OpenAI's newer models refuse the old name, other servers do not know the new one.
    limit = "max_completion_tokens" if provider.kind == "openai" else "max_tokens"
    return {"model": model, "messages": [{"role": "user", "content": words}], limit: MOST_TOKENS}


def _called(wire: Wire, provider: Provider, model: str) -> dict[str, object]:
    described = {"name": _TOOL, "description": "Reports a number."}
    tools: dict[Wire, dict[str, object]] = {
        "messages": {**described, "input_schema": _PARAMETERS},
        "chat": {"type": "function", "function": {**described, "parameters": _PARAMETERS}},
        "responses": {"type": "function", **described, "parameters": _PARAMETERS},
    }
    return _spoken(wire, provider, model, _CALL) | {"tools": [tools[wire]]}
