"""What the metrics of a run are drawn over: the counter of steps that it logged, chosen in this one place.

Trainers count differently: in `metric/agent_step`, in a counter of their own, or not at all; W&B numbers every row.
Curves of different counters cannot share an axis, so what is drawn together takes the best one that all have, and
whoever draws says which it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from experiments.runs.store import AGENT_STEP

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Column: TypeAlias = pd.Series[Any] | npt.NDArray[Any]
    Rows: TypeAlias = pd.DataFrame | Mapping[str, npt.NDArray[Any]]
    """Rows of a run as `history` returns them, or `columns_of`."""

ROW_STEP = "_step"
"""W&B's own counter, one for each call of `log`: every row has it."""

COUNTERS = (
    AGENT_STEP,
    "agent_steps",
    "env_steps",
    "total_timesteps",
    "time/total_timesteps",
    "timesteps_total",
    "global_step",
    "train/global_step",
    "trainer/global_step",
)
"""Names that trainers have for their counter of steps, the first of which a run has logged is taken."""

_WORDS = {AGENT_STEP: "agent steps", ROW_STEP: "W&B steps"}


def axis_words(axis: str) -> str:
    """Return what to call an axis in a title or a sentence: a trainer's own counter has its own name."""
    return _WORDS.get(axis, axis)


def counters_of(step: str | None) -> tuple[str, ...]:
    """Return the counters to look for in a run, the best first.

    Args:
        step: The one that its trainer names; None where it names none.
    """
    return COUNTERS if step is None else (step, *(key for key in COUNTERS if key != step))


def axes_of(frame: Rows, *metrics: str, step: str | None = None) -> tuple[str, ...]:
    """Return the counters over which a run's metrics can be drawn, the best first; W&B's steps always can.

    A counter can where half of a metric's rows or more have it. It may also stand in rows of its own between them, as
    long as it moves: then the value before a row is the row's.

    Args:
        frame: What `history` returned for `[*counters_of(step), *metrics]`.
        metrics: Those that the run has not logged as numbers have no say; without any other there is no axis.
        step: The counter that the run's trainer names.
    """
    import numpy as np

    of_rows = [~np.isnan(as_numbers(frame[metric])) for metric in metrics if metric in frame]
    of_rows = [rows for rows in of_rows if rows.any()]
    if not of_rows:
        return ()
    counters = (key for key in counters_of(step) if key in frame and all(_counts(frame, key, rows) for rows in of_rows))
    return (*counters, ROW_STEP)


def _counts(frame: Rows, counter: str, rows: npt.NDArray[np.bool_]) -> bool:
    """Return whether a counter is one of some rows."""
    import numpy as np

    values = as_numbers(frame[counter])
    own = ~np.isnan(values[rows])
    if 2 * own.sum() >= len(own):
        return True
    known = (~np.isnan(steps_along(frame, counter)[rows])).sum()
    moves = len(np.unique(values[~np.isnan(values)])) > 1
    return bool(2 * known >= len(own) and (moves or known == 1))


def own_axis(frame: pd.DataFrame, step: str | None = None) -> str:
    """Return the counter that a run goes by, whatever metric is looked at."""
    return next((key for key in counters_of(step) if key in frame and frame[key].notna().any()), ROW_STEP)


def common_axis(of_runs: Iterable[Sequence[str]]) -> str:
    """Return the best axis that all runs have, of what `axes_of` says of each; one without the metric has no say."""
    having = [axes for axes in of_runs if axes]
    shared = (axis for axis in (having[0] if having else (AGENT_STEP,)) if all(axis in axes for axes in having))
    return next(shared, ROW_STEP)


def axis_note(of_runs: Iterable[Sequence[str]], named: Collection[str] = ()) -> str:
    """Return why runs are drawn over what they are, where it is neither agent steps nor what their trainers name.

    `Over W&B steps, which all have: metric/agent_step was logged by 2 of 5 runs only`

    Args:
        of_runs: What `axes_of` says of each.
        named: The counters that the runs' trainers name; where they name several, each is another's.
    """
    having = [axes for axes in of_runs if axes]
    axis = common_axis(having)
    if axis in (named or {AGENT_STEP}):
        return ""
    better = [key for key in COUNTERS if key != axis and any(key in axes[: _place(axes, axis)] for axes in having)]
    if better:
        number = sum(better[0] in axes for axes in having)
        return f"Over {axis_words(axis)}, which all have: {better[0]} was logged by {number} of {len(having)} runs only"
    looked_for = sorted(named)[0] if named else AGENT_STEP
    return f"Over {axis_words(axis)}: no {looked_for} was logged with it"


def steps_along(frame: Rows, axis: str) -> npt.NDArray[np.float64]:
    """Return the steps of every row as float64; a row that lacks the counter has the value before it, else NaN."""
    return filled(frame[axis])


def logged_over(
    frame: Rows, metric: str, axis: str, nan_steps: Sequence[int] = ()
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return steps and values of the rows that hold a metric; empty where the run has not logged it.

    Args:
        nan_steps: W&B's steps at which it was logged as NaN (`Origin.nan_steps`): rows that hold it as well.
    """
    import numpy as np

    if metric not in frame:
        return np.empty(0), np.empty(0)
    values = as_numbers(frame[metric])
    rows = holding(frame, values, nan_steps)
    return steps_along(frame, axis)[rows], values[rows]


def holding(frame: Rows, values: npt.NDArray[np.float64], nan_steps: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Tell which rows hold a metric, given its values: a run whose last value is NaN has diverged, not ended early."""
    import numpy as np

    rows = ~np.isnan(values)
    return rows | np.isin(np.asarray(frame[ROW_STEP]), np.array(nan_steps, np.int64)) if len(nan_steps) else rows


def _place(axes: Sequence[str], axis: str) -> int:
    return list(axes).index(axis) if axis in axes else len(axes)


def filled(column: Column) -> npt.NDArray[np.float64]:
    """Return a column as float64, each gap with the value before it."""
    import numpy as np
    import pandas as pd

    values = as_numbers(column)
    return np.asarray(pd.Series(values).ffill().to_numpy()) if np.isnan(values).any() else values


def as_numbers(column: Column) -> npt.NDArray[np.float64]:
    """Return a column as float64; what is not a number is NaN."""
    import numpy as np

    if column.dtype == np.float64:
        return np.asarray(column)
    import pandas as pd

    return np.asarray(pd.to_numeric(pd.Series(column), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))
