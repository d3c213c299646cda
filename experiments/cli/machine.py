"""`experiments machine`: the GPUs of this machine, who has them, and what waits for one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from experiments.cli.cutting import Long
from experiments.cli.envelope import Answer, Shown
from experiments.cli.terminal import FittedColumn, FittedTable, console, say
from experiments.project.look import counted

if TYPE_CHECKING:
    from experiments.project.workspace import Workspace

_SHOWN = 5
_COLUMNS = (FittedColumn("device", least=12), FittedColumn("free", is_right=True), FittedColumn("model"))
_WORTH = ("device", "free", "model")


class Device(Shown):
    """A GPU that local jobs may use.

    Attributes:
        shares: Which part of it each run has, from 0 to 1; with its folder where it is of another project.
        strangers: Process ids of programs that no job started and that compute on it.
        free: The part that a job can still get, from 0 to 1.
    """

    id: str
    model: str
    shares: dict[str, float]
    strangers: tuple[int, ...]
    free: float


class WaitingJob(Shown):
    """A job that waits, and why."""

    run: str
    why: str


class Machine(Long):
    """What this machine has for local jobs, and what waits for it.

    Attributes:
        waiting: Jobs that wait, the oldest first.
        memory_gb: Of the machine, or of the container that it is.
        slots: How many jobs without a GPU run at once where nobody says it.
        max_parallel: How many jobs run at once as somebody says; null where nobody does.
    """

    ITEMS: ClassVar[str] = "waiting"
    KEY: ClassVar[str] = "run"

    devices: tuple[Device, ...]
    waiting: tuple[WaitingJob, ...]
    cores: int
    memory_gb: float
    slots: int
    max_parallel: int | None


def machine() -> Answer[Machine]:
    """Show the GPUs, cores and memory of this machine, which jobs have them, and what waits for what."""
    from experiments.project.workspace import Workspace

    return machine_answer(Workspace.find(Path.cwd()))


def machine_answer(workspace: Workspace) -> Answer[Machine]:
    """Return what local jobs may use, and the jobs of this project that wait.

    Raises:
        LaunchError: Nobody can tell which GPUs there are.
    """
    from experiments.jobs.machine import lent_devices, room_of, waiting_jobs

    lent, waiting, room = lent_devices(workspace), waiting_jobs(workspace), room_of(workspace)
    devices = [Device(**vars(device), free=device.free) for device in lent]
    jobs = tuple(WaitingJob(run=run, why=why) for run, why in waiting.items())
    return Answer(Machine(devices=tuple(devices), waiting=jobs, **vars(room)), _print)


def _print(found: Machine) -> None:
    from experiments.jobs.machine import by_reason

    if found.devices:
        table = FittedTable(_COLUMNS, _WORTH)
        for device in found.devices:
            table.add(device.id, f"{device.free:.0%}", device.model, note=_users(device))
        console().print(table)
    else:
        say("No GPU is known on this machine. Name some: gpus in [tool.experiments], or CUDA_VISIBLE_DEVICES.")
    say(_room_words(found))
    for why, names in by_reason({job.run: job.why for job in found.waiting}).items():
        say(f"{why}: {', '.join(names[:_SHOWN])}{f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''}")


def _users(device: Device) -> str:
    users = [who if share == 1 else f"{who} ({share:.0%})" for who, share in device.shares.items()]
    users += [f"{counted(len(device.strangers), 'program')} that no job started"] if device.strangers else []
    return "; ".join(users)


def _room_words(found: Machine) -> str:
    words = f"{counted(found.cores, 'core')}, {found.memory_gb:.3g} GB of memory: "
    if found.max_parallel is not None:
        return f"{words}{counted(found.max_parallel, 'job')} at once (max_parallel)"
    return f"{words}{counted(found.slots, 'job')} at once{', besides those that have a GPU' if found.devices else ''}"
