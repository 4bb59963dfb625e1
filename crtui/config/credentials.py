"""The secrets a config names, fetched from where it says they are."""

from __future__ import annotations

from collections.abc import Mapping

from crtui import secret
from crtui.config.model import Config, Provider
from crtui.secret import Secret, SecretError


def provider_secret(
    provider: Provider, environ: Mapping[str, str], *, ask_keyring: bool = True
) -> tuple[Secret | None, str | None]:
    """A provider's own key, and a warning where there should be one but is none, or others can read it.

    Asking a keyring may open a dialogue; without ``ask_keyring`` that source is passed over.
    """
    if provider.auth != "key" or (provider.keyring and not ask_keyring):
        return None, None
    try:
        key, warning = _fetch(provider, environ)
    except SecretError as error:
        return None, f"{provider.name}: no key: {error}"
    return key, warning and f"{provider.name}: {warning}"


def _fetch(provider: Provider, environ: Mapping[str, str]) -> tuple[Secret, str | None]:
    if provider.api_key_env is not None:
        return secret.from_env(provider.api_key_env, environ), None
    if provider.api_key_file is not None:
        return secret.from_file(provider.api_key_file), secret.exposed(provider.api_key_file)
    return secret.from_keyring(provider.name), None


def gateway_token(config: Config, environ: Mapping[str, str]) -> Secret | None:
    """The token clients must send, or None if its variable is not set or empty. Raises ``SecretError``."""
    if not environ.get(config.gateway.token_env):
        return None
    return secret.from_env(config.gateway.token_env, environ)
