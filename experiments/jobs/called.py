"""Jobs of the ledger by what people call them: a run name, a launcher's id, or the beginning of a name.

A beginning may be of the name or of its last part, as git knows a commit by its first digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from experiments.jobs.ledger import Ledger, UnreadableJob, open_ledger
from experiments.jobs.plan import read_name
from experiments.project.errors import LedgerError, UsageError
from experiments.project.workspace import Workspace
from experiments.types import TrainingJob

_LISTED = 12
LEAST = 4
"""How many characters a beginning has at least: of fewer the next launch would soon make several."""


def begins(wanted: str, run_name: str) -> bool:
    """Return whether a run is one that may be meant: its name begins so, or the code at the end of it does."""
    return _is_long(wanted) and (run_name.startswith(wanted) or code_of(run_name).startswith(wanted))


def names(wanted: str, run_name: str) -> bool:
    """Return whether a beginning says enough to act on: it has four characters of the code that is a run's own."""
    code = code_of(run_name)
    rest = wanted.removeprefix(run_name.removesuffix(code))
    return bool(code) and len(rest) >= LEAST and code.startswith(rest)


def code_of(run_name: str) -> str:
    """Return the code at the end of a run name that a launch made; empty for any other name."""
    return run_name.rpartition(".")[2] if read_name(run_name) is not None else ""


def meant_by(wanted: str, run_names: Iterable[str]) -> list[str]:
    """Return the runs that a beginning may mean, in their order."""
    return [name for name in run_names if begins(wanted, name)]


def _is_long(wanted: str) -> bool:
    # A number is what a launcher calls a job.
    return len(wanted) >= LEAST and not wanted.isdigit()


def find_jobs(workspace: Workspace, ids: Sequence[str], *, reading: bool = False) -> list[TrainingJob]:
    """Return the jobs with these run names or launcher ids, in the order asked, each once; see `find_rows`.

    Raises:
        UsageError: An id is not in the ledger, or several jobs have it; lists those that are known.
        LedgerError: The row of one of them cannot be read.
    """
    found = []
    for row in find_rows(workspace, ids, reading=reading):
        if isinstance(row, UnreadableJob):
            raise LedgerError(row.sentence())
        found.append(row)
    return found


def find_rows(workspace: Workspace, ids: Sequence[str], *, reading: bool = False) -> list[TrainingJob | UnreadableJob]:
    """Return what the ledger has of the jobs with these run names or launcher ids, in the order asked, each once.

    A job is known by a beginning of its name too, or of the code at its end, that no other has. A job whose row cannot
    be read is among them: it can still be ended, noted and looked at.

    Args:
        reading: Any such beginning will do, since nothing is done to the job; else it must have four characters of the
            code.

    Raises:
        UsageError: An id is not in the ledger, or several jobs have it; lists those that are known.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        rows = _handed_over(ledger.rows(named=ids))
        called = {wanted for row in rows for wanted in (row.run_name, row.launcher_id)}
        begun = [wanted for wanted in ids if wanted not in called]
        meant = {wanted: _only(ledger, workspace.root, wanted, reading=reading) for wanted in begun}
        rows += _handed_over(ledger.rows(run_names=list(meant.values()))) if meant else []
    found: dict[str, TrainingJob | UnreadableJob] = {}
    for wanted in ids:
        matches = {job.run_name: job for job in rows if meant.get(wanted, wanted) in (job.run_name, job.launcher_id)}
        if len(matches) > 1:
            raise UsageError(
                f"job id {wanted!r} belongs to {len(matches)} jobs: {', '.join(matches)}. Give a run name instead."
            )
        found |= matches
    return list(found.values())


def _only(ledger: Ledger, root: Path, wanted: str, *, reading: bool) -> str:
    """Return the one run whose name, or the code at its end, begins so.

    Raises:
        UsageError: There is none, or several, or it is too little to act on.
    """
    meant = meant_by(wanted, [job.run_name for job in ledger.called(wanted)[0]]) if _is_long(wanted) else []
    if not meant:
        raise UsageError(f"job {wanted!r} is not in the ledger. {_listed(ledger, root, wanted)}")
    if len(meant) > 1:
        raise UsageError(
            f"job {wanted!r} is the beginning of {len(meant)} jobs. It may mean: {_some(meant)}. Give more of the "
            f"name, or {LEAST} characters of its last part."
        )
    if not reading and not names(wanted, meant[0]):
        enough = code_of(meant[0])[:LEAST] or meant[0]
        raise UsageError(
            f"job {wanted!r} is the beginning of {meant[0]!r} alone, and too little to act on: the next job may begin "
            f"so too. Give the whole name, or {LEAST} characters of its last part: {enough}"
        )
    return meant[0]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def first_launch(root: Path) -> str:
    """Return what leads to a first job in a project, which may be one of the user's own."""
    recipe = Path("experiments") / "recipes" / "arena_experiment.py"
    if (root / recipe).is_file():
        return f"Launch one: uv run {recipe}"
    return "Write a recipe to launch: uv run experiments new NAME"


def _handed_over(rows: Iterable[TrainingJob | UnreadableJob]) -> list[TrainingJob | UnreadableJob]:
    return [job for job in rows if job.state != "planned" or isinstance(job, UnreadableJob)]


def _listed(ledger: Ledger, root: Path, wanted: str) -> str:
    """Return the jobs that somebody may mean who typed an experiment, an arm or the beginning of a name, else all."""
    near, _ = ledger.called(wanted)
    meant = [job for job in near if wanted in (job.experiment, job.arm) or job.run_name.startswith(wanted)]
    listed, number = (meant[-_LISTED:], len(meant)) if meant else ledger.called("", _LISTED)
    if not listed:
        return f"The ledger holds no job yet. {first_launch(root)}"
    newest = [
        f"{job.launcher_id} ({job.run_name})" if job.launcher_id not in (None, job.run_name) else job.run_name
        for job in listed
    ]
    more = f" and {number - len(listed)} older" if number > len(listed) else ""
    return f"{'It may mean' if meant else 'Known jobs'}: {', '.join(newest)}{more}. See: uv run experiments status"
