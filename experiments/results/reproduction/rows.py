"""The rows that two runs logged, compared exactly and in the order of their steps."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from experiments.project.look import MISSING
from experiments.results.reproduction.values import FirstDifference, RowComparison
from experiments.runs.store import SPS_KEYS, Origin

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

_STEP = "_step"

_TIMES = frozenset({"_runtime", "_timestamp", *SPS_KEYS, "SPS", "overview/steps_per_second", "metric/total_time"})
_TIMES_BELOW = ("system/", "system.", "_wandb", "timing_", "timing/", "metric/train_time", "time/")


def is_time(column: str, further: Collection[str] = ()) -> bool:
    """Say whether a column is what a clock or the machine says, which no two runs share: when, how fast, how warm.

    These alone are left out of a comparison, and this is the one list of them, but for what a trainer names as its
    speed.
    """
    return column in _TIMES or column in further or column.startswith(_TIMES_BELOW)


def compare_rows(
    original: tuple[pd.DataFrame, Origin], reproduction: tuple[pd.DataFrame, Origin], *, times: Collection[str] = ()
) -> RowComparison:
    """Return how the rows of two runs compare, as `RunStore.history` has them.

    Rows of one step are told apart by their order. Numbers are equal or not, to the last bit; NaN equals NaN, and is
    told from a value that was not logged.

    Args:
        times: Further columns that only a clock says, as the trainer names them.
    """
    import numpy as np

    (ours, first_origin), (theirs, second_origin) = original, reproduction
    ours, theirs = _indexed(ours), _indexed(theirs)
    index = ours.index.union(theirs.index).sort_values()
    in_both = index.isin(ours.index) & index.isin(theirs.index)
    columns = sorted({str(name) for name in (*ours.columns, *theirs.columns) if not is_time(str(name), times)})
    differing = ~in_both
    places: dict[str, int] = {} if in_both.all() else {"": int(np.argmin(in_both))}
    for column in columns:
        one, other = (_values(frame, column, index) for frame in (ours, theirs))
        unequal = _unequal(one, other) & in_both
        unequal |= _nan_apart(index, in_both, *(o.nan_steps.get(column, ()) for o in (first_origin, second_origin)))
        if unequal.any():
            places[column] = int(np.argmax(unequal))
            differing = differing | unequal
    first = None
    if places:
        column, at = min(places.items(), key=lambda found: (found[1], found[0]))
        step = int(index[at][0])
        shown = [
            _shown(frame, column, index[at], column in origin.nan_steps and step in origin.nan_steps[column])
            for frame, origin in ((ours, first_origin), (theirs, second_origin))
        ]
        first = FirstDifference(step, column, *shown)
    ends = [int(frame.index[-1][0]) if len(frame) else None for frame in (ours, theirs)]
    return RowComparison(len(index), len(columns), int(differing.sum()), first, ends_alike=ends[0] == ends[1])


def compare_final(
    original: Mapping[str, Any], reproduction: Mapping[str, Any], *, times: Collection[str] = ()
) -> FirstDifference | None:
    """Return the first of the final metrics, by name, that differs between two runs."""
    for key in sorted({*original, *reproduction}):
        if is_time(key, times):
            continue
        one, other = original.get(key), reproduction.get(key)
        if one != other and not (_is_nan(one) and _is_nan(other)):
            return FirstDifference(None, key, *(MISSING if value is None else repr(value) for value in (one, other)))
    return None


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _indexed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by step and by their number within it, in order."""
    import pandas as pd

    steps = frame[_STEP]
    index = pd.MultiIndex.from_arrays([steps, steps.groupby(steps).cumcount()])
    return frame.drop(columns=_STEP).set_index(index).sort_index()


def _values(frame: pd.DataFrame, column: str, index: pd.Index) -> npt.NDArray[Any]:
    import pandas as pd

    if column not in frame:
        return pd.Series(float("nan"), index=index).to_numpy()
    return frame[column].reindex(index).to_numpy(dtype=None if frame[column].dtype.kind in "iufb" else object)


def _unequal(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    import numpy as np
    import pandas as pd

    with np.errstate(invalid="ignore"):
        same = np.asarray(one == other, dtype=bool)
    return ~(same | (pd.isna(one) & pd.isna(other)))


def _nan_apart(
    index: pd.Index, in_both: npt.NDArray[np.bool_], ours: tuple[int, ...], theirs: tuple[int, ...]
) -> npt.NDArray[np.bool_]:
    """Return the rows in which one run logged NaN and the other did not: their frames look alike there."""
    apart = set(ours) ^ set(theirs)
    return in_both & index.get_level_values(0).isin(apart)


def _shown(frame: pd.DataFrame, column: str, at: Any, is_nan: bool) -> str:  # noqa: ANN401, FBT001 - a key of an index
    import pandas as pd

    if at not in frame.index:
        return "no such row"
    if not column:
        return "a row"
    value = frame.loc[at, column] if column in frame else None
    if value is None or pd.isna(value):
        return "nan" if is_nan else "not logged"
    return repr(value.item() if hasattr(value, "item") else value)
