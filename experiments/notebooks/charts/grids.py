"""Small charts, one a metric: of those that runs logged, or of what W&B measured of the machines that they had."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from experiments.notebooks.charts.axes import ValueAxis, step_axis, value_axis
from experiments.notebooks.charts.captions import caption_of
from experiments.notebooks.charts.runs import RunCurve, axis_sentence, origin_words, problems
from experiments.notebooks.charts.theme import (
    colour_by_arm,
    dash_by_arm,
    data_of,
    empty_chart,
    palette_of,
    styled,
    words_of,
)
from experiments.project.errors import ExperimentsError
from experiments.project.look import counted
from experiments.runs.offline.store import OfflineStore
from experiments.runs.store import Origin, RunStore
from experiments.runs.thinning import min_max, rounded
from experiments.statistics import Curve, shown, smoothed_for_display
from experiments.types import JobRef

MOST_PANELS = 12
_MOST_POINTS = 18_000
_COLUMNS = 3
_WIDTH, _HEIGHT = 268, 130
WORDS = {
    "cpu": "processor of the trainer (%)",
    "proc.memory.rssMB": "memory of the trainer (MB)",
    "memory_percent": "memory of the machine (%)",
    "gpu": "GPU busy (%)",
    "gpu.memory": "GPU memory (%)",
    "gpu.powerWatts": "GPU power (W)",
}
_GPU = re.compile(r"gpu\.\d+\.(gpu|memoryAllocated|powerWatts)$")
_OF_GPU = {"gpu": "gpu", "memoryAllocated": "gpu.memory", "powerWatts": "gpu.powerWatts"}


def matching(pattern: str, names: Sequence[str]) -> list[str]:
    """Return the names that a wildcard pattern finds, sorted: `losses/*`, or a part of a name; several by commas.

    Upper and lower case are the same, and every character but `*` and `?` stands for itself.
    """
    found: set[str] = set()
    for part in (part.strip().lower() for part in pattern.split(",")):
        if not part:
            continue
        wild = part if any(sign in part for sign in "*?") else f"*{part}*"
        wild = wild.replace("[", "[[]")
        found |= {name for name in names if fnmatch.fnmatchcase(name.lower(), wild)}
    return sorted(found)


def metric_grid(
    metrics: Mapping[str, Sequence[RunCurve]],
    *,
    arms: Sequence[str] = (),
    smoothing: float = 0.0,
    log: bool = False,
    selected: Sequence[str] = (),
    left_out: int = 0,
    leading: Sequence[str] = (),
    note: str = "",
    dark: bool = False,
) -> Any:
    """Return one small chart a metric, every run a line; or a sentence where there is nothing.

    Args:
        metrics: The runs of each metric; the first twelve metrics with a value are drawn.
        smoothing: As in `CurveOptions`.
        left_out: How many more metrics were found than were read.
        leading: Arms in colour where there are more than eight; empty for those with a selected run.
        note: What a reader has to know first.
    """
    palette = palette_of(dark=dark)
    given = {name: [run for run in runs if len(run.curve.steps)] for name, runs in metrics.items()}
    known = {name: runs for name, runs in given.items() if runs}
    if not known:
        names = ", ".join(list(metrics)[:3])
        return empty_chart(f"No values of {names or 'any of these metrics'} yet.", palette)
    panels = dict(list(known.items())[:MOST_PANELS])
    order = list(arms) or list(dict.fromkeys(run.arm for runs in panels.values() for run in runs))
    wanted = set(selected)
    chosen = [
        arm for arm in order if any(run.arm == arm and run.run in wanted for runs in panels.values() for run in runs)
    ]
    colour = colour_by_arm(order, palette, leading or chosen)
    budget = int(np.clip(_MOST_POINTS // sum(map(len, panels.values())), 20, 400))
    axes = {name: value_axis(runs, log=log, safe=True) for name, runs in panels.items()}
    style = (colour, dash_by_arm(order, leading or chosen), budget)
    drawn = [
        _panel(f"y{number}", runs, axes[name], *style, smoothing=smoothing, wanted=wanted)
        for number, (name, runs) in enumerate(panels.items())
    ]
    hidden = len(known) - len(panels) + left_out
    units = ", ".join(dict.fromkeys(runs[0].curve.unit for runs in panels.values()))
    planned = [run for name in panels for run in metrics[name]]
    logged = {run.run for runs in panels.values() for run in runs}
    silent = {run.run: run for run in planned if run.run not in logged}
    caption = caption_of(
        planned,
        "One line a run; no statistic over seeds",
        f"Smoothed for display only (EMA, half-life {100 * smoothing:.3g} % of the x-range)"
        if smoothing
        else "Nothing is smoothed",
        f"{counted(hidden, 'more metric')} not drawn: name fewer" if hidden > 0 else "",
        f"Without values: {', '.join(name for name in given if name not in known)}" if len(known) < len(given) else "",
        problems(list(silent.values())),
        "; ".join(dict.fromkeys(filter(None, map(axis_sentence, panels.values())))),
        origin_words(planned),
        method="one line a run, no statistic over seeds",
        note=note,
    )
    shared = alt.Resolve(scale=alt.ScaleResolveMap(color="shared", strokeDash="shared"))
    chart = alt.concat(*drawn, columns=_COLUMNS, spacing=18)
    names = ", ".join(words_of(name) for name in panels)
    words = f"Small charts of {names} over {units}. {caption.text}"
    return styled(chart, caption, palette, description=words, resolve=shared, params=_params(axes))


def machine_curves(jobs: Sequence[JobRef], store: RunStore) -> dict[str, list[RunCurve]]:
    """Return what was measured of each run's machine over its wall time, by what it is; nothing where nothing was.

    Several GPUs of one run are averaged. Only runs whose files are on this machine, or seen from it, can be read.
    """
    found: dict[str, list[RunCurve]] = {}
    here: Any = getattr(store, "offline", store)
    if not isinstance(here, OfflineStore):
        return {}
    for job in jobs:
        try:
            log = here.log(job.run)
            frame = log.system_metrics()
        except (ExperimentsError, OSError):
            continue
        if frame.empty:
            continue
        seconds = frame["_timestamp"].to_numpy(dtype=float)
        origin = Origin("W&B's system metrics", len(frame), len(frame), complete=True, as_of=log.modified or 0.0)
        for name, values in _measured(frame).items():
            known = ~np.isnan(values)
            hours = (seconds[known] - seconds[0]) / 3600
            curve = Curve(
                *(hours, values[known], job.arm or job.run, job.seed, "finished", "wall time", job.run),
                role=job.role,
                replicate=job.replicate,
            )
            # Its rows do not say what became of the run.
            found.setdefault(WORDS[name], []).append(RunCurve(curve, state="", origin=origin))
    return {words: found[words] for words in WORDS.values() if words in found}


def _panel(
    called: str,
    runs: Sequence[RunCurve],
    axis: ValueAxis,
    colour: Any,
    dash: Any,
    points: int,
    *,
    smoothing: float,
    wanted: set[str],
) -> Any:
    unit = runs[0].curve.unit
    rows = []
    for number, run in enumerate(runs):
        steps, values = run.curve.steps, run.curve.values
        if smoothing > 0:
            steps, values = run.buckets
            values = smoothed_for_display(steps, values, smoothing * float(steps[-1] - steps[0]))
        kept = min_max(values, points)
        opacity = (1.0 if run.run in wanted else 0.15) if wanted else 0.7
        rows += [
            {"x": x, "y": y, "k": number, "arm": run.arm, "o": opacity, "run": run.label}
            for x, y in zip(rounded(steps[kept]), rounded(values[kept], 5), strict=True)
        ]
    words = alt.ExprRef(f"{called}_title")
    title = alt.TitleParams(words, fontSize=12, fontWeight="normal", anchor="start", limit=_WIDTH)
    line = alt.Chart(data_of(rows)).mark_line(strokeWidth=1.2, clip=True)
    y = axis.encoding("y", "", called=called)
    return line.encode(
        x=step_axis(unit, ticks=5),
        y=y,
        color=colour,
        strokeDash=dash,
        detail="k:N",
        opacity=alt.Opacity("o:Q", scale=None, legend=None),
        tooltip=[alt.Tooltip("run:N", title="run")],
    ).properties(width=_WIDTH, height=_HEIGHT, title=title)


def _params(axes: Mapping[str, ValueAxis]) -> list[Any]:
    """Return the params of all panels: the y-axis and the title of each, which says where that axis is cut."""
    params: list[Any] = [alt.VariableParameter(name=name, value=None) for name in ("x_from", "x_to")]
    for number, (name, axis) in enumerate(axes.items()):
        cut = f"  (cut at {shown(axis.domain[0])} and {shown(axis.domain[1])})" if axis.domain else ""
        title = alt.VariableParameter(name=f"y{number}_title", value=f"{words_of(name)}{cut}")
        params += [*axis.params(f"y{number}"), title]
    return params


def _measured(frame: Any) -> dict[str, Any]:
    measured = {name: frame[name].to_numpy(dtype=float) for name in WORDS if name in frame}
    of_gpus: dict[str, list[Any]] = {}
    for column in frame.columns:
        match = _GPU.match(str(column))
        if match is not None:
            of_gpus.setdefault(_OF_GPU[match[1]], []).append(frame[column].to_numpy(dtype=float))
    for name, columns in of_gpus.items():
        rows = np.vstack(columns)
        counts = (~np.isnan(rows)).sum(axis=0)
        with np.errstate(invalid="ignore"):
            measured[name] = np.where(counts > 0, np.nansum(rows, axis=0) / np.maximum(counts, 1), np.nan)
    return measured
