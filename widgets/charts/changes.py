"""What changed between two states of a chart's rows: other values in some columns, or stretches of other rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

Columns = Mapping[str, Sequence[Any]]

_GROUPS = ("k", "arm")
"""Columns that say whose a row is: the rows of one stand together, and grow at their end."""
_WORTH = 0.6
"""A change that has more than this share of the values is sent as the whole."""


def change_of(old: Mapping[str, Columns] | None, new: Mapping[str, Columns]) -> dict[str, Any] | None:
    """Return what leads from some datasets to others; None where the whole is no more, nothing where they are equal.

    Returns:
        `gone`, the names of those that there are no more, and `datasets`, for each that differs or is new: `columns`
        (all values of those that differ), or `cuts` (`[at, gone, come]`: from row `at` of the old, so many give way to
        so many) with the rows that come as `columns`.
    """
    if old is None:
        return None
    changes = {name: _change(old.get(name, {}), new[name]) for name in new if old.get(name) != new[name]}
    gone = [name for name in old if name not in new]
    values = sum(_values(change["columns"]) for change in changes.values())
    if values > _WORTH * sum(map(_values, new.values())):
        return None
    return {"datasets": changes, "gone": gone} if changes or gone else {}


def _change(old: Columns, new: Columns) -> dict[str, Any]:
    """Return the smaller of the two ways in which one dataset becomes another."""
    if old.keys() != new.keys():
        return {"columns": new}
    spliced = _spliced(old, new)
    if _length(old) != _length(new):
        return spliced
    columns = {name: values for name, values in new.items() if values != old[name]}
    return spliced if _values(spliced["columns"]) < _values(columns) else {"columns": columns}


def _spliced(old: Columns, new: Columns) -> dict[str, Any]:
    cuts: list[list[int]] = []
    kept: list[range] = []
    for before, after in _stretches(old, new):
        head = _alike(old, new, before, after, from_end=False)
        tail = _alike(old, new, before[head:], after[head:], from_end=True)
        gone, come = before[head : len(before) - tail], after[head : len(after) - tail]
        if gone or come:
            cuts.append([gone.start, len(gone), len(come)])
            kept.append(come)
    columns = {name: [values[at] for come in kept for at in come] for name, values in new.items()}
    return {"cuts": cuts, "columns": columns}


def _stretches(old: Columns, new: Columns) -> Iterator[tuple[range, range]]:
    """Yield which rows of the one stand for which rows of the other: those of one run, else all."""
    group = next((name for name in _GROUPS if name in new), None)
    if group is not None:
        before, after = _runs_of(old[group]), _runs_of(new[group])
        if [value for value, _ in before] == [value for value, _ in after]:
            yield from ((first, second) for (_, first), (_, second) in zip(before, after, strict=True))
            return
    yield range(_length(old)), range(_length(new))


def _runs_of(values: Sequence[Any]) -> list[tuple[Any, range]]:
    found, start = [], 0
    for value, same in groupby(values):
        found.append((value, range(start, start := start + sum(1 for _ in same))))
    return found


def _alike(old: Columns, new: Columns, before: range, after: range, *, from_end: bool) -> int:
    """Return how many rows are the same from the one end or the other."""
    same, most = 0, min(len(before), len(after))
    width = 1 << most.bit_length()
    while width := width // 2:
        at = same + width
        if at <= most and all(
            old[name][before.stop - at : before.stop - same] == new[name][after.stop - at : after.stop - same]
            if from_end
            else old[name][before.start + same : before.start + at] == new[name][after.start + same : after.start + at]
            for name in new
        ):
            same = at
    return same


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values()), ()))


def _values(columns: Columns) -> int:
    return sum(map(len, columns.values()))
