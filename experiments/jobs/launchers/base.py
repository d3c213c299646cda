"""What a launcher is: the one seam between a plan and the machines that run it.

A launcher starts jobs, finds them again by run name, says how they are and ends them. It keeps no list of its own:
the ledger does. Everything it is told about a job is in `JobSpec`. The least launcher stands below: it starts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from experiments.project.errors import LaunchError
from experiments.types import TrainingJobConfig

if TYPE_CHECKING:
    from experiments.project.snapshots import Snapshot


@dataclass(frozen=True)
class JobSpec:
    """One job as a launcher gets it.

    Attributes:
        run_name: Unique name; also the W&B run id.
        command: The trainer's command line with nothing left to fill in.
        env: Environment of the trainer beside the launcher's own; never a secret.
        run_dir: Folder of the run on this machine: `.experiments/runs/<run name>`.
        config: Resources wanted.
        plan_key: Plan that the job belongs to.
        ledger_id: Which ledger launched it, to tell our jobs from other people's.
        snapshot: The code that it runs; None for the working tree as it is when the job is handed over.
        design: The rule that was recorded before its launch, in words; empty without one.
        prepared: What `Launcher.prepared` returned of it when it was meant; empty where nobody asked.
    """

    run_name: str
    command: tuple[str, ...]
    run_dir: Path
    config: TrainingJobConfig
    env: Mapping[str, str] = field(default_factory=dict)
    experiment: str = ""
    plan_key: str = ""
    ledger_id: str = ""
    snapshot: Snapshot | None = None
    design: str = ""
    prepared: Mapping[str, Any] = field(default_factory=dict)


class UnreachableError(LaunchError):
    """The place does not answer now; no job exists, and a later try may succeed."""


@dataclass(frozen=True)
class Found:
    """The launcher has a job of this name."""

    id: str


@dataclass(frozen=True)
class Absent:
    """The very target that was recorded was reached, and it has no such job."""


@dataclass(frozen=True)
class Unknown:
    """Nobody can tell; nothing may be launched on the strength of this."""

    reason: str


@dataclass(frozen=True)
class SchedulerStatus:
    """What a scheduler says of one job.

    Attributes:
        word: The scheduler's own word, verbatim.
        reason: Why, in words, where the scheduler says so.
        started_at: Unix seconds, or None.
        ended_at: Unix seconds, or None.
        exit_code: Negative for a signal, None where there is none (yet).
        duration_s: Seconds on machines that were paid for, over all starts; None where the scheduler does not count.
        recoveries: How often the job was started again on other machines.
        resources: What it runs on, in the scheduler's words.
        price_per_hour: USD for all its machines; None where nobody knows, and 0 where the scheduler knows no prices.
        events: What happened so far as (word, reason, Unix seconds), oldest first; empty where nobody was asked.
    """

    word: str
    reason: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    duration_s: float | None = None
    recoveries: int = 0
    resources: str = ""
    price_per_hour: float | None = None
    events: Sequence[tuple[str, str, float]] = ()


class Launcher(Protocol):
    """Where jobs run.

    Attributes:
        batch: How many jobs may be handed over between two writes to the ledger, and so be in doubt after a crash: 1
            where a submission costs money.
        at_once: How many threads may hand jobs over at the same time.
    """

    name: str
    batch: int
    at_once: int

    def target(self) -> str:
        """Return the place that jobs go to, as recorded in an intent: enough to know it again."""

    def reaches(self, target: str) -> bool:
        """Tell whether jobs that were meant for a recorded place can be handed over, and looked for, from here."""

    def prepared(self, job: JobSpec) -> dict[str, Any]:
        """Return what it would ask for, as JSON values to be kept with what is meant; whoever submits asks for that.

        Raises:
            ExperimentsError: It could not run there; says why.
        """

    def submit(self, job: JobSpec) -> str:
        """Start `job` (or queue it) and return the launcher's id.

        Raises:
            UnreachableError: No job exists, and a later try may succeed.
            LaunchError: It was refused; no job exists.
        """

    def find(self, run_name: str, target: str) -> Found | Absent | Unknown:
        """Say whether a job of this name exists at `target`."""

    def poll(self, jobs: Mapping[str, str]) -> dict[str, SchedulerStatus]:
        """Return the status of each job in `jobs` (run name to launcher's id), in one request; unknown jobs are absent.

        Raises:
            LaunchError: The scheduler cannot be reached.
        """

    def cancel(self, jobs: Sequence[tuple[str, str]]) -> None:
        """Ask for the end of each (run name, launcher's id); a request, not a state."""

    def logs(self, run_name: str, job_id: str, *, follow: bool = False, last: int | None = None) -> Iterator[str]:
        """Yield the lines of the trainer's output, without their newline.

        Args:
            follow: Go on until the job has ended.
            last: Begin so many lines before the end of what is there; None for all.
        """


class DryRunLauncher:
    """Where jobs go that nobody wants to run.

    Attributes:
        batch: How many jobs may be handed over between two writes to the ledger.
        at_once: How many threads may hand jobs over at the same time.
    """

    name = "dry-run"
    batch = 1000
    at_once = 1

    def target(self) -> str:
        """Return the place: nowhere."""
        return "nowhere"

    def reaches(self, target: str) -> bool:
        """Tell whether a place is nowhere."""
        return target == self.target()

    def prepared(self, job: JobSpec) -> dict[str, Any]:  # noqa: ARG002
        """Return nothing: nothing is asked for."""
        return {}

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
