"""Seeds until decided from a page: the first batch is launched by a click, the others follow by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.jobs.batches import UNTIL_DECIDED, seeds_of_first_batch
from experiments.jobs.controls.files import read_control
from experiments.jobs.funding import begin_batches
from experiments.jobs.journal import BLANK, Journal
from experiments.jobs.permits import Permit
from experiments.project.errors import UsageError
from experiments.project.workspace import Workspace
from experiments.types import Plan


def first_seeds(
    workspace: Workspace, name: str, control: str | None, journal: Journal | None, how: Mapping[str, Any]
) -> tuple[int, ...]:
    """Return the seeds of the first batch of what a form asks for.

    Args:
        name: Of the experiment.
        control: Name of the kept control that stands for its baseline; None without one.

    Raises:
        UsageError: The form contradicts itself, or the rule allows no look before its end.
    """
    if (str(how["same_seed"]).strip(), str(how["repeat"]).strip()) != ("1", "1"):
        raise UsageError(f"seeds {UNTIL_DECIDED} go with 1 run of each seed and repeat 1. Set both to 1.")
    seeds = read_control(workspace.root, control).seeds if control is not None else None
    return seeds_of_first_batch(workspace, name, journal or BLANK, control=seeds)


def begun(plan: Plan, journal: Journal | None, workspace: Workspace, permit: Permit) -> str | None:
    """Record that a design goes on until it is decided; return the budget that its first batch draws on."""
    assert journal is not None
    assert journal.rule is not None
    command = workspace.settings.train_command
    found = begin_batches(workspace, plan, journal.rule, train_command=command, permit=permit)
    return None if found is None else found[0]
