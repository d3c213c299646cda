"""An experiment as commands ask about it: with the hypothesis and rule of its notebook, where that is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.project.errors import NotebookError
from experiments.project.workspace import Workspace

if TYPE_CHECKING:
    from experiments.jobs.journal import Journal
    from experiments.results.subject import Subject


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
