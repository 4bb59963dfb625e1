"""Model lists that come in pages: what the next one is asked for with, and when to stop asking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

from crtui.providers.reading import Json
from crtui.providers.seen import Seen

MAX_PAGES: Final = 10
"""Pages hold up to a thousand models; a server that never ends its list is left here."""
MAX_TOKEN: Final = 2048

NextPage = Callable[[Json], str]
"""From an answer to the query that asks for the page after it; empty where it is the last."""


def last_page(answer: Json) -> str:
    """Of lists that come whole."""
    return ""


def after_last_id(answer: Json) -> str:
    """Anthropic's ``has_more`` and ``last_id``: https://docs.claude.com/en/api/models-list."""
    return _query("after_id", answer.get("last_id")) if answer.get("has_more") is True else ""


def by_page_token(answer: Json) -> str:
    """Gemini's ``nextPageToken``: https://ai.google.dev/api/models."""
    return _query("pageToken", answer.get("nextPageToken"))


async def rest_of(page: Seen, url: str, ask: Callable[[str], Awaitable[Seen]]) -> Seen:
    """A list's first page with all that follow. ``url`` is the first one's and has a query of its own.

    Ends early at a page that brings no new model. Raises what ``ask`` raises.
    """
    whole = page
    for _ in range(MAX_PAGES - 1):
        if not whole.next_page:
            break
        known = len(whole.models or ())
        whole = whole.with_more(await ask(f"{url}&{whole.next_page}"))
        if len(whole.models or ()) == known:
            break
    return whole


def _query(name: str, token: object) -> str:
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN:
        return ""
    return f"{name}={quote(token.encode('utf-8', 'replace'), safe='')}"
