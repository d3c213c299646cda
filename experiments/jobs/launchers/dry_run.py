"""The launcher that starts nothing: for previews, and for code that needs a launcher in tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from experiments.jobs.launchers.base import Absent, Found, JobSpec, SchedulerStatus, Unknown


class DryRunLauncher:
    """Where jobs go that nobody wants to run.

    Attributes:
        batch: How many jobs may be handed over between two writes to the ledger.
    """

    name = "dry-run"
    batch = 1000

    def target(self) -> str:
        """Return the place: nowhere."""
        return "nowhere"

    def submit(self, job: JobSpec) -> str:
        """Start nothing, and return the run name as the id."""
        return job.run_name

    def find(self, run_name: str, target: str) -> Found | Absent | Unknown:  # noqa: ARG002 - there is nothing to look at
        """Say that there is no such job."""
        return Absent()

    def poll(self, jobs: Mapping[str, str]) -> dict[str, SchedulerStatus]:  # noqa: ARG002
        """Return nothing: no job runs."""
        return {}

    def cancel(self, jobs: Sequence[tuple[str, str]]) -> None:
        """Do nothing: no job runs."""

    def logs(
        self,
        run_name: str,  # noqa: ARG002
        job_id: str,  # noqa: ARG002
        *,
        follow: bool = False,  # noqa: ARG002
        last: int | None = None,  # noqa: ARG002
    ) -> Iterator[str]:
        """Yield nothing: no job wrote anything."""
        yield from ()
