"""The columnar wire format of a replay, version 2: what Python sends and the page reads.

All numbers are little-endian, all text is UTF-8.

Container: `RPLW`, u32 version (2), u32 bytes of the deflated header, u32 bytes of the header inflated, the header
(JSON, zlib), then the embedded chunks (each zlib on its own). The header gives names, sizes, issues, for each field its
kind, what the page calls it (`words`) and, when all objects share it, its value (`scalar`), what the page says of the
replay (told.py) with the rules of the game (recipes.py), and the directory of `chunks` with `offset` counted from the
end of the header; an offset of null means that the chunk is fetched on request. Nothing is checked again in the page:
zlib's sums say what was damaged on the way, and the version who wrote it.

Chunks: `base` (values at step 0, who changes, values at the last step, the overview), `steps/k` (change points of a
stretch of time with the values on entry: a key frame), `text/k` (texts of agents over a stretch of time with a table of
their own) and `config` (plain JSON). An inflated chunk of the first three kinds is u32 bytes of its directory, u32 0,
the directory `{column: [dtype, length, offset]}`, and the columns, each at a multiple of 8, in the narrowest type that
holds them.

Columns of a field F, n objects of which m change: `F.c` value at step 0 (n), `F.i` index of those that change (m,
running differences), `F.f` value at the last step (m); in each steps chunk `F.k` value on entry (m),
`F.n` number of points (m), `F.s` steps (the first from the chunk's start, the others from the one before) and `F.v`
values: as they are (`int`, `cell`, `table`, `float`), as differences (`delta`, `xy`), as indices into `F.u` (`float`),
or none (`bool`: each point toggles). A `float` may be NaN or infinite. `total_reward` is `derived` when it is the
running sum of `current_reward`: only `i`, `f` and `k` are sent. `inventory` has one row for each pair of object
(`inventory.o`) and item (`inventory.t`), and of those that change the sum of all increases (`inventory.g`);
`territory` (who holds it, territory.py) one for each cell of the map, row by row; so has the column `explored` of the
base (explored.py). Which objects are what (told.py) and the `overview.*` are in the base too.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from widgets.replay.codec.columns import Array, Column
from widgets.replay.codec.drawn import GLYPHS, KEYS, PALETTES, layers
from widgets.replay.codec.encoded import FORMAT, LEVEL, Chunk, Encoded
from widgets.replay.codec.explored import explored
from widgets.replay.codec.fields import BY_NAME
from widgets.replay.codec.overview import before, overview
from widgets.replay.codec.recipes import CARRIED, Cook, carried, carried_by_type, kinds, limits, tag_names
from widgets.replay.codec.replay import Replay, sum_to
from widgets.replay.codec.stats import noted
from widgets.replay.codec.territory import territory
from widgets.replay.codec.texts import TextColumn
from widgets.replay.codec.told import Action, actions_of, columns_of, header_of, legend_of, said_of
from widgets.replay.codec.writer import ChunkWriter, narrow


def differences(values: Array) -> Array:
    """Return running differences, the first from 0; sums of them give the values back."""
    return np.diff(values.astype(np.int64), axis=0, prepend=np.zeros((1, *values.shape[1:]), np.int64))


@dataclass(frozen=True, slots=True)
class Split:
    """The change points of one column by stretch of time.

    Attributes:
        column: The column.
        counts: Points of each changing row in each stretch: int64 (m, k).
        order: Positions of the points, ordered by stretch, then row, then step.
    """

    column: Column
    counts: Array
    order: Array

    @staticmethod
    def of(column: Column, bounds: Array) -> Split:
        """Cut a column at the bounds of the stretches, from 0 to the number of steps."""
        stretches = bounds.size - 1
        part = np.searchsorted(bounds[1:-1], column.steps, side="right").astype(np.int16)
        rows = np.repeat(np.arange(column.index.size), column.counts)
        counts = np.bincount(rows * stretches + part, minlength=column.index.size * stretches)
        return Split(column, counts.reshape(column.index.size, stretches), np.argsort(part, kind="stable"))

    def entry(self, stretch: int) -> Array:
        """Return the value of each changing row just before a stretch."""
        column = self.column
        values = column.base[column.index].copy()
        passed = self.counts[:, :stretch].sum(axis=1)
        rows = np.flatnonzero(passed)
        values[rows] = column.values[column.offsets[:-1][rows] + passed[rows] - 1]
        return values

    def points(self, stretch: int) -> Array:
        """Return the positions of a stretch's points."""
        start = int(self.counts[:, :stretch].sum())
        return self.order[start : start + int(self.counts[:, stretch].sum())]


def stretches(columns: list[Column], steps: int, points: int) -> Array:
    """Return the bounds of stretches of time with about `points` change points each, from 0 to `steps`: int64."""
    by_step = np.zeros(steps, np.int64)
    for column in columns:
        if column.steps.size:
            by_step += np.bincount(column.steps, minlength=steps)
    total = np.cumsum(by_step)
    count = max(1, -(-int(total[-1]) // points))
    wanted = total[-1] * np.arange(1, count) / count
    inner = np.searchsorted(total, wanted, side="left") + 1
    return np.unique(np.concatenate([[0], inner[inner < steps], [steps]])).astype(np.int64)


def step_differences(steps: Array, counts: Array, start: int) -> Array:
    """Return steps as differences within each row, the first of a row from `start`."""
    found = np.diff(steps, prepend=steps[:1])
    firsts = row_starts(counts)
    found[firsts] = steps[firsts] - start
    return found


def row_starts(counts: Array) -> Array:
    """Return where the points of each row with any begin."""
    starts: Array = (np.cumsum(counts) - counts)[counts > 0]
    return starts


POINTS_PER_CHUNK = 250_000
_TEXT_BYTES_PER_CHUNK = 2_000_000


def encode(replay: Replay, *, points_per_chunk: int = POINTS_PER_CHUNK) -> Encoded:
    """Encode a replay in the wire format described at the top of this module.

    Args:
        replay: The replay.
        points_per_chunk: About how many change points a chunk of steps or texts holds.
    """
    return _Encoder(replay, points_per_chunk).encoded()


class _Encoder:
    def __init__(self, replay: Replay, points_per_chunk: int) -> None:
        self.replay, self.points, self.noted = replay, points_per_chunk, noted(replay)
        self.base = ChunkWriter()
        self.fields: dict[str, dict[str, Any]] = {}
        self.actions: list[Action] = []
        self.tables: dict[str, Any] = {}

    def encoded(self) -> Encoded:
        columns = self._columns()
        self.bounds = stretches([column for column, _ in columns.values()], self.replay.steps, self.points)
        writers = [ChunkWriter() for _ in range(self.bounds.size - 1)]
        self._identity()
        for name, (column, kind) in columns.items():
            self._add_base(name, column, kind)
            self._add_points(name, column, kind, writers)
        if self.replay.derived_total:
            self._add_total(writers)
        self.seen = explored(self.replay)
        if self.seen is not None:
            self.base.add("explored", differences(self.seen))
        self.overview = overview(self.replay)
        for name, values in self.overview.items():
            self.base.add(f"overview.{name}", values)
        for name, values in columns_of(self.replay).items():
            self.base.add(name, differences(values))
        chunks = [self.base.chunk("base", "base")]
        for at, writer in enumerate(writers):
            chunks.append(writer.chunk(f"steps/{at}", "steps", **self._span(self.bounds, at)))
        chunks += self._texts()
        if self.replay.config:
            packed = zlib.compress(self.replay.config, LEVEL)
            entry = {"id": "config", "kind": "config", "size": len(packed), "raw": len(self.replay.config)}
            chunks.append(Chunk(entry, packed))
        return Encoded(self._header(), tuple(chunks))

    def _span(self, bounds: Array, at: int) -> dict[str, int]:
        return {"from": int(bounds[at]), "to": int(bounds[at + 1])}

    def _header(self) -> dict[str, Any]:
        replay, names = self.replay, self.replay.names
        return {
            "format": FORMAT,
            "hash": replay.digest,
            "version": replay.version,
            "label": replay.label,
            "width": replay.map_size[0],
            "height": replay.map_size[1],
            "steps": replay.steps,
            "objects": int(replay.ids.size),
            "agents": int(replay.agents.size),
            "type_names": names.types,
            "item_names": names.items,
            "vibe_names": names.vibes,
            "fields": self.fields,
            "tables": self.tables,
            "rules": self.recipes,
            "kinds": self.kinds,
            "issues": len(replay.issues),
            "actions": self.actions,
            "legend": legend_of(self.actions, odd="odd" in self.overview),
            "palettes": PALETTES,
            "glyphs": GLYPHS,
            "layers": layers(
                {*self.fields, *(["explored"] if self.seen is not None else [])}, math.prod(replay.map_size)
            ),
            "keys": KEYS,
            **header_of(replay, self.noted, self.overview),
        }

    def _columns(self) -> dict[str, tuple[Column, str]]:
        """Return all columns of the steps chunks with their kind on the wire."""
        replay = self.replay
        found = {"location": (replay.location, "xy"), "inventory": (replay.inventory.counts, "delta")}
        for name, column in replay.columns.items():
            if name not in ("action_id", "action_param"):
                found[name] = (column, BY_NAME[name].kind)
        actions = actions_of(replay)
        if actions is not None:
            self.actions, found["action"] = actions[0], (actions[1], "int")
        holders = territory(replay)
        if holders is not None:
            found["territory"] = (holders, "cell")
        found |= {f"noted {key}": (column, "float") for key, column in self.noted.items()}
        for name, table in replay.tables.items():
            if name not in CARRIED:
                self.tables[name] = [None, *(self._entry(name, entry) for entry in table.table)]
                column = table.column
                numbers = (column.base + 1, column.index, column.offsets, column.steps, column.values + 1)
                found[name] = (Column(*numbers), "table")
        cook = Cook(replay.names)
        listed = carried(replay, cook)
        if listed is not None:
            found["protocols"], self.tables["protocols"] = (listed[0], "table"), listed[1]
        self.recipes = [cook.rule(rule) for rule in replay.rules.rules]
        self.kinds, own = kinds(replay, self.recipes, listed)
        # Behind those that `kinds` counts: what a thing carries is shown with it from its own field.
        self.recipes += carried_by_type(replay, listed)
        self.base.add("kind", own)
        return found

    def _entry(self, name: str, text: bytes) -> object:
        if name == "inventory_capacities":
            return limits(self.replay, msgspec.json.decode(text))
        return tag_names(self.replay, text) if name == "tag_ids" else msgspec.Raw(text)

    def _identity(self) -> None:
        replay = self.replay
        self.base.add("id", differences(replay.ids))
        self.base.add("type", replay.types)
        self.base.add("agent_id", replay.agent_ids)
        self.base.add("agent_objects", replay.agents)
        self.base.add("inventory.o", differences(replay.inventory.objects))
        self.base.add("inventory.t", replay.inventory.items)
        counts = replay.inventory.counts
        if counts.index.size:
            gained = np.maximum(counts.values - before(counts), 0)
            self.base.add("inventory.g", np.add.reduceat(gained.astype(np.int64), counts.offsets[:-1]))

    def _add_base(self, name: str, column: Column, kind: str) -> None:
        self.fields[name] = {"kind": kind, "words": "" if name not in BY_NAME else said_of(name)}
        # JSON has no word for a number that is not finite.
        if column.base.size and np.isfinite(column.base[0]).all() and (column.base == column.base[0]).all():
            self.fields[name]["scalar"] = column.base[0].tolist()
        else:
            self.base.add_xy(f"{name}.c", column.base)
        if column.index.size:
            self.base.add(f"{name}.i", differences(column.index))
            self.base.add_xy(f"{name}.f", column.values[column.offsets[1:] - 1])

    def _add_points(self, name: str, column: Column, kind: str, writers: list[ChunkWriter]) -> None:
        if not column.index.size:
            return
        split = Split.of(column, self.bounds)
        for at, writer in enumerate(writers):
            entry = split.entry(at)
            writer.add_xy(f"{name}.k", entry)
            points = split.points(at)
            if points.size:
                counts = split.counts[:, at]
                writer.add(f"{name}.n", counts)
                writer.add(f"{name}.s", step_differences(column.steps[points], counts, int(self.bounds[at])))
                _add_values(writer, name, kind, column.values[points], counts, entry)

    def _add_total(self, writers: list[ChunkWriter]) -> None:
        rewards = self.replay.columns["current_reward"]
        earning = rewards.base != 0
        earning[rewards.index] = True
        rows = np.flatnonzero(earning)
        total = Column(rewards.base, rewards.index[:0], np.zeros(1, np.int64), rewards.steps[:0], rewards.values[:0])
        self._add_base("total_reward", total, "derived")
        if rows.size:
            self.base.add("total_reward.i", differences(rows))
            self.base.add("total_reward.f", sum_to(rewards, self.replay.last_step)[rows])
            for at, writer in enumerate(writers):
                writer.add("total_reward.k", sum_to(rewards, max(0, int(self.bounds[at]) - 1))[rows])

    def _texts(self) -> list[Chunk]:
        texts = {name: text for name, text in self.replay.texts.items() if text.table}
        if not texts:
            return []
        for name in texts:
            self.fields[name] = {"kind": "text"}
        points = sum(text.column.steps.size for text in texts.values())
        size = sum(len(entry) for text in texts.values() for entry in text.table)
        pieces = max(1, -(-points // self.points), -(-size // _TEXT_BYTES_PER_CHUNK))
        bounds = stretches([text.column for text in texts.values()], self.replay.steps, -(-max(points, 1) // pieces))
        writers = [ChunkWriter() for _ in range(bounds.size - 1)]
        for name, text in texts.items():
            _add_text(name, text, bounds, writers)
        return [
            writer.chunk(f"text/{at}", "text", **self._span(bounds, at), fields=sorted(texts))
            for at, writer in enumerate(writers)
        ]


def _add_values(writer: ChunkWriter, name: str, kind: str, values: Array, counts: Array, entry: Array) -> None:
    if kind == "bool":
        return
    if kind in ("delta", "xy"):
        wide = values.astype(np.int64)
        found = np.diff(wide, axis=0, prepend=wide[:1])
        firsts = row_starts(counts)
        found[firsts] = wide[firsts] - entry[counts > 0]
        writer.add_xy(f"{name}.v", found)
    elif kind == "float":
        _add_floats(writer, name, narrow(values))
    else:
        writer.add(f"{name}.v", values)


def _add_floats(writer: ChunkWriter, name: str, values: Array) -> None:
    distinct, index = np.unique(values, return_inverse=True)
    width = 1 if distinct.size <= 256 else 2 if distinct.size <= 65_536 else 4
    if distinct.nbytes + width * values.size < values.nbytes:
        writer.add(f"{name}.u", distinct)
        writer.add(f"{name}.v", index)
    else:
        writer.add(f"{name}.v", values)


def _add_text(name: str, text: TextColumn, bounds: Array, writers: list[ChunkWriter]) -> None:
    """Add one text field: every object that ever has a text, and for each stretch a table of the texts in it."""
    column = text.column
    speaking = column.base >= 0
    speaking[column.index] = True
    rows = np.flatnonzero(speaking)
    place = np.searchsorted(rows, column.index)
    split = Split.of(column, bounds)
    for at, writer in enumerate(writers):
        entry = column.base[rows].copy()
        entry[place] = split.entry(at)
        points = split.points(at)
        counts = np.zeros(rows.size, np.int64)
        counts[place] = split.counts[:, at]
        used, index = np.unique(np.concatenate([entry, column.values[points]]), return_inverse=True)
        absent = int(used.size and used[0] < 0)
        writer.add(f"{name}.i", differences(rows))
        writer.add(f"{name}.k", index[: rows.size] - absent)
        if points.size:
            writer.add(f"{name}.n", counts)
            writer.add(f"{name}.s", step_differences(column.steps[points], counts, int(bounds[at])))
            writer.add(f"{name}.v", index[rows.size :] - absent)
        writer.add_json(f"{name}.table", b"[" + b",".join(text.table[entry] for entry in used[absent:]) + b"]")
