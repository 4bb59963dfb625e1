"""Commands about the configuration: ``check``, ``init`` and ``env``."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from crtui.config.discover import discover
from crtui.config.find import default_path, find_config
from crtui.config.init import render_config
from crtui.config.load import check as faults_of
from crtui.config.load import load_config
from crtui.errors import ConfigError, CrtuiError
from crtui.modes.agent_env import lines_for
from crtui.modes.ask import gateway_url
from crtui.modes.options import Options


def check(options: Options, file: Path | None) -> int:
    """Validate a config; every fault is a line with its place, key and remedy. Exit 0 or 2."""
    path = find_config(file or options.config, os.environ)
    if path is None:
        raise ConfigError(f"no config at {default_path()}; `crtui init` writes one")
    faults = faults_of(path)
    for fault in faults:
        print(fault.text(path), file=sys.stderr)
    if faults:
        return 2
    loaded = load_config(path, os.environ)
    for warning in loaded.warnings:
        print(f"{path}: warning: {warning}", file=sys.stderr)
    config = loaded.config
    count = len(config.providers)
    print(f"{path}: ok: {count} provider{'' if count == 1 else 's'}, {len(config.profiles)} profile(s)")
    return 0


def init(options: Options, *, force: bool) -> int:
    """Write a first config from the logins, keys and servers found here. Exit 0, or 2 where one exists."""
    path = options.config or Path(os.environ.get("CRTUI_CONFIG") or default_path())
    if (path.exists() or path.is_symlink()) and not force:
        raise CrtuiError(f"{path} exists; edit it, or replace it with --force")
    found = asyncio.run(discover(os.environ))
    try:
        _write_whole(path, render_config(found))
    except OSError as fault:
        raise CrtuiError(
            f"{path} cannot be written: {fault.strerror or fault}; name another with --config"
        ) from fault
    for line in found.found:
        print(f"found {line}")
    if not found.found:
        print("found no login, no key in the environment and no local server; the file says what to add")
    print(f"wrote {path}; `crtui doctor` tries it, `crtui` starts")
    for agent in found.agents:
        print(f"{agent} is installed: `crtui run -- {agent}` sends its requests through crtui")
    return 0


def env(options: Options, agent: str | None) -> int:
    """Print the export lines for an agent."""
    gateway = load_config(options.config, os.environ, options.listen).config.gateway
    token_env = gateway.token_env if os.environ.get(gateway.token_env) else None
    print("\n".join(lines_for(agent, gateway_url(options, None), token_env)))
    return 0


def _write_whole(path: Path, text: str) -> None:
    # A link stays one: what it leads to is replaced.
    place = path.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    new = place.with_name(place.name + ".new")
    try:
        new.write_text(text, "utf-8")
        new.replace(place)
    except OSError:
        new.unlink(missing_ok=True)
        raise
