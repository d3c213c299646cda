"""Frames of history rows, with the columns that every store returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from experiments.project.errors import UsageError
from experiments.project.files import JsonValue
from experiments.runs.server.fetching import number
from experiments.runs.store import Origin
from experiments.runs.wandb_file.records import leaves, names_of
from experiments.runs.wandb_file.table import STEP

TIMES = ("_timestamp", "_runtime")


def frame_of(points: Mapping[str, Sequence[tuple[int, float]]]) -> pd.DataFrame:
    """Return the rows that have any of the metrics, by step: `_step` (int64) and one float64 column a metric."""
    steps = np.unique(np.array([step for held in points.values() for step, _ in held], np.int64))
    data: dict[str, Any] = {STEP: steps}
    for key, held in points.items():
        values = np.full(len(steps), np.nan)
        if held:
            values[np.searchsorted(steps, [step for step, _ in held])] = [value for _, value in held]
        if held or key not in TIMES:
            data[key] = values
    return pd.DataFrame(data)


def frame_of_rows(rows: Sequence[Mapping[str, Any]], keys: Sequence[str] | None = None) -> pd.DataFrame:
    """Return rows as W&B's JSON holds them: `_step`, `_timestamp`, `_runtime`, then `keys`, or all sorted.

    Nested values have their dotted names; a column of numbers is float64, any other holds objects. A key that no row
    has is no column.
    """
    held = [dict(leaves(dict(row))) if row else {} for row in rows]
    names = names_of(path for row in held for path in row)
    flat: list[dict[str, Any]] = [{names[path]: value for path, value in row.items()} for row in held]
    found = set(names.values())
    every = sorted(key for key in found if not key.startswith("_"))
    wanted = every if keys is None else [key for key in dict.fromkeys(keys) if key in found]
    times = [key for key in TIMES if key in found]
    data: dict[str, Any] = {STEP: np.array([int(row.get(STEP) or 0) for row in flat], np.int64)}
    for key in [*times, *(key for key in wanted if key not in (STEP, *TIMES))]:
        data[key] = _column([row.get(key) for row in flat])
    return pd.DataFrame(data)


def _column(values: Sequence[JsonValue]) -> Any:  # noqa: ANN401 - an array of numbers or a list of objects
    if any(isinstance(value, bool) for value in values):
        return pd.Series(values, dtype=object)
    numbers = [np.nan if value is None else number(value) for value in values]
    return pd.Series(values, dtype=object) if None in numbers else np.array(numbers, np.float64)


def sampled(
    frame: pd.DataFrame,
    origin: Origin,
    *,
    samples: int | None = None,
    min_step: int | None = None,
    max_step: int | None = None,
) -> pd.DataFrame:
    """Return the rows between two steps (both inclusive), at most `samples` of them, with `attrs["origin"]`.

    The first and the last row stay; the others are evenly spaced by row, so a rare metric may lose its values: ask
    for it alone, or for all rows.

    Raises:
        UsageError: `samples` is less than 2.
    """
    if samples is not None and samples < 2:
        raise UsageError(f"samples {samples!r}. Allowed: 2 or more, or None for all rows.")
    if min_step is not None:
        frame = frame[frame["_step"] >= min_step]
    if max_step is not None:
        frame = frame[frame["_step"] <= max_step]
    total = len(frame)
    if samples is not None and total > samples:
        frame = frame.iloc[np.linspace(0, total - 1, samples).round().astype(np.int64)]
    frame = frame.reset_index(drop=True)
    complete = origin.complete and len(frame) == total
    within = total if origin.complete else origin.total
    frame.attrs["origin"] = replace(origin, rows=len(frame), total=within, complete=complete)
    return frame
