"""Why runs failed, in groups, with a way to try exactly these again."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Sequence
from typing import Any

import marimo as mo

from experiments.jobs.ledger import open_ledger
from experiments.jobs.preparation import retry_job
from experiments.jobs.submission import newest_attempt
from experiments.jobs.watch.logs import Failures, failures_of
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.launching import page_permit
from experiments.notebooks.styles import styled
from experiments.notebooks.subject import LaunchOutcome
from experiments.project.errors import ExperimentsError
from experiments.project.look import counted
from experiments.results.scores import known_statuses
from experiments.types import JobRef

SetLaunches = Callable[[Callable[[tuple[LaunchOutcome, ...]], tuple[LaunchOutcome, ...]]], None]
_SHOWN_RUNS = 20
_SECOND_CLICK_S = 20.0


def failures_in(experiment: NotebookContext, jobs: Sequence[JobRef], *_changed: object) -> list[Failures]:
    """Return the failed runs of a notebook in groups; none where none failed, or where nobody knows."""
    try:
        with open_ledger(experiment.workspace, read_only=True) as ledger:
            retried = {job.retry_of for job in ledger.rows(experiment=experiment.name) if job.retry_of}
    except ExperimentsError:
        retried = set()
    return failures_of(jobs, known_statuses(experiment.workspace.state), experiment.store, retried=retried)


def in_editor() -> bool:
    """Say whether a person who may launch works in this page."""
    return page_permit() is not None


def retry_buttons(experiment: NotebookContext, failures: Sequence[Failures], set_launches: SetLaunches) -> Any:
    """Return one button a group, whose click launches its runs once more; None where none failed.

    Whether a click may launch is found out at the click: it is the act of a person, a cell's re-run is not.
    """
    if not failures:
        return None
    return mo.ui.array(
        [
            mo.ui.button(
                label=f"Retry {'this run' if len(group.runs) == 1 else f'these {len(group.runs)} runs'}",
                kind="neutral",
                on_click=_retry(group, experiment, set_launches),
            )
            for group in failures
        ]
    )


def triage_view(failures: Sequence[Failures], buttons: Any) -> mo.Html | None:
    """Return the groups with their lines and runs; nothing where no run failed."""
    if not failures:
        return None
    blocks = []
    for at, group in enumerate(failures):
        way = buttons[at] if buttons is not None else styled(_code(group.retry_command))
        blocks.append(mo.vstack([styled(_group_html(group)), way], gap=0.25))
    number = sum(len(group.runs) for group in failures)
    title = f"{counted(number, 'failed run')}, {counted(len(failures), 'cause')}"
    return mo.vstack([mo.md(f"### {title}"), *blocks], gap=1)


def _retry(group: Failures, experiment: NotebookContext, set_launches: SetLaunches) -> Callable[[object], int]:
    """Return what launches the runs of a group once more; a second click finds the same attempts."""

    # A function of its own, not a `partial`: marimo copies what an array's elements hold, and a store has locks.
    def launch(_value: object) -> int:
        done, refused, permit = 0, [], page_permit()
        changed: dict[str, None] = {}
        runs = _old_enough(group.runs, experiment)
        if not runs:
            text = "These runs were started a moment ago. Press again in a while to try them once more."
            set_launches(lambda before: (*before, LaunchOutcome(text, succeeded=True)))
            return 0
        for run in runs:
            try:
                _, notes = retry_job(run, permit, experiment.workspace)
                changed |= dict.fromkeys(notes)
                done += 1
            except ExperimentsError as error:
                refused.append(str(error))
        text = f"{done} of {counted(len(runs), 'run')} tried again. {' '.join([*refused[:3], *changed])}".strip()
        set_launches(lambda before: (*before, LaunchOutcome(text, succeeded=not refused)))
        return done

    return launch


def _old_enough(runs: Sequence[str], experiment: NotebookContext) -> list[str]:
    """Return those of `runs` that a click may mean.

    The second half of a double click would retry what the first one has started, where that failed at once.
    """
    with open_ledger(experiment.workspace, read_only=True) as ledger:
        newest = {job.run_name: newest_attempt(ledger, job) for job in ledger.jobs(run_names=runs)}
    now = time.time()
    fresh = {run for run, job in newest.items() if job.attempt > 1 and now - job.created_at < _SECOND_CLICK_S}
    return [run for run in runs if run not in fresh]


def _group_html(group: Failures) -> str:
    names = ", ".join(html.escape(run) for run in group.runs[:_SHOWN_RUNS])
    more = f" and {len(group.runs) - _SHOWN_RUNS} more" if len(group.runs) > _SHOWN_RUNS else ""
    return (
        f"<div><strong>{html.escape(group.words)}</strong>{_code(group.line)}"
        f'<div class="small muted">for example: {html.escape(group.example)}</div>'
        f'<div class="small muted">{names}{more}</div></div>'
    )


def _code(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"
