"""The charts behind the tabs: speed, small charts, settings, profile, improvement, machines; one is made at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import marimo as mo

from experiments.notebooks.chart_inputs import known_runs, logged_metrics
from experiments.notebooks.chart_reading import (
    Drawing,
    arms_of,
    axis_of,
    left_out,
    made_chart,
    only_these,
    runs_with,
    score_options,
    standings,
    window_of,
)
from experiments.notebooks.charts import (
    CurveOptions,
    empty_chart,
    improvement_chart,
    learning_curves,
    machine_curves,
    matching,
    metric_grid,
    performance_profile,
    setting_effects,
)
from experiments.notebooks.charts.grids import MOST_PANELS
from experiments.notebooks.choices import choice_of
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.drawing import drawn_once, show, specified
from experiments.notebooks.page import on_a_page
from experiments.project.errors import ExperimentsError
from experiments.results.rows import config_differences, run_rows, short_names
from experiments.runs.store import SPS_KEYS
from experiments.types import JobRef

SPEED, SMALL, SETTINGS = "Speed", "Small charts", "Settings"
PROFILE, IMPROVEMENT, MACHINES = "Performance profile", "Probability of improvement", "Machines"


@dataclass(frozen=True)
class Asked:
    """What a further chart is asked for.

    Attributes:
        jobs: Those that are drawn.
        every: All of the notebook, for colours that stay the same.
        selected: Runs that stand out.
        window: Part of the x-axis that is looked at.
    """

    experiment: NotebookContext
    jobs: Sequence[JobRef]
    every: Sequence[JobRef]
    controls: Any
    selected: tuple[str, ...]
    window: tuple[float, float] | None

    @property
    def note(self) -> str:
        """Which runs are left out."""
        return left_out(self.every, self.jobs)

    @property
    def smoothing(self) -> float:
        """Half-life as a share of the x-range."""
        return choice_of(self.controls).smoothing


def view_names(jobs: Sequence[JobRef]) -> list[str]:
    """Return the further charts that make sense for these jobs."""
    several = len({job.arm for job in jobs}) > 1
    names = [SPEED, SMALL]
    names += [SETTINGS] if several else []
    names += [PROFILE] if len(jobs) > 2 else []
    names += [IMPROVEMENT] if several else []
    return [*names, MACHINES]


def view_tabs(jobs: Sequence[JobRef], controls: Any) -> Any:
    """Return the choice among them; only the chosen one is computed."""
    inside = {SMALL: controls.elements["pattern"]}
    return mo.ui.tabs({name: inside.get(name, mo.Html("")) for name in view_names(jobs)}, value=SPEED)


def draw_more(
    view: Any,
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    tabs: Any,
    controls: Any,
    _changed: object = None,
    *,
    selected: Iterable[str] = (),
    only: Iterable[str] = (),
) -> Any:
    """Draw the chart of the chosen tab; where there is no page, return all of them.

    Args:
        view: What `chart_widget` returned.
        _changed: Read by the cell only so that it runs again when the runs have new data.
        selected: Runs that stand out.
        only: Runs that are drawn; none for all.
    """
    if not jobs:
        return show(view, None)
    standing = tuple(sorted(set(selected)))
    window = window_of(view, axis_of(controls))
    asked = Asked(experiment, only_these(jobs, only), jobs, controls, standing, window)
    if not on_a_page():
        # In a file nobody can try another pattern.
        names = [name for name in view_names(jobs) if name != SMALL or _matching(asked)]
        return mo.vstack([_MAKERS[name](asked)[0] for name in names])
    return show(view, _MAKERS.get(tabs.value, _speed)(asked))


def _speed(asked: Asked) -> Drawing:
    options = CurveOptions(
        metric=SPS_KEYS[0],
        arms=arms_of(asked.every),
        selected=asked.selected,
        window=asked.window,
        height=220,
        note=asked.note,
    )
    axis = axis_of(asked.controls)
    return made_chart(
        asked.experiment, asked.jobs, SPS_KEYS, axis, options, lambda runs: learning_curves(runs, options)
    )


def _small(asked: Asked) -> Drawing:
    pattern, log = str(asked.controls.value["pattern"] or ""), bool(asked.controls.value["log"])
    found = _matching(asked)
    names, axis = found[:MOST_PANELS], axis_of(asked.controls)

    def build() -> Drawing:
        if not names:
            return specified(empty_chart(f"No metric is called {pattern!r}. Try losses/* or a part of a name."))
        return specified(
            metric_grid(
                {name: runs_with(asked.experiment, asked.jobs, name, axis) for name in names},
                arms=arms_of(asked.every),
                smoothing=asked.smoothing,
                log=log,
                selected=asked.selected,
                left_out=len(found) - len(names),
            )
        )

    options = (SMALL, tuple(names), len(found), axis, asked.smoothing, log, asked.selected)
    made: Drawing = drawn_once(asked.experiment, asked.jobs, options, build)
    return made


def _matching(asked: Asked) -> list[str]:
    pattern = str(asked.controls.value["pattern"] or "")
    return matching(pattern, logged_metrics(known_runs(asked.experiment, asked.jobs)))


def _machines(asked: Asked) -> Drawing:
    def build() -> Drawing:
        found = machine_curves(asked.jobs, asked.experiment.store)
        if not found:
            return specified(empty_chart("W&B measured no machine of these runs that can be read here."))
        return specified(metric_grid(found, arms=arms_of(asked.every), selected=asked.selected))

    made: Drawing = drawn_once(asked.experiment, asked.jobs, (MACHINES, asked.selected), build)
    return made


def _settings(asked: Asked) -> Drawing:
    options = replace(score_options(asked.every, asked.controls, asked.selected), note=asked.note)
    try:
        rows = run_rows(asked.jobs, asked.experiment.store, statuses=standings(asked.experiment, asked.jobs))
    except ExperimentsError as error:
        return specified(empty_chart(f"The settings of the runs could not be read: {error}"))
    differing = config_differences(rows)
    short = short_names(list(differing))
    settings = {short[key]: values for key, values in differing.items()}
    key = (SETTINGS, options, repr(settings))
    return made_chart(
        asked.experiment,
        asked.jobs,
        options.metric,
        "steps",
        key,
        lambda runs: setting_effects(runs, settings, options),
    )


def _scores(name: str, draw: Callable[..., Any]) -> Callable[[Asked], Drawing]:
    def make(asked: Asked) -> Drawing:
        options = replace(score_options(asked.every, asked.controls, asked.selected), note=asked.note)
        try:
            # Runs that a reader chose support no claim, and their caption says so.
            jobs = asked.jobs if asked.note else asked.experiment.with_unlaunched(asked.jobs)
        except ExperimentsError as error:
            return specified(empty_chart(f"What was planned could not be read: {error}"))
        return made_chart(
            asked.experiment,
            jobs,
            options.metric,
            "steps",
            (name, options),
            lambda runs: draw(runs, options),
        )

    return make


_MAKERS: dict[str, Callable[[Asked], Drawing]] = {
    SPEED: _speed,
    SMALL: _small,
    SETTINGS: _settings,
    PROFILE: _scores(PROFILE, performance_profile),
    IMPROVEMENT: _scores(IMPROVEMENT, improvement_chart),
    MACHINES: _machines,
}
