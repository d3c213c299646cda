"""Fewer rows of a frame, evenly chosen, with its origin saying so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from experiments.errors import UsageError
from experiments.runs.store import Origin


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
