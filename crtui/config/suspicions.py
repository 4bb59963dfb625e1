"""What is valid in a config and yet probably not meant: warnings, in file order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from urllib.parse import urlsplit

from crtui.config.credentials import provider_secret
from crtui.config.fields import is_loopback
from crtui.config.kinds import KINDS
from crtui.config.model import Config, Provider


def suspicions(config: Config, environ: Mapping[str, str]) -> list[str]:
    """One line each, starting with the provider or key it is about. Reads key files, not the keyring."""
    return [
        *_of_whole(config),
        *(line for provider in config.providers for line in _of_provider(provider)),
        *_of_keys(config, environ),
    ]


def _of_whole(config: Config) -> Iterator[str]:
    if not config.providers:
        yield "provider: there is none, so nothing can be routed; add a [[provider]]"
    if "shared" in config.model_fields_set:
        yield "shared: has no effect yet; this machine counts alone"
    in_a_chain = {name for profile in config.profiles for name in profile.chain}
    for provider in config.providers:
        if provider.name not in in_a_chain:
            yield f"{provider.name}: is in no profile's chain, so it is never used"
    for _, alike in groupby(sorted((p.name for p in config.providers), key=str.lower), key=str.lower):
        names = list(alike)
        if len(names) > 1:
            yield f"{' and '.join(names)}: differ only in case; their files are one on some disks"
    yield from _of_shared_keys(config)


def _of_shared_keys(config: Config) -> Iterator[str]:
    """Providers with one key for one place and the same models: the second is no way out of a limit."""
    alike: dict[tuple[object, ...], list[str]] = {}
    for one in config.providers:
        source = one.api_key_env or one.api_key_file
        if source is not None:
            sent = one.model, tuple(one.models.items())
            alike.setdefault((urlsplit(one.base_url or "").netloc, source, *sent), []).append(one.name)
    for names in alike.values():
        if len(names) > 1:
            yield f"{' and '.join(names)}: have one key, so they share its limits; where one is out, all are"


def _of_provider(provider: Provider) -> Iterator[str]:
    name = provider.name
    if provider.model is not None and provider.models:
        yield f"{name}: models has no effect beside model, which is always sent"
    yield from _of_declared(provider)
    if provider.monthly_usd == 0:
        yield f"{name}: monthly_usd = 0 keeps it out at once; leave the key out for no cap"
    if provider.monthly_usd and provider.price is None and not _has_list_price(provider):
        yield f"{name}: monthly_usd counts nothing while the price is unknown; add price"
    if missing := " and ".join(_missing_prices(provider)):
        yield f"{name}: price lacks {missing}, so what such tokens cost stays unknown; add {missing}"
    if provider.auth != "none" and _in_clear_text(provider.base_url):
        yield f"{name}: sends a key in clear text to another machine; use https"


def _of_declared(provider: Provider) -> Iterator[str]:
    """Models that should be there, where nobody looks whether they are, or none is named."""
    name = provider.name
    if provider.declare_models and provider.kind != "ollama":
        yield f"{name}: declare_models has an effect with kind ollama only"
    elif provider.declare_models and not provider.poll_s:
        pulled = " and pulled" if provider.pull else ""
        yield f"{name}: declare_models are looked for{pulled} by polls, and poll_s = 0 means none; set poll_s"
    if provider.pull and not provider.declare_models:
        yield f"{name}: pull = true fetches nothing without declare_models; name the models there"


def _has_list_price(provider: Provider) -> bool:
    """Whether its models may be on a price list: a vendor's, asked with a key of one's own."""
    host = urlsplit(provider.base_url or "").hostname or ""
    return provider.auth == "key" and not (KINDS[provider.kind].local or is_loopback(host))


def _missing_prices(provider: Provider) -> list[str]:
    """The halves that a price lacks; one for cache tokens may be left out."""
    price = provider.price
    if price is None:
        return []
    halves = {"input": price.input, "output": price.output}
    return [half for half, usd in halves.items() if usd is None]


def _in_clear_text(base_url: str | None) -> bool:
    if base_url is None:
        return False
    parts = urlsplit(base_url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def _of_keys(config: Config, environ: Mapping[str, str]) -> Iterator[str]:
    for provider in config.providers:
        _, warning = provider_secret(provider, environ, ask_keyring=False)
        if warning is not None:
            yield warning
