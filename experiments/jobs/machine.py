"""How the GPUs of this machine are lent: who has which part of which, and what of a project waits for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.jobs.launchers.local import capacity, memory
from experiments.jobs.launchers.local.device_locks import PARTS, held_by, in_others_hands, of_project
from experiments.jobs.launchers.local.devices import asked_for, devices
from experiments.jobs.launchers.local.launcher import status_of
from experiments.jobs.ledger import open_ledger
from experiments.project.workspace import Workspace


@dataclass(frozen=True)
class Lent:
    """A GPU that local jobs may use.

    Attributes:
        id: Its UUID, or what it was named by.
        model: As in "NVIDIA H200"; empty where no driver says it.
        shares: Which part of it each run has, from 0 to 1; with its folder where it is of another project.
        strangers: Programs that no job started and that compute on it: no job is put there while they do.
    """

    id: str
    model: str
    shares: dict[str, float]
    strangers: tuple[int, ...]

    @property
    def free(self) -> float:
        """The part that a job can still get, from 0 to 1."""
        return 0.0 if self.strangers else max(0.0, 1.0 - sum(self.shares.values()))


def lent_devices(workspace: Workspace) -> list[Lent]:
    """Return the GPUs that local jobs of a project may use.

    Raises:
        LaunchError: Nobody can tell which there are, or a setting names one that is not there.
    """
    ours = of_project(workspace.root)
    return [
        Lent(
            device.id,
            device.name,
            {who.removesuffix(ours): parts / PARTS for who, parts in held_by(device).items()},
            device.processes if in_others_hands(device) else (),
        )
        for device in devices(asked_for(workspace.settings.gpus))
    ]


@dataclass(frozen=True)
class Room:
    """How much there is on this machine beside its GPUs.

    Attributes:
        cores: That its jobs may use.
        memory_gb: Of the machine, or of the container that it is.
        slots: How many jobs without a GPU run at once where nobody says it.
        max_parallel: How many jobs run at once as somebody says; None where nobody does.
    """

    cores: int
    memory_gb: float
    slots: int
    max_parallel: int | None


def room_of(workspace: Workspace) -> Room:
    """Return how many jobs of a project this machine runs at once."""
    memory_gb = min(memory.of_machine() / memory.GB, 1e9)
    return Room(capacity.cores(), memory_gb, capacity.slots(), workspace.settings.max_parallel)


def waiting_jobs(workspace: Workspace) -> dict[str, str]:
    """Return why each local job of a project waits that was not started, by run name, the oldest first."""
    with open_ledger(workspace, read_only=True) as ledger:
        names = [job.run_name for job in ledger.open_jobs("local")]
    found = {name: status_of(workspace.runs / name) for name in names}
    return {name: status.reason for name, status in found.items() if status is not None and status.word == "PENDING"}


def by_reason(waiting: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the jobs that wait for the same, by what they wait for."""
    found: dict[str, list[str]] = {}
    for name, why in waiting.items():
        found.setdefault(why, []).append(name)
    return found
