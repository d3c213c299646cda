"""Find jobs by what people call them: a run name, or the id that a launcher gave."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.errors import UsageError
from experiments.types import TrainingJob
from experiments.workspace import Workspace

_LISTED = 12


def find_jobs(workspace: Workspace, ids: Sequence[str]) -> list[TrainingJob]:
    """Return the jobs with these run names or launcher ids, in the order asked, each once.

    Raises:
        UsageError: An id is not in the ledger, or two jobs have it; lists those that are known.
    """
    with workspace.ledger() as ledger:
        known = [job for job in ledger.jobs() if job.state != "planned"]
    found: dict[str, TrainingJob] = {}
    for wanted in ids:
        matches = [job for job in known if wanted in (job.run_name, job.launcher_id)]
        if not matches:
            raise UsageError(f"job {wanted!r} is not in the ledger. {_listed(known)}")
        if len(matches) > 1:
            names = ", ".join(job.run_name for job in matches)
            raise UsageError(f"job id {wanted!r} belongs to {len(matches)} jobs: {names}. Give a run name instead.")
        found[matches[0].run_name] = matches[0]
    return list(found.values())


def _listed(known: Sequence[TrainingJob]) -> str:
    if not known:
        return "The ledger holds no job yet. Launch one: uv run experiments/recipes/arena_experiment.py"
    newest = [
        f"{job.launcher_id} ({job.run_name})" if job.launcher_id not in (None, job.run_name) else job.run_name
        for job in known[-_LISTED:]
    ]
    more = f" and {len(known) - _LISTED} older" if len(known) > _LISTED else ""
    return f"Known jobs: {', '.join(newest)}{more}. See: uv run experiments status"
