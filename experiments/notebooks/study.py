"""A study: one object a notebook, of which each cell shows one part.

    study = open_study(__file__, lambda: config, lambda: jobs, lambda: journal)
    known, chosen, news, plan = study.values

What one part lets choose and another shows flows from cell to cell in four values: a cell that reads one of them runs
again when it changes. The parts themselves are made once, so that zoom, brush, selection and what was typed survive.
The data come as functions: where somebody deleted the cell of one, the study opens without it and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from experiments.jobs.journal import BLANK, Journal
from experiments.jobs.permits import is_edited, on_a_page
from experiments.notebooks.charts.theme import arm_colour, page_config
from experiments.notebooks.context import NotebookContext, open_notebook
from experiments.notebooks.controls import choice_of
from experiments.notebooks.curves import Curves, Scores
from experiments.notebooks.details import Details
from experiments.notebooks.job_log import JobLog
from experiments.notebooks.monitoring import Jobs
from experiments.notebooks.page import Chosen, Follower, Known, Subject
from experiments.notebooks.parts import Export, Head, Runs
from experiments.notebooks.replay_section import Replay
from experiments.notebooks.searching import Searches
from experiments.notebooks.shared import arms_of, chart_widget, show
from experiments.notebooks.template import DATA
from experiments.notebooks.training import Launch, plan_inputs
from experiments.notebooks.verdict import Verdict
from experiments.project import look
from experiments.results.frames import metrics_frame
from experiments.types import BaseExperimentConfig, JobRef
from widgets.charts import divided

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

Given = TypeVar("Given")


class Study(Subject):
    """One notebook's experiment, and the parts of its page.

    Attributes:
        plan: The inputs of a launch; None where none is offered.
    """

    def __init__(
        self,
        experiment: NotebookContext,
        recorded: Sequence[JobRef],
        journal: Journal,
        *,
        with_launched: bool = True,
        missing: Sequence[str] = (),
    ) -> None:
        # Now, while a person asks for the page: a cell that news runs again could not tell.
        may_launch = is_edited()
        super().__init__(experiment, recorded, journal, with_launched=with_launched, may_launch=may_launch)
        self.plan = plan_inputs(experiment) if with_launched else None
        # All here: marimo closes the widgets of a cell that runs again, and takes what nobody holds away.
        self.curve_section, self._scores = Curves(self), Scores(self)
        self._head, self._verdict = Head(self, missing), Verdict(self)
        self._runs, self._replay = Runs(self), Replay(self)
        self._jobs, self._log, self._details = Jobs(self), JobLog(self), Details(self, self.curve_section)
        self._launch, self._export, self._search = Launch(self), Export(self), Searches(self)
        self._own: dict[str, Any] = {}
        # At once: the parts below the curves have something chosen also where nobody keeps the cell of the curves.
        self.curve_section.offer(self.known())
        self._follower = Follower(self) if on_a_page() else None

    @property
    def values(self) -> tuple[Any, Any, Any, Any]:
        """The values that flow from cell to cell: `known`, `chosen`, `news` and `plan`."""
        return self.known, self.chosen, self.news, self.plan

    def frame(self, metric: str | None = None, news: int = 0) -> pd.DataFrame:  # noqa: ARG002 - what a cell waits for
        """Return one metric of all runs as a tidy frame, for charts of your own.

        Args:
            metric: Its key; None for the one that the curves show.
            news: Hand `news()` in, and the cell runs again when rows arrive.

        Returns:
            Columns `run`, `arm`, `seed`, `step`, `value`; `attrs` as those of `experiments.metrics_frame`.
        """
        key = metric or choice_of(self.chosen()).metric
        found = metrics_frame(self.jobs, key, workspace=self.experiment.workspace, store=self.experiment.store)
        controls = self.experiment.controls(self.jobs)
        found.attrs["controls"] = {run.run: control.name for control in controls for run in control.runs}
        return found.rename(columns={key: "value"})

    def draw(self, name: str, chart: Any) -> Any:
        """Return a chart of your own as an element that stays when its cell runs again: new rows change what is in it.

        Args:
            name: What the element is called, on this page it alone.
            chart: An altair chart.
        """
        if not on_a_page():
            return chart
        if name not in self._own:
            self._own[name] = self.made(lambda: chart_widget(self.experiment))
        spec = chart.to_dict()
        show(self._own[name], (chart, divided({**spec, "config": {**page_config(), **spec.get("config", {})}})))
        return self._own[name]

    @property
    def colour(self) -> alt.Color:
        """The arms in their colours, for charts of your own with a column `arm`: `encode(color=study.colour)`."""
        import altair as alt

        arms = arms_of(self.jobs)
        scale = alt.Scale(domain=arms, range=list(arm_colour(arms, look.LIGHT).values()))
        return alt.Color("arm:N", title=None, scale=scale)

    def verdict(self) -> Verdict:
        """Return the question and its answer: hypothesis, rule, verdict, and notes by time."""
        self._verdict.offer()
        return self._verdict

    def search(self, _news: int = 0) -> Searches:
        """Return the trials of this experiment's search, and what follows from the best one."""
        return self._search

    def curves(self, known: Known) -> Curves:
        """Return the learning curves under their controls."""
        self.curve_section.offer(known)
        return self.curve_section

    def scores(self, chosen: Chosen) -> Scores:
        """Return one score a seed, and how the arms compare."""
        self._scores.chosen = chosen
        return self._scores

    @property
    def jobs_table(self) -> Any:
        """The table of jobs as an element: `jobs_table.value["selected"]` names the runs that are selected."""
        return self._jobs.table

    def monitor(self, known: Known) -> Jobs:
        """Return the live table of all jobs."""
        self._jobs.offer(known.jobs)
        return self._jobs

    def job_log(self, selected: Sequence[str], _known: Known | None = None) -> JobLog:
        """Return what the first of the selected jobs printed, and why jobs failed."""
        self._log.selected = selected
        self._log.made(self._log.offer)
        return self._log

    def runs(self, chosen: Chosen, _news: int = 0) -> Runs:
        """Return one row a run."""
        self._runs.chosen = chosen
        self._runs.made(self._runs.offer)
        return self._runs

    def details(self, chosen: Chosen, _news: int = 0) -> Details:
        """Return further charts, groups, differences and what a paper needs; worked out when one is opened."""
        self._details.chosen = chosen
        self._details.made(self._details.offer)
        return self._details

    def replay(self, known: Known, chosen: Chosen) -> Replay:
        """Return the viewer of a run's replays."""
        self._replay.made(lambda: self._replay.offer(known, chosen.point))
        return self._replay

    def launch(self, plan: Any, _known: Known | None = None) -> Launch:
        """Return the form of a plan, exactly what it would launch, and the button."""
        self._launch.plan = plan
        return self._launch

    def export(self) -> Export:
        """Return how this page becomes one file."""
        self._export.offer()
        return self._export

    def select(self, runs: list[str]) -> None:
        """Have these runs stand out in the charts."""
        with self.turn:
            self.selected = runs
            self.curve_section.refresh()
            self._scores.refresh()

    def hide(self, names: Mapping[str, Sequence[str]]) -> None:
        """Draw no curve of these `runs` and `arms`; scores, statistics over seeds and verdicts count them."""
        with self.turn:
            self.hidden_names = names
            for section in (self.curve_section, self._scores, self._details):
                section.refresh()

    def refresh_parts(self) -> None:
        """Change in place what has news."""
        for section in (self._verdict, self.curve_section, self._scores, self._details):
            section.refresh()

    def is_unseen(self) -> bool:
        """Tell whether the page has not shown yet what it was sent last: it is slow, or nobody looks at it."""
        return bool(self.curve_section.view.widget.is_waiting)

    def has_moved(self) -> bool:
        """Tell whether the search has more to show than its cell does: a trial is told after its last job has ended."""
        return self._search.is_behind()

    def _display_(self) -> Any:
        return self._head


def open_study(
    file: str,
    config: Callable[[], BaseExperimentConfig],
    jobs: Callable[[], Sequence[JobRef]] = list,
    journal: Callable[[], Journal] = lambda: BLANK,
) -> Study:
    """Return the study of a notebook; call it once, in a cell of its own.

    Args:
        file: The notebook's own `__file__`; the study is called as the file is, without `_nb`.
        config: Returns the recipe's config.
        jobs: Returns references to the jobs that the notebook is about; the ledger's are shown beside them.
        journal: Returns hypothesis and rule.

    Raises:
        NotebookError: The name of the file is none that an experiment can have.
    """
    missing: list[str] = []
    context = open_notebook(file, _found(config, BaseExperimentConfig(), missing))
    return Study(context, _found(jobs, (), missing), _found(journal, BLANK, missing), missing=missing)


def _found(value: Callable[[], Given], otherwise: Given, missing: list[str]) -> Given:
    """Return what a cell defines, or something else where no cell defines it, whose name is noted then."""
    try:
        return value()
    except NameError as error:
        if error.name not in DATA:
            raise
        missing.append(error.name)
        return otherwise
