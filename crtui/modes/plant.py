"""From the command line to what a gateway is built from: a config, or discovery where there is none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from crtui.clock import Clock
from crtui.compose import Plant, with_profile
from crtui.config.discover import discover
from crtui.config.load import LoadedConfig, load_config
from crtui.config.model import Config
from crtui.config.override import override, token_problem
from crtui.engine.state_dir import StateDir
from crtui.errors import ConfigError
from crtui.modes.core_dumps import forbid_core_dumps
from crtui.modes.options import Options


def load(options: Options) -> LoadedConfig:
    """The config that is meant, with the options applied. Raises ``ConfigError``."""
    loaded = load_config(options.config, os.environ, options.listen)
    return replace(loaded, config=with_profile(loaded, options.profile)) if loaded.path else loaded


async def discovered(options: Options) -> Config:
    """A config in memory from the keys and servers found here, at the address that is meant."""
    found = await discover(os.environ)
    config = override(found.config, os.environ, options.listen)
    if problem := token_problem(config, os.environ):
        raise ConfigError(f"{'.'.join(map(str, problem[0]))}: {problem[1]}")
    return config


async def plant_for(options: Options, clock: Clock, trace: Path | None) -> Plant:
    """Everything a gateway needs. Raises ``CrtuiError``."""
    forbid_core_dumps()
    loaded = load(options)
    config = loaded.config if loaded.path is not None else await discovered(options)
    return make_plant(options, config, clock, trace, warnings=loaded.warnings)


def make_plant(
    options: Options,
    config: Config,
    clock: Clock,
    trace: Path | None,
    *,
    warnings: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Plant:
    """A plant under the options, which records a trace where one is asked for."""
    return Plant(
        config,
        clock,
        StateDir(options.state_path),
        os.environ if environ is None else environ,
        warnings,
        seed,
        trace,
    )
