"""What a study shows only when somebody asks: further charts, groups, differences, and what a paper needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import marimo as mo

from experiments.jobs.permits import on_a_page
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
from experiments.notebooks.charts.leading import leading_words
from experiments.notebooks.charts.theme import sentences
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.controls import choice_of
from experiments.notebooks.curves import Curves
from experiments.notebooks.page import Changing, Chosen, Subject, stacked
from experiments.notebooks.paper import paper_part
from experiments.notebooks.shared import (
    Drawing,
    arms_of,
    axis_of,
    chart_widget,
    drawn_once,
    leading_of,
    left_out,
    made_chart,
    only_these,
    runs_with,
    score_options,
    show,
    specified,
    standings,
    window_of,
)
from experiments.notebooks.styles import heading
from experiments.notebooks.tables.differences import diff_inputs, diff_view
from experiments.notebooks.tables.groups import ARM, group_picker, group_view
from experiments.project.errors import ExperimentsError
from experiments.project.look import counted
from experiments.results.logged import logged_metrics
from experiments.results.rows import config_differences, run_rows, short_names
from experiments.runs.roles import speed_keys
from experiments.types import JobRef

SPEED, SMALL, SETTINGS = "Speed", "Small charts", "Settings"
PROFILE, IMPROVEMENT, MACHINES = "Performance profile", "Probability of improvement", "Machines"
CHARTS, GROUPS, DIFFERENCES, PAPER = "More charts", "Groups", "Differences", "For a paper"


@dataclass(frozen=True)
class Asked:
    """What a further chart is asked for.

    Attributes:
        jobs: Those that are drawn.
        every: All of the notebook, for colours that stay the same.
        selected: Runs that stand out.
        window: Part of the x-axis that is looked at.
        hidden: Runs of which no curve is drawn.
    """

    experiment: NotebookContext
    jobs: Sequence[JobRef]
    every: Sequence[JobRef]
    controls: Any
    selected: tuple[str, ...]
    window: tuple[float, float] | None
    hidden: tuple[str, ...] = ()

    @property
    def leading(self) -> tuple[str, ...]:
        """Arms in colour."""
        return leading_of(self.experiment, self.every, self.controls, self.selected, self.hidden)

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


def draw_more(
    view: Any,
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    tabs: Any,
    controls: Any,
    *,
    selected: Iterable[str] = (),
    only: Iterable[str] = (),
    hidden: Iterable[str] = (),
) -> Any:
    """Draw the chart of the chosen tab; where there is no page, return all of them.

    Args:
        view: What `chart_widget` returned.
        selected: Runs that stand out.
        only: Runs that are drawn; none for all.
        hidden: Runs of which no curve is drawn.
    """
    if not jobs:
        return show(view, None)
    standing = tuple(sorted(set(selected)))
    window = window_of(view, axis_of(controls))
    asked = Asked(experiment, only_these(jobs, only), jobs, controls, standing, window, tuple(sorted(set(hidden))))
    if not on_a_page():
        # In a file nobody can try another pattern.
        names = [name for name in view_names(jobs) if name != SMALL or _matching(asked)]
        return mo.vstack([_MAKERS[name](asked)[0] for name in names])
    return show(view, _MAKERS.get(tabs.value, _speed)(asked))


def _speed(asked: Asked) -> Drawing:
    keys = speed_keys(asked.jobs)
    options = CurveOptions(
        metric=keys[0],
        arms=arms_of(asked.every),
        selected=asked.selected,
        window=asked.window,
        height=220,
        note=asked.note,
        hidden=asked.hidden,
        leading=asked.leading,
    )
    axis = axis_of(asked.controls)
    return made_chart(asked.experiment, asked.jobs, keys, axis, options, lambda runs: learning_curves(runs, options))


def _small(asked: Asked) -> Drawing:
    pattern, log = str(asked.controls.value["pattern"] or ""), bool(asked.controls.value["log"])
    found = _matching(asked)
    names, axis = found[:MOST_PANELS], axis_of(asked.controls)
    leading, arms = asked.leading, arms_of(asked.every)
    jobs = [job for job in asked.jobs if (job.arm or job.run) in leading and job.run not in asked.hidden]
    away = len({job.run for job in asked.jobs} & set(asked.hidden))
    note = sentences(
        asked.note,
        leading_words(len(leading), len(arms), "Runs") if len(leading) < len(arms) else "",
        f"{counted(away, 'run')} hidden by hand" if away else "",
    )

    def build() -> Drawing:
        if not names:
            return specified(empty_chart(f"No metric is called {pattern!r}. Try losses/* or a part of a name."))
        return specified(
            metric_grid(
                {name: runs_with(asked.experiment, jobs, name, axis) for name in names},
                arms=arms,
                leading=leading,
                note=note,
                smoothing=asked.smoothing,
                log=log,
                selected=asked.selected,
                left_out=len(found) - len(names),
            )
        )

    options = (SMALL, tuple(names), len(found), axis, asked.smoothing, log, asked.selected, asked.hidden, leading)
    return drawn_once(asked.experiment, asked.jobs, options, build)


def _matching(asked: Asked) -> list[str]:
    pattern = str(asked.controls.value["pattern"] or "")
    return matching(pattern, logged_metrics(asked.experiment.run_infos(asked.jobs)))


def _machines(asked: Asked) -> Drawing:
    def build() -> Drawing:
        found = machine_curves(asked.jobs, asked.experiment.store)
        if not found:
            return specified(empty_chart("W&B measured no machine of these runs that can be read here."))
        return specified(metric_grid(found, arms=arms_of(asked.every), selected=asked.selected))

    return drawn_once(asked.experiment, asked.jobs, (MACHINES, asked.selected), build)


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
        pools = asked.experiment.pool_codes
        options = score_options(asked.every, asked.controls, asked.selected, pool_codes=pools)
        options = replace(options, note=asked.note)
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


class Details(Changing):
    """One panel of four parts; only the one that is open is worked out."""

    def __init__(self, study: Subject, curves: Curves) -> None:
        super().__init__(study)
        self.curves, self.chosen = curves, Chosen()
        self.charts, self.groups, self.differences = Charts(self), Groups(self), Differences(self)
        self._open: str | None = None
        self._tabs: Any = None

    def offer(self) -> None:
        """Make what is chosen with, in the cell that shows it."""
        if self._tabs is None:
            parts = [CHARTS, GROUPS, DIFFERENCES, PAPER]
            self._tabs = mo.ui.radio(parts, inline=True, on_change=self._opened)

    def page(self) -> mo.Html:
        """Return the choice of a part, above the part that is open."""
        if not self.study.jobs:
            return stacked(
                [heading("Details"), mo.md("No run yet. Once one is launched, it can be looked at closely here.")]
            )
        part = self._parts()[self._open]() if self._open else None
        return stacked([heading("Details"), self._tabs, part])

    def still(self) -> Any:
        """Return all parts, folded."""
        if not self.study.jobs:
            return None
        parts = {name: make() for name, make in self._parts().items() if name != DIFFERENCES}
        return stacked([heading("Details"), mo.accordion(parts, multiple=True)])

    def refresh(self) -> None:
        """Draw the new rows, where charts are open."""
        if self._open == CHARTS:
            self.charts.draw()

    def redraw(self) -> None:
        """Show the panel anew, after an input of it has changed."""
        mo.output.replace(self)

    def _parts(self) -> dict[str, Callable[[], Any]]:
        study = self.study
        paper = lambda: paper_part(study.experiment, study.jobs, self.chosen, study.journal)  # noqa: E731
        return {
            CHARTS: self.charts.view,
            GROUPS: self.groups.view,
            DIFFERENCES: self.differences.view,
            PAPER: paper,
        }

    def _opened(self, part: str | None) -> None:
        self._open = part
        self.redraw()


class Charts:
    """Speed, small charts, settings and so on: one is made at a time.

    Attributes:
        value: Name of the chart that is shown.
    """

    def __init__(self, details: Details) -> None:
        self.details, self.value = details, SPEED
        self._view = chart_widget(details.study.experiment)
        self._tabs: Any = None
        self._names: list[str] = []

    def view(self) -> mo.Html:
        """Return the choice of a chart above the chart; in a file, all of them."""
        self._offer()
        still = self.draw()
        return stacked([self._tabs, self._view]) if still is None else still

    def _offer(self) -> None:
        names = view_names(self.details.study.jobs)
        if names != self._names:
            self._names, self.value = names, self.value if self.value in names else SPEED
            pattern = self.details.curves.controls.elements["pattern"]
            inside = {name: pattern if name == SMALL else mo.Html("") for name in names}
            self._tabs = mo.ui.tabs(inside, value=self.value, on_change=self._chosen)

    def _chosen(self, name: str) -> None:
        self.value = name
        self.draw()

    def draw(self) -> Any:
        """Draw the chosen chart in its place; return all where there is no page."""
        study, chosen = self.details.study, self.details.chosen
        shown = {"selected": study.selected, "only": chosen.runs, "hidden": study.hidden}
        return draw_more(self._view, study.experiment, study.jobs, self, chosen, **shown)


class Groups:
    """Runs that share settings, each group with its statistic, interval and count."""

    def __init__(self, details: Details) -> None:
        self.details = details
        self._keys: list[str] = [ARM]
        self._picker: Any = None
        self._of: tuple[object, ...] = ()

    def view(self) -> mo.Html:
        """Return the choice of what to group by, above the table."""
        study = self.details.study
        if self._of != (jobs := tuple(study.jobs)):
            self._of, self._keys = jobs, [ARM]
            self._picker = group_picker(study.experiment, study.jobs, self._chosen)
        return stacked([self._picker, group_view(study.experiment, study.jobs, self._keys, self.details.chosen)])

    def _chosen(self, keys: list[str]) -> None:
        self._keys = keys
        self.details.redraw()


class Differences:
    """Settings, code, packages and metrics of two runs or arms, side by side."""

    def __init__(self, details: Details) -> None:
        self.details = details
        self.value: dict[str, str | None] = {}
        self._pair: Any = None
        self._of: tuple[object, ...] = ()

    def view(self) -> Any:
        """Return the choice of two, above what differs between them."""
        study = self.details.study
        if len(study.jobs) < 2:
            return mo.md("There is only one run so far. Two can be compared.")
        if self._of != (jobs := tuple(study.jobs)):
            self._of, self.value = jobs, {}
            self._pair = diff_inputs(study.jobs, self._chosen)
        line = mo.hstack([self._pair["a"], self._pair["b"]], justify="start", align="center", gap=1.0, wrap=True)
        return stacked([line, diff_view(study.experiment, study.jobs, self)])

    def _chosen(self, value: dict[str, str | None]) -> None:
        self.value = value
        self.details.redraw()
