"""Run one local job from start to end: `python -P -m experiments.jobs.launchers.local.supervisor RUN_DIR`.

The child claims: whoever starts this may do so twice, or die half way. What counts is the lock on
`RUN_DIR/lock`: only who holds it may claim, and only a job that was never started and has not ended can be claimed.
The trainer inherits the lock's descriptor, so the lock is held exactly as long as the job is alive, whoever of the two
dies first. `train.log` is made by the very process that becomes the trainer: without it, and with the lock free, no
trainer was started or ever will be, so a claim whose supervisor was killed can be claimed again.

Files in RUN_DIR: `spec.json` (read) says what to run; `job.json` (written) says what happened; `wandb-config.json`
(written) tells W&B what with; `cancel` (read) asks for the end; `train.log` takes the output. `--end RUN_DIR` ends the
processes of a job whose supervisor is gone.
Standard library only: every job starts one of these.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.jobs.launchers.local import cgroups
from experiments.jobs.launchers.local.hopeless import STOPPED, Hope
from experiments.jobs.launchers.local.memory import over
from experiments.jobs.launchers.local.processes import end_all, of_trainer
from experiments.project.code_tree import read_code
from experiments.project.environment.probing import probed
from experiments.project.environment.wandb_config import write_config
from experiments.project.files import (
    boot_id,
    holders,
    inherited,
    is_alive,
    is_locked,
    parse_json,
    read_json,
    start_time,
    sync,
    this_process,
    try_lock,
    write_json,
)
from experiments.project.stamps import edited

LOCK, SPEC, JOB, CANCEL, LOG = "lock", "spec.json", "job.json", "cancel", "train.log"
PLACED = "EXPERIMENTS_PLACED"
"""Variable of the supervisor: the devices that it was started with, and the descriptors of their locks, as JSON."""

OVER = "over_its_time"
"""Key of `job.json`: the trainer was ended because of its `max_runtime_hours`."""

DEVICES = "devices"
"""Key of `job.json`: the GPUs that it was given, by UUID; None on a machine that lends none."""

CODE = "code"
"""Key of `job.json`, and kind of the ledger's event, for what lay in the project when the trainer started."""

DESIGN = "design"
"""Key of what a job is started with: the rule that was recorded before its launch, in words; absent without one."""

MEMORY, OVER_MEMORY = "memory_limit", "over_its_memory"
"""Keys of `job.json`: the bytes that the trainer may hold, and those that it held when it was ended for more."""

GROUP = "memory_group"
"""Key of `job.json`: the control group in which the kernel holds the trainer to its memory; None where none could be
made, so that its supervisor looks how much it holds."""

GOES_ON = "goes_on.json"
"""File of the state folder while something goes on by itself, with the command that carries it on."""

LOOKS = "looks"
"""Key of that file: whether it is worth a look also while jobs run."""

CLAIMED, FAILED, TAKEN = 0, 1, 3
"""Exit codes of the process that was started: the job is claimed, could not be, or is another's."""

HEARTBEAT_S = 5.0
_OFTEN_S = 1.0
_LOCK_TRIES = 20
_RECORD_TRIES = 5
_OK = "claimed"
EDITED_SHOWN = 5


def main(arguments: list[str]) -> int:
    """Claim and run the job, or end it; return one of the exit codes above."""
    run_dir = Path(arguments[-1])
    if arguments[0] == "--end":
        if os.fork() == 0:
            os.setsid()
            end(run_dir)
            os._exit(0)
        return CLAIMED
    lock = _lock(run_dir)
    if lock is None or not is_claimable(run_dir):
        return TAKEN
    placed = parse_json(os.environ.pop(PLACED, "{}"))
    spec = read_json(run_dir / SPEC)
    if spec is None:
        sys.stderr.write(f"{run_dir.name}: no {SPEC}\n")
        return FAILED
    told, tell = os.pipe()
    if os.fork():
        # The launcher waits for this process only, so that the job is nobody's child and leaves no zombie behind.
        os.close(tell)
        message = os.read(told, 4096).decode()
        if message != _OK:
            sys.stderr.write(message)
        return CLAIMED if message == _OK else FAILED
    os.close(told)
    # Not of the spec's file, which another starter may have written since.
    _supervise(run_dir, {**spec, DEVICES: placed.get(DEVICES)}, [lock, *placed.get("locks", ())], tell)
    return FAILED


def is_claimable(run_dir: Path) -> bool:
    """Say whether a job was never started and has not ended; certain only with its lock held."""
    if (run_dir / LOG).exists():
        return False
    try:
        record = read_json(run_dir / JOB)
    except (OSError, ValueError):
        return False
    return record is None or not (record.get("trainer") or record.get("ended_at"))


def _lock(run_dir: Path) -> int | None:
    # Those who only ask whether the lock is held have it for an instant.
    for _ in range(_LOCK_TRIES):
        if (lock := try_lock(run_dir / LOCK)) is not None:
            return lock
        time.sleep(0.01)
    return None


def _supervise(run_dir: Path, spec: Mapping[str, Any], locks: Sequence[int], tell: int) -> None:
    os.setsid()
    wake = _listen()
    record: dict[str, Any] = {
        **{name: value for name, value in spec.items() if not name.startswith("next")},
        "supervisor": this_process(),
        "boot_id": boot_id(),
        "host": socket.gethostname(),
        "claimed_at": time.time(),
    }
    try:
        write_json(run_dir / JOB, record)
    except OSError as error:
        _tell(tell, f"{run_dir / JOB} cannot be written: {error.strerror}\n")
        return
    _tell(tell, _OK)
    _point_output_to(Path(os.devnull))
    record[CODE] = _code(spec)
    record[CODE] |= probed(spec["command"], _environment(spec), Path(spec["cwd"]), run_dir.parent.parent)
    if _asked_to_end or (run_dir / CANCEL).exists():
        record |= {"ended_at": time.time(), "cancelled": True}
    else:
        record |= _run(run_dir, spec, record, locks, wake)
    if record.get("started_at"):
        record[CODE] |= _code_at_end(spec)
    _record_end(run_dir, record)
    for lock in locks:
        os.close(lock)
    _hand_over(run_dir.parent, spec)


def _code(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the code that the trainer is about to run: its snapshot, else what lies in the working tree by now."""
    if spec.get("snapshot") is not None:
        return {**spec["code"], "at": time.time()}
    return {**read_code(Path(spec["cwd"])), "in_place": True}


def _code_at_end(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether the code is still what it was: a trainer may write into it, and a person edit it meanwhile."""
    if spec.get("snapshot") is not None:
        return {"edited": edited(Path(spec["tree"]))[:EDITED_SHOWN]}
    return {"sha256_at_end": read_code(Path(spec["cwd"]))["sha256"]}


def _run(
    run_dir: Path, spec: Mapping[str, Any], record: dict[str, Any], locks: Sequence[int], wake: int
) -> dict[str, Any]:
    """Start the trainer, wait for it, and return what to record of its end."""
    group = cgroups.group_of(run_dir.name, record[MEMORY]) if record.get(MEMORY) is not None else None
    try:
        told = write_config(run_dir, record[CODE], spec.get(DESIGN) or "")
        trainer = _start(run_dir / LOG, spec, _environment(spec) | told, locks, group)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason why the job failed
        if group is not None:
            cgroups.held_at_its_end(group)  # nothing ever was in it
        return {"ended_at": time.time(), "error": f"{' '.join(spec['command'][:1])!r} cannot be started: {error}"}
    # The limit's clock stands still while the machine sleeps, and is the same for every process until it restarts.
    record |= {"trainer": {"pid": trainer.pid, "start": start_time(trainer.pid)}, "started_at": time.time()}
    record["started_ticks"] = time.monotonic()
    record[GROUP] = str(group) if group is not None and cgroups.is_in(trainer.pid, group) else None
    _point_output_to(run_dir / LOG)
    _try_to_write(run_dir / JOB, record, tries=1)
    asked_at, ends = None, {}
    ours: dict[int, str | None] = {}
    hope = Hope(spec, time.monotonic())
    is_watched = hope.is_watched or (spec.get(MEMORY) is not None and record[GROUP] is None)
    often = _OFTEN_S if is_watched else HEARTBEAT_S
    while (code := trainer.poll()) is None:
        # The lock's time of change is the sign of life that tells later when a killed supervisor was last there.
        os.utime(run_dir / LOCK)
        for lock in locks[1:]:  # those of devices: who tidies up folders of all users leaves young files
            os.utime(lock)
        select.select([wake], [], [], min(often, max(0.0, left_s(record))) if asked_at is None else 0.2)
        _drain(wake)
        cancelled = _asked_to_end or (run_dir / CANCEL).exists()
        if asked_at is None and trainer.poll() is None and (cancelled or (ends := _over(record, hope))):
            asked_at, ours = time.monotonic(), of_trainer(trainer.pid)
            _signal_group(trainer.pid, signal.SIGTERM)
        if asked_at is not None and time.monotonic() > asked_at + spec["grace_s"]:
            _signal_group(trainer.pid, signal.SIGKILL)
    hope.close()
    if asked_at is not None:
        _signal_group(trainer.pid, signal.SIGKILL)
        end_all(ours, asked_at + spec["grace_s"])
    if group is not None and (held := cgroups.held_at_its_end(group)) and code == -signal.SIGKILL:
        ends = ends or {OVER_MEMORY: held}
    ended = {"ended_at": time.time(), "exit_code": code, "cancelled": asked_at is not None and code != 0}
    return {**ended, "cancelled": False, **ends} if ends else ended


def _over(record: Mapping[str, Any], hope: Hope) -> dict[str, Any]:
    """Return which of its limits a job is over, or why it is hopeless, as it is recorded; empty where it goes on."""
    if reason := hope.lost(time.monotonic()):
        return {STOPPED: reason}
    if left_s(record) <= 0:
        return {OVER: True}
    if record.get(MEMORY) is None or record.get(GROUP) is not None:
        return {}
    held = over(record["trainer"]["pid"], record[MEMORY])
    return {OVER_MEMORY: held} if held else {}


def left_s(record: Mapping[str, Any]) -> float:
    """Return the seconds that a job's trainer may still run, by its `max_runtime_hours`; infinite without a limit."""
    limit, began = record.get("max_runtime_s"), record.get("started_ticks")
    return math.inf if limit is None or began is None else began + limit - time.monotonic()


def _start(
    log: Path, spec: Mapping[str, Any], env: Mapping[str, str], locks: Sequence[int], group: Path | None
) -> subprocess.Popen[bytes]:
    def mark_the_start() -> None:
        # In the process that becomes the trainer, and on the disk before it does; see the module's docstring.
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        sync(log.parent)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        os.nice(spec.get("nice") or 0)
        if group is not None:
            cgroups.enter(group)

    return subprocess.Popen(
        spec["command"],
        cwd=spec["cwd"],
        env=env,
        pass_fds=locks,
        process_group=0,
        preexec_fn=mark_the_start,  # noqa: PLW1509 - this process has no threads
    )


def _environment(spec: Mapping[str, Any]) -> dict[str, str]:
    found = inherited(spec["unset"]) | {name: value for name, value in spec["env"].items() if value}
    # An empty value is one here: a job that asked for no GPU of a machine that has some sees none.
    return found if spec.get(DEVICES) is None else found | {"CUDA_VISIBLE_DEVICES": ",".join(spec[DEVICES])}


def end(run_dir: Path) -> None:
    """End the processes of a job without a supervisor, TERM then KILL after the grace, and record why.

    What a damaged record says stays as it is.
    """
    try:
        record, is_damaged = read_json(run_dir / JOB) or {}, False
    except (OSError, ValueError):  # who holds its lock is known all the same
        record, is_damaged = {}, True
    over = left_s(record) <= 0 and not (run_dir / CANCEL).exists()
    deadline = time.monotonic() + float(record.get("grace_s", 20.0))
    ours = {pid: start for holder in holders(run_dir / LOCK) for pid, start in of_trainer(holder).items()}
    _signal_all(run_dir, record, signal.SIGTERM)
    while is_locked(run_dir / LOCK):
        if time.monotonic() > deadline:
            _signal_all(run_dir, record, signal.SIGKILL)
        time.sleep(0.1)
    if not is_damaged:
        ended = {"ended_at": time.time(), "cancelled": not over, OVER: over}
        _try_to_write(run_dir / JOB, {**record, **ended}, tries=_RECORD_TRIES)
    end_all(ours, deadline)


_asked_to_end = False


def _listen() -> int:
    """Wake the wait below on the trainer's end and on TERM; return the descriptor to wait for.

    Handlers, unlike ignored signals, are not inherited by the trainer.
    """

    def on_term(_number: int, _frame: object) -> None:
        global _asked_to_end  # noqa: PLW0603 - a handler can only leave a note
        _asked_to_end = True

    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, on_term)
    for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    return readable


def _tell(descriptor: int, message: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # whoever started this was killed; the claim stands
        os.write(descriptor, message.encode())
    os.close(descriptor)


def _drain(descriptor: int) -> None:
    with contextlib.suppress(BlockingIOError):
        os.read(descriptor, 4096)


def _point_output_to(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(output)


def _signal_group(leader: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _signal_all(run_dir: Path, record: Mapping[str, Any], number: int) -> None:
    trainer = record.get("trainer")
    if trainer is not None and is_alive(trainer):
        _signal_group(trainer["pid"], number)
    for pid in holders(run_dir / LOCK):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _record_end(run_dir: Path, record: dict[str, Any]) -> None:
    if not _try_to_write(run_dir / JOB, record, tries=_RECORD_TRIES):
        sys.stderr.write(f"\nexperiments: the end could not be recorded: exit code {record.get('exit_code')}\n")


def _try_to_write(path: Path, record: dict[str, Any], *, tries: int) -> bool:
    for left in reversed(range(tries)):
        try:
            write_json(path, record)
        except OSError:
            if left:
                time.sleep(1.0)
        else:
            return True
    return False


def _hand_over(runs: Path, spec: Mapping[str, Any]) -> None:
    """Become the program that starts the next waiting job and carries on what goes on by itself; never return."""
    # That program is far heavier than this one, so look first.
    if (runs.parent / GOES_ON).exists() or any(is_claimable(folder) for folder in runs.iterdir()):
        with contextlib.suppress(OSError):
            _point_output_to(Path(spec["next_log"]))
        try:
            os.execv(spec["next"][0], spec["next"])  # noqa: S606 - our own command, without a shell
        except OSError as error:
            sys.stderr.write(f"experiments: {spec['next'][0]!r} cannot be started: {error}\n")
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
