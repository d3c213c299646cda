"""Between the ledger and a launcher: handing jobs over, and resolving doubt.

Before a launcher hears of a job, the ledger holds the intent; after it answered, its id. A job between the two is in
doubt: only whoever holds its lease may resolve it, by asking the launcher whether it has a job of that name.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from experiments.jobs.launchers.base import (
    DryRunLauncher,
    Found,
    Launcher,
    SchedulerStatus,
    Unknown,
    UnreachableError,
)
from experiments.jobs.launchers.local.launcher import LocalLauncher
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import Ledger, UnreadableJob
from experiments.jobs.specs import told
from experiments.jobs.watch.verdicts import verdict
from experiments.project.errors import LaunchError
from experiments.project.files import write_json
from experiments.project.workspace import Workspace
from experiments.runs.offline.places import METRICS
from experiments.types import TERMINAL_VERDICTS, TrainingJob


@dataclass
class Reconciled:
    """What became of jobs in doubt, by run name.

    Attributes:
        found: The launcher has them.
        absent: The launcher does not have them: they are `planned` again, and launching their plan hands them over.
        unknown: Nobody can tell yet; nothing was changed. With the reason.
        held: Those of them that another process has in hand.
    """

    found: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)


def launcher_for(name: str, workspace: Workspace) -> Launcher:
    """Return the launcher of this name.

    Raises:
        LaunchError: There is none.
    """
    make = LAUNCHERS.get(name)
    if make is None:
        raise LaunchError(f"launcher {name!r} does not exist. Launchers: {', '.join(LAUNCHERS)}.")
    return make(workspace)


def _skypilot(workspace: Workspace) -> Launcher:
    from experiments.jobs.launchers.sky.launcher import SkyPilotLauncher

    return SkyPilotLauncher(workspace)


LAUNCHERS: dict[str, Callable[[Workspace], Launcher]] = {
    LocalLauncher.name: lambda workspace: LocalLauncher(workspace.state),
    "skypilot": _skypilot,
    DryRunLauncher.name: lambda _workspace: DryRunLauncher(),
}
"""How each launcher is made."""


def _batches(names: Mapping[str, Any], size: int) -> Iterator[list[str]]:
    rest = iter(names)
    while batch := list(islice(rest, size)):
        yield batch


def reconcile(
    ledger: Ledger,
    workspace: Workspace,
    *,
    plan_key: str | None = None,
    run_names: Collection[str] | None = None,
    at_once: int = 1,
) -> Reconciled:
    """Resolve the jobs that a launcher may or may not have, because whoever handed them over was killed.

    Nothing is launched by this.

    Args:
        ledger: Where they are recorded.
        workspace: Whose launchers to ask.
        plan_key: Only the jobs of this plan.
        run_names: Only these.
        at_once: How many of them to ask for at the same time.

    Raises:
        LedgerError: The ledger cannot be written.
    """
    result = Reconciled()
    names = [job.run_name for job in ledger.rows(plan_key=plan_key, run_names=run_names, state="submitting")]

    def reconcile_one(name: str) -> None:
        with tenure() as owner:
            if holder := ledger.take_lease(name, owner):
                result.unknown[name] = f"it is being handed over by {holder}"
                result.held.add(name)
                return
            conclusion: dict[str, Any] = {}
            try:
                conclusion = _resolve(ledger, name, workspace, result)
            finally:
                ledger.conclude(owner, **conclusion)

    if at_once == 1:
        for name in names:
            reconcile_one(name)
        return result
    with ThreadPoolExecutor(at_once, "reconcile") as pool:
        list(pool.map(reconcile_one, names))
    return result


def _resolve(ledger: Ledger, name: str, workspace: Workspace, result: Reconciled) -> dict[str, Any]:
    """Return what to conclude of one job in doubt, whose lease is held."""
    [job] = ledger.rows(run_names=[name])
    if job.state != "submitting":
        return {}
    try:
        answer = launcher_for(job.launcher, workspace).find(name, job.target)
    except LaunchError as error:
        answer = Unknown(str(error))
    if isinstance(answer, Unknown):
        result.unknown[name] = answer.reason
        return {}
    if isinstance(answer, Found):
        result.found.append(name)
        return {"accepted": {name: answer.id}}
    result.absent.append(name)
    return {"returned": [name]}


def hand_over(
    ledger: Ledger,
    launcher: Launcher,
    specs: Mapping[str, dict[str, Any]],
    workspace: Workspace,
    *,
    target: str | None = None,
    is_patient: bool = False,
) -> dict[str, str]:
    """Hand jobs to the launcher, in batches that it can afford to be in doubt about; return the failed ones.

    Where a launcher takes several at once, an interrupt waits for those that it was asked for; the rest stays planned.

    Args:
        target: The place that was recorded, where they were meant before; None for the launcher's own.
        is_patient: Whether jobs of a launcher that cannot be reached stay planned, for a later try; they are among the
            failed all the same. Else they are refused.
    """
    jobs = {job.run_name: job for job in ledger.jobs(run_names=specs)}
    batches = [{name: specs[name] for name in names} for names in _batches(specs, launcher.batch)]
    stopped, place = threading.Event(), launcher.target() if target is None else target

    def hand(batch: Mapping[str, dict[str, Any]]) -> dict[str, str]:
        if stopped.is_set():
            return {}
        failed, is_reached = _hand_batch(ledger, launcher, place, jobs, batch, workspace, is_patient=is_patient)
        if not is_reached:
            stopped.set()  # it would not answer for the others, either
        return failed

    if launcher.at_once == 1:
        return {name: why for batch in batches for name, why in hand(batch).items()}
    with ThreadPoolExecutor(launcher.at_once, "hand over") as pool:
        try:
            return {name: why for failed in pool.map(hand, batches) for name, why in failed.items()}
        finally:
            stopped.set()


def _hand_batch(
    ledger: Ledger,
    launcher: Launcher,
    target: str,
    jobs: Mapping[str, TrainingJob],
    specs: Mapping[str, dict[str, Any]],
    workspace: Workspace,
    *,
    is_patient: bool,
) -> tuple[dict[str, str], bool]:
    """Hand jobs over between two writes to the ledger; return the failed ones, and whether to go on with others."""
    accepted: dict[str, str] = {}
    refused: dict[str, str] = {}
    put_off: dict[str, str] = {}
    failed: dict[str, str] = {}
    tried: set[str] = set()
    with tenure() as owner:
        try:
            for name in ledger.intend(specs, target, owner):
                tried.add(name)
                try:
                    job = told(jobs[name], specs[name], ledger.id, workspace)
                except (LookupError, TypeError, ValueError) as error:
                    refused[name] = f"what to start for it cannot be read in the ledger ({error!r})"
                    continue
                try:
                    accepted[name] = launcher.submit(job)
                    _leave_metrics(jobs[name], workspace.runs / name)
                except UnreachableError as error:
                    (put_off if is_patient else refused)[name] = str(error)
                except LaunchError as error:
                    refused[name] = str(error)
                except Exception as error:  # noqa: BLE001 - whether the job exists is now in doubt; the rest goes on
                    failed[name] = f"{type(error).__name__}: {error}"
        finally:
            # Also on Ctrl-C: what was not tried is planned again, what was interrupted stays in doubt.
            untried = [name for name in specs if name not in tried]
            ledger.conclude(owner, accepted=accepted, refused=refused, returned=untried, put_off=put_off)
    return failed | refused | put_off, not put_off


def _leave_metrics(job: TrainingJob, folder: Path) -> None:
    """Leave what a job's trainer names of what it logs beside its run: who reads that has no ledger."""
    if job.metrics is not None and folder.is_dir():
        with contextlib.suppress(OSError):  # the job is launched; its rows are read by the names that are usual
            write_json(folder / METRICS, job.metrics.model_dump(mode="json"))


def statuses(
    jobs: Sequence[TrainingJob | UnreadableJob], ledger: Ledger, workspace: Workspace
) -> dict[str, SchedulerStatus]:
    """Return the scheduler's word on each job that a launcher has; a job whose launcher cannot be asked is absent."""
    found = {name: SchedulerStatus(**values) for name, values in ledger.outcomes(job.run_name for job in jobs).items()}
    asked: dict[str, dict[str, str]] = {}
    for job in jobs:
        if job.launcher_id is not None and job.run_name not in found:
            asked.setdefault(job.launcher, {})[job.run_name] = job.launcher_id
    for name, ids in asked.items():
        try:
            found |= launcher_for(name, workspace).poll(ids)
        except LaunchError:
            continue
    return found


def has_ended(status: SchedulerStatus) -> bool:
    """Say whether a scheduler's word means that the job will not run on."""
    return verdict(status.word, None, exit_code=status.exit_code)[0] in TERMINAL_VERDICTS
