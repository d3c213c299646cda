"""Whether a seed gives the same numbers twice by how its trainer is made, of which no repeat has to be run."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.jobs.ledger import open_ledger
from experiments.project.errors import LedgerError
from experiments.project.trainers.known import MODULE
from experiments.project.workspace import Workspace

EXACT = (
    "Noise floor by construction: 0 on one kernel, for the reference trainer draws all its numbers from the seed and "
    "computes in one order"
)


def exact_words(workspace: Workspace, runs: Sequence[str]) -> str:
    """Return that the noise floor of some runs is 0, without a full stop; empty where one is not known to be exact."""
    try:
        with open_ledger(workspace, read_only=True) as ledger:
            jobs = ledger.jobs(run_names=runs)
    except LedgerError:
        return ""  # who reads the runs is told that
    is_exact = len(jobs) == len(set(runs)) > 1 and all(MODULE in job.command for job in jobs)
    return EXACT if is_exact else ""
