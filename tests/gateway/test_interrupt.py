"""The one way a request is stopped from outside leaves nothing behind."""

from __future__ import annotations

import asyncio

import pytest

from crtui.gateway.interrupt import Interrupt, Patience, Reason


async def stopped(*reasons: Reason) -> Reason | None:
    """Fire every reason at once at this task; what is taken."""
    interrupt = Interrupt()
    for reason in reasons:
        asyncio.get_running_loop().call_soon(interrupt.fire, reason)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return interrupt.take()
    return None


@pytest.mark.parametrize(
    ("reasons", "taken"),
    [
        (("late",), "late"),
        (("late", "gone"), "gone"),
        (("gone", "late"), "gone"),
        (("stopping", "late", "stuck"), "stopping"),
    ],
)
async def test_however_many_reasons_there_is_one_cancellation(
    reasons: tuple[Reason, ...], taken: Reason
) -> None:
    assert await stopped(*reasons) == taken
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_a_cancellation_by_somebody_else_is_not_taken_for_ours() -> None:
    async def work() -> None:
        interrupt = Interrupt()
        interrupt_later.append(interrupt)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            assert interrupt.take() is None
            raise

    interrupt_later: list[Interrupt] = []
    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    interrupt_later[0].fire("late")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_after_its_end_nothing_stops_a_request() -> None:
    interrupt = Interrupt()
    interrupt.close()
    interrupt.fire("gone")
    await asyncio.sleep(0)
    assert interrupt.take() is None


async def test_patience_blames_whoever_is_waited_for() -> None:
    for busy, expected in ((False, "late"), (True, "stuck")):
        interrupt = Interrupt()
        patience = Patience(interrupt, 0.01)
        if busy:
            patience.client_busy()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.Event().wait()
        assert interrupt.take() == expected
        patience.close()
