"""LiteLLM proxy's ``config.yaml``: a profile for every model name, a provider for every deployment."""

from __future__ import annotations

import re
from typing import Final

from crtui.config.importers import look
from crtui.config.importers.address import base_of, kind_of
from crtui.config.importers.draft import Draft, Table, safe_name
from crtui.config.importers.keys import put_key, usual_variable
from crtui.config.importers.vendors import VENDORS, vendor_of

_PARAMS: Final = (
    *("model", "api_base", "base_url", "api_key", "timeout", "stream_timeout", "weight", "order"),
    *("max_parallel_requests", "custom_llm_provider"),
)
_TACTICS: Final = {
    "simple-shuffle": "random",
    "least-busy": "capacity_based",
    "latency-based-routing": "latency_based",
    "usage-based-routing": "token_based",
    "usage-based-routing-v2": "token_based",
}
_COSTS: Final = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
}
_MILLION: Final = 1_000_000


def read(data: look.Data) -> Draft:
    """The config; a request goes to the profile of the model it names, as there."""
    draft = Draft(["imported from LiteLLM; check it with `crtui check`"])
    router, settings = look.table(data.get("router_settings")), look.table(data.get("litellm_settings"))
    groups: dict[str, list[str]] = {}
    for row in look.tables(data.get("model_list")):
        group = look.word(row.get("model_name")) or "model"
        groups.setdefault(group, []).extend(_deployment(draft, group, row))
    follow = _fallbacks(settings) | _fallbacks(router)
    tactic = _TACTICS.get(str(router.get("routing_strategy", "simple-shuffle")))
    for group, chain in groups.items():
        further = [name for other in follow.get(group, follow.get("*", [])) for name in groups.get(other, [])]
        table = draft.profile(group, chain + further)
        if len(chain) > 1:
            table.put("tactic", tactic or "priority")
        if further and len(chain) > 1:
            table.notes.append("the fallbacks stand behind the deployments by their tier")
            _behind(draft, chain, further)
        draft.rule("model_pattern", _pattern(group), group)
    _settings(draft, data, router)
    return draft


def _deployment(draft: Draft, group: str, row: look.Data) -> list[str]:
    """The provider's name, or nothing where the vendor has no counterpart."""
    params = look.table(row.get("litellm_params"))
    info = look.table(row.get("model_info"))
    prefix, model = vendor_of(
        look.word(params.get("model")) or "", look.word(params.get("custom_llm_provider"))
    )
    url = look.word(params.get("api_base")) or look.word(params.get("base_url"))
    if prefix is None:
        draft.notes.append(f"left out: {group}: no counterpart for {params.get('model')}")
        return []
    vendor = VENDORS[prefix]
    table = draft.provider(group)
    kind = (
        kind_of(url, "openai-compatible" if vendor.kind == "openai" else vendor.kind) if url else vendor.kind
    )
    table.put("kind", kind)
    table.put("base_url", base_of(url) if url else vendor.base_url)
    if "*" in model:
        table.notes.append(f"{prefix}/ is not taken off the model's name: ask for the vendor's own names")
    else:
        table.put("model", model)
    own = url is None or kind == vendor.kind
    put_key(table, params.get("api_key"), (vendor.key_env or usual_variable(kind)) if own else None)
    _limits(table, params, info)
    table.lacks(*look.others(params, *_PARAMS, *_COSTS.values()))
    return [table.values["name"]]


def _limits(table: Table, params: look.Data, info: look.Data) -> None:
    if seconds := look.number(params.get("timeout")):
        table.put("idle_timeout_s", seconds)
    table.put("first_byte_timeout_s", look.number(params.get("stream_timeout")) or None)
    table.put("weight", look.count(params.get("weight")))
    table.put("tier", look.count(params.get("order")))
    table.put("capacity", look.count(params.get("max_parallel_requests")) or None)
    both = info | params
    costs = {name: look.number(both.get(key)) for name, key in _COSTS.items()}
    if price := {name: round(cost * _MILLION, 6) for name, cost in costs.items() if cost is not None}:
        table.put("price", price)
    flags = {"vision": info.get("supports_vision"), "tools": info.get("supports_function_calling")}
    known: dict[str, object] = {name: flag for name, flag in flags.items() if isinstance(flag, bool)}
    if context := look.count(info.get("max_input_tokens")):
        known["context"] = context
    if known:
        table.put("capabilities", known)


def _fallbacks(settings: look.Data) -> dict[str, list[str]]:
    """By model name those that follow it; ``*`` for any other."""
    found = {
        group: look.words(names)
        for row in look.tables(settings.get("fallbacks"))
        for group, names in row.items()
    }
    if default := look.words(settings.get("default_fallbacks")):
        found.setdefault("*", default)
    return found


def _behind(draft: Draft, chain: list[str], further: list[str]) -> None:
    """Put providers into a later tier: a tactic orders those of one tier among themselves."""
    tiers = {table.values["name"]: table.values.get("tier", 0) for table in draft.providers}
    behind = 1 + max(tiers[name] for name in chain)
    for table in draft.providers:
        if table.values["name"] in further and table.values["name"] not in chain:
            table.values["tier"] = max(behind, tiers[table.values["name"]])


def _pattern(group: str) -> str:
    return re.escape(group).replace(r"\*", ".*").replace(r"\-", "-")


def _settings(draft: Draft, data: look.Data, router: look.Data) -> None:
    if seconds := look.number(router.get("cooldown_time")):
        draft.health.put("recovery_s", seconds)
    if draft.profiles:
        draft.routing.put("default_profile", safe_name(draft.profiles[0].values["name"]))
    general = look.table(data.get("general_settings"))
    if general.get("master_key"):
        draft.gateway.notes.append(
            "its master_key is not copied: clients send the token in CRTUI_TOKEN, if set"
        )
    lost = [
        *(
            f"router_settings.{name}"
            for name in look.others(router, "routing_strategy", "fallbacks", "cooldown_time")
        ),
        *(f"general_settings.{name}" for name in look.others(general, "master_key")),
        *(
            f"litellm_settings.{name}"
            for name in look.others(
                look.table(data.get("litellm_settings")), "fallbacks", "default_fallbacks"
            )
        ),
        *look.others(data, "model_list", "router_settings", "general_settings", "litellm_settings"),
    ]
    for name in lost:
        draft.notes.append(f"no counterpart: {name}")
