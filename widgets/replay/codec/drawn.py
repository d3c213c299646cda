"""What the page draws and offers, which replays only leave parts out of: colours, signs, layers and keys."""

from __future__ import annotations

from collections.abc import Container

PALETTES = {
    "light": {
        "page": "#ffffff",
        "raised": "#f6f8fa",
        "text": "#1c2128",
        "muted": "#57606a",
        "hairline": "#d0d7de",
        "accent": "#0072b2",
        "onMark": "#ffffff",
        "floor": "#ffffff",
        "wall": "#b4bcc6",
        "grid": "#1c212812",
        "good": "#1a7f37",
        "bad": "#c62828",
        "cold": "#1f6feb",
        "gain": "#9a6700",
        "talk": "#6e5494",
        "fog": "#1c21286b",
        "heat": "#d55e00",
        "series": ["#0072b2", "#d55e00", "#008a62", "#b5477d", "#8a6d00", "#5a5fc8", "#3f8f9b", "#7a4b2a"],
    },
    "dark": {
        "page": "#14171c",
        "raised": "#1c2128",
        "text": "#e6edf3",
        "muted": "#a0a8b3",
        "hairline": "#30363d",
        "accent": "#56b4e9",
        "onMark": "#14171c",
        "floor": "#14171c",
        "wall": "#484f59",
        "grid": "#e6edf312",
        "good": "#4ac26b",
        "bad": "#ff8a80",
        "cold": "#6cb0ff",
        "gain": "#e3b341",
        "talk": "#c3a6ff",
        "fog": "#00000099",
        "heat": "#ff9248",
        "series": ["#56b4e9", "#ff9248", "#2fc79a", "#e58fbc", "#e6c84f", "#9ba2ff", "#74cbd6", "#c9966f"],
    },
}
"""Colours for canvases: `viewer.css` has the same for the page. The series is safe for common colour blindnesses."""

GROUPINGS = (("all", "all agents"), ("team", "each team"), ("agent", "each agent"))
"""What a line of the chart stands for."""

REWARDS = (("reward", "reward per step"), ("total", "reward so far"))
"""What can be charted of any replay."""

GLYPHS = {
    "wait": "M-1 0H1",
    "move": "M0 5V-4.5M-3.5-1 0-4.5 3.5-1",
    "stuck": "M-3-3.5 0-.5 3-3.5",
    "turn": "M1.2-3.8A4 4 0 1 1-3.8-1.2M-2-5.5 1.5-4-1.5-1",
    "take": "M0-5V2M-3-1 0 2 3-1M-4.5 5H4.5",
    "give": "M0 2V-5M-3-2 0-5 3-2M-4.5 5H4.5",
    "attack": "M-4-4 4 4M-4 4 4-4",
    "signal": "M0-4.5 4.5 0 0 4.5-4.5 0Z",
    "other": "M3.5 0A3.5 3.5 0 1 1-3.5 0 3.5 3.5 0 1 1 3.5 0",
}
"""The sign of each family of actions, and of a move that led nowhere, around (0, 0), as a path of SVG."""

SHAPES = (
    "M.22.08H.78Q.92.08.92.22V.78Q.92.92.78.92H.22Q.08.92.08.78V.22Q.08.08.22.08Z",
    "M.98.5.74.92H.26L.02.5.26.08H.74Z",
    "M.98.5.5.98.02.5.5.02Z",
    "M.5.02.96.35.78.89H.22L.04.35Z",
    "M.5.02.92.74H.08Z",
)
"""Of types, in a cell that is 1 wide, as paths of SVG: a square, a hexagon, a diamond, a pentagon, a triangle."""

WALL = "M0 0H1V1H0Z"
"""A wall fills its cell."""

_LAYERS = (
    ("trail", "Path of the selection"),
    ("items", "What agents carry"),
    ("vision", "Vision of the selection"),
    ("fog", "Fog over what is unseen"),
    ("explored", "Dim what nobody saw yet"),
    ("territory", "Ground that teams hold"),
    ("heat", "Where agents have been"),
    ("grid", "Grid"),
    ("talk", "Talk, vibes and targets"),
    ("symbols", "Symbols instead of pictures"),
)
_RECORDED = ("explored", "territory")
_MOST_COUNTED = 4_000_000
"""Cells of the largest map on which the page counts where agents have been."""

KEYS = (
    ("Space", "play or pause"),
    ("[ ] ← →", "one step (with Shift: ten)"),
    ("Home End", "first, last step"),
    ("- =", "half, double speed"),
    ("↑ ↓", "previous, next agent"),
    (", .", "previous, next event"),
    ("F", "follow the selection"),
    ("0", "whole map"),
    ("L", "begin again at the end"),
    ("/", "find"),
    ("Esc", "close what is selected, then what is searched for"),
)
"""The keys of keys.js, for the help in the menu, and what they do."""


def layers(recorded: Container[str], cells: int) -> list[tuple[str, str]]:
    """Return what the map can show, as the page calls it and in words.

    Args:
        recorded: Which of the layers the file has.
        cells: Of the map.
    """
    missing = {name for name in _RECORDED if name not in recorded} | ({"heat"} if cells > _MOST_COUNTED else set())
    return [(name, words) for name, words in _LAYERS if name not in missing]
