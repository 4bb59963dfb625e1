"""All agents' logs, and reading them through: the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crtui.agents import places
from crtui.agents.claude import ClaudeLogs
from crtui.agents.codex import CodexLogs
from crtui.agents.files import LogFile
from crtui.agents.gemini import GeminiChats, GeminiDocuments
from crtui.agents.ledger import Ledger
from crtui.agents.opencode import OpencodeDatabases, OpencodeMessages
from crtui.agents.source import Source


def sources_of(environ: Mapping[str, str]) -> list[Source]:
    """A source for each form of log, at the places an environment means."""
    gemini, opencode = places.gemini_roots(environ), places.opencode_roots(environ)
    return [
        ClaudeLogs(places.claude_roots(environ)),
        CodexLogs(places.codex_homes(environ)),
        GeminiChats(gemini),
        GeminiDocuments(gemini),
        OpencodeDatabases(opencode),
        OpencodeMessages(opencode),
    ]


def changed_files(sources: list[Source], ledger: Ledger) -> list[tuple[Source, LogFile]]:
    """The logs with something new, the one written last first."""
    found = [(source, file) for source, file in _all(sources) if ledger.changed(source.agent, file)]
    found.sort(key=lambda item: -item[1].stamp.mtime_ns)
    return found


def _all(sources: list[Source]) -> Iterator[tuple[Source, LogFile]]:
    for source in sources:
        for file in source.files():
            yield source, file
