"""Reading what objects hold: snapshots of all items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from widgets.replay.codec.columns import Array, Column, Inventory, column, in_order, put_in_order
from widgets.replay.codec.fields import INT32_MAX
from widgets.replay.codec.series import Raws, Reader, batches, careful_points
from widgets.replay.codec.shapes import is_series_of_lists
from widgets.replay.codec.values import DECODE_ERRORS, as_int

_PATH = "objects[].inventory"
_SNAPSHOTS = msgspec.json.Decoder(list[list[int | tuple[int, int | list[tuple[int, int]]]]])


@dataclass(frozen=True, slots=True)
class Snapshots:
    """What was listed at each time that an inventory was written.

    Attributes:
        owners: Object of each snapshot, ascending: int64 (s,).
        steps: Step of each snapshot: int64 (s,).
        lengths: Number of items listed in each: int64 (s,).
        items: Item ids of all snapshots, one after another: int64.
        counts: How many of each: int64.
    """

    owners: Array
    steps: Array
    lengths: Array
    items: Array
    counts: Array


def read_snapshots(raws: Raws, reader: Reader) -> Snapshots:
    """Decode the `inventory` fields of all objects."""
    parts = []
    for start, stop in batches(raws.values, _PATH, reader):
        values, rows = raws.values[start:stop], raws.rows[start:stop]
        try:
            part = _fast(_SNAPSHOTS.decode(b"[" + b",".join(values) + b"]"), rows)
            reader.take(part.owners.size)
        except DECODE_ERRORS:
            part = _careful(values, rows, reader)
        reader.take(part.items.size)
        parts.append(part)
    return Snapshots(*(np.concatenate([getattr(part, name) for part in parts]) for name in Snapshots.__slots__))


def _fast(values: list[Any], rows: Sequence[int]) -> Snapshots:
    owners: list[int] = []
    steps: list[int] = []
    listed: list[Any] = []
    for row, value in zip(rows, values, strict=True):
        if not value:
            continue
        if value[0][1].__class__ is list:
            owners.extend([row] * len(value))
            at, snapshots = zip(*value, strict=True)
            steps.extend(at)
            listed.extend(snapshots)
        else:
            owners.append(row)
            steps.append(0)
            listed.append(value)
    return _flat(owners, steps, listed)


def _flat(owners: list[int], steps: list[int], listed: list[Any]) -> Snapshots:
    lengths = np.fromiter(map(len, listed), np.int64, len(listed))
    pairs = chain.from_iterable(chain.from_iterable(listed))
    flat = np.fromiter(pairs, np.int64, 2 * int(lengths.sum()))
    return Snapshots(np.array(owners, np.int64), np.array(steps, np.int64), lengths, flat[::2], flat[1::2])


def _careful(values: Sequence[msgspec.Raw], rows: Sequence[int], reader: Reader) -> Snapshots:
    owners: list[int] = []
    steps: list[int] = []
    listed: list[list[tuple[int, int]]] = []
    wants = "a list of [item, count]"
    for row, raw in zip(rows, values, strict=True):
        for step, pairs in careful_points(raw, _parse, is_series_of_lists, wants, _PATH, row, reader):
            owners.append(row)
            steps.append(step or 0)
            listed.append(pairs)
    return _flat(owners, steps, listed)


def _parse(value: object) -> list[tuple[int, int]] | None:
    """Return (item, count) pairs from `[[item, count], ...]`, or from ids that are repeated for each one held."""
    if not isinstance(value, list):
        return None
    found: dict[int, int] = {}
    for entry in value:
        if isinstance(entry, list):
            if len(entry) != 2:
                return None
            item, count = as_int(entry[0]), as_int(entry[1])
            if item is None or count is None:
                return None
            found[item] = count
        else:
            item = as_int(entry)
            if item is None:
                return None
            found[item] = found.get(item, 0) + 1
    return list(found.items())


def from_snapshots(found: Snapshots, item_names: int, steps: int, reader: Reader) -> Inventory:
    """Turn snapshots into one series for each pair of object and item; an item that is no longer listed is at 0."""
    found = _ordered(found, steps, reader)
    snapshot = np.repeat(np.arange(found.owners.size), found.lengths)
    keep = _check(found, snapshot, item_names, reader)
    snapshot, items, counts = snapshot[keep], found.items[keep], found.counts[keep]
    owners = found.owners[snapshot]
    width = reader.limits.names
    order = np.argsort(owners * width + items, kind="stable")
    pair, snapshot, counts = (owners * width + items)[order], snapshot[order], np.maximum(counts[order], 0)
    pair, snapshot, counts = _last_of_each(pair, snapshot, counts, reader)
    gone_pair, gone_snapshot = _dropped(pair, snapshot, found.owners)
    pairs = np.unique(pair)
    all_pairs = np.concatenate([pair, gone_pair])
    all_steps = found.steps[np.concatenate([snapshot, gone_snapshot])]
    all_counts = np.concatenate([counts, np.zeros(gone_pair.size, np.int64)])
    order = np.argsort(all_pairs * (int(found.steps.max(initial=0)) + 1) + all_steps, kind="stable")
    return _inventory(pairs, width, np.searchsorted(pairs, all_pairs[order]), all_steps[order], all_counts[order])


def _ordered(found: Snapshots, steps: int, reader: Reader) -> Snapshots:
    """Return the snapshots that lie inside the replay, one for each object and step, in order."""
    inside = (found.steps >= 0) & (found.steps < steps)
    if not inside.all():
        step = int(found.steps[~inside][0])
        reader.log.add(_PATH, f"a change point outside steps 0 to {steps - 1}", int((~inside).sum()), step, "error")
    if inside.all() and in_order(found.owners, found.steps):
        return found
    chosen = np.flatnonzero(inside)
    if not in_order(found.owners[chosen], found.steps[chosen]):
        reader.log.add(_PATH, "change points are not in strictly ascending order of steps", severity="error")
        chosen = chosen[put_in_order(found.owners[chosen], found.steps[chosen])]
    starts = np.concatenate([[0], np.cumsum(found.lengths)[:-1]]).astype(np.int64)
    lengths = found.lengths[chosen]
    ends = np.cumsum(lengths)
    entries = np.repeat(starts[chosen] - (ends - lengths), lengths) + np.arange(int(lengths.sum()))
    return Snapshots(found.owners[chosen], found.steps[chosen], lengths, found.items[entries], found.counts[entries])


def _check(found: Snapshots, snapshot: Array, item_names: int, reader: Reader) -> Array:
    """Log items and counts that the format does not allow; return which entries can be kept."""
    log, owners = reader.log, found.owners
    unknown = (found.items < 0) | (found.items >= item_names)
    if unknown.any():
        at = int(np.flatnonzero(unknown)[0])
        example = f"objects[{owners[snapshot[at]]}]: item {found.items[at]} of {item_names} item names"
        log.add(_PATH, "item id outside item_names", int(unknown.sum()), example, "error")
    negative = found.counts < 0
    if negative.any():
        at = int(np.flatnonzero(negative)[0])
        example = f"objects[{owners[snapshot[at]]}]: {found.counts[at]}"
        log.add(_PATH, "negative count", int(negative.sum()), example, "error")
    large = found.counts > INT32_MAX
    log.add(_PATH, "count does not fit 32 bits; left out", int(large.sum()), severity="error")
    kept: Array = (found.items >= 0) & (found.items < reader.limits.names) & ~large
    return kept


def _last_of_each(pair: Array, snapshot: Array, counts: Array, reader: Reader) -> tuple[Array, Array, Array]:
    """Keep the last entry where one snapshot lists an item twice."""
    last = np.ones(pair.size, np.bool_)
    last[:-1] = (pair[1:] != pair[:-1]) | (snapshot[1:] != snapshot[:-1])
    reader.log.add(_PATH, "an item is listed twice at one step", int((~last).sum()), severity="error")
    return pair[last], snapshot[last], counts[last]


def _dropped(pair: Array, snapshot: Array, owners: Array) -> tuple[Array, Array]:
    """Return the pairs that a snapshot no longer lists, and that snapshot."""
    follows = np.zeros(pair.size, np.bool_)
    follows[:-1] = (pair[1:] == pair[:-1]) & (snapshot[1:] == snapshot[:-1] + 1)
    after = snapshot + 1
    exists = after < owners.size
    exists[exists] = owners[after[exists]] == owners[snapshot[exists]]
    gone = exists & ~follows
    return pair[gone], after[gone]


def from_series(objects: Array, items: Array, counts: Column) -> Inventory:
    """Build an inventory from pairs that each have their own column, ordered by object and item."""
    held = counts.base != 0
    held[counts.index] = True
    place = np.cumsum(held) - 1
    kept = Column(counts.base[held], place[counts.index].astype(np.int32), counts.offsets, counts.steps, counts.values)
    return Inventory(objects[held].astype(np.int32), items[held].astype(np.int32), kept)


def _inventory(pairs: Array, width: int, owners: Array, steps: Array, counts: Array) -> Inventory:
    series = column(np.zeros(pairs.size, np.int32), owners, steps, counts.astype(np.int32))
    return from_series(pairs // width, pairs % width, series)
