"""What a ledger tells beside jobs and plans: what happened, what people wrote, and rows that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from experiments.project.standing import Role
from experiments.types import JobRef

MEND = "experiments doctor --mend"


@dataclass(frozen=True)
class Event:
    """One thing that happened to a plan or a job.

    Attributes:
        at: Unix seconds.
        kind: `planned`, `intent`, `accepted`, `refused`, `returned`, `claimed`, `ended`, `cancel`, `annotated`, ...
        data: What belongs to it, as JSON values; where it cannot be read, the reason under `unreadable`.
    """

    at: float
    kind: str
    run_name: str | None
    plan_key: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True)
class OpenJob:
    """A job that its launcher has and whose end nobody noted yet.

    Attributes:
        claimed: Whether a process was seen to have claimed it.
    """

    run_name: str
    claimed: bool


@dataclass(frozen=True)
class Annotation:
    """What people wrote to a job.

    Attributes:
        note: The latest note; empty where there is none.
        tags: In the order in which they were added.
        problem: What of it cannot be read; empty where all of it can.
    """

    note: str = ""
    tags: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class UnreadableJob:
    """A row of the ledger that is no job that can be read, with what its plain columns say.

    Attributes:
        state: As it stands there, whether it is a state or not.
        problem: What is wrong with it.
    """

    run_name: str
    plan_key: str
    experiment: str
    arm: str
    seed: int
    attempt: int
    retry_of: str | None
    launcher: str
    target: str
    launcher_id: str | None
    state: str
    tracker: str
    created_at: float
    replicate: int
    role: Role
    parent: str | None
    problem: str

    def ref(self) -> JobRef:
        """Return the job as a notebook refers to it: enough to ask its launcher and to read its run."""
        own_id = self.launcher_id if self.launcher_id != self.run_name else None
        return JobRef(
            run=self.run_name,
            arm=self.arm,
            seed=self.seed,
            replicate=self.replicate,
            role=self.role,
            parent=self.parent,
            launcher=self.launcher,
            id=own_id,
            tracker=self.tracker,
        )

    def sentence(self) -> str:
        """Return what is wrong and the command that mends it."""
        return f"the ledger's row of job {self.run_name!r} cannot be read ({self.problem}). Mend it: {MEND}"


class Called(NamedTuple):
    """What people call a job: of a hundred thousand this costs little."""

    run_name: str
    experiment: str
    arm: str
    launcher_id: str | None


class Repeat(NamedTuple):
    """One of the launches of the same jobs: its number and the key of its plan."""

    number: int
    key: str


class DamagedText(NamedTuple):
    """A text of the ledger that cannot be read, beside the rows of jobs.

    Attributes:
        key: The row's key: a run name, a plan's key or an event's number.
        text: What stands there.
    """

    table: str
    column: str
    key: str | int
    text: str
    problem: str

    def sentence(self) -> str:
        """Return what is wrong and the command that mends it."""
        return f"{self.column} of {self.key!r} in the ledger's {self.table} cannot be read ({self.problem}): {MEND}"
