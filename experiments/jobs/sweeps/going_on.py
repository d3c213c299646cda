"""A mark beside the ledger while something goes on by itself, so that a job's end can tell at no cost.

The ledger knows what goes on; the mark only says that it is worth a look, and with which command. It is set and taken
away under the lease of a step.
"""

from __future__ import annotations

import sys
from pathlib import Path

from experiments.jobs.launchers.local.supervisor import GOES_ON
from experiments.project.files import write_json
from experiments.project.workspace import Workspace

MODULE = "experiments.cli.stepping"


def step_command(workspace: Workspace) -> list[str]:
    """Return the command line of a step, of the installed package and not of any snapshot."""
    return [sys.executable, "-P", "-m", MODULE, str(workspace.state), str(workspace.root)]


def mark_going_on(workspace: Workspace, *, goes_on: bool) -> None:
    """Set the mark, or take it away."""
    path: Path = workspace.state / GOES_ON
    if goes_on:
        write_json(path, {"command": step_command(workspace)})
    else:
        path.unlink(missing_ok=True)
