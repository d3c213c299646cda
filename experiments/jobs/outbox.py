"""Handing jobs over in the background: a launch puts them into the ledger's outbox, and a process does the rest.

`python -P -m experiments.jobs.outbox` is that process: detached, so that nobody has to wait for it and Ctrl-C does not
reach it. One at a time does the work, under a lease; when it dies, whoever looks at the jobs starts the next one. It
launches only what a person did: what is in the outbox was put there with a permit.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.jobs.handover import hand_over, launcher_for, reconcile
from experiments.jobs.launchers.base import Launcher
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import Ledger, UnreadableJob, open_ledger
from experiments.jobs.ledger.outbox import Handing
from experiments.jobs.permits import read_only
from experiments.jobs.specs import PREPARED, told
from experiments.project.errors import LaunchError
from experiments.project.files import parse_json
from experiments.project.redaction import mask_text
from experiments.project.settings import Settings
from experiments.project.workspace import Workspace
from experiments.types import TrainingJob

LEASE = "outbox"
COMMAND = (sys.executable, "-P", "-m", "experiments.jobs.outbox")
PAUSES_S = (1.0, 60.0)
"""Seconds between two tries where a launcher cannot be reached: at first, and at most."""
PATIENCE_S = 3600.0
"""A process that got nowhere for so long ends; the next look at the jobs starts another."""
_LOOK_S = 0.5
_SEE_TO_IT_S = 5.0
_WAIT_S = 120.0


def put_in(
    ledger: Ledger,
    launcher: Launcher,
    jobs: Sequence[TrainingJob],
    specs: Mapping[str, Mapping[str, Any]],
    workspace: Workspace,
) -> None:
    """Record that jobs are to be handed over, with all that this takes, and start the process that does.

    Raises:
        ExperimentsError: One of them could not run at its launcher; then none is recorded.
    """
    full = {
        job.run_name: {
            **specs[job.run_name],
            PREPARED: launcher.prepared(told(job, specs[job.run_name], ledger.id, workspace)),
        }
        for job in jobs
    }
    if full:
        ledger.put_into_outbox(full, launcher.target())
        start(workspace)


def see_to_it(workspace: Workspace) -> bool:
    """Start a process for the outbox where one is wanted and nobody is at it; say whether one was started."""
    if read_only():
        return False
    with open_ledger(workspace, read_only=True) as ledger:
        waiting = ledger.outbox()
        if not waiting or ledger.lease_holder(LEASE):
            return False
    if not any(launcher_for(name, workspace).reaches(target) for name, target in waiting):
        return False
    start(workspace)
    return True


def start(workspace: Workspace) -> None:
    """Start a process that hands over what is in the outbox, with the settings of this one."""
    process = subprocess.Popen(
        COMMAND,
        cwd=workspace.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None
    # Some settings name programs of the user's, so none comes from a file of the project, not even the ledger.
    told_here = {"root": str(workspace.root), "state": str(workspace.state)}
    with process.stdin as pipe:
        pipe.write(json.dumps({**told_here, "settings": workspace.settings.model_dump(mode="json")}).encode())
    threading.Thread(target=process.wait, name="outbox", daemon=True).start()


def hand_over_all(workspace: Workspace, *, patience_s: float = PATIENCE_S) -> None:
    """Hand over what is in the outbox until nothing is; return at once where another process does.

    Raises:
        LedgerError: The ledger cannot be read or written.
    """
    with open_ledger(workspace) as ledger, tenure() as owner:
        if ledger.take_lease(LEASE, owner) is not None:
            return
        try:
            _until_empty(ledger, workspace, owner, patience_s)
        finally:
            ledger.conclude(owner)


def wait_for(workspace: Workspace, plan_key: str, tell: Callable[[Handing], None]) -> list[TrainingJob]:
    """Wait until all of a plan's jobs are handed over, and return them.

    Args:
        tell: Called with how far it is, twice a second.

    Raises:
        LaunchError: Their launcher could not be reached for minutes.
    """
    begun = seen_to = time.monotonic()
    before: Handing | None = None
    with open_ledger(workspace, read_only=True) as ledger:
        while (now := next((each for each in ledger.handing() if each.plan_key == plan_key), None)) is not None:
            tell(now)
            if before is None or now.done != before.done or not now.why:
                begun, before = time.monotonic(), now
            if time.monotonic() - begun > _WAIT_S:
                raise LaunchError(
                    f"{now.done} of {now.total} jobs are handed over, and the others wait: {now.why} This goes on by "
                    "itself as long as somebody looks at them: experiments status; to end it: experiments cancel RUN"
                )
            if time.monotonic() - seen_to > _SEE_TO_IT_S:
                see_to_it(workspace)
                seen_to = time.monotonic()
            time.sleep(_LOOK_S)
        return ledger.jobs(plan_key=plan_key)


def _until_empty(ledger: Ledger, workspace: Workspace, owner: str, patience_s: float) -> None:
    pause, moved_at, before = PAUSES_S[0], time.monotonic(), None
    while True:
        given_up = _round(ledger, workspace)
        if ledger.leave_outbox(owner, given_up):
            return
        if (left := ledger.outbox()) != before:
            pause, moved_at, before = PAUSES_S[0], time.monotonic(), left
        if time.monotonic() - moved_at > patience_s:
            return
        time.sleep(pause)
        pause = min(2 * pause, PAUSES_S[1])


def _round(ledger: Ledger, workspace: Workspace) -> set[str]:
    """Try to hand over all that waits; return what nobody with these settings can."""
    given_up: set[str] = set()
    ledger.try_outbox_again()
    for (name, target), runs in ledger.outbox().items():
        launcher = launcher_for(name, workspace)
        if not launcher.reaches(target):
            why = f"they were launched to {target!r}, and {name} is {launcher.target()!r} for who looks at them now"
            ledger.keep_in_outbox(dict.fromkeys(runs, why))
            given_up |= set(runs)
            continue
        found = reconcile(ledger, workspace, run_names=runs, at_once=launcher.at_once)
        ledger.keep_in_outbox({run: why for run, why in found.unknown.items() if run not in found.held})
        rows = {row.run_name: row for row in ledger.rows(run_names=runs)}
        given_up |= {run for run, row in rows.items() if isinstance(row, UnreadableJob)}
        closed = ledger.closed_budgets(runs)
        ledger.keep_in_outbox(closed)
        ledger.take_out_of_outbox(closed)
        ready = [run for run, row in rows.items() if row.state == "planned" and run not in {*given_up, *closed}]
        specs = {run: ledger.spec(run) or {} for run in ready}
        hand_over(ledger, launcher, specs, workspace, target=target, is_patient=True)
    return given_up


def main() -> int:
    """Do the work of the process; what it works on is told on stdin."""
    asked: Any = parse_json(sys.stdin.buffer.read())
    workspace = Workspace(Path(asked["root"]), Path(asked["state"]), Settings.model_validate(asked["settings"]))
    try:
        hand_over_all(workspace)
    except Exception as error:  # noqa: BLE001 - nobody sees this process: what ended it is told with the jobs
        why = mask_text(f"the process that hands them over failed: {type(error).__name__}: {error}")
        with open_ledger(workspace) as ledger:
            ledger.keep_in_outbox({run: why for runs in ledger.outbox().values() for run in runs})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
