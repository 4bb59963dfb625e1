"""One provider in detail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll

from crtui.tui.chart import latency_chart
from crtui.tui.detail import change_lines, heading, request_lines, speed_lines
from crtui.tui.frame import Frame
from crtui.tui.keys import bindings
from crtui.tui.line import Line, Span
from crtui.tui.order import entries
from crtui.tui.pulls import model_lines
from crtui.tui.quota_lines import burn_lines, window_lines
from crtui.tui.screens.reader import ReaderScreen
from crtui.tui.widgets.lines import LineView
from crtui.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from crtui.core.views import ProviderView

    Writer = Callable[[ProviderView, Frame, int, int], Sequence[Line]]


class ProviderScreen(ReaderScreen):
    """State, limits, speed, requests, changes and models of one provider."""

    PLACE = "provider"
    PAGE = "#detail"
    BINDINGS: ClassVar[list[BindingType]] = bindings("provider")

    def __init__(self, provider: str) -> None:
        super().__init__()
        self._shown = provider

    @property
    def selected(self) -> str | None:
        """The provider shown."""
        return self._shown

    def compose(self) -> ComposeResult:
        """The heading, three rows of two panels (one below the other where it is narrow), the keys."""
        yield Panel(self._about(lambda p, f, w, _: heading(f, p, w)), id="heading")
        with VerticalScroll(id="detail", can_focus=False):
            with Horizontal(classes="pair", id="pair-limits"):
                yield self._panel("Quota", lambda p, f, w, _: window_lines(p, w, f.now, f.zone))
                yield self._panel("Burn & cost", _burn)
            with Horizontal(classes="pair", id="pair-speed"):
                yield self._panel("Latency", self._speed)
                yield self._panel(
                    "Last requests", lambda p, f, w, h: request_lines(f.log.of(p.name), w, h, f)
                )
            with Horizontal(classes="pair", id="pair-past"):
                yield self._panel(
                    "Changes", lambda p, f, w, h: change_lines(f.log.changes_of(p.name), w, h, f)
                )
                yield self._panel("Models", lambda p, f, w, _: model_lines(p, w, f))
        yield LineView(id="keys")
        yield LineView(id="small")

    def do_previous(self) -> None:
        """The provider before this one in the chain."""
        self._step(-1)

    def do_next(self) -> None:
        """The provider after this one in the chain."""
        self._step(1)

    def rename(self, name: Callable[[str], str]) -> None:
        """Show the same provider under its other name."""
        self._shown = name(self._shown)

    def row_text(self) -> str:
        """The provider's name and reason, for the clipboard."""
        return "\n".join("".join(span.text for span in line).strip() for line in self._heading_lines())

    def _heading_lines(self) -> tuple[Line, ...]:
        return self.query_one("#heading", Panel).lines

    def _step(self, by: int) -> None:
        if self.frame is None or self.frame.snapshot is None:
            return
        names = [entry.provider.name for entry in entries(self.frame.snapshot)]
        at = names.index(self._shown) if self._shown in names else 0
        self._shown = names[(at + by) % len(names)]
        self.repaint()

    def _panel(self, title: str, write: Writer) -> Panel:
        return Panel(self._about(write), title=title, classes="framed")

    def _about(self, write: Writer) -> Callable[[Frame, int, int], Sequence[Line]]:
        def lines(frame: Frame, width: int, height: int) -> Sequence[Line]:
            provider = frame.provider(self._shown)
            if provider is None:
                return [(Span(f"{self._shown} is no longer configured", "warn"),)]
            return write(provider, frame, width, height)

        return lines

    def _speed(self, provider: ProviderView, _frame: Frame, width: int, height: int) -> Sequence[Line]:
        numbers = speed_lines(provider, width)
        return [
            *numbers,
            *latency_chart(provider.latency.recent_ms, width, height - len(numbers), self.plotter),
        ]


def _burn(provider: ProviderView, frame: Frame, width: int, _height: int) -> Sequence[Line]:
    return burn_lines(provider, width, frame.now, frame.zone, money=not frame.masked)
