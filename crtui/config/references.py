"""What the tables of a config say of one another: names that must exist, keys that need or exclude others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from pydantic_core import PydanticCustomError

from crtui.config.kinds import KINDS

if TYPE_CHECKING:
    from crtui.config.model import Config, Profile, Provider

Path = tuple[str | int, ...]

ERROR_TYPE: Final = "cross_reference"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong at a key path, relative to the table that was checked."""

    path: Path
    message: str


def as_error(problems: list[Problem]) -> PydanticCustomError:
    """The problems as one validation error; ``crtui.config.faults`` takes them apart again."""
    told = "; ".join(problem.message.replace("{", "(").replace("}", ")") for problem in problems)
    return PydanticCustomError(ERROR_TYPE, told, {"problems": problems})  # type: ignore[arg-type]


def problems(config: Config) -> list[Problem]:
    """Every reference of a config that leads nowhere, every name given twice, every empty chain."""
    return [
        *_twice("provider", [provider.name for provider in config.providers]),
        *_twice("profile", [profile.name for profile in config.profiles]),
        *_chains(config),
        *_profiles_named(config),
    ]


def unreachable(config: Config) -> Iterator[tuple[Path, str]]:
    """Providers whose address nobody knows. They can be routed on (in a trace), but not sent to."""
    for i, provider in enumerate(config.providers):
        if provider.base_url is None:
            remedy = 'add base_url = "https://host[:port]"'
            yield ("provider", i, "base_url"), f"is missing, and {provider.kind} has no usual one; {remedy}"


def auth_problem(provider: Provider) -> Problem | None:
    """What does not fit between ``auth`` and the places a key comes from."""
    sources = [key for key in ("api_key_env", "api_key_file", "keyring") if getattr(provider, key)]
    if provider.auth != "key":
        if not sources:
            return None
        what = f'has no use with auth = "{provider.auth}"; remove it or use auth = "key"'
        return Problem((sources[0],), what)
    if len(sources) > 1:
        return Problem((sources[1],), f"comes on top of {sources[0]}; keep one of the two")
    if sources:
        return None
    usual = KINDS[provider.kind].key_env or "MY_API_KEY"
    remedy = f'add api_key_env = "{usual}", api_key_file = "..." or keyring = true'
    return Problem(("auth",), f'is "key" but no key is named; {remedy}')


def nearest(wrong: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the name that was probably meant, or all there are."""
    names = list(known)
    if close := get_close_matches(wrong, names, n=1):
        return f"did you mean {close[0]!r}?"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"use one of: {shown}" if names else "none is configured"


def _twice(table: str, names: list[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            yield Problem((table, i, "name"), f"{name!r} is taken by an earlier [[{table}]]; choose another")
        seen.add(name)


def _chains(config: Config) -> Iterator[Problem]:
    known = {provider.name: None for provider in config.providers}
    for i, profile in enumerate(config.profiles):
        yield from _chain(("profile", i, "chain"), profile, known)


def _chain(path: Path, profile: Profile, known: dict[str, None]) -> Iterator[Problem]:
    if not profile.chain and known:
        yield Problem(path, f"is empty; name at least one provider ({', '.join(list(known)[:12])})")
    for j, member in enumerate(profile.chain):
        if member not in known:
            remedy = nearest(member, known)
            yield Problem((*path, j), f"names {member!r}, which no [[provider]] has; {remedy}")


def _profiles_named(config: Config) -> Iterator[Problem]:
    known = {profile.name: None for profile in config.profiles}
    asked: list[tuple[Path, str]] = [(("routing", "default_profile"), config.routing.default_profile)]
    asked += [(("rule", i, "profile"), rule.profile) for i, rule in enumerate(config.rules)]
    for path, name in asked:
        if name not in known:
            yield Problem(path, f"is {name!r}, which no [[profile]] has; {nearest(name, known)}")
