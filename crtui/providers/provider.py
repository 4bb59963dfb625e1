"""A provider as the gateway and the poller use it: where it is, what it is sent, with which credential."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from crtui.config.core_settings import can_probe
from crtui.config.credentials import provider_secret
from crtui.config.fields import is_loopback
from crtui.config.kinds import KINDS, Kind
from crtui.config.model import Config
from crtui.config.model import Provider as ProviderTable
from crtui.core.settings import Wire
from crtui.providers.kinds import ANTHROPIC_VERSION, FACTS, Probe, split_base
from crtui.secret import Secret

MAX_MODEL_NAME: Final = 256
"""A longer name is no model's; patterns are not tried on it, so a caller cannot make them run long."""

ModelMap = tuple[tuple[re.Pattern[str], str], ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """One configured provider.

    ``base_url`` is the root, without the API prefix and slash; ``secret`` is its own key, None with
    ``auth`` other than ``key`` or where the key could not be had. ``models`` leads from a pattern to the
    model sent. ``poll_s`` 0: never polled of itself. ``local``: its address is this machine's own.
    ``declared`` are models that should be there, ``pull``: fetched without being asked for.
    ``merge_system``: it takes one leading system text only. ``public``: its name may lead to no private
    address.
    """

    name: str
    kind: Kind
    base_url: str
    api_prefix: str
    auth: Literal["key", "client", "none"]
    wires: tuple[Wire, ...]
    model: str | None
    models: ModelMap
    connect_timeout_s: float
    first_byte_timeout_s: float
    idle_timeout_s: float
    poll_s: float
    secret: Secret | None
    local: bool
    declared: tuple[str, ...] = ()
    pull: bool = False
    merge_system: bool = False
    public: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """What may not be shown of what it says."""
        return () if self.secret is None else (self.secret.reveal(),)

    def url(self, path: str) -> str:
        """An endpoint below the API's prefix, e.g. ``/chat/completions``."""
        return self.base_url + self.api_prefix + path

    def probe_url(self, probe: Probe) -> str:
        """Where a probe is sent."""
        return self.base_url + probe.path if probe.native else self.url(probe.path)

    def credential(self, wire: Wire, caller: Mapping[str, str]) -> dict[str, str]:
        """The headers that authorise a request: its own key, or with ``auth = "client"`` the caller's.

        ``caller`` has lower-case names and must no longer hold the gateway's own token.
        """
        if self.auth == "client":
            return {name: caller[name] for name in ("authorization", "x-api-key") if name in caller}
        if self.secret is None:
            return {}
        if FACTS[self.kind].key_header == "x-api-key" and wire == "messages":
            version = caller.get("anthropic-version", ANTHROPIC_VERSION)
            return {"x-api-key": self.secret.reveal(), "anthropic-version": version}
        return {"authorization": f"Bearer {self.secret.reveal()}"}

    def probe_credential(self, probe: Probe) -> dict[str, str]:
        """The headers that authorise a probe: only its own key, never a caller's."""
        if self.secret is not None and probe.key_header == "x-goog-api-key":
            return {probe.key_header: self.secret.reveal()}
        return self.credential("messages", {})

    def may_serve(self, caller: Mapping[str, str]) -> bool:
        """Whether there is a credential to send, where that has to be the caller's own."""
        return self.auth != "client" or bool(self.credential("messages", caller))

    def model_for(self, asked: str | None) -> str | None:
        """The model to send instead of the one asked for; None to keep that."""
        if self.model is not None or asked is None or len(asked) > MAX_MODEL_NAME:
            return self.model
        return next((sent for pattern, sent in self.models if pattern.fullmatch(asked)), None)

    @property
    def probes(self) -> tuple[Probe, ...]:
        """Its free probes; none where only callers hold the key they need (see ``can_probe``)."""
        return FACTS[self.kind].probes if can_probe(self.kind, self.auth) else ()

    @property
    def shares_memory(self) -> bool:
        """Whether this machine's memory is what it runs on, and how full that is tells of its load."""
        return self.local and KINDS[self.kind].local and not FACTS[self.kind].takes_memory

    @property
    def keeps_models(self) -> bool:
        """Whether it can be asked to fetch models."""
        return self.kind == "ollama"

    @property
    def counts_tokens(self) -> bool:
        """Whether it is known to count a request's tokens for nothing."""
        return FACTS[self.kind].counts_tokens and "messages" in self.wires

    @property
    def lacks_key(self) -> bool:
        """Whether it should have a key of its own and has none."""
        return self.auth == "key" and self.secret is None


def build_providers(config: Config, environ: Mapping[str, str]) -> tuple[dict[str, Provider], list[str]]:
    """Every provider of a config by name, with its key fetched, and a line for each key amiss.

    One whose ``base_url`` is unknown is left out: it can be planned with, as in a trace, but not reached.
    """
    providers: dict[str, Provider] = {}
    warnings: list[str] = []
    for table in config.providers:
        if table.base_url is None:
            continue
        secret, warning = provider_secret(table, environ)
        providers[table.name] = _build(table, table.base_url, secret)
        if warning is not None:
            warnings.append(warning)
    return providers, warnings


def _build(table: ProviderTable, base_url: str, secret: Secret | None) -> Provider:
    root, prefix = split_base(table.kind, base_url)
    return Provider(
        name=table.name,
        kind=table.kind,
        base_url=root,
        api_prefix=prefix,
        auth=table.auth,
        wires=table.wires,
        model=table.model,
        models=tuple((re.compile(pattern), sent) for pattern, sent in table.models.items()),
        connect_timeout_s=table.connect_timeout_s,
        first_byte_timeout_s=table.first_byte_timeout_s,
        idle_timeout_s=table.idle_timeout_s,
        poll_s=table.poll_s,
        secret=secret,
        local=is_loopback(urlsplit(root).hostname or ""),
        declared=table.declare_models,
        pull=table.pull,
        merge_system=KINDS[table.kind].local if table.merge_system is None else table.merge_system,
        public=_is_vendors(table.kind, root) and not table.allow_private,
    )


def _is_vendors(kind: Kind, base_url: str) -> bool:
    """Whether it is the host that the kind's vendor serves from."""
    usual = KINDS[kind].base_url
    return (
        usual is not None
        and not KINDS[kind].local
        and urlsplit(base_url).hostname == urlsplit(usual).hostname
    )
