"""SkyPilot's pools: workers that are brought up once, through which the jobs of many plans go.

A pool has its resources and its set-up, a job its command, environment and code: see `launchers.sky.pools`. A job of a
plan goes through the pool that the setting `sky_pool` names, by the same name and the same rules as any other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from experiments.jobs.covering import refuse_granted
from experiments.jobs.launchers.sky.client import client_for
from experiments.jobs.launchers.sky.pools import pool_task
from experiments.jobs.launchers.sky.sending import Codes, refuse_unfetchable
from experiments.jobs.launchers.sky.task import resources_of, source_of
from experiments.jobs.launchers.sky.words import LAUNCH_S, QUEUE_S
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import Permit, require
from experiments.jobs.submission import code_now
from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.types import TrainingJobConfig

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
_GOING = frozenset({"SHUTTING_DOWN", "FAILED", "FAILED_CLEANUP", "CONTROLLER_FAILED"})


@dataclass(frozen=True)
class Worker:
    """One worker of a pool.

    Attributes:
        status: SkyPilot's word, verbatim: `READY` takes jobs.
        version: Of the pool when it was brought up.
        used_by: Ids of the jobs on it.
    """

    id: int
    status: str
    version: int | None
    resources: str
    infra: str
    used_by: tuple[str, ...]


@dataclass(frozen=True)
class Pool:
    """A pool as SkyPilot has it.

    Attributes:
        status: SkyPilot's word, verbatim.
        version: Counts how often it was applied in another form.
        wanted: How many workers it shall have.
        resources: What each of them was asked for with.
        waiting: Ids of the jobs that wait for a worker.
    """

    name: str
    status: str
    version: int | None
    wanted: int
    resources: Mapping[str, Any]
    workers: tuple[Worker, ...]
    waiting: tuple[str, ...] = ()

    @property
    def ready(self) -> int:
        """How many of its workers take jobs."""
        return sum(worker.status == "READY" for worker in self.workers)

    @property
    def sentence(self) -> str:
        """How it is, in words."""
        busy = sum(bool(worker.used_by) for worker in self.workers)
        said = f"pool {self.name} ({self.status}): {self.ready} of {self.wanted} workers ready, {busy} busy"
        full = ": it is full" if busy and busy >= self.wanted else ""
        return f"{said}{full}, {counted(len(self.waiting), 'job')} waiting" if self.waiting else said + full

    def notes(self, settings_ask: Mapping[str, Any]) -> list[str]:
        """Return what one should know before a job goes through it.

        Args:
            settings_ask: The resources that it would be made with now.
        """
        notes = []
        if self.status in _GOING:
            notes.append(f"pool {self.name} is {self.status} and takes no job. Make another: experiments pool apply")
        if differing := _differing(self.resources, settings_ask):
            notes.append(
                f"pool {self.name} was made with other resources than these settings ask for ({differing}); its jobs "
                f"get what it has. Bring it up to date: experiments pool apply {self.name}"
            )
        if old := [str(worker.id) for worker in self.workers if self._is_of_before(worker)]:
            notes.append(
                f"pool {self.name} is of version {self.version}, and {'worker' if len(old) == 1 else 'workers'} "
                f"{', '.join(old)} of an earlier one: replaced as soon as their jobs have ended"
            )
        return notes

    def _is_of_before(self, worker: Worker) -> bool:
        return worker.version is not None and self.version is not None and worker.version < self.version


@dataclass(frozen=True)
class Request:
    """What a pool is to be.

    Attributes:
        resources: Of each worker.
        there: The pool of this name that there is; None where there is none.
    """

    name: str
    workers: int
    resources: Mapping[str, Any]
    there: Pool | None

    @property
    def differing(self) -> str:
        """What is to be changed of the pool that is there, in words; empty where nothing is, or there is none."""
        if self.there is None:
            return ""
        number = "" if self.there.wanted == self.workers else f"workers {self.there.wanted}, here {self.workers}"
        return ", ".join(filter(None, [number, _differing(self.there.resources, self.resources)]))


def pools_of(workspace: Workspace) -> list[Pool]:
    """Return the pools there are, whoever made them.

    Raises:
        SkyError: SkyPilot cannot be asked, or has no pools.
    """
    answer = client_for(workspace.settings).call("pools", deadline_s=QUEUE_S).result
    return [_pool(found) for found in answer]


def _pool(found: Mapping[str, Any]) -> Pool:
    """Return a pool; SkyPilot names a job that has no worker yet with every worker that is ready."""
    ready = [set(each["used_by"]) for each in found["workers"] if each["status"] == "READY"]
    nowhere = set[str].intersection(*ready) if len(ready) > 1 else set[str]()
    return Pool(
        found["name"],
        found["status"],
        found["version"],
        int(found["wanted"] or 0),
        found["resources"] if isinstance(found["resources"], dict) else {},
        tuple(
            Worker(**{**each, "used_by": tuple(job for job in each["used_by"] if job not in nowhere)})
            for each in found["workers"]
        ),
        tuple(sorted(nowhere, key=lambda job: (len(job), job))),
    )


def request(workspace: Workspace, name: str, workers: int | None, gpus: int) -> Request:
    """Return what a pool is to be, beside what it is; nothing is asked for yet.

    Args:
        workers: How many; None for as many as the pool has.
        gpus: Of each worker.

    Raises:
        UsageError: The name is none for a pool, or nobody says how many workers it has.
        SkyError: SkyPilot cannot be asked, or has no pools.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"pool {name!r} is no name for a pool: up to 40 small letters, digits and dashes, a letter first, such as "
            "lab."
        )
    there = next((pool for pool in pools_of(workspace) if pool.name == name), None)
    if workers is None and there is None:
        raise UsageError(
            f"there is no pool {name!r} yet, so say how many workers it shall have: experiments pool apply {name} "
            "--workers 2"
        )
    number = workers if workers is not None else there.wanted if there is not None else 0
    return Request(name, number, asked_of(workspace, gpus), there)


def asked_of(workspace: Workspace, gpus: int) -> dict[str, Any]:
    """Return the resources of a worker as the settings ask for them.

    Raises:
        UsageError: GPUs of no kind.
    """
    return resources_of(TrainingJobConfig(curriculum="any", gpus=gpus), workspace.settings)


def apply(asked: Request, workspace: Workspace, permit: Permit | None) -> None:
    """Make a pool, or bring the one that is there up to date; its workers come up after this returns.

    Raises:
        LaunchRefused: Nobody asked for it.
        UsageError: The workers could not get the project's code.
        SkyError: SkyPilot refused, or cannot be asked.
    """
    refuse_granted(require(permit, f"bring up pool {asked.name!r}"), f"bring up pool {asked.name!r}")
    client = client_for(workspace.settings)
    if asked.there is not None and not _differing(asked.there.resources, asked.resources):
        # Another set-up would be another version, for which every worker is replaced.
        client.call("pool_apply", name=asked.name, task=None, workers=asked.workers, deadline_s=LAUNCH_S)
        return
    place = replace(workspace, settings=replaced(workspace.settings, sky_pool=asked.name))
    snapshot = code_now(place).snapshot
    codes = Codes(place)
    code = codes.of_snapshot(snapshot) if snapshot is not None else codes.now
    refuse_unfetchable(code)
    source = source_of(code, place.settings)
    task = pool_task(place.settings, asked.name, asked.workers, asked.resources, source)
    client.call("pool_apply", name=asked.name, task=task, workers=None, deadline_s=LAUNCH_S)


def going_through(name: str, workspace: Workspace) -> list[str]:
    """Return the run names of this project that were sent through a pool and whose end nobody noted."""
    with open_ledger(workspace, read_only=True) as ledger:
        open_ones = [job.run_name for job in ledger.open_jobs("skypilot")]
        rows = ledger.rows(run_names=open_ones)
    return [row.run_name for row in rows if row.target.endswith(f" pool:{name}")]


def end(name: str, workspace: Workspace, permit: Permit | None) -> None:
    """Ask for the end of a pool and of its workers.

    Raises:
        LaunchRefused: Nobody asked for it.
        SkyError: SkyPilot refused, or cannot be asked.
    """
    refuse_granted(require(permit, f"end pool {name!r}"), f"end pool {name!r}")
    client_for(workspace.settings).call("pool_down", name=name, deadline_s=LAUNCH_S)


def _differing(there: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    keys = dict.fromkeys([*asked, *there])
    return ", ".join(
        f"{key} {there.get(key, 'not set')}, here {asked.get(key, 'not set')}"
        for key in keys
        if str(there.get(key)) != str(asked.get(key))
    )
