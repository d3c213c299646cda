"""Who the objects are: ids, types, and which of them are agents."""

from __future__ import annotations

import msgspec
import numpy as np

from widgets.replay.build import Builder
from widgets.replay.columns import Array
from widgets.replay.series import Raws, Reader, read
from widgets.replay.shapes import INTS
from widgets.replay.values import DECODE_ERRORS, BadValueError, decode_any

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
