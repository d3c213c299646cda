"""What a reader chooses above the charts, and what all that stands below them shows: metric, score, statistic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import marimo as mo

from experiments.jobs.rule import Rule
from experiments.notebooks.charts import Axis
from experiments.notebooks.charts.runs import UPDATE_KEYS, over_metric
from experiments.notebooks.context import NotebookContext
from experiments.results.logged import first_metric, logged_metrics, primary_of
from experiments.results.scores import FINAL, known_statuses
from experiments.runs.store import REWARD_KEY, RunInfo
from experiments.statistics import Statistic, Summary
from experiments.types import JobRef, JobStatus

LOSSES = "losses/*"
STATISTICS: dict[str, Statistic] = {"mean": "mean", "median": "median", "interquartile mean": "iqm"}
SUMMARIES: dict[str, Summary] = {
    "last 10 %": Summary("final"),
    "area under the curve": Summary("area"),
    "best value": Summary("best"),
}
_MANY = 50
"""Of more options a list says how many there are: it shows those in sight alone, and is searched by typing."""
SMOOTHING = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)


class CurveControls:
    """The controls of the learning curves; what was chosen stays when there is more to choose from.

    Attributes:
        value: As `controls_of` says; known also in the cell that makes the controls.
        elements: The controls by name.
    """

    def __init__(self, experiment: NotebookContext, then: Callable[[], None], *, rule: Rule | None = None) -> None:
        """Make controls of a study without jobs.

        Args:
            then: Called after each change.
            rule: What decides the study: at first its metric and score are shown, so that pages show what is decided.
        """
        self._experiment, self._then = experiment, then
        self._first = _chosen_by(rule) if rule is not None else {}
        self.value: dict[str, Any] = {}
        self.elements: Mapping[str, Any] = {}
        self._shown: Any = None

    def offer(self, jobs: Sequence[JobRef]) -> None:
        """Make the controls again for these jobs and what they have logged."""
        elements, self.value = controls_of(self._experiment, jobs, {**self.value, **self._first})
        # The elements of a dictionary are copies of those that it is made of.
        self._shown = mo.ui.dictionary(elements, on_change=self._changed)
        self.elements = self._shown.elements

    def view(self) -> mo.Html:
        """Return the controls on one line."""
        return controls_line(self.elements)

    def _changed(self, value: Mapping[str, Any]) -> None:
        self._first = {}  # from now on it is as somebody chose
        self.value = dict(value)
        self._then()


def _chosen_by(rule: Rule) -> dict[str, Any]:
    score = next((name for name, summary in SUMMARIES.items() if summary.kind == rule.score), None)
    statistic = next((name for name, known in STATISTICS.items() if known == rule.statistic), None)
    return {"metric": rule.metric, "summary": score, "statistic": statistic}


def controls_of(
    experiment: NotebookContext, jobs: Sequence[JobRef], before: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the controls, and what each holds: what it held before where it still can.

    A value has `metric`, `axis`, `statistic` and `summary` (keys of the tables here), `smoothing` (% of the x-range),
    `log`, `all_values`, `by_run` and `pattern` (of the small charts).
    """
    infos = experiment.run_infos(jobs)
    logged = logged_metrics(infos)
    elements: dict[str, Any] = {}
    values: dict[str, Any] = {}

    def one_of(name: str, options: Sequence[str], first: str, label: str) -> None:
        values[name] = before.get(name) if before.get(name) in options else first
        said = f"{label} (of {len(options):,})" if len(options) > _MANY else label
        elements[name] = mo.ui.dropdown(list(options), value=values[name], label=said, searchable=len(options) > 8)

    def box(name: str, label: str) -> None:
        values[name] = bool(before.get(name))
        elements[name] = mo.ui.checkbox(values[name], label=label)

    first = first_metric(logged, jobs)
    one_of("metric", sorted({*logged, first, *([] if primary_of(jobs) else [REWARD_KEY])}), first, "Metric")
    axes = axes_of(infos, known_statuses(experiment.workspace.state), jobs)
    one_of("axis", [*axes, *map(over_metric, sorted(logged))], "steps", "over")
    steps = [100 * share for share in SMOOTHING]
    values["smoothing"] = before.get("smoothing") if before.get("smoothing") in steps else 0.0
    elements["smoothing"] = mo.ui.slider(
        steps=steps, value=values["smoothing"], label="Smoothing (% of the x-axis)", show_value=True, debounce=True
    )
    box("log", "log scale")
    box("all_values", "scale fits outliers")
    if len({job.seed for job in jobs}) > 1:
        one_of("statistic", list(STATISTICS), "mean", "Over seeds")
        box("by_run", "single runs, no average")
        one_of("summary", list(SUMMARIES), "last 10 %", "Score")
    values["pattern"] = str(before.get("pattern") or LOSSES)
    elements["pattern"] = mo.ui.text(value=values["pattern"], label="Small charts of", placeholder="losses/*, entropy")
    return elements, values


def controls_line(elements: Mapping[str, Any]) -> mo.Html:
    """Return the controls side by side; the pattern of the small charts stands with these."""
    shown = [element for name, element in elements.items() if name != "pattern"]
    return mo.hstack(shown, justify="start", align="center", gap=1.0, wrap=True)


def axes_of(infos: Sequence[RunInfo], statuses: Mapping[str, JobStatus], jobs: Sequence[JobRef]) -> list[Axis]:
    """Return what curves can be drawn over: updates and cost only where at least one run knows them."""
    axes: list[Axis] = ["steps"]
    if any(key in info.summary for info in infos for key in UPDATE_KEYS):
        axes.append("updates")
    axes.append("wall time")
    costs = [status.cost_usd for job in jobs if (status := statuses.get(job.run)) is not None]
    return [*axes, "cost"] if any(costs) else axes


@dataclass(frozen=True)
class Choice:
    """Metric, score and statistic.

    Attributes:
        metric: Key of the metric.
        summary: What one run's score is.
        statistic: Over seeds.
        smoothing: Of drawn lines, as a share of the x-axis; never of a number.
    """

    metric: str = REWARD_KEY
    summary: Summary = FINAL
    statistic: Statistic = "mean"
    smoothing: float = 0.0


DEFAULTS = Choice()


def choice_of(controls: Any) -> Choice:
    """Return what the controls say; what they lack, or where there are none, is the default."""
    value = getattr(controls, "value", None)
    if not isinstance(value, dict):
        return DEFAULTS
    return Choice(
        value.get("metric") or REWARD_KEY,
        SUMMARIES.get(str(value.get("summary")), FINAL),
        STATISTICS.get(str(value.get("statistic")), "mean"),
        float(value.get("smoothing") or 0.0) / 100,
    )
