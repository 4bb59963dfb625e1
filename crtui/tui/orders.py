"""From a key to a command: what it means for this provider now, what it costs, how to undo it. Pure.

The screen imports no type of the core before its first frame: making them costs 20 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crtui.actions import Action
from crtui.tui.line import plain
from crtui.tui.whatif import foretold

if TYPE_CHECKING:
    from crtui.core.inputs import Command, CommandName
    from crtui.core.views import Override, ProviderView, Snapshot

_PUTS_BACK: Final[dict[Override, CommandName]] = {
    "none": "release",
    "demoted": "demote",
    "drained": "drain",
    "pinned": "pin",
}
_DONE: Final[dict[CommandName, str]] = {
    "demote": "demoted",
    "drain": "drained",
    "pin": "pinned",
    "release": "released",
    "reset": "reset",
    "reset_all": "reset all",
    "pull": "pulls what is missing",
    "cancel_pull": "stops pulling",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before acting: the question, what follows from a yes, and the word for yes."""

    text: str
    consequence: str
    yes: str


def command_for(action: Action, provider: ProviderView | None, snapshot: Snapshot) -> Command:
    """The command an action's key means now: an override that is already set is lifted."""
    from crtui.core.inputs import Command

    assert action.command is not None
    if action.command == "paid":
        return Command("paid", allow=not snapshot.gateway.allow_paid)
    if provider is None or not action.needs_provider:
        return Command(action.command)
    if action.command == "pull" and provider.pulling:
        return Command("cancel_pull", provider.name)
    lifts = action.override is not None and provider.operator.override == action.override
    return Command("release" if lifts else action.command, provider.name)


def refusal(action: Action, provider: ProviderView | None) -> str | None:
    """Why an action's key can do nothing for this provider, or None."""
    if action.command != "pull" or provider is None or provider.pulling:
        return None
    if provider.declared is None:
        return "it declares no models to pull"
    if provider.declared.missing is None:
        return "it has not told its models yet"
    return None if provider.declared.missing else "every declared model is there"


def question(command: Command, snapshot: Snapshot) -> Question | None:
    """What to ask before a command that cuts service or is hard to undo; None: just do it."""
    if command.command == "reset_all":
        return Question(
            f"Reset all {len(snapshot.providers)} providers?",
            "Overrides, failure counts and waits are forgotten; providers that are out get requests again.",
            "reset all",
        )
    if command.command == "paid" and command.allow:
        paid = ", ".join(p.name for p in snapshot.providers if p.paid) or "none configured"
        return Question("Allow paid providers?", f"Requests may then cost money at: {paid}.", "allow")
    if command.command == "pull":
        return _pulling(command.provider, snapshot)
    lost = _loses_last(command.provider, snapshot) if command.command in ("demote", "drain") else []
    return _last_one(command, lost, snapshot) if lost else None


def quitting(running: int) -> Question:
    """What to ask before leaving while requests run."""
    count = f"{running} request{'s' if running != 1 else ''} {'run' if running != 1 else 'runs'}"
    ends = "The gateway ends with this screen: it takes nothing new and lets these finish first."
    return Question(f"Quit while {count}?", ends, "quit")


def undo_of(provider: ProviderView, now: int) -> Command:
    """The command that restores the provider's present override, for as long as it still has to run."""
    from crtui.core.inputs import Command

    override = provider.operator
    left = None if override.until is None else max(1, override.until - now)
    return Command(_PUTS_BACK[override.override], provider.name, left)


def answer(command: Command, *, short: bool = False) -> str:
    """What was asked of the gateway, in a few words; ``short`` leaves out of whom."""
    if command.command == "paid":
        return "paid providers: " + ("allowed" if command.allow else "stopped")
    return f"{'' if short else command.provider} {_DONE[command.command]}".strip()


def _pulling(name: str, snapshot: Snapshot) -> Question:
    declared = next(p.declared for p in snapshot.providers if p.name == name)
    missing = (declared and declared.missing) or ()
    count = f"{len(missing)} model{'s' if len(missing) != 1 else ''}"
    told = f"Fetches {', '.join(missing)} beside everything else; once stopped, it goes on where it was."
    return Question(f"Pull {count} to {name}?", told, "pull")


def _loses_last(name: str, snapshot: Snapshot) -> list[str]:
    """The profiles in which this provider is the only one that is plainly eligible."""
    eligible = {p.name for p in snapshot.providers if p.standing == "eligible"}
    if name not in eligible:
        return []
    return [p.name for p in snapshot.profiles if name in p.order and not (eligible & set(p.order)) - {name}]


def _last_one(command: Command, profiles: list[str], snapshot: Snapshot) -> Question:
    where = ("profile " if len(profiles) == 1 else "profiles ") + ", ".join(profiles)
    alone = all(set(p.order) == {command.provider} for p in snapshot.profiles if p.name in profiles)
    if command.command == "demote":
        others = "nobody else is there" if alone else "after every other demoted provider"
        result = f"requests still go to it, {others}."
    elif alone:
        result = "requests there fail until it is released."
    else:
        result = "requests there go to demoted providers, or fail until one recovers."
    verb = command.command
    then = plain(foretold(command, snapshot, 80)).removeprefix("then ")
    told = f"It is the last eligible provider of {where}: {result} Order then: {then}."
    return Question(f"{verb.capitalize()} {command.provider}?", told, verb)
