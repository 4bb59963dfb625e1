"""The gateway on a thread and loop of its own, so that no paint and no stalled terminal holds it up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from crtui.engine.local import LocalLink
from crtui.errors import CrtuiError
from crtui.modes.pace import BESIDE_A_SCREEN, settle

if TYPE_CHECKING:
    # Building imports the HTTP stack; the first frame must not wait for that.
    from crtui.compose import Stack

DRAIN_S: Final = 10.0
JOIN_SLACK_S: Final = 5.0

Build = Callable[[], Awaitable["Stack"]]
Beside = Callable[["Stack"], Awaitable[None]]


class GatewayThread:
    """Runs one stack from ``start`` to ``stop``.

    ``build`` makes the stack on the thread's loop (discovery may take a moment there), ``beside``
    runs next to it (the demo's traffic). ``on_failure`` is called, on that thread, when it dies of
    itself; ``failure`` then says of what.
    """

    def __init__(
        self,
        build: Build,
        link: LocalLink,
        *,
        on_failure: Callable[[], None],
        beside: Beside | None = None,
        cleanup: Callable[[], Awaitable[None]] | None = None,
        drain_s: float = DRAIN_S,
    ) -> None:
        self._build = build
        self._link = link
        self._on_failure = on_failure
        self._beside = beside
        self._cleanup = cleanup
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._stack: Stack | None = None
        self._drain_s = drain_s
        self._thread = threading.Thread(target=self._run, name="crtui-gateway", daemon=True)
        self.failure: BaseException | None = None
        self.unread: list[str] = []
        """Notices of what went wrong while it stopped: no screen shows them any more."""

    @property
    def running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, drain_s: float | None = None) -> None:
        """Drain for at most ``drain_s`` real seconds, end everything, and wait for that.

        Called again, it drains no more.
        """
        again = self._stopping is not None and self._stopping.is_set()
        if drain_s is not None:
            self._drain_s = drain_s
        if self._loop is not None and self._stopping is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            if again and self._stack is not None:
                self._loop.call_soon_threadsafe(self._stack.hurry)
        self._thread.join(self._drain_s + JOIN_SLACK_S)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._main())
        except BaseException as fault:
            self.failure = fault
            self._link.fail(_words(fault))
            self._on_failure()

    async def _main(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        try:
            stack = self._stack = await self._build()
            await stack.start()
            settle(BESIDE_A_SCREEN)
            try:
                await self._serve(stack, self._stopping)
            finally:
                stack.engine.notices.listen(self.unread.append)
                await stack.stop(self._drain_s)
        finally:
            if self._cleanup is not None:
                await self._cleanup()

    async def _serve(self, stack: Stack, stopping: asyncio.Event) -> None:
        """Run until told to stop; whatever must not end and does is raised."""
        told = asyncio.ensure_future(stopping.wait())
        parts: list[Awaitable[None]] = [stack.failure(), self._link.publish(stack.engine)]
        if self._beside is not None:
            parts.append(self._beside(stack))
        running = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait((told, *running), return_when=asyncio.FIRST_COMPLETED)
            if told not in done:
                raise next(iter(done)).exception() or RuntimeError("a part of the gateway has ended")
        finally:
            for task in (told, *running):
                task.cancel()
            await asyncio.gather(told, *running, return_exceptions=True)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _words(fault: BaseException) -> str:
    return str(fault) if isinstance(fault, CrtuiError) else f"internal error: {type(fault).__name__}: {fault}"
