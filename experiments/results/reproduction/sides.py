"""A run as it is compared and reproduced, wherever it is kept: in a project's state folder, or in a bundle."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from experiments.jobs.checkpoints import folder_of_checkpoints
from experiments.jobs.ledger import open_ledger
from experiments.jobs.ran import Ran, codes_of
from experiments.jobs.reproducing import Beginning, beginning_of, folder_of
from experiments.jobs.submission import code_of_job
from experiments.project.environment.differences import Conditions
from experiments.project.errors import ExperimentsError
from experiments.project.provenance import CodeRecord, OwnCode
from experiments.project.snapshots import checkout_path
from experiments.project.trainers.known import trainer_of
from experiments.project.workspace import Workspace
from experiments.results.reproduction.checkpoints import FOLDER, checkpoint_files
from experiments.runs.store import Origin, RunInfo, RunQuery
from experiments.types import TrainingJob

if TYPE_CHECKING:
    import pandas as pd


class Rows(Protocol):
    """What of a run store a comparison reads; see `RunStore`."""

    def find(self, query: RunQuery) -> list[RunInfo]:
        """Return the runs that match."""

    def history(self, run: str, keys: Sequence[str] | None = None) -> tuple[pd.DataFrame, Origin]:
        """Return all rows of a run."""


@dataclass(frozen=True)
class Side:
    """One run of the two that are compared.

    Attributes:
        state: The state folder that has it, or the folder of its bundle.
        store: Where its metrics are read.
        folder: Of the run.
        code: The code that it ran.
        conditions: Its packages and machine.
        variables: What was set for its trainer.
        own: What it was told to run with; None for a run of before there were snapshots.
        roots: Folders of its snapshot that it imports from.
        saved: Its checkpoints, see `checkpoint_files`.
        arm: The jobs of its arm in its plan, itself among them, but for those that are known to have run other code.
        beginning: The checkpoint that it went on from; None where it began at the beginning.
        hashes: The sha256 of checkpoints that it had and that are not there any more, as in a bundle.
        contents: The `content_hash` of those of them that are archives.
        problems: What of its record cannot be read, in words.
    """

    job: TrainingJob
    state: Path
    store: Rows
    folder: Path
    code: Ran
    conditions: Conditions
    variables: Mapping[str, str]
    own: OwnCode | None = None
    roots: tuple[str, ...] = ()
    saved: Mapping[str, Path] = field(default_factory=dict)
    arm: tuple[TrainingJob, ...] = ()
    beginning: Beginning | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def run(self) -> str:
        """Its name."""
        return self.job.run_name

    @property
    def environment(self) -> str | None:
        """Hash of its package set; None where that was not recorded."""
        return self.code.started.environment if self.code.started is not None else None


def saved_files(job: TrainingJob, run_dir: Path) -> dict[str, Path]:
    """Return the checkpoints of a run where its trainer says that it saves them, else below `checkpoints`."""
    trainer = trainer_of(job.config.trainer, job.command)
    if trainer is None or trainer.checkpoints is None:
        return checkpoint_files(run_dir / FOLDER, run=job.run_name)
    place = folder_of_checkpoints(trainer, run_dir, job.run_name) or run_dir / FOLDER
    return checkpoint_files(place, trainer.checkpoints.glob, job.run_name)


def of_same_code(code: Ran, others: Mapping[str, Ran], jobs: Iterable[TrainingJob]) -> tuple[TrainingJob, ...]:
    """Return those of several jobs whose scores may stand beside a run's: none that is known to have run other code."""
    same = {None, code.identity}
    return tuple(job for job in jobs if code.identity is None or others[job.run_name].identity in same)


def side_of(workspace: Workspace, store: Rows, job: TrainingJob) -> Side:
    """Return a run of a project.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        spec: Mapping[str, Any] = ledger.spec(job.run_name) or {}
        own = code_of_job(ledger, job)
        arm = [other for other in ledger.jobs(plan_key=job.plan_key) if other.arm == job.arm]
    codes = codes_of(workspace, {job.run_name, *(other.run_name for other in arm)})
    code, folder = codes[job.run_name], folder_of(workspace, job.run_name)
    conditions, problems = _conditions(workspace, code)
    return Side(
        job=job,
        state=workspace.state,
        store=store,
        folder=folder,
        code=code,
        conditions=conditions,
        variables=spec.get("env", {}),
        own=own,
        roots=_roots(workspace, own, spec.get("env", {})),
        saved=saved_files(job, folder),
        arm=of_same_code(code, codes, arm),
        beginning=beginning_of(workspace, job),
        problems=problems,
    )


def _roots(workspace: Workspace, own: OwnCode | None, variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the folders of its snapshot that a local job imports from, as they were set for it."""
    if own is None or own.snapshot is None:
        return ()
    tree = checkout_path(workspace.state, own.snapshot)
    parts = [Path(part) for part in variables.get("PYTHONPATH", "").split(os.pathsep) if part]
    return tuple(part.relative_to(tree).as_posix() for part in parts if part.is_relative_to(tree))


def _conditions(workspace: Workspace, code: Ran) -> tuple[Conditions, tuple[str, ...]]:
    record = code.started or CodeRecord()
    try:
        return Conditions.recorded(workspace.state, record.environment, record.machine), ()
    except ExperimentsError as error:
        return Conditions(None, record.machine), (str(error),)
