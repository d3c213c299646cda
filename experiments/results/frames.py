"""The metrics of runs as one tidy frame: run, arm, seed, step, then one column a metric."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments.jobs.controls.pooled import control_runs, controls_of
from experiments.jobs.finding import Run, Runs, here, known_runs, refs_of, refuse_unknown, several
from experiments.jobs.ledger import open_ledger
from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.standing import uncounted_words
from experiments.project.state_words import TRACKER_ENDS
from experiments.project.workspace import Workspace
from experiments.runs.axes import COUNTERS, axes_of, axis_note, axis_words, common_axis, counters_of, steps_along
from experiments.runs.opening import default_store
from experiments.runs.roles import metrics_of
from experiments.runs.store import REWARD_KEY, Origin, RunInfo, RunStore
from experiments.types import JobRef, KeptControl
from experiments.wandb_utils import histories

if TYPE_CHECKING:
    import pandas as pd

    History = tuple[pd.DataFrame, Origin]


_KINDS: dict[str, Any] = {"run": object, "arm": object, "seed": "int64", "step": "float64"}
_COLUMNS = tuple(_KINDS)


def metrics_frame(
    runs: Runs,
    metrics: str | Sequence[str] = REWARD_KEY,
    *,
    complete: bool = False,
    workspace: Workspace | None = None,
    store: RunStore | None = None,
) -> pd.DataFrame:
    """Return metrics of an experiment, or of runs, as one tidy frame.

    Args:
        runs: Name of an experiment, which is all of its jobs, after the runs of a control that they were launched
            beside; or a run (its name, a JobRef or a TrainingJob); or several of these.
        metrics: One metric or several.
        complete: Whether a server is asked for every row, which takes it a request and more a run; files always are.
        workspace: Whose experiments; None for the project of the working folder, or none where `store` is given.
        store: Where to read; the runs of the project, here and on its W&B server, where None.

    Returns:
        One row for each row of a run that has at least one of `metrics`: `run`, `arm` (text), `seed` (int64), `step`
        (float64, ascending in a run, NaN before the run's first), then one float64 column a metric, NaN where the row
        lacks it; objects where it is not a number. Runs come in the order given, those of an experiment in the order
        of their launch; a seed that was tried again or launched again has several. With the same columns and no row
        where no run has data.

        `attrs["axis"]` is what `step` counts: `agent steps`, or the best counter that all runs have logged with the
        metrics (`global_step`, `W&B steps`), so that rows of several runs can be compared; empty where there is no row.
        `attrs["roles"]` are role and replicate number of each run that is no seed, for whoever pools the rows.
        `attrs["controls"]` is the kept control that a run is of, by run: another experiment launched it.
        `attrs["without"]` are the metrics that a run has not logged, by run; all of them for one that has not begun.
        `attrs["origin"]` says in words where the rows come from.

    Raises:
        StoreError: A name is no run and no experiment, or a server does not answer.
        UsageError: All runs have ended, and none has logged one of `metrics`, though some have logged others; or a
            metric has the name of one of the first columns.
        LedgerError: The ledger cannot be read.

    Example:
        >>> from experiments import find_training_jobs, metrics_frame
        >>> frame = metrics_frame(find_training_jobs(), "overview/reward")
        >>> frame.groupby("arm")["overview/reward"].last().round(2).to_dict()
        {'a': 1.1, 'b': 3.3}
    """
    project = workspace or (here() if store is None else None)
    place = store or default_store(project.root if project else None)
    wanted = [metrics] if isinstance(metrics, str) else list(dict.fromkeys(metrics))
    if taken := [key for key in wanted if key in _COLUMNS]:
        raise UsageError(f"metric {taken[0]!r} has the name of a column of the frame. Read it with fetch_metrics.")
    refs, known, controls = _found(runs, place, project)
    begun = [ref.run for ref in refs if ref.run in known]
    read = histories(place, begun, [*_counters(refs), *wanted], complete=complete)
    frame = tidy_frame(refs, read, wanted, controls=controls)
    own = [ref.run for ref in refs if ref.run not in frame.attrs["controls"]]  # a control's runs may be elsewhere
    if all(run in known and known[run].state in TRACKER_ENDS for run in own):
        _refuse_unlogged(wanted, known, frame.attrs["without"])
    return frame


def tidy_frame(
    refs: Sequence[JobRef],
    read: Mapping[str, History],
    metrics: Sequence[str],
    notes: Sequence[str] = (),
    controls: Sequence[KeptControl] = (),
) -> pd.DataFrame:
    """Return the histories of runs as `metrics_frame` does.

    Args:
        refs: The runs, in the order of their rows.
        read: History with the counters of its run and `metrics`, and where it comes from, by run; a run that has not
            begun to log is not in it.
        metrics: Columns.
        notes: What else the origin says, in sentences.
        controls: Those of which there are runs among `refs`.
    """
    import numpy as np
    import pandas as pd

    parts: list[dict[str, Any]] = []
    steps: list[Any] = []
    logged: list[JobRef] = []  # the run of each part
    named = {ref.run: metrics_of(ref).step for ref in refs}
    axes = {run: axes_of(history, *metrics, step=named.get(run)) for run, (history, _) in read.items()}
    axis = common_axis(axes.values())
    without: dict[str, list[str]] = {}
    for ref in refs:
        # By arrays: of a hundred runs pandas would spend most of the time on its indexes.
        history = read[ref.run][0] if ref.run in read else pd.DataFrame()
        values = {key: history[key].to_numpy() for key in metrics if key in history}
        held = {key: pd.notna(array) for key, array in values.items()}
        present = [key for key, there in held.items() if there.any()]
        if absent := [key for key in metrics if key not in present]:
            without[ref.run] = absent
        if not present:
            continue  # nor need it have the axis
        rows = np.logical_or.reduce([held[key] for key in present])
        parts.append({key: values[key][rows] for key in present})
        steps.append(steps_along(history, axis)[rows])
        logged.append(ref)
    columns = [*_COLUMNS, *metrics]
    if not parts:
        table = pd.DataFrame(columns=columns).astype({**_KINDS, **dict.fromkeys(metrics, "float64")})
    else:
        counts = [len(of_run) for of_run in steps]
        nothing = [np.full(count, np.nan) for count in counts]
        table = pd.DataFrame(
            {
                key: np.concatenate([part.get(key, none) for part, none in zip(parts, nothing, strict=True)])
                for key in metrics
            }
        )
        for at, name in enumerate(("run", "arm", "seed")):
            of_runs = np.array([getattr(ref, name) for ref in logged], _KINDS[name])
            table.insert(at, name, pd.Series(np.repeat(of_runs, counts), dtype=_KINDS[name]))
        table.insert(3, "step", np.concatenate(steps))
    axis_said = axis_note(axes.values(), {step for step in named.values() if step})
    table.attrs = {
        "axis": axis_words(axis) if len(table) else "",
        "roles": {ref.run: (ref.role, ref.replicate) for ref in refs if not ref.counts},
        "controls": {run.run: control.name for control in controls for run in control.runs},
        "without": without,
        "origin": _origin(table, refs, read, axis_said, [*map(_control_words, controls), *notes]),
    }
    return table


def _control_words(control: KeptControl) -> str:
    return f"Arm {control.arm} is control {control.name}: {counted(len(control.runs), 'run')} of another launch"


def _counters(refs: Sequence[JobRef]) -> list[str]:
    return list(dict.fromkeys(key for ref in refs for key in counters_of(metrics_of(ref).step))) or list(COUNTERS)


def _found(
    runs: Runs, store: RunStore, workspace: Workspace | None
) -> tuple[list[JobRef], dict[str, RunInfo], list[KeptControl]]:
    """Return the runs that are meant, those of them that have begun to log, and the controls that are among them."""
    meant: list[Run] = []
    beside: list[KeptControl] = []
    for run in several(runs):
        own, controls = _launched(run, workspace) if workspace and isinstance(run, str) else ([], [])
        meant += [*control_runs(controls), *own] or [run]
        beside += controls
    refs = refs_of(meant)
    known = known_runs(refs, store)
    named = [run for run in meant if isinstance(run, str) and run not in known]
    if named:
        refuse_unknown(named, store, workspace, kind="run or experiment")
    return refs, known, beside


def _launched(experiment: str, workspace: Workspace) -> tuple[list[JobRef], list[KeptControl]]:
    with open_ledger(workspace, read_only=True) as ledger:
        rows = [job for job in ledger.rows(experiment=experiment) if job.state != "planned"]
        # A row that cannot be read still says which run it is.
        return [job.ref() for job in rows], controls_of(ledger, [job.plan_key for job in rows])


def _refuse_unlogged(
    metrics: Sequence[str], known: Mapping[str, RunInfo], without: Mapping[str, Sequence[str]]
) -> None:
    """Refuse a metric that no run has, where runs have others: a mistyped name must not look like no data."""
    logged = dict.fromkeys(key for info in known.values() for key in info.summary if not key.startswith("_"))
    missing = [key for key in metrics if all(key in without.get(run, ()) for run in known)]
    if not missing or not logged:
        return
    raise UsageError(unlogged_words(missing[0], logged, len(known)))


def unlogged_words(metric: str, logged: Iterable[str], runs: int) -> str:
    """Return that none of some runs logged a metric, with those of what they logged that are nearest to it."""
    names = list(logged)
    near = difflib.get_close_matches(metric, names, n=3)
    hint = f"Nearest: {', '.join(map(repr, near))}." if near else f"Logged: {', '.join(names[:12])}." if names else ""
    return f"metric {metric!r} was logged by none of {counted(runs, 'run')}. {hint}".rstrip()


def _origin(
    table: pd.DataFrame,
    refs: Sequence[JobRef],
    read: Mapping[str, History],
    axis: str,
    notes: Sequence[str],
) -> str:
    origins = {run: origin for run, (_, origin) in read.items()}
    runs = f"{len(read)} of {counted(len(refs), 'run')}"
    said = [f"{counted(len(table), 'row')} of {runs}, {_completeness(list(origins.values()))}"]
    said += [uncounted] if (uncounted := uncounted_words(refs)) else []
    said += [axis] if axis else []
    said += [f"{run}: {origin.words}" for run, origin in origins.items() if origin.words]
    return ". ".join([*said, *notes])


def _completeness(origins: Sequence[Origin]) -> str:
    """Return `complete`, or how many rows a server chose from how many."""
    if not origins:
        return "none of which has begun to log"
    sampled = [origin for origin in origins if not origin.complete]
    if not sampled:
        return "complete"
    total = sum(origin.total or 0 for origin in sampled)
    whole = f" of {total:,}" if all(origin.total is not None for origin in sampled) else ""
    return f"sampled: {sum(origin.rows for origin in sampled):,}{whole} rows of {counted(len(sampled), 'run')}"
