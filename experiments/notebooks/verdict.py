"""The question of a study and its answer: what was expected, what came of it, and what happened meanwhile."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import Any

import marimo as mo

from experiments.jobs.journal import MAX_NOTE, Entry, Journal, entries, write_entry
from experiments.jobs.permits import is_edited, on_a_page, page_permit
from experiments.jobs.sparing import cancel_spared
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.page import Changing, Subject, stacked
from experiments.notebooks.shared import scored_once
from experiments.notebooks.styles import Line, lines_html, sentence, title_of
from experiments.project.errors import ExperimentsError
from experiments.project.look import DECISIONS, counted
from experiments.results.claims import Claimed
from experiments.results.scores import ScoredRuns, known_statuses, summary_of
from experiments.results.sparing import Spare, spare_of
from experiments.results.subject import claim_by_rule, is_search, registration_now
from experiments.results.verdict import SEARCH
from experiments.types import JobRef
from widgets.words import Words

_HOW = (
    "No hypothesis yet. Before you launch, write it into the cell journal of this notebook: what you expect and why, "
    "and the rule that decides (metric, direction, smallest effect that matters, arm and baseline)."
)


def hypothesis_lines(journal: Journal, jobs: Sequence[JobRef] = ()) -> list[Line]:
    """Return the hypothesis as lines, or how one is written; nothing where a search is all there is."""
    if not journal.is_written and jobs and is_search(jobs):
        return []
    return [Line(journal.hypothesis, "row", "Hypothesis") if journal.is_written else Line(_HOW)]


def rule_lines(experiment: NotebookContext, jobs: Sequence[JobRef], journal: Journal) -> list[Line]:
    """Return the rule, and whether it and the hypothesis are those of the launch, as lines; of a search there are none.

    A design is registered when a search is frozen, not when it is opened.
    """
    if not journal.is_written or (jobs and is_search(jobs)):
        return []
    found = registration_now(experiment, jobs, journal)
    said = experiment.told(found.sentence)
    return [
        Line(journal.rule.sentence if journal.rule else "No rule: nothing can decide.", "row", "Rule"),
        *([Line(said, "row", "Recorded", muted=not found.is_changed)] if said == found.sentence else []),
    ]


def verdict_lines(experiment: NotebookContext, jobs: Sequence[JobRef], journal: Journal) -> list[Line]:
    """Return the verdict on the hypothesis with the numbers behind it as lines; none where there is no hypothesis.

    Of a search there is none, whatever was expected.
    """
    if jobs and is_search(jobs):
        return [Line(SEARCH)]
    if not journal.is_written or journal.rule is None:
        return []
    try:
        runs, claimed = judged(experiment, jobs, journal)
    except ExperimentsError as error:
        return [Line(experiment.told(error), "strong")]
    found, registration = claimed.judgement, claimed.registration
    difference, noise = found.comparison.difference.value if found.comparison else None, runs.noise
    return [
        title_of(DECISIONS[found.decision], found.decision.capitalize()),
        Line(found.reason),
        *([Line(f"{noise.sentence(difference)}.", "strong")] if noise and noise.covers(difference) else []),
        *([Line(registration.words, "line" if registration.is_registered else "strong")] if jobs else []),
        Line(". ".join([f"{runs.metric}, {runs.summary.words}; {runs.origin}", *runs.notes]), "fine"),
    ]


def judged(experiment: NotebookContext, jobs: Sequence[JobRef], journal: Journal) -> tuple[ScoredRuns, Claimed]:
    """Return the scores that a rule is about, with the verdict by it; the journal has to have a rule.

    Raises:
        ExperimentsError: The runs cannot be read.
    """
    assert journal.rule is not None
    runs = scored_once(experiment, jobs, journal.rule.metric, summary_of(journal.rule))
    return runs, claim_by_rule(experiment, jobs, journal, runs)


def note_form(experiment: NotebookContext, then: Callable[[], None] = lambda: None) -> Any:
    """Return the input of a note, which is kept in the ledger with its time; None where nobody may write.

    Args:
        then: Called after a note was kept.
    """
    return _note_form(experiment, then) if is_edited() else None


def _note_form(experiment: NotebookContext, then: Callable[[], None]) -> Any:
    def keep(text: str | None) -> None:
        if text:
            write_entry(experiment.name, text, page_permit(), experiment.workspace)
            then()

    area = mo.ui.text_area(
        label="Note", placeholder="What happened, what you noticed, what you decided", rows=2, full_width=True
    )
    return area.form(
        submit_button_label="Keep the note",
        clear_on_submit=True,
        bordered=False,
        validate=_note_problem,
        on_change=keep,
    )


def log_lines(experiment: NotebookContext, journal: Journal) -> list[Line]:
    """Return launches, endings and notes by time as lines; none where nothing happened yet."""
    try:
        found = entries(experiment.workspace, experiment.name, known_statuses(experiment.workspace.state))
    except ExperimentsError as error:
        return [Line(experiment.told(error), "strong")]
    rows = [(entry.at, Line(entry.text, "row", _when(entry.at), muted=not _is_note(entry))) for entry in found]
    known = {(int(entry.at), entry.text) for entry in found if entry.kind == "note"}
    notes = [(_time_of(when), when, text) for when, text in journal.notes.items()]
    rows += [(at, Line(text, "row", _when(at, when))) for at, when, text in notes if (_second(at), text) not in known]
    return [line for _, line in sorted(rows, key=lambda row: row[0])]


def spared_jobs(experiment: NotebookContext, jobs: Sequence[JobRef], journal: Journal) -> Spare | None:
    """Return which jobs of a study a verdict that came early made needless; None where it made none so.

    Raises:
        ExperimentsError: The runs or the ledger cannot be read.
    """
    if not journal.is_written or journal.rule is None or journal.rule.looks is None or not jobs:
        return None
    claimed = judged(experiment, jobs, journal)[1]
    return spare_of(claimed, experiment.with_unlaunched(jobs), known_statuses(experiment.workspace.state))


def cancel_needless(
    experiment: NotebookContext, jobs: Sequence[JobRef], journal: Journal
) -> tuple[str, tuple[str, ...]]:
    """Cancel what a verdict has made needless by now; return what came of it, in words, and which runs were asked.

    Called by the click itself: the leave to cancel is that of a person's act.
    """
    permit = page_permit()
    if permit is None:
        return "Nothing was cancelled: this page only shows.", ()
    try:
        found = spared_jobs(experiment, jobs, journal)
        if found is None:
            return "Nothing was cancelled: what was decided, or what still runs, has changed.", ()
        done = cancel_spared(found.runs, found.decided, permit, experiment.workspace)
    except ExperimentsError as error:
        return f"Not all was cancelled: {error}", ()
    told = [f"{run}: {words}" for run, words in done.items() if words.startswith("not cancelled")]
    asked = f"{counted(len(done) - len(told), 'job')} asked to end. The verdict stays as it is."
    return " ".join([asked, *told]), found.runs


class Verdict(Changing):
    """What was expected, what came of it, and what happened meanwhile."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self._note: Any = None
        self._spare: Any = None  # marimo forgets an element that nobody holds
        self._asked = frozenset[str]()
        self._told, self._is_shown = "", False
        self._is_made = False
        self._answer, self._record = mo.ui.anywidget(Words()), mo.ui.anywidget(Words())

    def offer(self) -> None:
        """Make the input of a note, in each run of the cell that shows it.

        Not in the thread that makes the rest: marimo lets nobody read there what an element of the cell holds, and a
        form reads its own text as it is sent.
        """
        self._is_made = True
        self._note = _note_form(self.study.experiment, self.refresh) if self.study.may_launch else None

    def page(self) -> mo.Html:
        """Return verdict and hypothesis; folded the rule, what happened by time, and the input of a note.

        In an open editor a verdict that came early offers to cancel what it made needless.
        """
        found = self._spared() if self.study.may_launch else None
        self._spare, self._is_shown = self._button(found), True
        self.refresh()
        name = "Rule and log" if self._note is None else "Rule, log and notes"
        told = sentence(self._told) if self._told else None
        return stacked([self._answer, self._spare, told, mo.accordion({name: stacked([self._record, self._note])})])

    def still(self) -> mo.Html:
        """Return all of it, without the input."""
        return stacked([lines_html([*self._answer_lines(), *self._record_lines()])])

    def refresh(self) -> None:
        """Say what is known by now."""
        if self._is_made:
            self._answer.widget.update(lines=[line.trait() for line in self._answer_lines()])
            record = self._record_lines() or [Line("Nothing happened yet.")]
            self._record.widget.update(lines=[line.trait() for line in record])
            self._follow()

    def _answer_lines(self) -> list[Line]:
        study = self.study
        spare = self._spared()
        return [
            *verdict_lines(study.experiment, study.jobs, study.journal),
            *hypothesis_lines(study.journal, study.jobs),
            *([Line(spare.sentence, "strong")] if spare is not None else []),  # above its button
        ]

    def _spared(self) -> Spare | None:
        study = self.study
        try:
            found = spared_jobs(study.experiment, study.jobs, study.journal)
        except ExperimentsError:
            return None  # the verdict above says what cannot be read
        return found if found is not None and not self._asked >= set(found.runs) else None

    def _button(self, found: Spare | None) -> Any:
        if found is None:
            return None
        return mo.ui.button(label="Cancel these jobs", on_click=lambda _: self._cancel())

    def _follow(self) -> None:
        """Have the cell show the button once there is something to cancel, and take it away once there is nothing.

        Only then: a note that is half typed would go with each new look of the cell.
        """
        offers = self.study.may_launch and self._spared() is not None
        if self._is_shown and on_a_page() and offers != (self._spare is not None):
            self.made(lambda: mo.output.replace(self))

    def _cancel(self) -> None:
        study = self.study
        self._told, asked = cancel_needless(study.experiment, study.jobs, study.journal)
        self._asked |= set(asked)
        mo.output.replace(self)

    def _record_lines(self) -> list[Line]:
        study = self.study
        return [*rule_lines(study.experiment, study.jobs, study.journal), *log_lines(study.experiment, study.journal)]


def _is_note(entry: Entry) -> bool:
    return entry.kind in {"note", "run note"}


def _when(at: float, text: str = "") -> str:
    """Return a moment as people say it here, or a note's own key where it is no time."""
    return text if at == float("inf") else time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _second(at: float) -> int | None:
    return None if at == float("inf") else int(at)


def _time_of(text: str) -> float:
    """Return the moment that a note's key names; a key that is no time stands at the end."""
    try:
        return dt.datetime.fromisoformat(text.strip()).timestamp()
    except ValueError:
        return float("inf")


def _note_problem(text: object) -> str | None:
    size = len(str(text or "").strip())
    return None if 0 < size <= MAX_NOTE else f"A note has 1 to {MAX_NOTE:,} characters, not {size:,}."
