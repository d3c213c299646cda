"""Marimo notebooks written by hand, for tests of what happens to odd ones."""

from __future__ import annotations

import textwrap
from pathlib import Path


def write_notebook(path: Path, cells: dict[str, str], *, setup: str = "") -> Path:
    """Write a notebook with one cell for each name; its text is the body of the cell."""
    parts = ["import marimo", "", "app = marimo.App()", ""]
    if setup:
        parts += ["with app.setup:", textwrap.indent(textwrap.dedent(setup).strip(), "    "), "", ""]
    for name, body in cells.items():
        parts += ["@app.cell", f"def {name}():", textwrap.indent(textwrap.dedent(body).strip(), "    "), "", ""]
    parts += ['if __name__ == "__main__":', "    app.run()", ""]
    path.write_text("\n".join(parts), encoding="utf-8")
    return path
