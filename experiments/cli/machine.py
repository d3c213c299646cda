"""What `experiments status --machine` shows: the GPUs of this machine, who has them, and what waits for one."""

from __future__ import annotations

import json
from dataclasses import asdict

from experiments.cli.terminal import FittedColumn, FittedTable, console, say
from experiments.jobs.machine import Lent, Room, by_reason, lent_devices, room_of, waiting_jobs
from experiments.project.look import counted
from experiments.project.workspace import Workspace

_SHOWN = 5
_COLUMNS = (FittedColumn("device", least=12), FittedColumn("free", is_right=True), FittedColumn("model"))
_WORTH = ("device", "free", "model")


def show_machine(workspace: Workspace, *, as_json: bool) -> int:
    """Print the GPUs that local jobs may use, and the jobs of this project that wait.

    Raises:
        LaunchError: Nobody can tell which GPUs there are.
    """
    lent, waiting, room = lent_devices(workspace), waiting_jobs(workspace), room_of(workspace)
    if as_json:
        rows = [{**asdict(device), "free": device.free} for device in lent]
        say(json.dumps({"devices": rows, "waiting": waiting, **asdict(room)}, indent=2))
        return 0
    if lent:
        table = FittedTable(_COLUMNS, _WORTH)
        for device in lent:
            table.add(device.id, f"{device.free:.0%}", device.model, note=_users(device))
        console().print(table)
    else:
        say("No GPU is known on this machine. Name some: gpus in [tool.experiments], or CUDA_VISIBLE_DEVICES.")
    say(_room_words(room, has_devices=bool(lent)))
    for why, names in by_reason(waiting).items():
        say(f"{why}: {', '.join(names[:_SHOWN])}{f' and {len(names) - _SHOWN} more' if len(names) > _SHOWN else ''}")
    return 0


def _users(device: Lent) -> str:
    users = [who if share == 1 else f"{who} ({share:.0%})" for who, share in device.shares.items()]
    users += [f"{counted(len(device.strangers), 'program')} that no job started"] if device.strangers else []
    return "; ".join(users)


def _room_words(room: Room, *, has_devices: bool) -> str:
    words = f"{counted(room.cores, 'core')}, {room.memory_gb:.3g} GB of memory: "
    if room.max_parallel is not None:
        return f"{words}{counted(room.max_parallel, 'job')} at once (max_parallel)"
    return f"{words}{counted(room.slots, 'job')} at once{', besides those that have a GPU' if has_devices else ''}"
