"""The files that every log carries: its style and its scripts."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path

from experiments.notebooks.sheet import SHEET
from experiments.project.look import DARK, LIGHT, STATES, Palette

_STATIC = Path(__file__).parent / "static"
SCRIPTS = ("store.js", "theme.js", "tables.js", "tabs.js", "model.js", "charts.js", "links.js", "widgets.js", "page.js")
"""In the order in which they run."""


@functools.cache
def static_text(name: str) -> str:
    """Return one of the files of the page."""
    return (_STATIC / name).read_text(encoding="utf-8")


def frame_script() -> str:
    """Return what runs in the frame of somebody else's widget."""
    return static_text("model.js") + static_text("frame.js")


def script_hash(script: str) -> str:
    """Return how a Content-Security-Policy names an inline script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def style_sheet() -> str:
    """Return the page's style: its colours for light, dark and paper, then everything else."""
    light, dark = _variables(LIGHT), f"{_variables(DARK)}; --paper: #fff; color-scheme: dark"
    return (
        f":root {{ {light}; --paper: transparent }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {dark} }} }}\n"
        f":root[data-theme=dark] {{ {dark} }}\n"
        f"{static_text('page.css')}\n{SHEET}\n"
        f"@media print {{ :root:root:root {{ {light}; --paper: transparent; color-scheme: light }} }}\n"
    )


def chart_colours() -> dict[str, object]:
    """Return what the script that draws charts needs to know of the page's colours."""
    from experiments.notebooks.charts import DARK_FOR_LIGHT

    # The text of light pages is the raised surface of dark ones: back from dark, only text and marks are changed.
    surfaces = {DARK.page, DARK.raised}
    return {
        "colours": {name: _named(palette) for name, palette in (("light", LIGHT), ("dark", DARK))},
        "toDark": DARK_FOR_LIGHT,
        "toLight": {dark: light for light, dark in DARK_FOR_LIGHT.items() if dark not in surfaces},
    }


def _named(palette: Palette) -> dict[str, object]:
    return {"text": palette.text, "muted": palette.muted, "hairline": palette.hairline, "arms": list(palette.arms)}


def _variables(palette: Palette) -> str:
    names = ("page", "raised", "text", "muted", "hairline", "accent")
    pairs = [(name, str(getattr(palette, name))) for name in names]
    for name, sign in STATES.items():
        # What warns anywhere has the colour of a job that lost its machine.
        pairs.append(("warn" if name == "recovering" else name, sign.dark if palette is DARK else sign.light))
    return "; ".join(f"--{name}: {value}" for name, value in pairs)
