"""Frames of history rows, with the columns that every store returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from experiments.runs.history_table import STEP
from experiments.runs.queries import number
from experiments.runs.store import JsonValue
from experiments.runs.trees import flatten

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

    Nested values have their dotted names; a column of numbers is float64, any other holds objects.
    """
    flat = [flatten(dict(row)) for row in rows]
    found = {key for row in flat for key in row}
    wanted = list(keys) if keys is not None else sorted(key for key in found if not key.startswith("_"))
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
