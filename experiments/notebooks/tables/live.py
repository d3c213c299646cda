"""What the page's table of runs is handed: plain values, of which the page makes groups, means and small curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from experiments.notebooks.charts.grids import matching
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.tables.runs import STATE_WORDS, CurveText, is_number, run_frame
from experiments.notebooks.tables.sparklines import scale_of
from experiments.project.standing import seed_number
from experiments.results.logged import logged_metrics
from experiments.results.rows import flat_config
from experiments.types import JobRef

MOST_FOUND = 50
_BOTTOM, _LEVELS = ord("#"), ord("b") - ord("#")
_KINDS = {"time": "time", "cost": "cost"}
_VERDICTS = {text: word for word, text in STATE_WORDS.items()}


def live_table(
    experiment: NotebookContext, jobs: Sequence[JobRef], metrics: Sequence[str], picked: Sequence[str] = ()
) -> tuple[dict[str, Any], list[str], pd.DataFrame]:
    """Return a table as `widgets.runs.RunTable` takes it, what has to be known of it, and the frame that it shows.

    Args:
        metrics: Keys that become a column with the latest value and one with a small curve.
        picked: Settings and metrics that become columns; empty for the settings in which runs differ.
    """
    frame, curves = run_frame(experiment, jobs, metrics, list(picked))
    names, ends = frame.attrs["names"], {f"{key} curve": scale_of(list(own.values())) for key, own in curves.items()}
    fixed = ["run_name", "arm", "seed", "verdict"]
    # What one looks for comes first: a page is too narrow for all.
    first = [name for key in metrics for name in (key, f"{key} curve") if name in frame]
    shown = [*first, *(str(name) for name in frame.columns if name not in {*fixed, *first})]
    columns = [
        {
            "key": name,
            "label": name.removeprefix("overview/"),
            "title": frame.attrs["tooltips"].get(name, name),
            "kind": _kind(name, frame),
            "name": names.get(name, ""),
        }
        for name in shown
    ]
    counts = {job.run: job.counts for job in jobs}
    heads = zip(*(frame[name].tolist() for name in fixed), strict=True)
    cells = zip(*(_sent(frame[name], curves, ends.get(name)) for name in shown), strict=True)
    rows = [
        [run, arm, seed_number(seed), counts.get(run, True), _VERDICTS.get(state, state), *values]
        for (run, arm, seed, state), values in zip(heads, cells, strict=True)
    ]
    notes = [f"Not read: {frame.attrs['problem']}"] if frame.attrs["problem"] else []
    notes += filter(None, [frame.attrs["columns"], frame.attrs["uncounted"], *frame.attrs["code"]])
    return {"columns": columns, "rows": rows}, notes, frame


def found_columns(experiment: NotebookContext, jobs: Sequence[JobRef], text: str) -> dict[str, Any]:
    """Return the settings and metrics that a pattern finds, as `RunTable.found` has them: a run may have 10,000."""
    infos = experiment.run_infos(jobs)
    every = dict.fromkeys([*logged_metrics(infos), *(key for info in infos for key in flat_config(info.config))])
    names = matching(text, list(every)) if text else sorted(every)
    return {"text": text, "names": names[:MOST_FOUND], "total": len(names)}


def _kind(name: str, frame: pd.DataFrame) -> str:
    if name in _KINDS:
        return _KINDS[name]
    if len(frame) and isinstance(frame[name].iloc[0], CurveText):
        return "curve"
    return "number" if is_number(frame[name]) else "switch" if pd.api.types.is_bool_dtype(frame[name]) else "text"


def _sent(
    column: pd.Series, curves: Mapping[str, Mapping[str, list[float]]], ends: tuple[float, float] | None
) -> list[Any]:
    if ends is None:
        return [_plain(value) for value in column.tolist()]
    own = curves[str(column.name).removesuffix(" curve")]
    return [_letters(own.get(text.run), *ends) or str(text) for text in column]


def _letters(points: Sequence[float] | None, low: float, high: float) -> str:
    """Return a curve with one letter a point."""
    if not points:
        return ""
    width = high - low
    return "~" + "".join(
        chr(_BOTTOM + round(_LEVELS * ((value - low) / width if width > 0 else 0.5))) for value in points
    )


def _plain(value: object) -> object:
    """Return what JSON has, numbers with six digits."""
    if value is None or value is pd.NA or isinstance(value, (bool, str)):
        return None if value is pd.NA else value
    if isinstance(value, (int, float)):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return str(value)
