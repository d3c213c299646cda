"""Seeds that a look of a design made needless: they are cancelled, and count neither as lost nor as chosen."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import Permit, require
from experiments.jobs.submission import cancel
from experiments.project.look import counted
from experiments.project.workspace import Workspace

SPARED = "spared"
"""Kind of the ledger's event, written before the job is cancelled: it says nothing of one that ended otherwise."""


def cancel_spared(runs: Sequence[str], why: str, permit: Permit | None, workspace: Workspace) -> dict[str, str]:
    """Cancel the jobs of seeds that are not needed any more; return what happened to each, in words.

    Args:
        why: Which look decided, in words.

    Raises:
        LaunchRefused: Nobody asked for it.
        UsageError: The ledger has no job of a name; then nothing was cancelled.
        LaunchError: A launcher could not be asked; the jobs of the others were cancelled.
    """
    permit = require(permit, f"cancel {counted(len(runs), 'job')}")
    with open_ledger(workspace) as ledger:
        for run in runs:
            ledger.add_event(SPARED, run_name=run, by=permit.how, why=why)
    return cancel(runs, permit, workspace)


def spared_runs(workspace: Workspace) -> frozenset[str]:
    """Return the runs that were not needed any more when they were cancelled.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        return frozenset(event.run_name for event in ledger.events(kind=SPARED) if event.run_name)
