"""What is taken along from the screen: texts for the clipboard, files for a folder."""

from __future__ import annotations

from pathlib import Path

from crtui.tui.frame import Frame
from crtui.tui.line import Line, Span, printable
from crtui.tui.outfile import write_new

Told = tuple[str, Line]
"""A text for the clipboard, and what is said about it."""


def row_or_url(frame: Frame, row: str, url: str) -> Told:
    """The selected row; the base URL while there is nothing else."""
    rows = row.splitlines() if frame.scene == "busy" else []
    text = "\n".join(map(printable, rows)) or url
    return text, (Span("copied ", "dim"), Span(text.splitlines()[0], "bright"))


def as_json(frame: Frame, selected: str | None) -> Told | None:
    """The selected provider as JSON; None if there is none."""
    from crtui.tui.export import json_line

    provider = frame.provider(selected)
    if provider is None:
        return None
    return json_line(provider), (Span("copied ", "dim"), Span(f"{provider.name} as JSON", "bright"))


def saved(files: dict[str, str], folder: Path, frame: Frame) -> Line:
    """Save texts by their suffix, under new names; what is said about it."""
    try:
        paths = [write_new(folder, end, text, frame.clock, frame.zone) for end, text in files.items()]
    except OSError as fault:
        told = f"not saved: {fault.strerror or fault}; start crtui in a folder you may write to"
        return (Span(told, "bad"),)
    names = " and ".join(path.name for path in paths)
    where = "" if frame.masked else f" in {folder}"
    return (Span("saved ", "dim"), Span(names, "bright"), Span(where, "dim"))
