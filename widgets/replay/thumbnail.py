"""A replay as a small picture: the map, and the way of each agent through the whole episode."""

from __future__ import annotations

import html
from collections.abc import Iterable

import numpy as np

from widgets.replay.codec.columns import Array
from widgets.replay.codec.replay import Replay

SIZE = 160
_MOST_AGENTS = 64
_MOST_POINTS = 200
_MOST_CELLS = 4_000
_LIGHT = ("#0072b2", "#d55e00", "#008a62", "#b5477d", "#8a6d00", "#5a5fc8", "#3f8f9b", "#7a4b2a")
_DARK = ("#56b4e9", "#ff9248", "#2fc79a", "#e58fbc", "#e6c84f", "#9ba2ff", "#74cbd6", "#c9966f")


def thumbnail(replay: Replay, size: int = SIZE) -> str:
    """Return an SVG of at most `size` pixels a side, without scripts; it follows the page's colour scheme."""
    width, height = replay.map_size
    scale = size / max(width, height, 1)
    shape = f'width="{width * scale:.0f}" height="{height * scale:.0f}" viewBox="0 0 {width} {height}"'
    walls = np.array(["wall" in replay.type_name(row) for row in range(len(replay.types))], bool)
    things = (replay.agent_ids < 0) & ~walls
    cells = replay.location.at(0)
    parts = [
        f'<path class="w" d="{_squares(cells[walls])}"/>',
        f'<path class="t" d="{_squares(cells[things])}"/>',
        *(_way(replay, int(row), number) for number, row in enumerate(replay.agents[:_MOST_AGENTS])),
    ]
    name = html.escape(f"{replay.agents.size} agents on a map of {width} by {height}", quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {shape} role="img" aria-label="{name}">'
        f"<style>{_style()}</style>{''.join(parts)}</svg>"
    )


def total_reward(replay: Replay) -> float | None:
    """Return the mean over agents of what each earned in the whole episode.

    None where the replay has no rewards; NaN or infinite where a reward is.
    """
    if replay.agents.size == 0 or not replay.has_rewards:
        return None
    return float(np.mean(replay.total_reward(replay.last_step)[replay.agents]))


def _style() -> str:
    light = "".join(f".a{number}{{stroke:{colour};fill:{colour}}}" for number, colour in enumerate(_LIGHT))
    dark = "".join(f".a{number}{{stroke:{colour};fill:{colour}}}" for number, colour in enumerate(_DARK))
    return (
        ".w{fill:#57606a;opacity:.45}.t{fill:#57606a;opacity:.8}polyline{fill:none!important;stroke-width:.35;"
        "stroke-linejoin:round;opacity:.75}"
        f"{light}@media(prefers-color-scheme:dark){{.w,.t{{fill:#a0a8b3}}{dark}}}"
    )


def _squares(cells: Array) -> str:
    """Return the cells as a path of unit squares, those beside each other in one piece."""
    order = np.lexsort((cells[:, 0], cells[:, 1]))
    rows = np.unique(cells[order][:, ::-1], axis=0)[:, ::-1][:_MOST_CELLS]
    return "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in _stretches(rows))


def _stretches(cells: Array) -> Iterable[tuple[int, int, int]]:
    start: tuple[int, int] | None = None
    length = 0
    for x, y in cells.tolist():
        if start is not None and y == start[1] and x == start[0] + length:
            length += 1
            continue
        if start is not None:
            yield (*start, length)
        start, length = (x, y), 1
    if start is not None:
        yield (*start, length)


def _way(replay: Replay, row: int, number: int) -> str:
    _, points = replay.location.of(row)
    if len(points) > _MOST_POINTS:
        points = points[np.linspace(0, len(points) - 1, _MOST_POINTS).astype(int)]
    line = " ".join(f"{x + 0.5:g},{y + 0.5:g}" for x, y in points.tolist())
    x, y = points[-1].tolist()
    colour = f"a{number % len(_LIGHT)}"
    end = f'<circle class="{colour}" cx="{x + 0.5:g}" cy="{y + 0.5:g}" r=".6"/>'
    return f'<polyline class="{colour}" points="{line}"/>{end}'
