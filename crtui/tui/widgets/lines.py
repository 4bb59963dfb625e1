"""The base of every widget here: shows lines of spans, one strip a line, and repaints only changed lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from crtui.tui.glyphs import plain_ascii
from crtui.tui.line import EMPTY, Line, Role, Span, fit, printable


class LineView(ScrollView, can_focus=False, inherit_bindings=False):
    """Lines of spans, scrolled vertically where there are more of them than rows."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.lines: tuple[Line, ...] = ()
        self._given: Sequence[Line] | None = None
        self._strips: dict[int, tuple[int, bool, Strip]] = {}
        self._looks: dict[Role, Style] = {}
        self._faded = False

    @property
    def columns(self) -> int:
        """The cells a line has, without border, padding and scrollbar."""
        return self.scrollable_content_region.width

    @property
    def rows(self) -> int:
        """The lines that are visible at once."""
        return self.scrollable_content_region.height

    @property
    def seen(self) -> range:
        """The numbers of the lines that are visible."""
        return range(self.scroll_offset.y, self.scroll_offset.y + self.rows)

    @property
    def cursor_row(self) -> int | None:
        """The line that is highlighted; none here."""
        return None

    def set_lines(self, lines: Sequence[Line]) -> int:
        """Show these lines; returns how many of them differ from those shown before.

        A list that is given again is taken to be as it was.
        """
        if lines is self._given:
            return 0
        self._given = lines
        before, self.lines = self.lines, tuple(lines)
        if len(before) != len(self.lines):
            self.virtual_size = Size(0, len(self.lines))
            self.redraw()
            return max(len(before), len(self.lines))
        pairs = zip(before, self.lines, strict=True)
        changed = [row for row, (old, new) in enumerate(pairs) if old is not new and old != new]
        seen = self.seen
        for row in changed:
            self._strips.pop(row, None)
            if row in seen:
                self.refresh_line(row)
        return len(changed)

    def redraw(self) -> None:
        """Paint everything anew."""
        self._strips.clear()
        self.refresh()

    def redraw_row(self, row: int) -> None:
        """Paint one line anew, if it is visible."""
        self._strips.pop(row, None)
        if row in self.seen:
            self.refresh_line(row)

    def fade(self, faded: bool) -> None:
        """Show every role alike and faint, for what is no longer true."""
        if faded != self._faded:
            self._faded = faded
            self.redraw()

    def notify_style_update(self) -> None:
        """The theme or a class changed: no painted strip holds any longer."""
        super().notify_style_update()
        self._strips.clear()
        self._looks.clear()

    def render_line(self, y: int) -> Strip:
        """One visible line as a strip exactly as wide as the widget."""
        row, width = y + self.scroll_offset.y, self.columns
        lit = row == self.cursor_row
        known = self._strips.get(row)
        if known is not None and known[0] == width and known[1] == lit:
            return known[2]
        line = self.lines[row] if row < len(self.lines) else EMPTY
        strip = self._strip(line, width, lit=lit)
        self._strips[row] = (width, lit, strip)
        return strip

    def _strip(self, line: Line, width: int, *, lit: bool) -> Strip:
        over = self._look("cursor") if lit else Style.null()
        write = plain_ascii if self.app.has_class("-ascii") else printable
        segments: list[Segment] = []
        for text, role in _joined(fit(line, width)):
            style = self._style(role)
            segments.append(Segment(write(text), style + over if lit else style))
        return Strip(segments).adjust_cell_length(width, self._style("text") + over)

    def _style(self, role: Role) -> Style:
        shown: Role = "faint" if self._faded else role
        if shown not in self._looks:
            self._looks[shown] = self.rich_style + self._look(shown)
        return self._looks[shown]

    def _look(self, name: str) -> Style:
        """What the style sheet says of a role. It is the app's, for a set of them in every widget is slow."""
        return self.app.get_component_styles(f"role--{name}").partial_rich_style


def _joined(line: Line) -> Iterator[Span]:
    """The spans, mere spaces joined to the one before: each takes time to compose and to send."""
    last: Span | None = None
    for span in line:
        blank = span.text.isspace() and last is not None and last.role != "past"  # which has a ground
        if last is not None and (blank or span.role == last.role):
            last = Span(last.text + span.text, last.role)
        else:
            if last is not None:
                yield last
            last = span
    if last is not None:
        yield last
