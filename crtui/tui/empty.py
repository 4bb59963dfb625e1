"""What is said when there is nothing to show: what is wrong, what to do, what happens by itself. Pure."""

from __future__ import annotations

import math

from crtui.actions import key_of
from crtui.tui.frame import Frame
from crtui.tui.line import EMPTY, Line, Span, fit


def empty_lines(frame: Frame, width: int) -> list[Line]:
    """The text for a frame without providers, by its situation."""
    match frame.scene:
        case "connecting":
            lines = _connecting(frame)
        case "lost":
            lines = _lost(frame)
        case _:
            lines = _no_providers()
    return [fit(line, width) for line in lines]


def hint_lines(frame: Frame, width: int) -> list[Line]:
    """What is shown under the table until the first request comes."""
    if frame.snapshot is None:
        return []
    url = frame.snapshot.gateway.url
    wide = width >= 70
    lines: list[Line] = [
        EMPTY,
        (
            Span(" No traffic yet. ", "bright"),
            Span("Point your agent at" if wide else "Your agent's base URL:", "dim"),
        ),
        (
            Span(f"   {url}", "accent"),
            Span("   "),
            Span(key_of("copy", frame.actions), "key"),
            Span(" copies it" if not wide else " copies it · or start it with ", "dim"),
            *((Span("crtui run -- COMMAND", "text"),) if wide else ()),
        ),
    ]
    return [fit(line, width) for line in lines]


def no_match_line(frame: Frame, text: str, width: int) -> Line:
    """What stands in a table whose rows a filter has all taken away."""
    line = (
        Span(" No provider matches ", "dim"),
        Span(text, "bright"),
        Span(".  ", "dim"),
        Span(key_of("clear", frame.actions), "key"),
        Span(" shows all", "dim"),
    )
    return fit(line, width)


def _command(text: str, note: str) -> Line:
    return (Span(f"  {text:<17}", "accent"), Span(f" {note}", "dim"))


def _connecting(frame: Frame) -> list[Line]:
    return [
        (Span("Connecting to ", "dim"), Span(frame.link.url, "text")),
        EMPTY,
        (Span("The first picture comes as soon as it answers.", "dim"),),
    ]


def _lost(frame: Frame) -> list[Line]:
    link = frame.link
    lines: list[Line] = [(Span("No gateway answers at ", "text"), Span(link.url, "bright"))]
    if link.detail:
        lines.append((Span(link.detail, "warn"),))
    lines += [
        EMPTY,
        _command("crtui serve", "start one in another pane"),
        _command("crtui attach URL", "watch another one"),
        _command("crtui demo", "look around with simulated providers"),
        EMPTY,
        _retrying(frame),
    ]
    return lines


def _retrying(frame: Frame) -> Line:
    link = frame.link
    wait = link.retry_in_s
    head = "Trying again" if wait is None else f"Trying again in {math.ceil(wait)}s"
    count = f" (attempt {link.attempt})" if link.attempt else ""
    return (
        Span(f"{head}{count}   ", "dim"),
        Span(key_of("reset", frame.actions), "key"),
        Span(" now   ", "dim"),
        Span(key_of("quit", frame.actions), "key"),
        Span(" quit", "dim"),
    )


def _no_providers() -> list[Line]:
    return [
        (Span("No providers yet.", "bright"),),
        EMPTY,
        (Span("Start a local server (Ollama, LM Studio, llama.cpp, vLLM), or", "dim"),),
        (Span("export a key such as ANTHROPIC_API_KEY or OPENROUTER_API_KEY,", "dim"),),
        (Span("then start crtui again. Or:", "dim"),),
        EMPTY,
        _command("crtui init", "write a config from what is found here"),
        _command("crtui demo", "look around with simulated providers"),
        EMPTY,
        (Span("Nothing is sent anywhere until a provider is configured.", "dim"),),
    ]
