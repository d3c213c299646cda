"""A page of somebody's that embeds a notebook, as wall displays are made."""

from __future__ import annotations

from pathlib import Path

_WALL = """
import marimo

app = marimo.App()

with app.setup:
    from {name} import app as embedded


@app.cell
async def _():
    wall = await embedded.embed()
    wall.output
    return


if __name__ == "__main__":
    app.run()
"""


def wall_of(notebook: Path) -> Path:
    """Write a notebook that embeds `notebook` beside it, and return its path."""
    wall = notebook.with_name("wall_nb.py")
    wall.write_text(_WALL.format(name=notebook.stem))
    return wall
