"""Which waiting jobs start on this machine, and with which GPUs.

The oldest first, and a later one where only that fits, so that no device idles while a job waits that it would do for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.jobs.launchers.local import memory
from experiments.jobs.launchers.local.capacity import slots
from experiments.jobs.launchers.local.device_locks import Device, Taken, in_others_hands, of_project, take
from experiments.jobs.launchers.local.devices import GPUS, devices
from experiments.jobs.launchers.local.launcher import WAITS
from experiments.jobs.launchers.local.supervisor import GOES_ON, LOOKS
from experiments.jobs.launchers.local.watcher import MACHINE, OWN
from experiments.jobs.ledger import Ledger
from experiments.project.errors import LaunchError
from experiments.project.files import parse_json, read_json, write_text
from experiments.project.look import counted


def placed(
    ledger: Ledger, names: Sequence[str], most: int, running: Sequence[str]
) -> tuple[dict[str, Taken | None], dict[str, str], str | None]:
    """Take devices for the jobs that start now, and note why others wait.

    Args:
        names: The waiting jobs, oldest first.
        most: How many jobs may run at once; 0 for what fits, which is one a device, or one a slot without a device.
        running: The jobs that run.

    Returns:
        The devices of each that starts, None for all on a machine that lends none; why a job never can; and what is
        waited for then, see `watcher.waiting_noted`.
    """
    chosen: dict[str, Taken | None] = {}
    waits: dict[str, str] = {}
    never: dict[str, str] = {}
    place = _Place(ledger, slots=most or slots(), is_limited=bool(most))
    if names:
        place.count(running)
    for name in names:
        if place.is_full():
            break
        wanted, reserved = _wishes(ledger, name)
        if why := place.never(wanted, reserved):
            never[name] = why
        elif place.slots <= 0 and place.needs_slot(wanted):
            continue  # of those behind it one may get a device
        elif why := place.short_of(wanted, reserved):
            waits[name] = why
        else:
            taken, why = place.take(name, wanted, reserved)
            waits |= {name: why} if why else {}
            chosen |= {} if why else {name: taken}
    for name in names:
        if name not in chosen:
            _say(ledger.state_dir / "runs" / name, waits.get(name, ""))
    mark = None
    with contextlib.suppress(OSError, ValueError):  # the end of each job starts the next all the same
        # Whose supervisor is killed starts no next job, and takes no step.
        mark = read_json(ledger.state_dir / GOES_ON) if running or chosen else None
    looks = mark is not None and mark.get(LOOKS) is True
    waiting = any(name not in chosen and name not in never for name in names)
    return chosen, never, MACHINE if waits or looks else OWN if waiting or mark is not None else None


def _wishes(ledger: Ledger, name: str) -> tuple[float | None, int]:
    """Return how many devices and how many bytes of memory a job is to get.

    A job that was launched before devices were lent does not say it: it sees what its starter sees, as it did then.
    """
    spec = ledger.spec(name) or {}
    wanted = spec.get(GPUS)
    return None if wanted is None else float(wanted), int(spec.get(memory.RESERVED) or 0)


@dataclass
class _Place:
    """What this machine still has to give.

    Attributes:
        slots: How many jobs may still start; where that is not limited, of those that get no device.
        is_limited: Whether somebody said how many jobs run at once.
        memory: Bytes that no job asked for.
        silent: Why nobody can tell which devices there are, or which of them are free.
        is_known: Whether it is known which devices there are, were it none: a job of no device then sees none.
        least: The least number of devices that was not to be had; more is not either.
    """

    ledger: Ledger
    slots: int
    is_limited: bool
    memory: float = field(default_factory=memory.of_machine)
    silent: str = ""
    is_known: bool = False
    least: float = float("inf")
    _lent: list[Device] | None = None

    @property
    def lent(self) -> list[Device]:
        """The devices that the project's jobs may use."""
        if self._lent is None:
            asked = parse_json(self.ledger.setting(GPUS) or "null")
            self.is_known = asked is not None
            try:
                self._lent = devices(asked)
            except LaunchError as error:
                self._lent, self.silent = [], str(error)
            self.is_known = self.is_known or bool(self._lent or self.silent)
        return self._lent

    def count(self, running: Sequence[str]) -> None:
        """Take off what the jobs have that run."""
        if self.is_limited:
            self.slots -= len(running)
        for name in running if self.slots > 0 or not self.is_limited else ():
            wanted, reserved = _wishes(self.ledger, name)
            self.memory -= reserved
            self.slots -= not self.is_limited and self.needs_slot(wanted)

    def is_full(self) -> bool:
        """Say whether no job can start, whatever it wants."""
        return self.slots <= 0 and (self.is_limited or not self.lent)

    def needs_slot(self, wanted: float | None) -> bool:
        """Say whether a job takes a slot: unless their number is set, one that gets a device needs none."""
        return self.is_limited or not (wanted and self.lent)

    def never(self, wanted: float | None, reserved: int) -> str:
        """Return why a job can never start here; empty where it can."""
        if wanted and self.lent and wanted > len(self.lent):
            return f"it asks for {wanted:g} GPUs, and this machine lends {len(self.lent)}. Ask for fewer: gpus"
        if reserved > (has := memory.of_machine()):
            return f"it asks for {_gb(reserved)} of memory, and this machine has {_gb(has)}. Ask for less: memory"
        return ""

    def short_of(self, wanted: float | None, reserved: int) -> str:
        """Return what there is not enough of by now, as a reason to wait; empty where there may be."""
        if reserved > self.memory:
            return f"waits for {_gb(reserved)} of memory; {_gb(max(self.memory, 0))} are not asked for by others"
        if wanted and (wanted >= self.least or (not self.lent and self.silent)):
            return self.reason(wanted)
        return ""

    def take(self, name: str, wanted: float | None, reserved: int) -> tuple[Taken | None, str]:
        """Take what a job needs: its devices, None for all there are on a machine that lends none; or say why not."""
        taken = None
        if wanted and self.lent:
            try:
                taken = take(self.lent, wanted, f"{name}{of_project(self.ledger.state_dir.parent)}")
            except LaunchError as error:
                self.silent = str(error)
            if taken is None:
                self.least = min(self.least, wanted)
                return None, self.reason(wanted)
        elif wanted is not None and (self.lent or self.is_known):
            taken = Taken()
        self.memory -= reserved
        self.slots -= self.needs_slot(wanted)
        return taken, ""

    def reason(self, wanted: float) -> str:
        """Return what a job waits for that wants devices."""
        if self.silent:
            return self.silent
        try:
            others = sum(in_others_hands(device) for device in self.lent)
        except LaunchError as error:
            return str(error)
        what = "a GPU" if wanted == 1 else f"{wanted:g} GPUs" if wanted > 1 else f"{wanted:g} of a GPU"
        return f"waits for {what} of {len(self.lent)}" + (
            f"; other programs are on {counted(others, 'device')}" if others else ""
        )


def _gb(size: float) -> str:
    return f"{size / memory.GB:.3g} GB"


def _say(run_dir: Path, reason: str) -> None:
    """Note why a job waits where its status is read; what cannot be written is told as waiting for a slot."""
    path = run_dir / WAITS
    with contextlib.suppress(OSError):
        if not reason:
            path.unlink(missing_ok=True)
        elif not path.exists() or path.read_text(encoding="utf-8") != reason:
            write_text(path, reason)
