"""The order a profile would have after an order of the operator's, foretold from the snapshot alone. Pure.

The rules are the core's: what is excluded is left out, what is demoted comes last (the ill before
what the operator demoted), what is pinned comes first, the newest pin before older ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from crtui.tui.glyphs import ARROW
from crtui.tui.line import Line, Span, fit, width_of
from crtui.tui.order import default_profile
from crtui.tui.status import blocking

if TYPE_CHECKING:
    from crtui.core.inputs import Command, CommandName
    from crtui.core.views import Override, ProfileView, ProviderView, Snapshot

_SETS: Final[dict[CommandName, Override]] = {
    "demote": "demoted",
    "drain": "drained",
    "pin": "pinned",
    "release": "none",
}
_ILL: Final = frozenset({("health", "unhealthy"), ("health", "trial")})
_SHOWN: Final = 4
_LEAST: Final = 12


def concerned(command: Command, snapshot: Snapshot) -> ProfileView | None:
    """The profile a command is told about: the default one, else the first whose chain holds the provider."""
    default = default_profile(snapshot)
    ordered = [profile for profile in (default, *snapshot.profiles) if profile is not None]
    return next((profile for profile in ordered if command.provider in profile.chain), None)


def order_after(command: Command, profile: ProfileView, snapshot: Snapshot) -> tuple[str, ...]:
    """The profile's order once the command has taken effect; the present one for any other command."""
    override = _SETS.get(command.command)
    known = {provider.name: provider for provider in snapshot.providers}
    target = command.provider
    if override is None or target not in known or known[target].operator.override == override:
        return profile.order
    base = _base(profile, known, target)
    before = known[target]
    known[target] = replace(before, operator=replace(before.operator, override=override))
    kept = [name for name in base if name != target or _kept(known[target], name in profile.order)]
    pins = [name for name in _pins(profile, known) if name != target]
    if override == "pinned" and target in kept:
        pins.insert(0, target)
    return _arranged(kept, known, pins)


def foretold(command: Command, snapshot: Snapshot, width: int) -> Line:
    """``then b → c → a`` in at most ``width`` cells; empty where nothing fits, or nothing is ordered."""
    profile = concerned(command, snapshot)
    if profile is None or command.command not in _SETS:
        return ()
    after = order_after(command, profile, snapshot)
    where = "" if profile is default_profile(snapshot) else f"in {profile.name}: "
    if after == profile.order:
        return fit((Span(f"{where}order stays", "dim"),), width)
    if not after:
        return fit((Span(f"then {where}", "dim"), Span("nobody", "bad")), width)
    for count in range(min(_SHOWN, len(after)), 0, -1):
        line = _names(where, after, count)
        if width_of(line) <= width:
            return line
    short: Line = (Span("then ", "dim"), Span(after[0], "bright"), Span(f" {ARROW} …", "dim"))
    return fit(short, width) if width >= _LEAST else ()


def _names(where: str, after: tuple[str, ...], count: int) -> Line:
    spans = [Span(f"then {where}", "dim"), Span(after[0], "bright")]
    for name in after[1:count]:
        spans += [Span(f" {ARROW} ", "dim"), Span(name)]
    if len(after) > count:
        spans.append(Span(f" {ARROW} {len(after) - count} more", "dim"))
    return tuple(spans)


def _base(profile: ProfileView, known: dict[str, ProviderView], back: str) -> list[str]:
    """The order before demotions and pins, with ``back`` in its place.

    That is the chain where the chain explains the present order. Tactics that measure or draw lots
    leave no rule to foretell by: who is not in the order yet goes behind it.
    """
    present = [name for name in profile.chain if name in known and name in profile.order]
    if _arranged(present, known, _pins(profile, known)) == profile.order:
        return [name for name in profile.chain if name in present or name == back]
    return [*profile.order, *(() if back in profile.order else (back,))]


def _kept(provider: ProviderView, was_kept: bool) -> bool:
    if provider.operator.override == "drained":
        return False
    # Whether the ill are excluded or demoted is not in the snapshot; demoted is what profiles begin with.
    return was_kept or all(reason.guard in ("operator", "health") for reason in blocking(provider))


def _arranged(names: list[str], known: dict[str, ProviderView], pins: list[str]) -> tuple[str, ...]:
    ordered = sorted(names, key=lambda name: _rank(known[name]))
    return (*pins, *(name for name in ordered if name not in pins))


def _rank(provider: ProviderView) -> int:
    if provider.operator.override == "demoted":
        return 2
    ill = any((reason.guard, reason.code) in _ILL for reason in provider.reasons)
    return 1 if ill and provider.standing != "eligible" else 0


def _pins(profile: ProfileView, known: dict[str, ProviderView]) -> list[str]:
    """The pinned ones, the newest pin first, as the order has them."""
    return [n for n in profile.order if n in known and known[n].operator.override == "pinned"]
