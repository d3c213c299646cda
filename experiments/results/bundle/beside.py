"""The kept controls that an experiment is compared with: what of their runs lies here, and what of it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.jobs.controls.files import path_of
from experiments.jobs.controls.pooled import controls_of
from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.reproducing import folder_of
from experiments.project.look import counted
from experiments.project.workspace import Workspace
from experiments.results.bundle.records import CONTROLS
from experiments.types import KeptControl, Plan, TrainingJob


@dataclass(frozen=True)
class Beside:
    """A control that goes into a bundle.

    Attributes:
        jobs: Those of its runs that lie here; another project launched the others, or they were removed.
        code: What was recorded of the code of their plans, by the plan's key.
        file: Where it is kept, with its scores; None where that is not here.
    """

    control: KeptControl
    jobs: tuple[TrainingJob, ...]
    code: Mapping[str, Mapping[str, Any]]
    file: Path | None

    @property
    def notes(self) -> list[str]:
        """What of it is not in the bundle, in words."""
        gone = len(self.control.runs) - len(self.jobs)
        if not gone:
            return []
        scores = f"its scores are in {CONTROLS}/{self.file.name}" if self.file is not None else "nor is its file here"
        said = f"{gone} of {counted(len(self.control.runs), 'run')} of control {self.control.name}"
        are = "is" if gone == 1 else "are"
        return [f"{said}, with which the others are compared, {are} not here and not in the bundle; {scores}"]


def controls_beside(workspace: Workspace, plans: Sequence[Plan]) -> list[Beside]:
    """Return the controls of some plans.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        return [_beside(control, ledger, workspace) for control in controls_of(ledger, [plan.key for plan in plans])]


def _beside(control: KeptControl, ledger: LedgerReader, workspace: Workspace) -> Beside:
    launched = ledger.jobs(run_names=[run.run for run in control.runs])
    jobs = [job for job in launched if job.state == "submitted" and folder_of(workspace, job.run_name).is_dir()]
    keys = sorted({job.plan_key for job in jobs})
    code = {key: record for key in keys if (record := ledger.provenance(key))}
    path = path_of(workspace.root, control.name)
    return Beside(control, tuple(jobs), code, path if path.is_file() else None)
