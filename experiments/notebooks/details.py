"""What a study shows only when somebody asks: further charts, groups, differences, and what a paper needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marimo as mo

from experiments.notebooks.curves import Curves
from experiments.notebooks.drawing import chart_widget
from experiments.notebooks.further_charts import SMALL, SPEED, draw_more, view_names
from experiments.notebooks.page import Changing, stacked
from experiments.notebooks.paper_kit import paper_part
from experiments.notebooks.styles import heading
from experiments.notebooks.subject import Chosen, Subject
from experiments.notebooks.tables.differences import diff_inputs, diff_view
from experiments.notebooks.tables.groups import ARM, group_picker, group_view

CHARTS, GROUPS, DIFFERENCES, PAPER = "More charts", "Groups", "Differences", "For a paper"


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
        paper = lambda: paper_part(self.study.experiment, self.study.jobs, self.chosen)  # noqa: E731
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
        return draw_more(
            self._view, study.experiment, study.jobs, self, chosen, selected=study.selected, only=chosen.runs
        )


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
        line = mo.hstack([self._pair["a"], self._pair["b"]], justify="start", align="center", gap=1.0)
        return stacked([line, diff_view(study.experiment, study.jobs, self)])

    def _chosen(self, value: dict[str, str | None]) -> None:
        self.value = value
        self.details.redraw()
