"""claude-code-router's ``config.json``.

It translates Claude Code's requests for providers that speak chat completions; a gateway that passes
them through cannot, so such providers get a note.
"""

from __future__ import annotations

from typing import Final

from crtui.config.importers import look
from crtui.config.importers.address import base_of, kind_of
from crtui.config.importers.draft import Draft, Table
from crtui.config.importers.keys import put_key, usual_variable
from crtui.config.kinds import KINDS

_TOP: Final = ("Providers", "Router", "fallback", "APIKEY", "HOST", "PORT", "API_TIMEOUT_MS")
_PROVIDER: Final = ("name", "api_base_url", "baseUrl", "api_key", "apiKey", "models")
_RULES: Final[dict[str, tuple[str, object]]] = {
    "background": ("model_pattern", "claude-.*haiku.*"),
    "image": ("has_image", True),
}
_BY_NAME: Final = ("think", "webSearch")
_LONG: Final = 60_000
"""Its own default for ``longContextThreshold``, in tokens."""
_DEAF: Final = "not known to speak /v1/messages, so Claude Code's requests pass it over"
_MAYBE: Final = '; if it does: wires = ["messages"]'


class _Reading:
    """One file on its way to a draft: a provider here sends one model, so each model used gets its own."""

    def __init__(self, data: look.Data) -> None:
        self.draft = Draft(["imported from claude-code-router; check it with `crtui check`"])
        self._rows = {str(row.get("name")): row for row in look.tables(data.get("Providers"))}
        self._timeout = look.number(data.get("API_TIMEOUT_MS"))
        self._names: dict[str, str] = {}
        self._router = look.table(data.get("Router"))
        self._fallback = look.table(data.get("fallback"))

    def route(self) -> None:
        for name in ("default", *_RULES, "longContext", *_BY_NAME):
            if chain := self._chain(name):
                self.draft.profile(name, chain)
        if self._router.get("longContext"):
            threshold = look.count(self._router.get("longContextThreshold")) or _LONG
            self.draft.rule("content_token_count_min", threshold, "longContext")
        for name, (condition, given) in _RULES.items():
            if self._router.get(name):
                self.draft.rule(condition, given, name)
        if by_name := [name for name in _BY_NAME if self._router.get(name)]:
            told = ", ".join(by_name)
            self.draft.notes.append(f"no rule for {told}: name the profile by the header x-crtui-profile")
        used = {route.partition(",")[0] for route in self._names}
        if idle := [name for name in self._rows if name not in used]:
            self.draft.notes.append(f"left out, as nothing is routed to them: {', '.join(idle)}")

    def _chain(self, name: str) -> list[str]:
        routes = [look.word(self._router.get(name)), *look.words(self._fallback.get(name))]
        return [self._provider(route) for route in routes if route]

    def _provider(self, route: str) -> str:
        """The provider for ``name,model``, made when it is first asked for."""
        if route not in self._names:
            name, _, model = route.partition(",")
            row = self._rows.get(name.strip())
            if row is None:
                return name
            table = self.draft.provider(name)
            self._names[route] = table.values["name"]
            self._fill(table, row, model.strip())
        return self._names[route]

    def _fill(self, table: Table, row: look.Data, model: str) -> None:
        url = look.word(row.get("api_base_url")) or look.word(row.get("baseUrl")) or ""
        kind = "anthropic" if _passes_through(row) else kind_of(url)
        table.put("kind", kind)
        if kind != "gemini":
            table.put("base_url", base_of(url))
        if kind == "openrouter":
            table.put("wires", ["messages", "chat"])
        elif "messages" not in KINDS[kind].wires:
            table.notes.append(_DEAF + (_MAYBE if "messages" in KINDS[kind].speaks else ""))
        table.put("model", model or None)
        given = row.get("api_key", row.get("apiKey"))
        put_key(table, None if KINDS[kind].local else given, usual_variable(kind))
        if self._timeout:
            table.values |= {
                "first_byte_timeout_s": self._timeout / 1000,
                "idle_timeout_s": self._timeout / 1000,
            }
        table.lacks(*look.others(row, *_PROVIDER))


def read(data: look.Data) -> Draft:
    """The config with a profile for every route, and the rules that lead to them."""
    reading = _Reading(data)
    draft = reading.draft
    reading.route()
    if port := look.count(data.get("PORT")):
        draft.gateway.put("listen", f"127.0.0.1:{port}")
    if (host := look.word(data.get("HOST"))) not in (None, "127.0.0.1", "localhost"):
        draft.gateway.notes.append(f"it listened at {host}; any address but loopback needs a token")
    if data.get("APIKEY"):
        draft.gateway.notes.append("its APIKEY is not copied: clients send the token in CRTUI_TOKEN, if set")
    if lost := look.others(data, *_TOP):
        draft.notes.append(f"no counterpart: {', '.join(lost)}")
    return draft


def _passes_through(row: look.Data) -> bool:
    """Whether it speaks Anthropic's own wire."""
    use = look.items(look.table(row.get("transformer")).get("use"))
    names = {str((look.items(item) or [item])[0]).lower() for item in use}
    return names == {"anthropic"}
