"""A server and its models in lines: load, memory, what is on its way, missing and there. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crtui.actions import key_of
from crtui.tui import fmt
from crtui.tui.frame import Frame
from crtui.tui.glyphs import SEPARATOR
from crtui.tui.line import Line, Role, Span, cell, cut, fit, spread, width_of

if TYPE_CHECKING:
    from crtui.core.views import DeclaredView, LayerView, ModelView, ProviderView, PullView, ServerView

_UNITS: Final = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
_BAR: Final = 24
_NAME: Final = 12
_AMOUNT: Final = 17
_LEAST: Final = 8
"""Cells that a name always gets."""
_ROLES: Final[dict[str, Role]] = {"queued": "dim", "pulling": "accent", "failed": "bad"}


def size(count: float) -> str:
    """Bytes in the largest unit that leaves one digit before the point: ``5.2 GiB``."""
    for unit, many in _UNITS:
        if count >= many:
            return f"{count / many:.1f} {unit}"
    return f"{count:.0f} B"


def server_lines(provider: ProviderView, width: int) -> list[Line]:
    """The server's version and load, and how full its memory is; nothing where it tells neither."""
    server, memory = provider.server, provider.memory
    parts = [] if server is None else _load(server)
    if memory.used_bytes is not None and memory.total_bytes:
        used, total = size(memory.used_bytes), size(memory.total_bytes)
        parts.append(f"memory {100 * memory.used_bytes / memory.total_bytes:.0f}%, {used} of {total}")
    return [fit((Span(text, "dim"),), width) for text in _flowed(parts, width)]


def _flowed(parts: list[str], width: int) -> list[str]:
    """The parts in as many lines as they need; none is broken."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]} {SEPARATOR} {part}" if lines else part
        if lines and len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def _load(server: ServerView) -> list[str]:
    parts = [f"version {server.version}"] if server.version is not None else []
    if server.asleep:
        parts.append("asleep")
    if server.running is not None:
        slots = "" if server.slots is None else f" of {server.slots}"
        parts.append(f"{server.running}{slots} running")
    if server.waiting is not None:
        parts.append(f"{server.waiting} waiting")
    if server.cache_ratio is not None:
        parts.append(f"KV cache {100 * server.cache_ratio:.0f}%")
    return parts


def model_lines(provider: ProviderView, width: int, frame: Frame) -> list[Line]:
    """The server, the models on their way, those missing, and those it has, loaded ones first."""
    ordered = sorted(provider.models, key=lambda model: (not model.loaded, model.name))
    lines = [
        *server_lines(provider, width),
        *pull_lines(provider, width, frame.now),
        *missing_lines(provider, width, "" if frame.read_only else key_of("pull", frame.actions)),
        *(_model(model, width) for model in ordered),
    ]
    return lines if provider.models else [*lines, (Span("It has not told its models.", "dim"),)]


def missing_lines(provider: ProviderView, width: int, key: str) -> list[Line]:
    """The declared models that are not there and not on their way, and why that is not known.

    ``key`` fetches them; empty where that is refused.
    """
    declared = provider.declared
    if declared is None:
        return []
    on_way = {pull.model for pull in provider.pulls}
    left = [model for model in declared.missing or () if model not in on_way]
    hint: Line = (Span("missing", "dim"),)
    if key:
        hint = (*hint, Span(f"  {key}", "key"), Span(" pull", "dim"))
    room = max(_LEAST, width - width_of(hint) - 2)
    lines = [fit(spread((Span(cut(model, room), "warn"),), hint, width), width) for model in left]
    return [*lines, *_unknown(declared, width)]


def _unknown(declared: DeclaredView, width: int) -> list[Line]:
    if declared.error:
        return [fit((Span(f"declared models not compared: {declared.error}", "warn"),), width)]
    return []


def pull_lines(provider: ProviderView, width: int, now: int) -> list[Line]:
    """Each model on its way: how far it is and for how long still, then its layers with a bar each."""
    return [line for pull in provider.pulls for line in _pull(pull, width, now)]


def _pull(pull: PullView, width: int, now: int) -> list[Line]:
    note = cut("  ".join(_fitting(_note(pull, now), width - _LEAST)), max(_LEAST, width - _LEAST))
    name = cut(pull.model, max(_LEAST, width - len(note) - 2))
    head = fit(spread((Span(name, "bright"),), (Span(note, _ROLES[pull.state]),), width), width)
    if pull.error:
        return [head, fit((Span(f"  {pull.error}", "warn"),), width)]
    return [head, *(_layer(layer, width) for layer in pull.layers)]


def _note(pull: PullView, now: int) -> list[str]:
    """In parts, the most telling first."""
    if pull.state == "failed":
        again = "" if pull.retry_at is None else f", again in {fmt.countdown(max(0, pull.retry_at - now))}"
        return [f"failed{again}"]
    if not pull.total_bytes or pull.completed_bytes is None:
        return [pull.step or pull.state]
    parts = [f"{100 * pull.completed_bytes // pull.total_bytes}% of {size(pull.total_bytes)}"]
    if pull.completed_bytes == pull.total_bytes:
        return [*parts, pull.step]
    if pull.left_ms is not None:
        parts.append(f"{fmt.countdown(pull.left_ms)} left")
    if pull.bytes_per_s is not None:
        parts.append(f"{size(pull.bytes_per_s)}/s")
    return parts


def _fitting(parts: list[str], width: int) -> list[str]:
    """The first parts, as many as have room, but always one."""
    fitting = parts[:1]
    for part in parts[1:]:
        if len("  ".join([*fitting, part])) > width:
            break
        fitting.append(part)
    return fitting


def _layer(layer: LayerView, width: int) -> Line:
    share = layer.completed_bytes / layer.total_bytes if layer.total_bytes else 0.0
    amount = f" {100 * share:>3.0f}%  {size(layer.total_bytes)}"
    done, rest = fmt.bar(share, max(4, min(_BAR, width - _NAME - 3 - _AMOUNT)))
    name = Span(f"  {cell(layer.name, _NAME)} ", "faint")
    return fit((name, Span(done, "accent"), Span(rest, "faint"), Span(amount, "dim")), width)


def _model(model: ModelView, width: int) -> Line:
    facts = ["loaded" if model.vram_bytes != 0 else "loaded, on the CPU"] if model.loaded else []
    if model.vram_bytes:
        facts.append(f"{model.vram_bytes / 2**30:.1f} GiB")
    elif model.size_bytes:
        facts.append(f"{size(model.size_bytes)} on disk")
    if model.context:
        facts.append(f"{fmt.count(model.context)} ctx")
    # What it can do gives way first: the name, the memory and the window decide more.
    facts += reversed(model.capabilities or ())
    note = "  ".join(reversed(_fitting(facts, width - _LEAST - 6)))
    name = cut(model.name, max(_LEAST, width - len(note) - 2))
    return fit(spread((Span(name),), (Span(note, "good" if model.loaded else "dim"),), width), width)
