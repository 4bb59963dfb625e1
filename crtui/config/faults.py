"""From what validation reports to lines that name the key, what is wrong and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from crtui.config import model, references, screen
from crtui.config.references import Path, nearest
from crtui.text import scrub

_TABLES: Final[dict[tuple[str, ...], type[BaseModel]]] = {
    (): model.Config,
    ("gateway",): model.Gateway,
    ("routing",): model.Routing,
    ("health",): model.Health,
    ("provider",): model.Provider,
    ("provider", "price"): model.Price,
    ("provider", "capabilities"): model.Capabilities,
    ("profile",): model.Profile,
    ("rule",): model.Rule,
    ("rule", "when"): model.When,
    ("shared",): model.Shared,
    ("agents",): model.Agents,
    ("screen",): screen.Screen,
    ("screen", "on_event"): screen.OnEvent,
}

_TYPES: Final = {
    "string_type": "is not a string; put it in quotes",
    "int_type": "is not a whole number; write it without quotes or fraction",
    "float_type": "is not a number; write it without quotes",
    "bool_type": "is not true or false; write one of them without quotes",
    "tuple_type": 'is not a list; write it in brackets, as in ["a", "b"]',
    "dict_type": 'is not a table; write it as { key = "value" }',
    "model_type": "is not a table; write it as a [table] of its own or as { key = value }",
    "model_attributes_type": "is not a table; write it as a [table] of its own or as { key = value }",
    "finite_number": "is not a finite number; give a plain one",
    "int_parsing_size": "is too large a number; give a smaller one",
    "missing": "is missing; add it",
    "too_short": "is empty; name at least one, or leave the key out",
    "string_too_short": "is empty; give a value, or leave the key out",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a config. ``line`` is None where no line can be named."""

    line: int | None
    key: str
    message: str

    def text(self, where: object) -> str:
        """The line a person sees: ``where:line: key: what is wrong; remedy``."""
        place = str(where) if self.line is None else f"{where}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


def key_name(path: Path) -> str:
    """A key path as a person would say it: ``provider[2].price.input``, counted from 1."""
    name = ""
    for part in path:
        name += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if name else part
    return scrub(name, 120)


def problems_of(error: ValidationError) -> Iterator[tuple[Path, str]]:
    """Each fault of a validation as key path and message. No value is repeated but names and numbers."""
    for detail in error.errors(include_url=False):
        if detail["type"] == references.ERROR_TYPE:
            for problem in cast("list[references.Problem]", detail.get("ctx", {})["problems"]):
                yield (*detail["loc"], *problem.path), scrub(problem.message, 300)
        else:
            yield _table_path(detail["loc"]), scrub(_message(detail), 300)


def _table_path(path: Path) -> Path:
    # pydantic marks a fault in a table's key, not its value, with a last step that no TOML has.
    return path[:-1] if path and path[-1] == "[key]" else path


def _message(detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind in _TYPES:
        return _TYPES[kind]
    if kind in _TOLD:
        return _TOLD[kind](detail, detail.get("ctx", {}))
    return f"cannot be used ({detail['msg']}); correct it"


def _unknown_key(detail: ErrorDetails, _: Mapping[str, object]) -> str:
    *table, key = detail["loc"]
    if key in ("api_key", "key", "token"):
        return "is not taken, a config holds no secret; put it in a variable and name that in api_key_env"
    fields = _TABLES[tuple(part for part in table if isinstance(part, str))].model_fields
    return f"unknown key; {nearest(str(key), [field.alias or name for name, field in fields.items()])}"


def _not_one_of(detail: ErrorDetails, ctx: Mapping[str, object]) -> str:
    given = detail["input"]
    choices = [choice.strip("'") for choice in str(ctx["expected"]).replace(" or ", ", ").split(", ")]
    if not isinstance(given, str):
        return f"is not one of its values; use {' or '.join(choices).lower()}"
    return f"{given!r} is not known; {nearest(given, choices)}"


def _out_of_bounds(detail: ErrorDetails, ctx: Mapping[str, object]) -> str:
    if (least := ctx.get("ge")) is not None:
        return f"{detail['input']} is too small; use at least {_number(least)}"
    return f"{detail['input']} is too large; use at most {_number(ctx['le'])}"


def _number(bound: object) -> str:
    return f"{bound:,.10g}".replace(",", "_") if isinstance(bound, int | float) else str(bound)


def _named_badly(_: ErrorDetails, __: Mapping[str, object]) -> str:
    return "is not a usable name; use 1 to 64 letters, digits, . _ @ or -, the first a letter or digit"


_TOLD: Final[dict[str, Callable[[ErrorDetails, Mapping[str, object]], str]]] = {
    "extra_forbidden": _unknown_key,
    "literal_error": _not_one_of,
    "greater_than_equal": _out_of_bounds,
    "less_than_equal": _out_of_bounds,
    "string_pattern_mismatch": _named_badly,
    "value_error": lambda detail, ctx: str(ctx["error"]),
    "string_too_long": lambda detail, ctx: f"is too long; use at most {ctx['max_length']} characters",
}
