"""Commands that ask or order a gateway which already runs."""

from __future__ import annotations

import os
import sys
from typing import Final, cast

import orjson

from crtui.config.credentials import gateway_token
from crtui.config.load import load_config
from crtui.config.model import Config
from crtui.core.inputs import ABOUT_ALL, Command, CommandName
from crtui.core.views import Snapshot
from crtui.engine.remote import RemoteGateway
from crtui.engine.state_dir import read_token
from crtui.errors import ConfigError, CrtuiError
from crtui.modes.options import Options
from crtui.modes.text import status_text

_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
_EXIT_BY_STANDING: Final = {"eligible": 0, "demoted": 10, "excluded": 11}


def gateway_url(options: Options, url: str | None) -> str:
    """The gateway that is meant: the one named, else the one the config would start."""
    if url is not None:
        return url if "://" in url else f"http://{url}"
    loaded = load_config(options.config, os.environ, options.listen)
    address = loaded.config.gateway.address
    return f"http://{_reachable(address.host)}:{address.port}"


def connect(options: Options, url: str | None) -> RemoteGateway:
    """The control plane of that gateway, with the tokens it needs. Raises ``CrtuiError``."""
    token = gateway_token(_config(options, named=url is not None), os.environ)
    return RemoteGateway(
        gateway_url(options, url),
        read_token=token,
        control_token=lambda: token or read_token(options.state_path),
    )


def status(options: Options, url: str | None, *, as_json: bool) -> int:
    """Print one snapshot; exit 0 with an eligible provider, 10 with only demoted ones, 11 with none."""
    gateway = connect(options, url)
    try:
        data, snapshot = gateway.state_json()
    finally:
        gateway.close()
    if as_json:
        print(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())
    else:
        print(status_text(snapshot))
    return _exit_code(snapshot)


def give_order(options: Options, name: str, provider: str, for_ms: int | None) -> int:
    """Order the running gateway; exit 2 for an unknown provider, 3 without a gateway."""
    gateway = connect(options, None)
    try:
        known = {row.name for row in gateway.state().providers}
        if name not in ABOUT_ALL and provider not in known:
            have = ", ".join(sorted(known)) or "none"
            raise CrtuiError(f"unknown provider {provider!r}; the gateway has: {have}")
        gateway.send(Command(cast("CommandName", name), provider, for_ms))
    finally:
        gateway.close()
    print(f"{name.replace('_', ' ')} {provider}".strip() + ": done", file=sys.stderr)
    return 0


def _config(options: Options, *, named: bool) -> Config:
    """The config, for the variable of the token. Where the gateway is named, it can do without one."""
    try:
        return load_config(options.config, os.environ, options.listen).config
    except ConfigError:
        if not named or options.config is not None:
            raise
        return Config()


def _exit_code(snapshot: Snapshot) -> int:
    return min((_EXIT_BY_STANDING[row.standing] for row in snapshot.providers), default=11)


def _reachable(host: str) -> str:
    if host in _EVERYWHERE:
        return _EVERYWHERE[host]
    return f"[{host}]" if ":" in host else host
