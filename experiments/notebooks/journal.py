"""The log and scratch sections: what was expected, what came of it, and text that stays with the experiment."""

from __future__ import annotations

import datetime as dt
import html
import time
from collections.abc import Sequence
from typing import Any

import marimo as mo

from experiments.errors import ExperimentsError
from experiments.journal import Journal
from experiments.journal_record import Entry, Recorded, entries, recorded_journals, write_entry
from experiments.judging import Judgement, change_since_launch, judge
from experiments.look import DECISIONS
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.launching import page_permit
from experiments.notebooks.monitoring import watched_metrics
from experiments.notebooks.scored import scored_once
from experiments.notebooks.styles import MUTED, warning
from experiments.notes import MAX_NOTE
from experiments.scoring import ScoredRuns, known_statuses, summary_of
from experiments.types import JobRef

CELLS = {
    "log": ("hypothesis", "log_data", "verdict", "log_note", "log_lines_shown"),
    "scratch": ("scratch",),
}

_HOW = (
    "No hypothesis yet. Before you launch, write it into the cell `journal` of this notebook: what you expect and why, "
    "and the rule that decides (metric, direction, smallest effect that matters, arm and baseline)."
)


def hypothesis(experiment: NotebookContext, tracked_jobs: list[JobRef], journal: Journal) -> None:
    """Show what was expected and which rule decides; both are text in the cell `journal`, so git keeps them."""
    hypothesis_view(experiment, tracked_jobs, journal)


def log_data(experiment: NotebookContext) -> Any:
    """Follow the runs' data: the verdict is computed again when new rows were read."""
    log_file = watched_metrics(experiment)
    return log_file


def verdict(experiment: NotebookContext, tracked_jobs: list[JobRef], journal: Journal, log_file: Any) -> None:
    """Apply the rule to the data there is."""
    verdict_view(experiment, tracked_jobs, journal, log_file)


def log_note(experiment: NotebookContext) -> Any:
    """Offer to keep a note with its time; in a read-only page there is no input."""
    note_input = note_form(experiment)
    note_input
    return note_input


def log_lines_shown(experiment: NotebookContext, journal: Journal, note_input: Any, log_file: Any) -> None:
    """Show what happened, and the notes, by time."""
    log_view_of(experiment, journal, note_input, log_file)


def scratch() -> None:
    """Leave room for quick experiments."""
    mo.md("""
    ## Scratch

    Cells that you add anywhere in this notebook are kept when it is made again.
    """)


def hypothesis_view(experiment: NotebookContext, jobs: Sequence[JobRef], journal: Journal) -> mo.Html:
    """Return hypothesis and rule, and whether they are those of the launch."""
    heading = mo.md("## Log")
    if not journal.is_written:
        return mo.vstack([heading, mo.md(_HOW)])
    rule = html.escape(journal.rule.sentence) if journal.rule else "No rule: nothing can decide."
    changed, sentence = _change(experiment, jobs, journal)
    said = _muted(sentence) if not changed else f"<strong>{html.escape(sentence)}</strong>"
    text = html.escape(journal.hypothesis).replace("\n", "<br>")
    rows = [("Hypothesis", text), ("Rule", rule), ("Recorded", said)]
    return mo.vstack([heading, mo.Html(_definitions(rows))])


def verdict_view(
    experiment: NotebookContext, jobs: Sequence[JobRef], journal: Journal, _changed: object = None
) -> mo.Html | None:
    """Return the verdict on the hypothesis with the numbers behind it; nothing where there is no hypothesis."""
    if not journal.is_written or journal.rule is None:
        return None
    try:
        runs = scored_of(experiment, jobs, journal)
    except ExperimentsError as error:
        return warning(error)
    found = judge(journal, runs)
    changed, sentence = _change(experiment, jobs, journal)
    return mo.Html(_verdict_html(found, runs, sentence if changed and jobs else ""))


def scored_of(experiment: NotebookContext, jobs: Sequence[JobRef], journal: Journal) -> ScoredRuns:
    """Return the scores that a journal's rule is about.

    Raises:
        ExperimentsError: The runs cannot be read at all.
    """
    assert journal.rule is not None
    return scored_once(experiment, jobs, journal.rule.metric, summary_of(journal.rule))


def note_form(experiment: NotebookContext) -> Any:
    """Return the input of a note, which is kept in the ledger with its time; None where nobody may write."""
    permit = page_permit()
    if permit is None:
        return None
    area = mo.ui.text_area(
        label="Note", placeholder="What happened, what you noticed, what you decided", rows=2, full_width=True
    )
    return area.form(
        submit_button_label="Keep the note",
        clear_on_submit=True,
        bordered=False,
        validate=_note_problem,
        on_change=lambda text: write_entry(experiment.name, text, permit, experiment.workspace) if text else None,
    )


def log_view_of(
    experiment: NotebookContext, journal: Journal, _note: object = None, _changed: object = None
) -> mo.Html | None:
    """Return launches, endings and notes by time; nothing where nothing happened yet."""
    try:
        found = entries(experiment.workspace, experiment.name, known_statuses(experiment.workspace.state))
    except ExperimentsError as error:
        return warning(error)
    rows = [(entry.at, *_shown(entry)) for entry in found]
    known = {(int(entry.at), entry.text) for entry in found if entry.kind == "note"}
    notes = [(_time_of(when), when, text) for when, text in journal.notes.items()]
    rows += [(at, _when(at, when), _lines(text)) for at, when, text in notes if (_second(at), text) not in known]
    if not rows:
        return None
    rows.sort(key=lambda row: row[0])
    return mo.Html(_definitions([(when, text) for _, when, text in rows]))


def _change(experiment: NotebookContext, jobs: Sequence[JobRef], journal: Journal) -> tuple[bool, str]:
    if not jobs:
        return False, "Nothing is launched yet; hash and time are recorded at the launch."
    recorded = _recorded(experiment, jobs)
    if recorded is None:
        return False, "The launch of these runs is not recorded here, so only git can tell when this was written."
    return change_since_launch(journal, recorded)


def _recorded(experiment: NotebookContext, jobs: Sequence[JobRef]) -> list[Recorded] | None:
    """Return what was recorded at the launches of these jobs; None where the ledger here cannot know it."""
    try:
        with experiment.workspace.ledger(read_only=True) as ledger:
            keys = [job.plan_key for job in ledger.jobs(run_names=[job.run for job in jobs])]
            was_rebuilt = any(event.kind == "rebuilt" for event in ledger.events())
        found = recorded_journals(experiment.workspace, keys)
    except ExperimentsError:
        return None
    return None if not found and (not keys or was_rebuilt) else found


def _verdict_html(found: Judgement, runs: ScoredRuns, changed: str) -> str:
    sign = DECISIONS[found.decision]
    word = found.decision.capitalize()
    head = f'<div style="font-size: 20px; font-weight: 600; color: {sign.css}">{sign.mark} {word}</div>'
    body = f'<p style="margin: 4px 0">{html.escape(found.reason)}</p>'
    origin = ". ".join([f"{runs.metric}, {runs.summary.words}; {runs.origin}", *runs.notes])
    warned = f'<p style="margin: 4px 0"><strong>{html.escape(changed)}</strong></p>' if changed else ""
    return f"<div>{head}{body}{warned}<p style='margin: 4px 0; font-size: 12px'>{_muted(origin)}</p></div>"


def _definitions(rows: Sequence[tuple[str, str]]) -> str:
    """Return rows of a label and HTML as a two-column table."""
    cells = "".join(
        f"<tr><th style='text-align: left; vertical-align: top; padding: 2px 16px 2px 0; font-weight: normal; "
        f"white-space: nowrap; {MUTED}; "
        f"font-variant-numeric: tabular-nums'>{label}</th>"
        f"<td style='padding: 2px 0; overflow-wrap: anywhere; white-space: normal; max-width: none'>{text}</td></tr>"
        for label, text in rows
    )
    return f"<table style='border-collapse: collapse'>{cells}</table>"


def _muted(text: str) -> str:
    return f"<span style='{MUTED}'>{html.escape(text)}</span>"


def _shown(entry: Entry) -> tuple[str, str]:
    return _when(entry.at), _lines(entry.text) if entry.kind in {"note", "run note"} else _muted(entry.text)


def _when(at: float, text: str = "") -> str:
    """Return a moment as people say it here, or a note's own key where it is no time."""
    return html.escape(text) if at == float("inf") else time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _second(at: float) -> int | None:
    return None if at == float("inf") else int(at)


def _lines(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def _time_of(text: str) -> float:
    """Return the moment that a note's key names; a key that is no time stands at the end."""
    try:
        return dt.datetime.fromisoformat(text.strip()).timestamp()
    except ValueError:
        return float("inf")


def _note_problem(text: object) -> str | None:
    size = len(str(text or "").strip())
    return None if 0 < size <= MAX_NOTE else f"A note has 1 to {MAX_NOTE:,} characters, not {size:,}."
