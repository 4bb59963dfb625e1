"""The dashboard: summary, providers, quota, latency, events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from crtui.actions import Action
from crtui.clock import Clock
from crtui.tui.board import Board
from crtui.tui.chart import ChartPanel
from crtui.tui.empty import empty_lines, hint_lines
from crtui.tui.feed import FeedPanel
from crtui.tui.forecast import ForecastLines
from crtui.tui.frame import Frame
from crtui.tui.keybar import key_bar
from crtui.tui.keys import bindings
from crtui.tui.line import Line, Span, plain
from crtui.tui.order import Entry, next_server
from crtui.tui.quota_lines import quota_panel
from crtui.tui.screens.painted import PaintedScreen
from crtui.tui.strip import strip_lines
from crtui.tui.summary import summary
from crtui.tui.widgets.filterbar import FilterBar
from crtui.tui.widgets.header import TableHeader
from crtui.tui.widgets.lines import LineView
from crtui.tui.widgets.panel import Panel
from crtui.tui.widgets.table import ProviderTable

PANELS: Final = ("table", "quota", "forecast", "chart", "events")


class DashboardScreen(PaintedScreen):
    """Everything at a glance. The order of rows is its own: never changed under a moving cursor."""

    PLACE = "dashboard"
    BINDINGS: ClassVar[list[BindingType]] = bindings("dashboard", "fleet")

    def __init__(self, clock: Clock, frame: Frame) -> None:
        """``frame`` is what it shows from its first moment."""
        super().__init__()
        self.frame = frame
        self._furnished = frame.snapshot is not None
        self._board = Board(clock)
        self._everything = False
        self._zoomed: str | None = None
        self._feed = FeedPanel()
        self._chart = ChartPanel()
        self._lanes = ForecastLines()

    def compose(self) -> ComposeResult:
        """All parts; the style sheet decides which of them a size shows.

        Those that only pictures of a gateway fill wait for ``furnish`` while there is none.
        """
        yield Panel(lambda frame, width, _: summary(frame, width), id="summary")
        yield Panel(_fleet, id="fleet")
        if self._furnished:
            yield self._body()
        yield Panel(lambda frame, width, _: empty_lines(frame, width), id="empty")
        yield Panel(self._strip, id="strip")
        if self._furnished:
            yield FilterBar(id="filter")
        yield LineView(id="keys")
        yield LineView(id="small")

    def _body(self) -> Horizontal:
        return Horizontal(
            Vertical(
                TableHeader(id="header"),
                ProviderTable(id="table"),
                Panel(lambda frame, width, _: hint_lines(frame, width), id="hint"),
                Panel(self._events, title="Events", follow=True, id="events", classes="framed"),
                id="main",
            ),
            Vertical(
                Panel(self._quota, title="Quota & burn", id="quota", classes="framed"),
                Panel(self._lanes.lines, title="Forecast", id="forecast", classes="framed"),
                Panel(self._latency, title="Latency", id="chart", classes="framed"),
                id="side",
            ),
            id="body",
        )

    async def furnish(self) -> None:
        """Put up what the first frame did not wait for."""
        if self._furnished:
            return
        with self.app.batch_update():
            await self.mount(self._body(), after="#fleet")
            await self.mount(FilterBar(id="filter"), before="#keys")
            self._furnished = True
            self.on_mount()

    @property
    def selected(self) -> str | None:
        """The provider under the cursor; none where the table is not shown."""
        hidden = self.has_class("-strip") or self.app.has_class("-strip-only")
        return None if hidden or not self._furnished else self.query_one(ProviderTable).selected

    def on_mount(self) -> None:
        """The table has the keys. Painted ahead, the parts know what to draw when they get their size."""
        self.repaint()
        if self._furnished:
            self.query_one(ProviderTable).focus()

    def perform(self, action: Action) -> bool:
        """As ever; what is not there yet does nothing."""
        return super().perform(action) if self._furnished else hasattr(self, f"do_{action.id}")

    def paint(self, frame: Frame) -> None:
        """Show a frame; every part repaints only what changed in it."""
        self.frame = frame
        self.set_class(frame.scene in ("connecting", "lost", "empty"), "-empty")
        self.set_class(frame.scene == "idle", "-hint")
        self.set_class(frame.snapshot is not None and frame.snapshot.forecast is not None, "-foretold")
        if self._furnished:
            for name in ("header", *PANELS):
                self.query_one(f"#{name}", LineView).fade(frame.stale)
            self._paint_table(frame)
        for panel in self.query(Panel):
            panel.paint(frame)
        self.paint_keys()

    def _paint_table(self, frame: Frame) -> None:
        view = self.query_one(ProviderTable)
        self._board.calm = self.app.has_class("-calm")
        made = self._board.table(frame, view.columns, view.seen) if view.columns else None
        if made is None or frame.snapshot is None:
            return
        self.query_one(TableHeader).show(made)
        view.show(made, next_server(frame.snapshot))
        self.query_one(FilterBar).count(len(self._board.shown), self._board.total)

    def _strip(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        lines = strip_lines(frame, width, height)
        if self.flash is not None:
            return [*lines[: height - 1], (Span(" "), *self.flash)]
        if frame.behind is not None:
            from crtui.tui.travel import past_bar

            return [*lines[: height - 1], past_bar(frame, width)]
        spare = len(lines) < height
        return [*lines, key_bar(self._keys(frame), width, None)] if spare else lines

    def paint_keys(self) -> None:
        """Also where the strip stands in for the key bar; of the filter, while every key goes there."""
        if self.has_class("-filtering"):
            bar = self.query_one("#keys", LineView)
            enter = "Enter" if self.app.has_class("-ascii") else "⏎"
            bar.set_lines([_filter_keys(enter)])
            return
        super().paint_keys()
        if self.frame is not None:
            self.query_one("#strip", Panel).paint(self.frame)

    def _quota(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        if frame.snapshot is None:
            return ()
        return quota_panel(frame.snapshot, width, height, frame.now, frame.zone)

    def _latency(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        provider = frame.provider(self.selected)
        self.query_one("#chart", Panel).retitle(f"Latency: {provider.name}" if provider else "Latency")
        return self._chart.lines(provider, frame.now, width, height, self.plotter)

    def _events(self, frame: Frame, width: int, _height: int) -> Sequence[Line]:
        return self._feed.lines(frame.log, width, frame.zone, everything=self._everything)

    @on(ProviderTable.Selected)
    def _selected(self) -> None:
        if self.frame is not None:
            self.query_one("#chart", Panel).paint(self.frame)
            self.paint_keys()

    @on(ProviderTable.Resized)
    def _table_resized(self) -> None:
        if self.frame is not None:
            self._paint_table(self.frame)

    @on(FilterBar.Changed)
    def _filtered(self, event: FilterBar.Changed) -> None:
        self._board.filter = event.text
        self.set_class(bool(event.text), "-filtered")
        self.repaint()

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        self.remove_class("-filtering")
        self.paint_keys()
        self.query_one(ProviderTable).focus()

    def takes(self, key: events.Key) -> bool:
        """The open filter takes every key, though the focus moves to it only after the one that opens it."""
        return self.has_class("-filtering") and self.query_one(FilterBar).take(key)

    def do_filter(self) -> None:
        """Open the filter bar, if there is a table to filter."""
        if not self.query_one("#body").display:
            self.post_message(self.Said((Span("there is no table to filter here", "dim"),)))
            return
        self.add_class("-filtering")
        self.flash = None
        self.paint_keys()
        self.query_one(FilterBar).open()

    def do_clear(self) -> None:
        """One step back: drop the filter, then the zoom, then go to the table."""
        if self._board.filter:
            self.query_one(FilterBar).clear()
        elif self._zoomed:
            self._zoom(None)
        else:
            self.query_one(ProviderTable).focus()

    def do_up(self) -> None:
        """One line up."""
        self._move(-1)

    def do_down(self) -> None:
        """One line down."""
        self._move(1)

    def do_page_up(self) -> None:
        """One page up."""
        self._move(-max(1, self._moving.rows - 1))

    def do_page_down(self) -> None:
        """One page down."""
        self._move(max(1, self._moving.rows - 1))

    def do_top(self) -> None:
        """To the first line."""
        self._move(-1_000_000)

    def do_bottom(self) -> None:
        """To the last line."""
        self._move(1_000_000)

    @property
    def _moving(self) -> LineView:
        return self.focused if isinstance(self.focused, LineView) else self.query_one(ProviderTable)

    def _move(self, rows: int) -> None:
        self._board.moved()
        if isinstance(self._moving, ProviderTable):
            self._moving.move(rows)
        else:
            self._moving.scroll_relative(y=rows, animate=False, immediate=True)

    def do_sort(self) -> None:
        """The next sort order."""
        self._sorted(self._board.next_sort())

    def do_sort_reverse(self) -> None:
        """The same order the other way round."""
        self._sorted(self._board.turn())

    @on(TableHeader.Clicked)
    def _header_clicked(self, event: TableHeader.Clicked) -> None:
        """Sort by that column; the second click turns the order round."""
        self._sorted(self._board.sort_by(event.sort))

    def _sorted(self, order: str) -> None:
        self.post_message(self.Said((Span("sorted by ", "dim"), Span(order, "bright"))))
        self.repaint()

    def do_events(self) -> None:
        """Every event, or only the notable ones."""
        self._everything = not self._everything
        self.query_one("#events", Panel).retitle("Events: all" if self._everything else "Events")
        self.repaint()

    def do_zoom(self) -> None:
        """The focused panel alone, or all again."""
        here = self.focused.id if self.focused is not None else None
        self._zoom(None if self._zoomed else here if here in PANELS else "table")

    def do_panel_1(self) -> None:
        """To the table."""
        self._to_panel("table")

    def do_panel_2(self) -> None:
        """To quota & burn."""
        self._to_panel("quota")

    def do_panel_3(self) -> None:
        """To the latency chart."""
        self._to_panel("chart")

    def do_panel_4(self) -> None:
        """To the events."""
        self._to_panel("events")

    def do_panel_5(self) -> None:
        """To the forecast."""
        self._to_panel("forecast")

    def _to_panel(self, name: str) -> None:
        """Focus a panel; one that this size has no room for gets the whole screen."""
        if self._zoomed:
            self._zoom(name)
        view = self.query_one(f"#{name}", LineView)
        if not all(node.display for node in view.ancestors_with_self):
            self._zoom(name)
        view.focus()

    def _zoom(self, name: str | None) -> None:
        self._zoomed = name
        for panel in PANELS:
            self.set_class(panel == name, f"-zoom-{panel}")
        self.set_class(name is not None, "-zoomed")
        self.query_one(f"#{name or 'table'}", LineView).focus()
        self.call_after_refresh(self.repaint)

    def rename(self, name: Callable[[str], str]) -> None:
        """The cursor and the order of rows stay as they are."""
        if self._furnished:
            self.query_one(ProviderTable).rename(name)
        self._board.rename(name)

    def rows_shown(self) -> Sequence[Entry]:
        """The rows of the table, filtered and in their order."""
        return self._board.shown

    def row_text(self) -> str:
        """The selected row as plain text."""
        if not self._furnished:
            return ""
        view = self.query_one(ProviderTable)
        row = view.cursor_row
        return "" if row is None else plain(view.lines[row]).strip()


def _filter_keys(enter: str) -> Line:
    keys = ((f" {enter}", "keep"), ("   Esc", "clear"))
    told = [span for key, label in keys for span in (Span(key, "key"), Span(f" {label}", "dim"))]
    return (Span(" type to filter  ", "dim"), *told)


def _fleet(frame: Frame, width: int, _height: int) -> Sequence[Line]:
    if not frame.fleet:
        return ()
    from crtui.tui.fleet import fleet_line

    return (fleet_line(frame.fleet, width),)
