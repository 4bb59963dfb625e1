"""From keys to commands: toggled, asked about, refused, undone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crtui.actions import BY_ID
from crtui.clock import ManualClock
from crtui.core.inputs import Command
from crtui.core.now import MINUTE
from crtui.core.views import Snapshot
from crtui.engine.link import LinkStatus
from crtui.tui.desk import Order, OrderDesk, Refused
from crtui.tui.line import plain
from crtui.tui.orders import question
from tests.fakes import snapshots as fake
from tests.tui.conftest import FakeLink

PAIR = fake.snapshot(fake.provider("a"), fake.provider("b"))


def desk(latest: Snapshot | None = PAIR) -> tuple[OrderDesk, FakeLink]:
    link = FakeLink(latest)
    return OrderDesk(link, ManualClock(wall=fake.NOW)), link


def prepared(made: OrderDesk, action: str, selected: str | None = "a", *, read_only: bool = False) -> Order:
    order = made.prepare(BY_ID[action], selected, read_only=read_only)
    assert isinstance(order, Order), order
    return order


def refused(made: OrderDesk, action: str, selected: str | None = "a", *, read_only: bool = False) -> str:
    answer = made.prepare(BY_ID[action], selected, read_only=read_only)
    assert isinstance(answer, Refused), answer
    return plain(answer.told)


@pytest.mark.parametrize("name", ["demote", "drain", "pin", "reset"])
def test_a_key_is_a_command_to_the_selected_provider(name: str) -> None:
    order = prepared(desk()[0], name)
    assert order == Order(Command(name, "a"), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "override"), [("demote", "demoted"), ("drain", "drained"), ("pin", "pinned")]
)
def test_the_same_key_again_releases(name: str, override: str) -> None:
    made, _ = desk(fake.snapshot(fake.overridden("a", override), fake.provider("b")))
    assert prepared(made, name).command == Command("release", "a")


def test_another_override_is_replaced_not_released() -> None:
    made, _ = desk(fake.snapshot(fake.overridden("a", "pinned"), fake.provider("b")))
    assert prepared(made, "demote").command == Command("demote", "a")


def test_undo_puts_the_override_back_for_the_time_it_still_had() -> None:
    made, link = desk(fake.snapshot(fake.overridden("a", "drained", 20 * MINUTE), fake.provider("b")))
    made.send(Command("pin", "a"))
    undo = prepared(made, "undo").command
    assert undo == Command("drain", "a", for_ms=20 * MINUTE)
    made.send(undo)
    assert link.sent == [Command("pin", "a"), undo]


def test_undo_of_a_first_override_releases() -> None:
    made, _ = desk()
    assert "a demoted" in plain(made.send(Command("demote", "a")))
    assert prepared(made, "undo").command == Command("release", "a")


def test_a_reset_cannot_be_undone() -> None:
    made, _ = desk()
    made.send(Command("demote", "a"))
    assert plain(made.send(Command("reset", "a"))) == "a reset"
    assert refused(made, "undo") == "nothing to undo"


def test_the_last_eligible_provider_is_asked_about_with_its_consequence() -> None:
    made, _ = desk(fake.snapshot(fake.provider("a"), fake.unhealthy("b", 1000)))
    order = prepared(made, "drain")
    assert order.question is not None
    assert order.question.text == "Drain a?"
    assert "last eligible provider of profile default" in order.question.consequence
    assert order.question.consequence.endswith("Order then: b.")


@pytest.mark.parametrize(
    ("order_", "words"),
    [("demote", "still go to it, nobody else is there."), ("drain", "there fail until it is released.")],
)
def test_nobody_else_is_promised_where_there_is_nobody(order_: str, words: str) -> None:
    made, _ = desk(fake.snapshot(fake.provider("a")))
    question = prepared(made, order_).question
    assert question is not None
    assert words in question.consequence
    assert "demoted provider" not in question.consequence


def test_an_ill_provider_is_demoted_without_a_question() -> None:
    made, _ = desk(fake.snapshot(fake.provider("a"), fake.unhealthy("b", 1000)))
    assert prepared(made, "demote", "b").question is None


def test_allowing_paid_providers_is_asked_about_stopping_them_is_not() -> None:
    paid = fake.snapshot(fake.provider("openrouter", paid=True))
    asked = prepared(desk(paid)[0], "paid")
    assert asked.command == Command("paid", allow=True)
    assert asked.question is not None
    assert "openrouter" in asked.question.consequence
    allowed = replace(paid, gateway=replace(paid.gateway, allow_paid=True))
    assert prepared(desk(allowed)[0], "paid") == Order(Command("paid", allow=False), None)


def test_resetting_all_is_asked_about() -> None:
    order = prepared(desk()[0], "reset_all", None)
    assert order.command == Command("reset_all")
    assert order.question == question(Command("reset_all"), PAIR)


def test_read_only_sends_nothing() -> None:
    made, link = desk()
    assert refused(made, "demote", read_only=True).startswith("read-only")
    assert link.sent == []


def test_without_a_connection_nothing_is_sent_and_r_tries_again() -> None:
    made, link = desk()
    link.status = LinkStatus("lost", fake.URL)
    assert refused(made, "demote") == "not connected: nothing was sent"
    assert refused(made, "reset") == "trying again now"
    assert (link.sent, link.retries) == ([], 1)


def test_without_a_selection_a_providers_key_does_nothing() -> None:
    assert refused(desk()[0], "pin", None) == "no provider is selected"
    assert refused(desk()[0], "undo", None) == "nothing to undo"


@pytest.mark.parametrize("width", [36, 42, 60, 120])
def test_the_order_that_follows_is_told_and_the_undo_stays_readable(width: int) -> None:
    made, _ = desk(fake.busy())
    told = plain(made.send(Command("demote", "anthropic-max"), width))
    assert told.endswith(" · u undo")
    assert "then anthropic" in told
    assert len(told) <= width
