"""Which waiting local jobs start now.

`python -P -m experiments.jobs.launchers.local.slots STATE_DIR` is every supervisor's end.

There is no daemon: whoever submits, asks for the state or ends a job calls `start_next`, one at a time.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from experiments.jobs.isolation import make_ready
from experiments.jobs.launchers.base import SchedulerStatus
from experiments.jobs.launchers.local.device_locks import Taken
from experiments.jobs.launchers.local.launcher import SUPERVISOR, is_overdue, status_of
from experiments.jobs.launchers.local.placement import placed
from experiments.jobs.launchers.local.supervisor import (
    CLAIMED,
    CODE,
    DEVICES,
    EDITED_SHOWN,
    FAILED,
    GOES_ON,
    JOB,
    LOCK,
    PLACED,
    SPEC,
)
from experiments.jobs.launchers.local.watcher import starter, waiting_noted
from experiments.jobs.ledger import Ledger, UnreadableJob
from experiments.jobs.ledger.schema import STARTING
from experiments.jobs.permits import read_only
from experiments.jobs.tokens import without_token
from experiments.project.errors import ExperimentsError, LaunchError, LedgerError
from experiments.project.files import is_locked, locked, read_json, write_json
from experiments.project.stamps import edited
from experiments.project.state_words import SCHEDULER_ENDS

MAX_PARALLEL = "max_parallel"
_TURN_S = 60.0
_CLAIM_S = 30.0


@dataclass
class _Survey:
    running: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    claimed: list[str] = field(default_factory=list)
    ended: dict[str, SchedulerStatus] = field(default_factory=dict)
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)


def start_next(ledger: Ledger) -> list[str]:
    """Start the oldest waiting local jobs while slots are free; return the run names of those that were claimed.

    Raises:
        LedgerError: The ledger cannot be read or written.
    """
    if read_only() or ledger.read_only:
        return []
    if not ledger.open_jobs("local"):
        with waiting_noted(ledger.state_dir, None):
            return []
    started: list[str] = []
    tried: set[str] = set()
    with locked(ledger.state_dir / STARTING, wait_s=_TURN_S) as mine:
        while mine:
            survey = _survey(ledger)
            closed = ledger.closed_budgets(survey.waiting)
            waiting = [name for name in survey.waiting if name not in tried and name not in closed]
            most = int(ledger.setting(MAX_PARALLEL) or 0)
            chosen, failed, awaited = placed(ledger, waiting, most, survey.running)
            failed |= closed
            tried.update(chosen, failed)
            with waiting_noted(ledger.state_dir, awaited):
                if not chosen and not failed:
                    break
                claimed, refused = _start(ledger, chosen)
            failed |= refused
            ledger.claimed(claimed)
            for name, reason in failed.items():
                ledger.refuse_accepted(name, reason)
            started += claimed
            if not failed:
                break
    return started


def _survey(ledger: Ledger) -> _Survey:
    """Look at every job that is not known to have ended, and note in the ledger what is seen."""
    survey = _Survey()
    for job in ledger.open_jobs("local"):
        run_dir = ledger.state_dir / "runs" / job.run_name
        status = status_of(run_dir)
        if (status is None or not (run_dir / JOB).exists()) and job.claimed:
            # Somebody removed the folder of a job that ran. It must not run again because of that.
            survey.ended[job.run_name] = SchedulerStatus("LOST", reason=f"its {JOB} was removed")
        elif status is None or status.word == "PENDING":
            survey.waiting.append(job.run_name)
        else:
            if not job.claimed:
                survey.claimed.append(job.run_name)
            if status.word in SCHEDULER_ENDS:
                survey.ended[job.run_name] = status
                survey.codes |= _code_of(run_dir)
            else:
                # What cannot be told, or was started on another machine, takes no slot of this one.
                survey.running += [job.run_name] if is_locked(run_dir / LOCK) else []
                if is_overdue(run_dir):
                    subprocess.run([*SUPERVISOR, "--end", str(run_dir)], check=False, start_new_session=True)
    if survey.claimed:
        ledger.claimed(survey.claimed)
    if survey.ended:
        ledger.settle({name: asdict(status) for name, status in survey.ended.items()})
    for name, code in survey.codes.items():
        ledger.add_event(CODE, run_name=name, **code)
    return survey


def _code_of(run_dir: Path) -> dict[str, dict[str, Any]]:
    """Return the code that a job's trainer started with, by run name, so that the ledger outlives the folder.

    Where its supervisor was killed, nobody has looked yet whether its checkout was edited while it ran.
    """
    with contextlib.suppress(OSError, ValueError):  # a damaged record says nothing; its job is LOST
        record = read_json(run_dir / JOB) or {}
        if code := record.get(CODE):
            unseen = code.get("snapshot") and isinstance(record.get("tree"), str) and not record.get("ended_at")
            return {run_dir.name: code | ({"edited": edited(Path(record["tree"]))[:EDITED_SHOWN]} if unseen else {})}
    return {}


def _start(ledger: Ledger, chosen: Mapping[str, Taken | None]) -> tuple[list[str], dict[str, str]]:
    """Start a supervisor for each job and wait until all have claimed theirs; return the claimed and the failed.

    Args:
        chosen: The devices of each, which its supervisor inherits; None on a machine that lends none.
    """
    failed: dict[str, str] = {}
    children: dict[str, subprocess.Popen[str]] = {}
    for name, taken in chosen.items():
        try:
            children[name] = _supervisor(ledger, name, taken)
        except OSError as error:
            failed[name] = f"{ledger.state_dir / 'runs' / name}: {error.strerror}"
        except (LaunchError, LedgerError) as error:  # of this one job: the others start
            failed[name] = str(error)
        finally:
            if taken is not None:
                taken.close()
    claimed = []
    for name, child in children.items():
        try:
            _, message = child.communicate(timeout=_CLAIM_S)
        except subprocess.TimeoutExpired:
            continue  # its claim may still come; until then it waits, and a second start is harmless
        finally:
            if child.stderr is not None:
                child.stderr.close()
        if child.returncode == CLAIMED:
            claimed.append(name)
        elif child.returncode == FAILED:
            failed[name] = message.strip().splitlines()[-1] if message.strip() else "its supervisor failed"
    return claimed, failed


def _supervisor(ledger: Ledger, name: str, taken: Taken | None) -> subprocess.Popen[str]:
    run_dir = ledger.state_dir / "runs" / name
    run_dir.mkdir(parents=True, exist_ok=True)
    write_json(run_dir / SPEC, _spec(ledger, name))
    given = {} if taken is None else {PLACED: json.dumps({DEVICES: taken.ids, "locks": taken.locks})}
    return subprocess.Popen(
        [*SUPERVISOR, str(run_dir)],
        env=without_token({**os.environ, **given}),
        pass_fds=() if taken is None else taken.locks,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _spec(ledger: Ledger, name: str) -> dict[str, Any]:
    """Make what the job runs in, and return what the supervisor needs and what `job.json` keeps.

    Raises:
        LedgerError: The job's row cannot be read.
        LaunchError: Its snapshot cannot be had.
    """
    [job] = ledger.rows(run_names=[name])
    if isinstance(job, UnreadableJob):
        raise LedgerError(job.sentence())
    if (spec := ledger.spec(name)) is None:
        raise LedgerError(f"it is not recorded how to start job {name!r}. Run its recipe again, which records it.")
    return {
        **make_ready(spec, ledger.state_dir, ledger.state_dir / "runs" / name),
        "run_name": name,
        "ledger_id": ledger.id,
        "job": job.model_dump(mode="json"),
        "next": starter(ledger.state_dir),
        "next_log": str(ledger.state_dir / "live" / "slots.log"),
    }


def main(arguments: Sequence[str]) -> int:
    """Start what waits in the state folder `arguments[0]`, and become the step of what goes on by itself."""
    state = Path(arguments[0])
    try:
        with Ledger.open(state) as ledger:
            start_next(ledger)
    except ExperimentsError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    with contextlib.suppress(OSError, ValueError):  # a mark only says that a look is worth it
        if command := (read_json(state / GOES_ON) or {}).get("command"):
            os.execv(command[0], command)  # noqa: S606 - our own command, without a shell
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
