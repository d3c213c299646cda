"""Launch a plan and kill this process at one step of one job: `killed.py STEP NUMBER`, between any two records.

Steps: `before-asking`, `after-asking` (nothing was sent), `after-request` (sent, the job's id not known) and
`before-accepted` (the job's id known, not recorded). NUMBER counts the jobs handed over by this process, from 1; they
are handed over one by one, for which of several at once comes first nobody knows.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from experiments.jobs.launchers.sky.launcher import SkyPilotLauncher
from experiments.jobs.ledger import Ledger
from experiments.jobs.permits import allow_launch
from experiments.launch import submit
from experiments.project.workspace import Workspace
from tests.fakes.launching import plan_in

SEEDS = range(4)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step: str, number: int) -> None:
    """Put a kill at a step of the `number`-th job."""
    seen = 0
    note, conclude = SkyPilotLauncher._note, Ledger.conclude

    def noting(self, kind, run_name, **data):
        nonlocal seen
        seen += kind == "asking"
        due = seen == number
        if due and step == f"before-{kind}":
            kill()
        note(self, kind, run_name, **data)
        if due and step == f"after-{kind}":
            kill()

    def concluding(self, owner, **changes):
        if seen == number and step == "before-accepted" and changes.get("accepted"):
            kill()
        conclude(self, owner, **changes)

    SkyPilotLauncher._note, Ledger.conclude = noting, concluding
    SkyPilotLauncher.at_once = 1


def main() -> None:
    step, number = sys.argv[1], int(sys.argv[2])
    workspace = Workspace.find(Path.cwd())
    plan = plan_in(workspace, seeds=list(SEEDS), arms=("killed",), launcher="skypilot", gpus=0)
    arm(step, number)
    with allow_launch() as permit:
        submit(plan, permit, workspace)


if __name__ == "__main__":
    main()
