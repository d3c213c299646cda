"""A mark beside the ledger while something goes on by itself, so that a job's end can tell at no cost.

The ledger knows what goes on; the mark only says that it is worth a look, and with which command. It is set and taken
away under the lease of a step. What a step could not do is kept beside it, for pages and for whoever takes the next.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from experiments.jobs.launchers.local.supervisor import GOES_ON, LOOKS
from experiments.project.files import read_json, write_json
from experiments.project.values import Frozen
from experiments.project.workspace import Workspace

MODULE = "experiments.cli.stepping"
_LAST = "last_step.json"


class LastStep(Frozen):
    """What is known of the last step.

    Attributes:
        at: When it began, in Unix seconds.
        problems: What could not be done, by experiment; one that could not be taken at all has no experiment.
        failures: How many steps in a row could not do all.
    """

    at: float = 0.0
    problems: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    failures: int = 0

    def problems_of(self, experiment: str) -> list[str]:
        """Return what could not be done of one experiment, or at all."""
        return [*self.problems.get("", ()), *self.problems.get(experiment, ())]


def step_command(workspace: Workspace) -> list[str]:
    """Return the command line of a step, of the installed package and not of any snapshot."""
    return [sys.executable, "-P", "-m", MODULE, str(workspace.state), str(workspace.root)]


def mark_going_on(workspace: Workspace, *, goes_on: bool, looks: bool = False) -> None:
    """Set the mark, or take it away.

    Args:
        looks: Whether a step is worth it also while jobs run: where trials are pruned.
    """
    path: Path = workspace.state / GOES_ON
    if goes_on:
        write_json(path, {"command": step_command(workspace), LOOKS: looks})
    else:
        path.unlink(missing_ok=True)


def marked_command(state: Path) -> list[str] | None:
    """Return the command of a step while something goes on; None while nothing does, or the mark is damaged."""
    found: Any = None
    with contextlib.suppress(OSError, ValueError):
        found = (read_json(state / GOES_ON) or {}).get("command")
    is_one = isinstance(found, list) and found and all(isinstance(word, str) for word in found)
    return found if is_one else None


def last_step(state: Path) -> LastStep | None:
    """Return what is known of the last step; None where there was none, or nobody can read it."""
    with contextlib.suppress(OSError, ValueError, ValidationError):
        found = read_json(state / _LAST)
        return LastStep.model_validate(found) if found is not None else None
    return None


def record_step(
    state: Path, problems: Mapping[str, Sequence[str]], began: float, experiment: str | None = None
) -> None:
    """Keep what a step could not do.

    Args:
        began: Unix seconds.
        experiment: The only one that was carried on; what is known of the others stays.
    """
    before = last_step(state) or LastStep()
    others = {} if experiment is None else {of: said for of, said in before.problems.items() if of != experiment}
    found = {**others, **{of: tuple(said) for of, said in problems.items() if said}}
    now = LastStep(at=began, problems=found, failures=min(before.failures + 1, 10) if found else 0)
    with contextlib.suppress(OSError):  # what was done is in the ledger
        write_json(state / _LAST, now.model_dump(mode="json"))
