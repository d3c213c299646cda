"""What the poller knows of one job and of one source that it asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from experiments.jobs.launchers.base import SchedulerStatus
from experiments.project.state_words import SCHEDULER_ENDS
from experiments.runs.store import RunInfo
from experiments.types import JobRef, JobStatus, TrainingJob


@dataclass
class PolledJob:
    """One job and the last word of each of its witnesses.

    Attributes:
        ref: The job as a notebook has it.
        key: Changes when the ledger changes anything of the job.
        asked: Kinds of sources that were asked about it.
        answered: Those of them that have answered, were it only that they do not know it.
        ended_tick: When it was first seen to have ended.
        final: Its status once nothing can change any more; it is not asked about again.
        unreadable: What is wrong with its row in the ledger; empty where nothing is.
    """

    job: TrainingJob | JobRef
    key: str
    unreadable: str = ""
    scheduler: SchedulerStatus | None = None
    run: RunInfo | None = None
    version: str = ""
    damage: str = ""
    asked: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    ended_tick: float | None = None
    final: JobStatus | None = None
    ref: JobRef = field(init=False, compare=False)

    def __post_init__(self) -> None:
        self.ref = self.job.ref() if isinstance(self.job, TrainingJob) else self.job

    def is_of(self, job: TrainingJob | JobRef) -> bool:
        """Tell whether the ledger says the same of it still."""
        return self.job is job or self.job == job

    @property
    def launcher_id(self) -> str | None:
        """Id by which the launcher knows the job; a reference leaves it out where it is the run name."""
        if isinstance(self.job, TrainingJob):
            return self.job.launcher_id
        return self.job.id or (self.job.run if self.job.launcher == "local" else None)

    def wants(self, kind: str) -> bool:
        """Tell whether a source of this kind may still have news of the job."""
        if self.final is not None or (isinstance(self.job, TrainingJob) and self.job.state != "submitted"):
            return False
        if kind == "store":
            return True
        ended = self.scheduler is not None and self.scheduler.word in SCHEDULER_ENDS
        return self.launcher_id is not None and not ended

    def source_name(self, kind: str) -> str:
        """Return the launcher or tracker of the job."""
        return self.ref.launcher if kind == "launcher" else self.ref.tracker

    def born(self) -> float:
        """Return the Unix seconds from which the job's age counts."""
        started = (self.scheduler and self.scheduler.started_at) or (self.run and self.run.created_at)
        return started or (self.job.created_at if isinstance(self.job, TrainingJob) else 0.0)


@dataclass
class PolledSource:
    """One launcher or run store, or the ledger: when it is asked next, and how it answered last.

    Attributes:
        said: Whom it was asked about last and its answer; None where the next one is news whatever it says.
    """

    kind: Literal["ledger", "launcher", "store"]
    name: str
    pace_s: float
    interval_s: float
    due: float = 0.0
    as_of: float | None = None
    problem: str = ""
    failures: int = 0
    is_busy: bool = False
    is_active: bool = True
    said: object = None
    cursors: dict[str, int] = field(default_factory=dict)
