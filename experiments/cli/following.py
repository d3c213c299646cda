"""`--follow` of what goes on by itself: its jobs, those that follow them, and what a step could not do."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console

from experiments.cli.status import follow
from experiments.cli.terminal import say
from experiments.jobs.sweeps.going_on import last_step
from experiments.monitoring import following
from experiments.project.workspace import Workspace

Look = Callable[[], tuple[list[str], bool]]
"""Returns the run names of the jobs that are out, and whether anything is still to follow."""

_LOOK_S = 0.5


def follow_on(workspace: Workspace, experiment: str, look: Look, out: Console) -> bool:
    """Show the jobs of an experiment that goes on by itself until nothing follows; say whether all could be done.

    The steps between are taken by their supervisors, else by the Monitor that watches here.
    """
    while True:
        runs, goes_on = look()
        if not goes_on:
            return True
        with following(workspace.state, runs) as statuses:
            if runs:
                follow(statuses, out)
            since = time.time() if runs else 0.0
            while look() == (runs, goes_on):
                last = last_step(workspace.state)
                if last is not None and last.at >= since and (problems := last.problems_of(experiment)):
                    for problem in problems:
                        say(f"error: {problem}", to_stderr=True)
                    return False
                time.sleep(_LOOK_S)
