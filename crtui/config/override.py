"""What the environment and the command line change in a config, and what a gateway needs besides it."""

from __future__ import annotations

from collections.abc import Mapping

from crtui.config.credentials import gateway_token
from crtui.config.fields import parse_address
from crtui.config.model import Config
from crtui.config.references import Path
from crtui.errors import ConfigError, CrtuiError

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


def override(config: Config, environ: Mapping[str, str], listen: str | None = None) -> Config:
    """The config with ``listen`` (``--listen``), else ``$CRTUI_LISTEN``, and ``$CRTUI_ALLOW_PAID`` applied.

    An empty variable counts as not set. Raises ``ConfigError``.
    """
    if listen is not None:
        config = _listening_at(config, listen, "--listen")
    elif named := environ.get("CRTUI_LISTEN"):
        config = _listening_at(config, named, "CRTUI_LISTEN")
    if allow := environ.get("CRTUI_ALLOW_PAID"):
        routing = config.routing.model_copy(update={"allow_paid": _yes_or_no(allow)})
        config = config.model_copy(update={"routing": routing})
    return config


def _listening_at(config: Config, address: str, source: str) -> Config:
    try:
        parse_address(address)
    except ValueError as error:
        raise ConfigError(f"{source}: {error}") from None
    return config.model_copy(update={"gateway": config.gateway.model_copy(update={"listen": address})})


def _yes_or_no(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise ConfigError("CRTUI_ALLOW_PAID: is neither yes nor no; set it to 1 or 0")


def token_problem(config: Config, environ: Mapping[str, str]) -> tuple[Path, str] | None:
    """Key path and message if the address or the token's variable forbids to start, else None."""
    variable = config.gateway.token_env
    try:
        token = gateway_token(config, environ)
    except CrtuiError as error:
        return ("gateway", "token_env"), str(error)
    if token is None and not config.gateway.address.loopback:
        remedy = f"set a token in {variable}, or listen on 127.0.0.1"
        return ("gateway", "listen"), f"is reachable from other machines; {remedy}"
    return None
