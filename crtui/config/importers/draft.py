"""A config in the making: tables with the comments that belong to them, and what it takes to be valid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from crtui.config import model
from crtui.config.faults import problems_of
from crtui.config.importers.toml import key, value
from crtui.config.kinds import KINDS
from crtui.config.load import parse
from crtui.errors import ConfigError
from crtui.text import scrub

_NOTE_CELLS: Final = 160
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._@-]+")


@dataclass(slots=True)
class Table:
    """One table: its values, and notes that stand above it as comments."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    notes: list[str] = field(default_factory=list[str])

    def put(self, name: str, given: object) -> None:
        """Set a value, if there is one."""
        if given is not None:
            self.values[name] = given

    def lacks(self, *names: str) -> None:
        """Note that these keys of the other tool have no counterpart; their values are not repeated."""
        if names:
            self.notes.append(f"no counterpart: {', '.join(names)}")


@dataclass(slots=True)
class Draft:
    """Everything read from the other tool's file."""

    notes: list[str] = field(default_factory=list[str])
    gateway: Table = field(default_factory=Table)
    routing: Table = field(default_factory=Table)
    health: Table = field(default_factory=Table)
    providers: list[Table] = field(default_factory=list[Table])
    profiles: list[Table] = field(default_factory=list[Table])
    rules: list[Table] = field(default_factory=list[Table])

    def provider(self, wish: str) -> Table:
        """A new provider whose name is as near to ``wish`` as names may be, and not taken."""
        table = Table({"name": free_name(wish, [row.values["name"] for row in self.providers])})
        self.providers.append(table)
        return table

    def profile(self, name: str, chain: list[str]) -> Table:
        """A new profile."""
        table = Table({"name": safe_name(name), "chain": list(dict.fromkeys(chain))})
        self.profiles.append(table)
        return table

    def rule(self, condition: str, given: object, profile: str) -> None:
        """A new rule."""
        self.rules.append(Table({"when": {condition: given}, "profile": safe_name(profile)}))

    def text(self) -> str:
        """The config. Raises ``ConfigError`` where nothing in it can be used."""
        self._mend()
        text = "\n".join(["\n".join(map(_comment, self.notes)) + "\n", *self._parts()])
        config, faults = parse(text)
        if config is None:
            raise ConfigError(f"nothing in it makes a config: {faults[0].key}: {faults[0].message}")
        return text

    def _parts(self) -> Iterator[str]:
        for head, tables in (
            ("[gateway]", [self.gateway]),
            ("[routing]", [self.routing]),
            ("[health]", [self.health]),
            ("[[provider]]", self.providers),
            ("[[profile]]", self.profiles),
            ("[[rule]]", self.rules),
        ):
            for table in tables:
                if table.values or table.notes:
                    yield _written(head, table)

    def _mend(self) -> None:
        """Turn what the config cannot hold into notes, until what is left is valid."""
        for table, section in ((self.gateway, model.Gateway), (self.health, model.Health)):
            _drop_faults(table, section)
        self.providers = [table for table in self.providers if self._kept(table, model.Provider, "provider")]
        known = {table.values["name"] for table in self.providers}
        for profile in self.profiles:
            self._link(profile, known)
        self.profiles = [table for table in self.profiles if self._kept(table, model.Profile, "profile")]
        names = [table.values["name"] for table in self.profiles]
        self.rules = [
            table
            for table in self.rules
            if table.values["profile"] in names and self._kept(table, model.Rule, "rule")
        ]
        default = self.routing.values.get("default_profile")
        if names and default not in names:
            self.routing.values["default_profile"] = names[0]
        elif not names:
            self.routing.values.pop("default_profile", None)

    def _link(self, profile: Table, known: set[str]) -> None:
        chain = profile.values["chain"]
        if lost := [name for name in chain if name not in known]:
            profile.notes.append(f"no such provider: {', '.join(lost)}")
        profile.values["chain"] = [name for name in chain if name in known]

    def _kept(self, table: Table, section: type[BaseModel], what: str) -> bool:
        told = table.values.get("name", "")
        if _drop_faults(table, section) and not _is_empty(table):
            return True
        self.notes.append(f"left out: {what} {told}: {'; '.join(table.notes) or 'it is empty'}")
        return False


def safe_name(wish: str) -> str:
    """The nearest name that a provider or profile may have."""
    return _NO_NAME.sub("-", wish).strip("-._@")[:56] or "unnamed"


def free_name(wish: str, taken: list[str]) -> str:
    """The same, numbered if it is taken."""
    name, number = safe_name(wish), 2
    while (found := name if number == 2 else f"{name}-{number - 1}") in taken:
        number += 1
    return found


def _drop_faults(table: Table, section: type[BaseModel]) -> bool:
    """Take out the values that are not valid; false where one of them cannot be done without."""
    while True:
        try:
            section.model_validate(table.values)
        except ValidationError as error:
            at, message = next(problems_of(error))
            name = str(at[0]) if at else ""
            table.notes.append(f"{name}: {message}")
            if name not in table.values:
                return False
            del table.values[name]
        else:
            return True


def _is_empty(table: Table) -> bool:
    """Whether it is a profile without providers, or a provider without an address."""
    if table.values.get("chain") == []:
        return True
    facts = KINDS.get(table.values.get("kind", "anthropic"))
    return facts is not None and facts.base_url is None and "base_url" not in table.values


def _written(head: str, table: Table) -> str:
    lines = [*map(_comment, table.notes)]
    if table.values:
        lines += [head, *(f"{key(name)} = {value(given)}" for name, given in table.values.items())]
    return "\n".join(lines) + "\n"


def _comment(note: str) -> str:
    return f"# {scrub(note, _NOTE_CELLS)}"
