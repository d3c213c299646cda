"""What objects are: ids, types and agents; where they are; and what agents earned."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from widgets.replay.codec import version1
from widgets.replay.codec.columns import Array, Builder, Column, column, constant
from widgets.replay.codec.issues import MISSING, IssueLog
from widgets.replay.codec.limits import Limits
from widgets.replay.codec.series import Raws, Reader, read
from widgets.replay.codec.shapes import INTS, PAIRS
from widgets.replay.codec.values import DECODE_ERRORS, BadValueError, decode_any

_NAMES = msgspec.json.Decoder(list[str])


def read_ids(columns: dict[str, Raws], builder: Builder, reader: Reader) -> Array:
    """Return the objects' ids, positive and unique: int32 (n,); what is not gets a free one."""
    ids = _constant("id", columns, builder, reader, missing=0)
    wrong = ids < 1
    builder.log.add("objects[].id", "is not a positive number", int(wrong.sum()), _example(ids, wrong), "error")
    twice = _repeated(ids) & ~wrong
    builder.log.add("objects[].id", "is used twice", int(twice.sum()), _example(ids, twice), "error")
    return _renumbered(ids, wrong | twice, 1)


def read_agents(columns: dict[str, Raws], told: int | None, builder: Builder, reader: Reader) -> tuple[Array, Array]:
    """Return each object's agent number (-1: no agent), int32 (n,), and the agents' object indices in that order.

    Raises:
        LimitError: There are more agents than the limits allow.
    """
    path = "objects[].agent_id"
    present = np.zeros(builder.count, np.bool_)
    if "agent_id" in columns:
        present[list(columns["agent_id"].rows)] = True
    numbers = _constant("agent_id", columns, builder, reader, missing=-1)
    negative = present & (numbers < 0)
    builder.log.add(path, "is not a number of at least 0", int(negative.sum()), _example(numbers, negative), "error")
    is_agent = numbers >= 0
    count = int(is_agent.sum())
    reader.limits.check("agents", count, f"the replay has {count:,} agents")
    if told is not None and told != count:
        builder.log.add("num_agents", "is not the number of agents found", 1, f"{told}, but there are {count}")
    high = is_agent & (numbers >= (count if told is None else told))
    builder.log.add(path, "is not below num_agents", int(high.sum()), _example(numbers, high))
    twice = _repeated(numbers) & is_agent
    builder.log.add(path, "is used twice", int(twice.sum()), _example(numbers, twice), "error")
    numbers = _renumbered(numbers, twice, 0)
    rows = np.flatnonzero(is_agent)
    return numbers, rows[np.argsort(numbers[rows], kind="stable")].astype(np.int32)


def read_types(
    columns: dict[str, Raws], names: tuple[str, ...], builder: Builder, reader: Reader
) -> tuple[Array, tuple[str, ...]]:
    """Return each object's type as an index into the names, int32 (n,), and the names with unlisted ones added."""
    raws = columns.pop("type_name", None)
    numbers = _type_numbers(columns, len(names), builder, reader)
    if raws is None:
        return numbers, names
    index: dict[str | None, int] = {name: at for at, name in reversed(list(enumerate(names)))}
    index[None] = -1
    listed = list(names)
    for row, name in zip(raws.rows, _type_names(raws, builder), strict=True):
        at = index.get(name)
        if at is None:
            builder.log.add("objects[].type_name", "is not in type_names", 1, f"objects[{row}]: {name!r}")
            at = len(listed) if len(listed) < reader.limits.names else -1
            index[name] = at
            if at >= 0:
                listed.append(str(name)[: reader.limits.name_chars])
        numbers[row] = at
    return numbers, tuple(listed)


def _type_numbers(columns: dict[str, Raws], names: int, builder: Builder, reader: Reader) -> Array:
    named = "type" if "type" in columns else "type_id"
    numbers = _constant(named, columns, builder, reader, missing=-1)
    columns.pop("type", None)
    columns.pop("type_id", None)
    wrong = (numbers >= names) | (numbers < -1)
    builder.log.add(f"objects[].{named}", "is outside type_names", int(wrong.sum()), _example(numbers, wrong), "error")
    numbers[wrong] = -1
    return numbers


def _type_names(raws: Raws, builder: Builder) -> list[str | None]:
    try:
        return list(_NAMES.decode(b"[" + b",".join(raws.values) + b"]"))
    except DECODE_ERRORS:
        return [_one_name(raw, row, builder) for row, raw in zip(raws.rows, raws.values, strict=True)]


def _one_name(raw: msgspec.Raw, row: int, builder: Builder) -> str | None:
    try:
        value = decode_any(raw)
    except BadValueError:
        value = None
    if isinstance(value, str):
        return value
    text = bytes(raw)[:60].decode("utf-8", "replace")
    points = value if isinstance(value, list) else []
    named = [point[1] for point in points if isinstance(point, list) and len(point) == 2 and point[1]]
    if named and all(isinstance(name, str) for name in named):
        rule = "changes over time; its last name is used"
        builder.log.add("objects[].type_name", rule, 1, f"objects[{row}]: {text}", "error")
        return str(named[-1])
    builder.log.add("objects[].type_name", "is not a name", 1, f"objects[{row}]: {text}", "error")
    return None


def _constant(key: str, columns: dict[str, Raws], builder: Builder, reader: Reader, *, missing: int) -> Array:
    """Return the values of a key that does not change over time; of a series the first counts."""
    raws = columns.pop(key, None)
    if raws is None:
        return np.full(builder.count, missing, np.int32)
    path = f"objects[].{key}"
    found = builder.column(read(INTS, raws, path, reader), missing, path)
    builder.log.add(path, "changes over time; its first value is used", found.index.size, severity="error")
    return found.base.copy()


def _repeated(numbers: Array) -> Array:
    """Return which entries repeat an earlier one."""
    again = np.ones(numbers.size, np.bool_)
    again[np.unique(numbers, return_index=True)[1]] = False
    return again


def _renumbered(numbers: Array, wrong: Array, start: int) -> Array:
    """Give the wrong entries numbers that no other has, from `start` on."""
    count = int(wrong.sum())
    if count:
        free = np.setdiff1d(np.arange(start, start + numbers.size + count + 1), numbers[~wrong])
        numbers[wrong] = free[:count]
    return numbers


def _example(numbers: Array, wrong: Array) -> str:
    if not wrong.any():
        return ""
    row = int(np.flatnonzero(wrong)[0])
    return f"objects[{row}]: {numbers[row]}"


_PATH = "objects[].location"


def read_locations(columns: dict[str, Raws], builder: Builder, reader: Reader) -> Column:
    """Read the cells of all objects, from `location` where there is any."""
    raws = columns.pop("location", None)
    if raws is not None:
        builder.log.add(_PATH, MISSING, builder.count - len(raws.rows), severity="error")
        return builder.column(read(PAIRS, raws, _PATH, reader), 0, _PATH)
    cells = version1.read_cells(columns, builder, reader)
    if cells is None:
        builder.log.add(_PATH, MISSING, builder.count, severity="error")
        return constant(np.zeros((builder.count, 2), np.int32))
    return cells


def extent(location: Column) -> tuple[int, int]:
    """Return the width and height that hold every location."""
    width, height = 1, 1
    for cells in (location.base, location.values):
        if cells.size:
            width, height = max(width, int(cells[:, 0].max()) + 1), max(height, int(cells[:, 1].max()) + 1)
    return width, height


def fit(
    location: Column, declared: tuple[int, int] | None, limits: Limits, log: IssueLog
) -> tuple[Column, tuple[int, int]]:
    """Return the locations brought inside the map, and the map's size; without a declared size it is their extent.

    Raises:
        LimitError: The extent is larger than the limits allow.
    """
    size = declared or extent(location)
    for side in size:
        limits.check("map_side", side, f"the locations need a map of {size[0]:,} x {size[1]:,} cells")
    limits.check("map_area", size[0] * size[1], f"the locations need a map of {size[0]:,} x {size[1]:,} cells")
    last = np.array(size, np.int32) - 1
    inside = [_within(cells, last) for cells in (location.base, location.values)]
    outside = sum(int((~part).sum()) for part in inside)
    if not outside:
        return location, size
    rule = f"outside the map of {size[0]} x {size[1]}; moved to its edge"
    log.add(_PATH, rule, outside, _first(location, inside), "error")
    owners = location.owners
    base, values = np.clip(location.base, 0, last), np.clip(location.values, 0, last)
    return column(base, owners, location.steps, values), size


def _within(cells: Array, last: Array) -> Array:
    inside: Array = np.all((cells >= 0) & (cells <= last), axis=1)
    return inside


def _first(location: Column, inside: list[Array]) -> str:
    if not inside[0].all():
        row = int(np.flatnonzero(~inside[0])[0])
        return f"objects[{row}]: {location.base[row].tolist()}"
    at = int(np.flatnonzero(~inside[1])[0])
    row = int(location.index[np.searchsorted(location.offsets, at, side="right") - 1])
    return f"objects[{row}]: {location.values[at].tolist()} at step {location.steps[at]}"


_TOLERANCE = 1e-6


def total_is_derived(columns: Mapping[str, Column], steps: int) -> bool:
    """Whether `total_reward` is the running sum of `current_reward` for every object, or there is only the latter."""
    rewards, totals = columns.get("current_reward"), columns.get("total_reward")
    if rewards is None:
        return False
    if totals is None:
        return True
    if not all(np.isfinite(part).all() for each in (rewards, totals) for part in (each.base, each.values)):
        return False
    starts, ends, rows, values = _stretches(rewards, steps)
    lengths = ends - starts
    # Each step with a reward is a point of the total, which bounds what is spread out below.
    if int(lengths.sum()) != totals.steps.size:
        return False
    owners = np.repeat(rows, lengths)
    at = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(owners.size)
    if not (np.array_equal(owners, totals.owners) and np.array_equal(at, totals.steps)):
        return False
    gained = np.repeat(values, lengths)
    sums = [
        rewards.base[row] + np.cumsum(gained[first:last])
        for row, first, last in zip(totals.index, totals.offsets, totals.offsets[1:], strict=False)
    ]
    return _close(rewards.base, totals.base) and _close(np.concatenate([np.zeros(0), *sums]), totals.values)


def first_not_finite(rewards: Column, rows: Array) -> list[tuple[int, int, float]]:
    """Return the row, step and value of the first reward that is not finite, of each of `rows` that has one."""
    found = []
    for row in rows.tolist():
        steps, values = rewards.of(row)
        odd = np.flatnonzero(~np.isfinite(values))
        if odd.size:
            found.append((row, int(steps[odd[0]]), float(values[odd[0]])))
    return found


def _stretches(rewards: Column, steps: int) -> tuple[Array, Array, Array, Array]:
    """Return from where to where, for which row and which reward each step from 1 on is rewarded, in order of rows."""
    rows = np.arange(rewards.base.size)
    every = np.concatenate([rows, rewards.owners])
    starts = np.concatenate([np.zeros(rows.size, np.int64), rewards.steps])
    values = np.concatenate([rewards.base, rewards.values])
    order = np.argsort(every, kind="stable")
    every, starts, values = every[order], starts[order], values[order]
    ends = np.append(starts[1:], steps)
    ends[np.append(every[1:] != every[:-1], [True])[: ends.size]] = steps
    starts = np.maximum(starts, 1)
    kept = (values != 0) & (ends > starts)
    return starts[kept], ends[kept], every[kept], values[kept]


def _close(left: Array, right: Array) -> bool:
    scale = max(1.0, float(np.abs(right).max(initial=0.0)))
    return bool(np.abs(left - right).max(initial=0.0) <= _TOLERANCE * scale)
