"""CodeRouter's ``providers.yaml``."""

from __future__ import annotations

from typing import Final

from crtui.config.importers import look
from crtui.config.importers.address import base_of, kind_of
from crtui.config.importers.draft import Draft, Table, safe_name
from crtui.config.importers.keys import put_key

_PROVIDER: Final = (
    *("name", "kind", "base_url", "model", "api_key_env", "paid", "timeout_s", "cost", "capabilities"),
)
_PROFILE: Final = (
    *("name", "providers", "adaptive", "memory_pressure_action", "memory_pressure_cooldown_s"),
    *("backend_health_action", "backend_health_threshold"),
)
_TOP: Final = ("allow_paid", "default_profile", "providers", "profiles", "auto_router")
_MATCHERS: Final = (
    *("has_image", "has_tools", "code_fence_ratio_min", "content_contains"),
    *("content_regex", "model_pattern", "content_token_count_min"),
)
_DISCOUNT: Final = 0.10
_PREMIUM: Final = 1.25
"""Its own defaults, as shares of the input price."""


def read(data: look.Data) -> Draft:
    """The config with the same providers, profiles and rules."""
    draft = Draft(["imported from CodeRouter; check it with `crtui check`"])
    names: dict[str, str] = {}
    for row in look.tables(data.get("providers")):
        table = _provider(draft, row)
        names.setdefault(str(row.get("name")), table.values["name"])
    for row in look.tables(data.get("profiles")):
        _profile(draft, row, names)
    thresholds = {
        look.count(row.get("backend_health_threshold")) for row in look.tables(data.get("profiles"))
    }
    if thresholds - {None}:
        draft.health.put("threshold", max(filter(None, thresholds), default=None))
        if len(thresholds) > 1:
            draft.health.notes.append("the profiles' thresholds differ; here it belongs to the provider")
    draft.routing.put("allow_paid", look.flag(data.get("allow_paid")))
    _route(draft, data)
    if lost := look.others(data, *_TOP):
        draft.notes.append(f"no counterpart: {', '.join(lost)}")
    return draft


def _provider(draft: Draft, row: look.Data) -> Table:
    table = draft.provider(look.word(row.get("name")) or "provider")
    url = base_of(look.word(row.get("base_url")) or "")
    table.put("kind", "anthropic" if row.get("kind") == "anthropic" else kind_of(url))
    table.put("base_url", url)
    table.put("model", look.word(row.get("model")))
    variable = look.word(row.get("api_key_env"))
    put_key(table, f"${variable}" if variable else None)
    table.put("paid", look.flag(row.get("paid")))
    if seconds := look.number(row.get("timeout_s")):
        table.values |= {"first_byte_timeout_s": seconds, "idle_timeout_s": seconds}
    _money(table, look.table(row.get("cost")))
    given = look.table(row.get("capabilities"))
    # There a missing or false one is unknown, here it would keep requests away.
    if known := {name: True for name in ("vision", "tools", "thinking") if given.get(name) is True}:
        table.put("capabilities", known)
    table.lacks(*look.others(row, *_PROVIDER))
    return table


def _money(table: Table, cost: look.Data) -> None:
    sent, got = (look.number(cost.get(f"{part}_tokens_per_million")) for part in ("input", "output"))
    price = {"input": sent, "output": got}
    if sent is not None:
        discount, premium = cost.get("cache_read_discount"), cost.get("cache_creation_premium")
        price["cache_read"] = _share(sent, look.number(discount), _DISCOUNT)
        price["cache_write"] = _share(sent, look.number(premium), _PREMIUM)
    if known := {name: usd for name, usd in price.items() if usd is not None}:
        table.put("price", known)
    table.put("monthly_usd", look.number(cost.get("monthly_budget_usd")))


def _share(price: float, share: float | None, usual: float) -> float:
    return round(price * (usual if share is None else share), 6)


def _profile(draft: Draft, row: look.Data, names: dict[str, str]) -> None:
    chain = [names.get(name, name) for name in look.words(row.get("providers"))]
    table = draft.profile(look.word(row.get("name")) or "profile", chain)
    action = look.word(row.get("backend_health_action"))
    table.put("health_action", "exclude" if action == "skip" else action)
    table.put("memory_pressure_action", look.word(row.get("memory_pressure_action")))
    table.put("memory_pressure_cooldown_s", look.number(row.get("memory_pressure_cooldown_s")))
    table.put("adaptive", look.flag(row.get("adaptive")))
    table.lacks(*look.others(row, *_PROFILE))


def _route(draft: Draft, data: look.Data) -> None:
    """Its rules run only where the default profile is ``auto``."""
    default = look.word(data.get("default_profile")) or "default"
    auto = look.table(data.get("auto_router"))
    if default != "auto":
        draft.routing.put("default_profile", safe_name(default))
        if auto:
            draft.notes.append("auto_router is left out: the default profile is not auto, so it never ran")
        return
    otherwise = look.word(auto.get("default_rule_profile")) or "writing"
    draft.routing.put("default_profile", safe_name(otherwise))
    if look.flag(auto.get("disabled")):
        return
    for row in look.tables(auto.get("rules")):
        match = look.table(row.get("match"))
        name = next((name for name in _MATCHERS if match.get(name) not in (None, False)), None)
        if name is None:
            draft.notes.append(f"no counterpart for a rule by {', '.join(match) or 'nothing'}")
        else:
            draft.rule(name, match[name], look.word(row.get("profile")) or otherwise)
