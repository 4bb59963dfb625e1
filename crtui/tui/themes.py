"""The colours: the only place with literal ones. Everything else names a role or a semantic variable."""

from __future__ import annotations

from typing import Final

from textual.color import Color
from textual.theme import Theme

DARK: Final = Theme(
    name="crtui-dark",
    dark=True,
    primary="#7aa2f7",
    secondary="#8a94b8",
    accent="#7dcfff",
    success="#9ece6a",
    warning="#e0af68",
    error="#f7768e",
    foreground="#d5d9e6",
    background="#11131a",
    surface="#181b25",
    panel="#232838",
    variables={
        "info": "#89b4fa",
        "chart": "#6480b8",
        "dim": "#9aa1b5",
        "faint": "#646b80",
        "cursor": "#2a3147",
        "border-quiet": "#333a50",
    },
)
LIGHT: Final = Theme(
    name="crtui-light",
    dark=False,
    primary="#2f5fb3",
    secondary="#5a6478",
    accent="#0b7285",
    success="#2b7a3d",
    warning="#9a5b00",
    error="#b3243f",
    foreground="#1d2433",
    background="#fbfbfd",
    surface="#f1f3f7",
    panel="#e3e7ef",
    variables={
        "info": "#2f5fb3",
        "chart": "#6b8cc9",
        "dim": "#586174",
        "faint": "#8a93a6",
        "cursor": "#dbe4f6",
        "border-quiet": "#c5ccda",
    },
)
BLUE_ORANGE: Final = Theme(
    name="crtui-blue-orange",
    dark=True,
    primary="#56b4e9",
    secondary="#8a94a8",
    accent="#f0e442",
    success="#56b4e9",
    warning="#e69f00",
    error="#ff7a1a",
    foreground="#dfe3ea",
    background="#101216",
    surface="#171a20",
    panel="#232831",
    variables={
        "info": "#9ad0f0",
        "chart": "#6d97b0",
        "dim": "#a0a7b4",
        "faint": "#6a717d",
        "cursor": "#263243",
        "border-quiet": "#363d49",
    },
)
THEMES: Final = (DARK, LIGHT, BLUE_ORANGE)
CHOICES: Final = {
    "dark": DARK.name,
    "light": LIGHT.name,
    "blue-orange": BLUE_ORANGE.name,
    "ansi": "ansi-dark",
}
"""The themes by the names a config has for them; ``ansi`` is in the terminal's own colours."""


def stand_ins(theme: Theme) -> dict[str, str]:
    """Our own colour names in the colours that any theme has."""
    colors = theme.to_color_system().generate()
    if theme.ansi:
        quiet = dict.fromkeys(("chart", "dim", "faint", "cursor", "border-quiet"), "ansi_bright_black")
        return {"info": colors["primary"], **quiet}
    back, front = Color.parse(colors["background"]), Color.parse(colors["foreground"])
    return {
        "info": colors["primary"],
        "chart": back.blend(Color.parse(colors["primary"]), 0.7).hex,
        "dim": back.blend(front, 0.65).hex,
        "faint": back.blend(front, 0.4).hex,
        "cursor": back.blend(front, 0.15).hex,
        "border-quiet": back.blend(front, 0.2).hex,
    }
