"""An experiment as commands ask about it: with the hypothesis and rule of its notebook, where that is there."""

from __future__ import annotations

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

    return subject_of(workspace, experiment, _journal(workspace, experiment))


def _journal(workspace: Workspace, experiment: str) -> Journal | None:
    """Return what the notebook says; None where there is no notebook, or none that can be read."""
    from experiments.notebooks.data_cells import read_journal

    path = workspace.root / "experiments" / "scratch" / f"{experiment}_nb.py"
    try:
        return read_journal(path) if path.is_file() else None
    except NotebookError:
        return None
