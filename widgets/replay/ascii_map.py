"""A step of a replay as text, two characters to a cell, in the form of mettagrid's own `*.map.txt` files."""

from __future__ import annotations

import numpy as np

from widgets.replay.replay import Replay

_SYMBOLS = {
    "agent": "@@",
    "wall": "##",
    "assembler": "As",
    "carbon_extractor": "Ca",
    "charger": "En",
    "chest": "Ch",
    "germanium_extractor": "Ge",
    "oxygen_extractor": "O2",
    "silicon_extractor": "Si",
}


def ascii_map(replay: Replay, step: int = 0) -> str:
    """Return the map at `step`; where several objects share a cell, the last one shows.

    Objects that are gone at that step are not drawn.

    Raises:
        ValueError: `step` is not one of the replay's.
    """
    if not 0 <= step < replay.steps:
        raise ValueError(f"step {step!r} is outside the replay; it has steps 0 to {replay.last_step}")
    width, height = replay.map_size
    symbols = np.array([_symbol(name) for name in replay.names.types] + ["??"])
    cells = np.full((height, width), "  ")
    location = replay.location.at(step)
    shown = replay.columns["alive"].at(step).astype(np.bool_) if "alive" in replay.columns else slice(None)
    x, y = location[shown, 0], location[shown, 1]
    last = {int(cell): row for row, cell in enumerate(y.astype(np.int64) * width + x)}
    rows = np.fromiter(last.values(), np.int64, len(last))
    cells[y[rows], x[rows]] = symbols[replay.types[shown][rows]]
    edge = "+" + "--" * width + "+\n"
    # Line by line: a list of the cells of a large map would be many times its size.
    return edge + "".join(f"|{''.join(line.tolist())}|\n" for line in cells) + edge


def _symbol(type_name: str) -> str:
    """Return two characters for a type: known ones, else the first two of its name, made safe for a terminal."""
    known = _SYMBOLS.get(type_name)
    if known is not None:
        return known
    text = "".join(char if char.isprintable() else "?" for char in type_name[:2])
    return text.ljust(2) if text else "??"
