"""Writes of one turn: the first at once, the others at its end, all in their order."""

from __future__ import annotations

import asyncio

from crtui.gateway.outbox import Outbox


class Line(asyncio.Transport):
    """Keeps what is sent; nothing any more once it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.sent += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


async def test_the_first_write_goes_at_once_and_the_others_when_the_turn_is_over() -> None:
    box, a, b = Outbox(), Line(), Line()
    box.write(a, b"1")
    box.write(b, b"2")
    box.write(a, b"3", b"4")
    assert (a.sent, b.sent) == (b"1", b"")
    await asyncio.sleep(0)
    assert (a.sent, b.sent) == (b"134", b"2")
    box.write(b, b"5")
    assert b.sent == b"25"
    await asyncio.sleep(0)


async def test_closing_sends_what_waits_first() -> None:
    box, a, b = Outbox(), Line(), Line()
    box.write(a, b"1")
    box.write(b, b"2")
    box.write(a, b"3")
    box.close(a)
    assert (a.sent, b.sent, a.closed) == (b"13", b"2", True)
    await asyncio.sleep(0)


async def test_what_waits_for_a_connection_that_has_gone_is_dropped() -> None:
    box, a, b = Outbox(), Line(), Line()
    box.write(a, b"1")
    box.write(b, b"2")
    b.close()
    await asyncio.sleep(0)
    assert (a.sent, b.sent) == (b"1", b"")
