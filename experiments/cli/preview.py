"""What a launch is about to do, as a table: every job with its run name, arm, seed and resources; and the question."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from experiments.cli.terminal import agrees
from experiments.jobs.arms import differences
from experiments.jobs.commands import with_interpreter
from experiments.jobs.controls.checking import control_notes
from experiments.jobs.plan import resources
from experiments.jobs.preview import environment_words, estimate, task_preview, trainer_notes, waiting_words
from experiments.project.errors import LaunchError, UsageError
from experiments.project.look import counted
from experiments.project.standing import seed_number, uncounted_words
from experiments.project.workspace import Workspace
from experiments.types import Plan

if TYPE_CHECKING:
    from rich.console import Console

_ROWS = 40


def print_preview(
    out: Console, plan: Plan, workspace: Workspace, *, difference: Mapping[str, str] | None = None
) -> None:
    """Print the jobs of `plan`, how they are started and what they cost.

    Args:
        difference: What is said of each arm, where it is not what tells it from the plan's first.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    uncounted = uncounted_words(plan.jobs)
    headings = ("run", "arm", "seed", *(["role"] if uncounted else []), "difference", "resources")
    for heading in headings:
        table.add_column(heading, no_wrap=True, justify="right" if heading == "seed" else "left")
    words = difference or differences(plan)
    for job in plan.jobs[:_ROWS]:
        role = [job.role_words] if uncounted else []
        table.add_row(job.run_name, job.arm, seed_number(job.seed), *role, words[job.arm], resources(plan, job))
    repeat = f", repeat {plan.repeat}" if plan.repeat > 1 else ""
    count = counted(len(plan.jobs), "job")
    out.print(f"{count} of {plan.experiment} on {plan.launcher}{repeat}; {estimate(plan, workspace)}")
    if uncounted:
        out.print(f"{uncounted}: only a seed's first run is a sample of its arm")
    out.print(table)
    if len(plan.jobs) > _ROWS:
        out.print(f"and {len(plan.jobs) - _ROWS:,} more")
    out.print(f"command: {shlex.join(with_interpreter(plan.jobs[0].command, 'python'))}", soft_wrap=True)
    out.print(f"environment: {' '.join(environment_words(plan, workspace))}", soft_wrap=True, style="dim")
    for note in trainer_notes(plan):
        out.print(f"note: {note}", soft_wrap=True)
    if plan.launcher == "skypilot":
        _print_task(out, plan, workspace)
    if waiting := waiting_words(plan, workspace):
        out.print(waiting)


def print_control(out: Console, plan: Plan, workspace: Workspace) -> None:
    """Print what a dry run should say of the plan's control; a launch says it with its other notes.

    Raises:
        LaunchError: The launch would be refused for it.
    """
    for note in control_notes(plan, workspace):
        out.print(f"note: {note}", soft_wrap=True)


def confirm(plan: Plan) -> None:
    """Ask a person before a launch that costs money.

    Raises:
        LaunchError: There is no terminal to ask at.
        UsageError: The person did not say yes.
    """
    what = f"{counted(len(plan.jobs), 'job')} on SkyPilot"
    if not sys.stdin.isatty():
        raise LaunchError(f"{what} may cost money. Say yes to it: add --yes.")
    if not agrees(f"Launch {what}?"):
        raise UsageError("not confirmed; nothing was launched.")


def _print_task(out: Console, plan: Plan, workspace: Workspace) -> None:
    whose = plan.jobs[0].run_name if len(plan.jobs) > 1 else "the job"
    out.print(f"SkyPilot task of {whose} (a secret's value goes to SkyPilot alone, and is stored nowhere here):")
    out.print(task_preview(plan, workspace), soft_wrap=True, markup=False, highlight=False)
