"""What commands are asked about: an experiment, with the rule of its notebook; jobs, by what people call them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.project.errors import NotebookError
from experiments.project.workspace import Workspace

if TYPE_CHECKING:
    from experiments.jobs.journal import Journal
    from experiments.jobs.ledger import UnreadableJob
    from experiments.results.subject import Subject
    from experiments.types import TrainingJob


def asked_subject(workspace: Workspace, experiment: str) -> Subject:
    """Return an experiment as it is now, with what its page takes for its hypothesis and rule.

    Raises:
        UsageError: There is no such experiment.
        LedgerError: The ledger cannot be read.
    """
    from experiments.results.subject import subject_of

    journal, unread = _journal(workspace, experiment)
    subject = subject_of(workspace, experiment, journal)
    return replace(subject, problem=" ".join(filter(None, (subject.problem, unread))))


def _journal(workspace: Workspace, experiment: str) -> tuple[Journal | None, str]:
    """Return what the notebook says, and why it cannot be read; no journal where it cannot, or there is none."""
    from experiments.notebooks.data_cells import read_journal

    path = workspace.root / "experiments" / "scratch" / f"{experiment}_nb.py"
    try:
        return (read_journal(path) if path.is_file() else None), ""
    except NotebookError as error:
        return None, f"The hypothesis and the rule are those of the last launch: {error}"


def asked_rows(workspace: Workspace, ids: Sequence[str], *, reading: bool = False) -> list[TrainingJob | UnreadableJob]:
    """Return the jobs that a command is about, and say which are meant by the beginnings of names; see `find_rows`.

    Raises:
        UsageError: An id is not in the ledger, or several jobs have it.
    """
    from experiments.cli.terminal import say
    from experiments.jobs.called import begins, find_rows

    found = find_rows(workspace, ids, reading=reading)
    called = {name for row in found for name in (row.run_name, row.launcher_id)}
    for wanted in dict.fromkeys(ids):
        if wanted not in called:
            [run] = [row.run_name for row in found if begins(wanted, row.run_name)]
            say(f"{wanted} is {run}", to_stderr=True)
    return found


def asked_jobs(workspace: Workspace, ids: Sequence[str], *, reading: bool = False) -> list[TrainingJob]:
    """Return the same where nothing can be done without all that was recorded of them.

    Raises:
        UsageError: An id is not in the ledger, or several jobs have it.
        LedgerError: The row of one of them cannot be read.
    """
    from experiments.jobs.called import find_jobs

    return find_jobs(workspace, [row.run_name for row in asked_rows(workspace, ids, reading=reading)])
