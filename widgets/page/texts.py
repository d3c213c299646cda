"""The files of the widgets as text: anywidget keeps every widget whose file it watches in memory for good."""

from __future__ import annotations

from pathlib import Path

_WIDGETS = Path(__file__).parents[1]


def script(widget: str, name: str) -> str:
    """Return the built code of a widget: one module that imports no other file."""
    return (_WIDGETS / widget / "static" / f"{name}.js").read_text(encoding="utf-8")


def styles(*sheets: tuple[str, str]) -> str:
    """Return the shared look's style sheet and after it each `(widget, name)`."""
    paths = [_WIDGETS / widget / "static" / f"{name}.css" for widget, name in (("page", "look"), *sheets)]
    return "".join(path.read_text(encoding="utf-8") for path in paths)
