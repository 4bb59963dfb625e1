"""Whether the models a config names are among those a provider lists."""

from __future__ import annotations

from difflib import get_close_matches

from crtui.config.kinds import KINDS
from crtui.config.model import Provider as ProviderTable
from crtui.modes.doctor.checks import Check, Status
from crtui.providers.declared import compare
from crtui.providers.ollama import canonical
from crtui.text import scrub


def declared_checks(table: ProviderTable) -> list[Check]:
    """One check where models are to be looked after and, as the config stands, never are."""
    if table.kind != "ollama":
        return []
    if table.declare_models and not table.poll_s:
        return [Check("declared", "warn", "they are never looked for without polls", "poll_s = 30")]
    if table.pull and not table.declare_models:
        return [Check("declared", "warn", "pull = true has none to fetch", 'declare_models = ["NAME"]')]
    return []


def model_checks(table: ProviderTable, listed: tuple[str, ...] | None) -> list[Check]:
    """That there are models, and one check for every configured one that is not among them.

    A vendor may answer to names it does not list, a local server does not.
    """
    if listed is None:
        return [Check("models", "note", "lists none; so those of the config cannot be checked")]
    if not listed:
        return [Check("models", _serious(table), "none is there", _first(table))]
    plural = "" if len(listed) == 1 else "s"
    missing = [
        check for key, name in _named(table) if (check := _missing(table, key, name, listed)) is not None
    ]
    return missing or [Check("models", "ok", f"{len(listed)} model{plural} listed")]


def _named(table: ProviderTable) -> list[tuple[str, str]]:
    """Every model of the config, with the key it stands under."""
    named = [("declare_models", name) for name in table.declare_models]
    if table.model is not None:
        return [("model", table.model), *named]
    return [*(("models", name) for name in dict.fromkeys(table.models.values())), *named]


def _missing(table: ProviderTable, key: str, name: str, listed: tuple[str, ...]) -> Check | None:
    ollama = table.kind == "ollama"
    missing = compare([name], listed).missing if ollama else name not in listed
    if not missing:
        return None
    said = f"{scrub(name, 60)} is not among the {len(listed)} listed"
    if key == "declare_models":
        return Check("models", "warn", said, f"ollama pull {name}")
    near = get_close_matches(canonical(name) if ollama else name, listed, n=1, cutoff=0.5)
    return Check("models", _serious(table), said, _line(key, name, near[0]) if near else None)


def _serious(table: ProviderTable) -> Status:
    """A local server has no other models than those it lists."""
    return "fail" if KINDS[table.kind].local else "warn"


def _line(key: str, name: str, near: str) -> str:
    return f'model = "{near}"' if key == "model" else f'in models, "{near}" instead of "{name}"'


def _first(table: ProviderTable) -> str | None:
    if table.kind == "ollama":
        return f"ollama pull {(table.declare_models or ('qwen3:4b',))[0]}"
    return "load a model in it" if KINDS[table.kind].local else None
