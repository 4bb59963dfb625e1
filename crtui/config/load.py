"""From a file to a ``Config``, or to one line for each fault: ``path:line: key: what is wrong; remedy``."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from crtui.config import references
from crtui.config.faults import Fault, key_name, problems_of
from crtui.config.find import find_config, read_text
from crtui.config.locate import line_of
from crtui.config.model import Config
from crtui.config.override import override, token_problem
from crtui.config.suspicions import suspicions
from crtui.errors import ConfigError


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A config that can be used. ``path`` is None if there is no file; warnings are one line each."""

    config: Config
    path: Path | None
    warnings: tuple[str, ...] = ()


def load_config(path: Path | None, environ: Mapping[str, str], listen: str | None = None) -> LoadedConfig:
    """The config at ``path``, else at ``$CRTUI_CONFIG``, else at the platform's place.

    Where no file is, an empty config without a path: what to do then (discovery) is the caller's.
    ``listen``, ``$CRTUI_LISTEN`` and ``$CRTUI_ALLOW_PAID`` override the file. Raises ``ConfigError``.
    """
    place = find_config(path, environ)
    if place is None:
        return LoadedConfig(override(Config(), environ, listen), None)
    text = read_text(place)
    config = override(_valid(text, place), environ, listen)
    if problem := token_problem(config, environ):
        raise ConfigError(_fault(text, *problem).text(place))
    return LoadedConfig(config, place, (*_file_warnings(place), *suspicions(config, environ)))


def config_at(path: Path) -> Config:
    """The config at ``path``, whether or not a gateway may listen by it. Raises ``ConfigError``."""
    return _valid(read_text(path), path)


def check(path: Path, environ: Mapping[str, str] = os.environ) -> list[Fault]:
    """Every fault of the config at ``path``, none if it can be used. Raises ``ConfigError`` if unreadable."""
    text = read_text(path)
    config, faults = parse(text)
    if config is not None and (problem := token_problem(config, environ)):
        faults.append(_fault(text, *problem))
    return faults


def parse(text: str) -> tuple[Config | None, list[Fault]]:
    """The config a TOML text holds, or its faults in the order of their lines."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [_syntax_fault(str(error), text)]
    except RecursionError:
        return None, [Fault(None, "", "is nested too deeply; no config needs that")]
    except ValueError:
        return None, [Fault(None, "", "holds a number with thousands of digits; correct it")]
    try:
        config = Config.model_validate(data)
        problems = list(references.unreachable(config))
    except ValidationError as error:
        config, problems = None, list(problems_of(error))
    faults = [_fault(text, at, message) for at, message in problems]
    return None if faults else config, sorted(faults, key=lambda fault: fault.line or 0)


def config_from_data(data: Mapping[str, object], where: str) -> Config:
    """A config from JSON values, as a trace's header has it. Raises ``ConfigError`` naming ``where``."""
    try:
        return Config.model_validate(dict(data))
    except ValidationError as error:
        lines = [Fault(None, key_name(at), message).text(where) for at, message in problems_of(error)]
        raise ConfigError("\n".join(lines)) from None


def _valid(text: str, path: Path) -> Config:
    config, faults = parse(text)
    if config is None:
        raise ConfigError("\n".join(fault.text(path) for fault in faults))
    return config


def _fault(text: str, path: references.Path, message: str) -> Fault:
    return Fault(line_of(text, path), key_name(path), message)


def _syntax_fault(message: str, text: str) -> Fault:
    # Before Python 3.14 the position is in the message only.
    what, _, place = message.rpartition(" (at ")
    what = f"{what[:1].lower()}{what[1:]}; correct the TOML"
    if at := re.fullmatch(r"line (\d+), column (\d+)\)", place):
        return Fault(int(at[1]), "", f"column {at[2]}: {what}")
    return Fault(len(text.splitlines()) or 1, "", what)


def _file_warnings(path: Path) -> list[str]:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return []
    if mode & 0o022:
        return [f"{path} has mode {mode:04o}, so others can change it; run chmod 600"]
    return []
