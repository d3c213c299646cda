"""The search of an experiment on its page: its trials as a table and as charts, and what follows from the best one."""

from __future__ import annotations

import html
import shlex
from collections.abc import Callable, Sequence
from typing import Any

import marimo as mo

from experiments.jobs.permits import Permit, page_permit
from experiments.jobs.preview import environment_words, estimate
from experiments.jobs.sweeps.edges import edges_of
from experiments.jobs.sweeps.ranges import said
from experiments.jobs.sweeps.search import Course, Trial
from experiments.notebooks.charts.trials import best_so_far, parallel_trials, trial_settings
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.derived import DESIGN, SEARCH, prepare_derived, write_derived
from experiments.notebooks.page import Changing, LaunchOutcome, Subject, stacked
from experiments.notebooks.shared import chart_widget, show, specified
from experiments.notebooks.styles import Line, heading, lines_html, styled, warning
from experiments.notebooks.training import PlanPreview, launch_outcome
from experiments.project import look
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import counted, quantity
from experiments.results.expanding import Expansion, expansion_of, open_expansion
from experiments.results.freezing import (
    EXPLORATORY,
    Design,
    courses_of,
    design_of,
    effort_words,
    found_words,
    launch_design,
    sides_of,
)
from experiments.results.scores import known_statuses, summary_of
from experiments.types import JobRef, JobStatus

_CHARTS: tuple[Callable[..., Any], ...] = (best_so_far, parallel_trials, trial_settings)
_MOST_ROWS = 200


class Searches(Changing):
    """Each arm's search, and what it leads to: the design that it is frozen as, or a search over wider ranges."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self._views: dict[tuple[str, int], Any] = {}
        self._buttons: list[Any] = []  # marimo forgets an element that nobody holds
        self._outcomes: tuple[LaunchOutcome, ...] = ()
        self._shown: list[Course] = []

    def page(self) -> mo.Html:
        """Return the trials of each search as lines, charts and a table, then what follows, with its buttons."""
        found = courses_of(self.study.experiment.workspace, self.study.experiment.name)
        return stacked([heading("Search"), *self._parts(found), *self._next(found), launch_outcome(self._outcomes)])

    def still(self) -> mo.Html:
        """Return the same, with commands in the place of buttons."""
        found = courses_of(self.study.experiment.workspace, self.study.experiment.name)
        return stacked([heading("Search"), *self._parts(found), lines_html(_commands(found))])

    def is_behind(self) -> bool:
        """Tell whether more is recorded of a search that goes on than its page shows; nothing where none does."""
        if not any(course.is_open for course in self._shown):
            return False
        try:
            found = courses_of(self.study.experiment.workspace, self.study.experiment.name)
        except ExperimentsError:  # the cell says it when it runs again
            return False
        return found != self._shown

    def _parts(self, found: Sequence[Course]) -> list[Any]:
        self._shown = list(found)
        return search_parts(self.study.experiment, self.study.jobs, found, self._view_of)

    def _view_of(self, course: Course, at: int) -> Any:
        """Return the element of a chart, which stays when the cell runs again."""
        key = (course.search.id, at)
        if key not in self._views:
            self._views[key] = self.study.made(lambda: chart_widget(self.study.experiment))
        return self._views[key]

    def _next(self, found: Sequence[Course]) -> list[Any]:
        """Return what follows from the searches: for a person in an editor with the buttons that do it."""
        self._buttons = []
        if not found or not self.study.may_launch:
            return [lines_html(_commands(found))]
        return [*self._expand(), *self._freeze(found)]

    def _expand(self) -> list[Any]:
        try:
            wider = expansion_of(self.study.experiment.workspace, self.study.experiment.name)
        except ExperimentsError as error:
            return [warning(error)]
        if wider is None:
            return []
        if wider.is_open:
            return [lines_html([Line(f"It is searched over wider ranges in {wider.sentence}.")])]
        label = f"Expand: search {wider.ranges}"
        return [
            heading("Expand", 3),
            lines_html([Line(f"A wider search would be {wider.sentence}.")]),
            self._button(label, self._open, wider),
        ]

    def _freeze(self, found: Sequence[Course]) -> list[Any]:
        workspace, name = self.study.experiment.workspace, self.study.experiment.name
        arms = [course.search.arm for course in found]
        parts: list[Any] = [heading("Freeze", 3)]
        if any(course.is_open for course in found):
            return [*parts, lines_html([Line("The winner can be frozen when the search has ended.")])]
        try:
            designs = [design_of(workspace, name, arm=arm) for arm in _candidates(found, arms)]
        except ExperimentsError as error:
            return [*parts, lines_html([Line(_capital(str(error)))])]
        for design in designs:
            if design.is_frozen:
                parts.append(lines_html([Line(f"Frozen as {design.sentence}. {_page_of(design.name)}")]))
                continue
            preview = PlanPreview(
                design.plan,
                design.workspace,
                notes=(design.journal.hypothesis, _rule_of(design), *design.notes),
                estimate=estimate(design.plan, design.workspace),
                environment="\n".join(environment_words(design.plan, design.workspace)),
            )
            label = f"Freeze {design.sides.winner.arm} and launch {counted(len(design.plan.jobs), 'job')}"
            parts += [lines_html([Line(design.sentence, "strong")]), preview.view()]
            parts.append(self._button(label, self._launch, design))
            parts += self._in_batches(design)
        return parts

    def _in_batches(self, whole: Design) -> list[Any]:
        """Return the other way to launch a design whose rule looks before its end: fewer seeds may decide it."""
        arm = whole.sides.winner.course.search.arm or None
        try:
            first = design_of(self.study.experiment.workspace, self.study.experiment.name, arm=arm, until_decided=True)
        except ExperimentsError:
            return []  # its rule does not look
        said = f"Or in batches: {first.sentence}; further ones follow by themselves until the rule decides."
        label = f"Freeze {first.sides.winner.arm} and launch {counted(len(first.plan.jobs), 'job')} until decided"
        return [lines_html([Line(said)]), self._button(label, self._launch, first)]

    def _button(self, label: str, then: Callable[[Any, Permit], str], what: Any) -> Any:
        """Return a button that does what was shown beside it, and says what came of it."""

        def clicked(_: object) -> None:
            # The leave is that of this very act.
            if (permit := page_permit()) is None:
                return
            try:
                outcome = LaunchOutcome(then(what, permit), succeeded=True)
            except ExperimentsError as error:
                outcome = LaunchOutcome(str(error), succeeded=False)
            self._outcomes = (*self._outcomes, outcome)
            self.study.tell_news()

        button = mo.ui.button(label=label, kind="success", on_change=clicked)
        self._buttons.append(button)
        return button

    def _launch(self, design: Design, permit: Permit) -> str:
        experiment = self.study.experiment
        arm = design.sides.winner.course.search.arm or None
        now = design_of(experiment.workspace, experiment.name, arm=arm, until_decided=design.goes_on)
        if now.plan.key != design.plan.key:
            raise UsageError("what is to be frozen changed meanwhile, so nothing was launched. Look at it again.")
        about = f"What the search of {experiment.name} is frozen as: its winner against the baseline."
        prepared = prepare_derived(
            experiment.workspace,
            now.name,
            DESIGN,
            description=about,
            journal=now.journal,
            folder=experiment.path.parent,
        )
        jobs = launch_design(now, permit)
        write_derived(prepared, jobs)
        return (
            f"{counted(len(jobs), 'job')} launched as {now.name}. {_page_of(experiment.workspace.shown(prepared.path))}"
        )

    def _open(self, wider: Expansion, permit: Permit) -> str:
        experiment = self.study.experiment
        about = f"The search of {experiment.name} over wider ranges: {wider.ranges}."
        prepared = prepare_derived(
            experiment.workspace, wider.name, SEARCH, description=about, folder=experiment.path.parent
        )
        stepped = open_expansion(wider, permit, experiment.workspace)
        write_derived(prepared, [])
        if stepped.problems:
            raise UsageError("; ".join(stepped.problems))
        page = _page_of(experiment.workspace.shown(prepared.path))
        return " ".join([f"{wider.name} is open and goes on by itself.", *stepped.done[:1], page])


def search_parts(
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    found: Sequence[Course],
    view_of: Callable[[Course, int], Any],
) -> list[Any]:
    """Return what each of an experiment's searches is and came to: lines, charts and the table of its trials.

    Args:
        view_of: Returns the element of a search's `at`-th chart.
    """
    if not found:
        how = "This experiment has no search. Begin one: RECIPE --search FIELD=LOW..HIGH --trials 40"
        return [lines_html([Line(how)])]
    statuses = known_statuses(experiment.workspace.state)
    parts: list[Any] = [lines_html([Line(EXPLORATORY)])]
    for course in found:
        parts += [heading(course.search.arm, 3)] if course.search.arm else []
        parts.append(lines_html(search_lines(course)))
        for at, chart in enumerate(_CHARTS):
            view = view_of(course, at)
            parts.append(show(view, specified(chart(course))) or view)
        parts.append(trial_table(course, jobs, statuses))
    return parts


def searches_view(experiment: NotebookContext, jobs: Sequence[JobRef]) -> mo.Html:
    """Return the searches of an experiment for a page that only shows.

    Raises:
        LedgerError: A record of one cannot be read.
    """
    found = courses_of(experiment.workspace, experiment.name)
    parts = search_parts(experiment, jobs, found, lambda _course, _at: chart_widget(experiment))
    return stacked([*parts, lines_html(_commands(found))])


def search_lines(course: Course) -> list[Line]:
    """Return what a search is, how far it is and what is best so far, as lines."""
    search = course.search
    better = "more" if search.rule.direction == "higher" else "less"
    told = len(course.trials) - len(course.out)
    state = "ended early" if course.is_ended and not course.is_open else "goes on" if course.is_open else "done"
    sign = look.STATES["running" if course.is_open else "succeeded"]
    seeds = counted(len(search.seeds), "seed")
    lines = [
        Line(
            f"{sign.mark} {_capital(state)}: {told} of {counted(search.trials, 'trial')} ended, {len(course.out)} out",
            "title",
            light=sign.light,
            dark=sign.dark,
        ),
        Line(", ".join(f"{name} {space.text}" for name, space in search.space.items()), "row", "Ranges"),
        Line(f"{search.rule.metric}, {summary_of(search.rule).words}; {better} is better", "row", "Score"),
        *([Line(_capital(search.prune.words), "row", "Pruned")] if search.prune is not None else []),
        Line(f"{seeds} of the search in each trial, the same in all; mean over them", "row", "Seeds"),
    ]
    if course.best is not None:
        lines.append(Line(found_words(course), "row", "Best so far" if course.is_open else "Best"))
    return [*lines, *(Line(f"At an edge: {edge.words}.", "strong") for edge in edges_of(course))]


def trial_table(course: Course, jobs: Sequence[JobRef], statuses: dict[str, JobStatus]) -> mo.Html | None:
    """Return one row a trial: number, settings, scores of its seeds, score, state, and why seeds were lost."""
    if not course.trials:
        return None
    names = list(course.search.space)
    heads = [("trial", True), *((name, True) for name in names), ("score", True), ("seeds", True), ("state", False)]
    shown = course.trials[-_MOST_ROWS:]
    has_reason = any(trial.reason for trial in shown)
    heads += [("why", False)] if has_reason else []
    rows = []
    for trial in shown:
        word, line = _state(course, trial, jobs, statuses)
        mark = f'<td style="color: light-dark({line.light}, {line.dark})">{line.mark} {word}</td>'
        texts = [str(trial.number), *(said(trial.values[name]) for name in names), _score(trial), _seeds(trial)]
        cells = "".join(f'<td class="number">{html.escape(text)}</td>' for text in texts) + mark
        cells += f"<td>{html.escape(trial.reason)}</td>" if has_reason else ""
        rows.append(f"<tr>{cells}</tr>")
    head = "".join(
        f'<th scope="col"{" class=number" if is_number else ""}>{html.escape(name)}</th>' for name, is_number in heads
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    left = len(course.trials) - len(shown)
    more = f"<p>{counted(left, 'earlier trial')} left out: experiments sweep shows all.</p>" if left else ""
    return styled(f'<div class="wide" tabindex="0">{table}</div>{more}')


def _commands(found: Sequence[Course]) -> list[Line]:
    """Return what follows from the searches as commands, for whoever reads a page that only shows."""
    if not found or any(course.is_open for course in found):
        return []
    name = found[0].search.experiment
    try:
        effort = effort_words(sides_of(found).courses)
    except UsageError as error:
        return [Line(_capital(str(error)))]
    return [Line(effort), Line(f"Freeze the winner: uv run experiments sweep freeze {name}", "fine")]


def _rule_of(design: Design) -> str:
    return f"Rule: {design.journal.rule.sentence}" if design.journal.rule is not None else ""


def _candidates(found: Sequence[Course], arms: Sequence[str]) -> list[str | None]:
    """Return the arms that a design may be about: each but the baseline where the rule names none."""
    if len(found) <= 2 or found[0].search.rule.arm in arms:
        return [None]
    baseline = found[0].search.rule.baseline
    return [arm for arm in arms if arm != (baseline if baseline in arms else arms[0])]


def _state(
    course: Course, trial: Trial, jobs: Sequence[JobRef], statuses: dict[str, JobStatus]
) -> tuple[str, look.Sign]:
    if trial.is_told:
        is_best = course.best is not None and trial.number == course.best.number
        if trial.pruned is not None:
            return "pruned", look.STATES["cancelled"]
        word = "failed" if trial.score is None else "best" if is_best else "scored"
        return word, look.STATES["failed" if trial.score is None else "succeeded"]
    arm = course.search.arm_of(trial.number)
    verdicts = {statuses[job.run].verdict for job in jobs if job.arm == arm and job.run in statuses}
    word = "running" if verdicts & {"running", "recovering"} else "pending"
    return word, look.STATES[word]


def _score(trial: Trial) -> str:
    return quantity(trial.score) if trial.score is not None else look.MISSING


def _seeds(trial: Trial) -> str:
    return ", ".join(quantity(score) if score is not None else "lost" for score in trial.seeds.values()) or look.MISSING


def _page_of(name: str) -> str:
    if name.endswith(".py"):
        return f"Its page: {shlex.join(['uv', 'run', 'marimo', 'edit', name])}"
    return f"Its page: {name}_nb.py; its jobs: uv run experiments status {name}"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
