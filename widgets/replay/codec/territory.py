"""Which team holds each cell at each step, as the engine reckons it from the objects that project territory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import msgspec
import numpy as np

from widgets.replay.codec.columns import Array, Column, column
from widgets.replay.codec.controls import Control
from widgets.replay.codec.explored import held
from widgets.replay.codec.replay import Replay

_MOST_CELLS = 4_000_000
"""Of all tags together."""

_MOST_CHANGES = 20_000
_MOST_POINTS = 2_000_000
_TIE = 1e-6
_TEAM = "team:"


@dataclass(frozen=True, slots=True)
class _Change:
    """From a step on, a control adds to what a tag has around a place, or takes it away again."""

    step: int
    control: Control
    tag: int
    x: int
    y: int
    sign: int


def territory(replay: Replay) -> Column | None:
    """Return who holds each cell, row by row: 1 + the tag's place among those that compete, 0 for nobody or a tie.

    None where nothing projects territory, where others than teams compete, and where there would be too much to send.
    """
    controls, (width, height) = replay.rules.controls, replay.map_size
    # The page has colours for teams, which are counted as these are.
    for_teams = bool(controls) and controls[0].prefix == _TEAM
    tags = [tag for tag, name in enumerate(replay.names.tags) if for_teams and name.startswith(_TEAM)]
    if not tags or "tag_ids" not in replay.tables or len(tags) * width * height > _MOST_CELLS:
        return None
    changes = sorted(_changes(replay, controls, tags), key=lambda change: change.step)
    if not 0 < len(changes) <= _MOST_CHANGES:
        return None
    ground = _Ground(width, height, len(tags))
    for step, some in groupby(changes, key=lambda change: change.step):
        ground.change(step, list(some))
        if ground.points > _MOST_POINTS:
            return None
    return ground.column()


def _changes(replay: Replay, controls: tuple[Control, ...], tags: list[int]) -> Iterator[_Change]:
    table = replay.tables["tag_ids"]
    sets = [set(msgspec.json.decode(entry)) for entry in table.table]
    # The place of an entry's own tag among those that compete; the last one is that of no entry.
    places = np.array([next((at for at, tag in enumerate(tags) if tag in has), -1) for has in sets] + [-1])
    numbers = {name: tag for tag, name in enumerate(replay.names.tags)}
    for control in controls:
        for row in np.flatnonzero(replay.types == _number(replay, control.of)):
            entry = int(table.column.base[row])
            has = sets[entry] if entry >= 0 else set()
            if all(numbers.get(tag) in has for tag in control.tags):
                yield from _of_object(replay, int(row), control, places)


def _number(replay: Replay, kind: str) -> int:
    return replay.names.types.index(kind) if kind in replay.names.types else -2


def _of_object(replay: Replay, row: int, control: Control, places: Array) -> Iterator[_Change]:
    tagged, arrived = replay.tables["tag_ids"].column.of(row), replay.location.of(row)
    steps = np.union1d(tagged[0], arrived[0])
    alive = replay.columns.get("alive")
    lives = (steps[:1], np.ones(1)) if alive is None else alive.of(row)
    steps = np.union1d(steps, lives[0])
    tags = np.where(held(lives, steps) != 0, places[held(tagged, steps)], -1)
    before = None
    for step, tag, (x, y) in zip(steps.tolist(), tags.tolist(), held(arrived, steps).tolist(), strict=True):
        now = (tag, x, y)
        if now == before:
            continue
        if before is not None and before[0] >= 0:
            yield _Change(step, control, *before, -1)
        if tag >= 0:
            yield _Change(step, control, *now, 1)
        before = now


class _Ground:
    """What each tag has on each cell and who holds it, step by step."""

    def __init__(self, width: int, height: int, tags: int) -> None:
        self.strengths = np.zeros((tags, height, width))
        self.holders = np.zeros((height, width), np.int32)
        self.kernels: dict[tuple[int, int], Array] = {}
        self.found: list[tuple[Array, int, Array]] = []
        self.points = 0

    def change(self, step: int, changes: list[_Change]) -> None:
        """Make all changes of one step."""
        boxes = set()
        for change in changes:
            rows, columns, kernel = self._stamp(change)
            self.strengths[change.tag, rows, columns] += change.sign * kernel
            boxes.add((rows.start, rows.stop, columns.start, columns.stop))
        for top, bottom, left, right in boxes:
            self._settle(step, slice(top, bottom), slice(left, right))

    def _stamp(self, change: _Change) -> tuple[slice, slice, Array]:
        control, height, width = change.control, *self.holders.shape
        reach = control.reach
        key = control.strength, control.decay
        if key not in self.kernels:
            by = np.arange(-reach, reach + 1)
            distances = np.hypot(by[:, None], by[None, :])
            self.kernels[key] = np.where(distances <= reach, control.strength - control.decay * distances, 0.0)
        top, left = max(0, change.y - reach), max(0, change.x - reach)
        bottom, right = min(height, change.y + reach + 1), min(width, change.x + reach + 1)
        kernel = self.kernels[key][
            top - change.y + reach : bottom - change.y + reach, left - change.x + reach : right - change.x + reach
        ]
        return slice(top, bottom), slice(left, right), kernel

    def _settle(self, step: int, rows: slice, columns: slice) -> None:
        here = self.strengths[:, rows, columns]
        best = here.max(axis=0)
        alone = (here > best - _TIE).sum(axis=0) == 1
        now = np.where(alone & (best > _TIE), here.argmax(axis=0) + 1, 0)
        ys, xs = np.nonzero(now != self.holders[rows, columns])
        if ys.size:
            values = now[ys, xs].astype(np.int32)
            ys, xs = ys + rows.start, xs + columns.start
            self.holders[ys, xs] = values
            self.found.append((ys * self.holders.shape[1] + xs, step, values))
            self.points += ys.size

    def column(self) -> Column:
        """Return the holders of all cells over time."""
        base = np.zeros(self.holders.size, np.int32)
        if not self.found:
            return column(base, base[:0], base[:0], base[:0])
        cells = np.concatenate([cells for cells, _, _ in self.found])
        steps = np.repeat([step for _, step, _ in self.found], [cells.size for cells, _, _ in self.found])
        values = np.concatenate([values for _, _, values in self.found])
        order = np.lexsort((steps, cells))
        return column(base, cells[order], steps[order], values[order])
