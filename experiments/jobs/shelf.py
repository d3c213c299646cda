"""What people put out of their sight, and what nobody may: archived and protected jobs.

An archived job is left out of what is looked at, never out of what is decided: scores, verdicts, families and designs
count it as before. Else to archive would be to choose seeds after they were seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from experiments.jobs.called import find_rows
from experiments.jobs.covering import attested
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import Permit
from experiments.project.errors import LedgerError, UsageError
from experiments.project.look import counted
from experiments.project.workspace import Workspace
from experiments.types import TERMINAL_VERDICTS, JobStatus

ARCHIVED, UNARCHIVED = "archived", "unarchived"
PROTECTED, UNPROTECTED = "protected", "unprotected"


def archived_runs(workspace: Workspace) -> set[str]:
    """Return the run names of what is archived; none where the ledger cannot be read, which hides nothing."""
    try:
        with open_ledger(workspace, read_only=True) as ledger:
            return ledger.standing_by(ARCHIVED, UNARCHIVED)
    except LedgerError:
        return set()


def protected_runs(workspace: Workspace) -> set[str]:
    """Return the run names of what is protected.

    Raises:
        LedgerError: The ledger cannot be read, so that nobody knows.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        return ledger.standing_by(PROTECTED, UNPROTECTED)


def runs_called(workspace: Workspace, words: Sequence[str]) -> list[str]:
    """Return the run names that some words mean: each a run, a launcher's id, an `EXPERIMENT` or an `EXPERIMENT/ARM`.

    Raises:
        UsageError: A word means no job.
    """
    found: dict[str, None] = {}
    with open_ledger(workspace, read_only=True) as ledger:
        experiments = set(ledger.experiments())
        for word in words:
            name, _, arm = word.partition("/")
            if name in experiments:
                of_arm = [row.run_name for row in ledger.rows(experiment=name) if not arm or row.arm == arm]
                if not of_arm:
                    raise UsageError(f"experiment {name!r} has no arm {arm!r}. See: uv run experiments status {name}")
                found |= dict.fromkeys(of_arm)
            else:
                found |= dict.fromkeys(row.run_name for row in find_rows(workspace, [word]))
    return list(found)


def archive(
    runs: Sequence[str], permit: Permit | None, workspace: Workspace, *, statuses: Iterable[JobStatus]
) -> list[str]:
    """Archive jobs, and return those that were not archived already.

    Args:
        statuses: How they are now.

    Raises:
        UsageError: One is protected, or has not ended: out of sight nobody would see that it trains, or that it fails.
        LaunchRefused: Asked from a page that only shows.
    """
    attested(permit, "archive a job", workspace)
    ended = {status.run_name for status in statuses if status.verdict in TERMINAL_VERDICTS}
    if going_on := [run for run in runs if run not in ended]:
        raise UsageError(
            f"{counted(len(going_on), 'job')} of {len(runs)} {'has' if len(going_on) == 1 else 'have'} not ended, the "
            f"first is {going_on[0]!r}. Archive what has ended, or end it: uv run experiments cancel {going_on[0]}"
        )
    with open_ledger(workspace) as ledger:
        kept = ledger.standing_by(PROTECTED, UNPROTECTED)
        if held := [run for run in runs if run in kept]:
            raise UsageError(
                f"{held[0]!r} is protected{f', and {len(held) - 1} more' if len(held) > 1 else ''}: nothing was "
                f"archived. Take that back first: uv run experiments unprotect {held[0]}"
            )
        new = _without(runs, ledger.standing_by(ARCHIVED, UNARCHIVED))
        ledger.add_events(ARCHIVED, new)
    return new


def unarchive(runs: Sequence[str], permit: Permit | None, workspace: Workspace) -> list[str]:
    """Show jobs again, and return those that were archived.

    Raises:
        LaunchRefused: Asked from a page that only shows.
    """
    attested(permit, "unarchive a job", workspace)
    return _taken_back(runs, workspace, ARCHIVED, UNARCHIVED)


def protect(runs: Sequence[str], permit: Permit | None, workspace: Workspace) -> list[str]:
    """Protect jobs from `archive` and `gc`, and return those that were not protected already.

    Raises:
        LaunchRefused: Asked from a page that only shows.
    """
    attested(permit, "protect a job", workspace)
    with open_ledger(workspace) as ledger:
        new = _without(runs, ledger.standing_by(PROTECTED, UNPROTECTED))
        ledger.add_events(PROTECTED, new)
    return new


def unprotect(runs: Sequence[str], permit: Permit | None, workspace: Workspace) -> list[str]:
    """Take the protection of jobs back, and return those that had it.

    Raises:
        LaunchRefused: Asked from a page that only shows.
    """
    attested(permit, "unprotect a job", workspace)
    return _taken_back(runs, workspace, PROTECTED, UNPROTECTED)


def _taken_back(runs: Sequence[str], workspace: Workspace, given: str, taken: str) -> list[str]:
    with open_ledger(workspace) as ledger:
        having = ledger.standing_by(given, taken)
        found = [run for run in dict.fromkeys(runs) if run in having]
        ledger.add_events(taken, found)
    return found


def _without(runs: Sequence[str], known: set[str]) -> list[str]:
    return [run for run in dict.fromkeys(runs) if run not in known]
