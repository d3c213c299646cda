"""What a launch is about to do, as a table: every job with its run name, arm, seed and resources; and the question."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from experiments.cli.terminal import agrees
from experiments.jobs.arms import differences
from experiments.jobs.plan import resources, with_interpreter
from experiments.jobs.preview import estimate, task_preview
from experiments.project.errors import LaunchError, UsageError
from experiments.project.look import counted
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
    for heading in ("run", "arm", "seed", "difference", "resources"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "seed" else "left")
    words = difference or differences(plan)
    for job in plan.jobs[:_ROWS]:
        table.add_row(job.run_name, job.arm, str(job.seed), words[job.arm], resources(plan, job))
    repeat = f", repeat {plan.repeat}" if plan.repeat > 1 else ""
    count = counted(len(plan.jobs), "job")
    out.print(f"{count} of {plan.experiment} on {plan.launcher}{repeat}; {estimate(plan, workspace)}")
    out.print(table)
    if len(plan.jobs) > _ROWS:
        out.print(f"and {len(plan.jobs) - _ROWS:,} more")
    out.print(f"command: {shlex.join(with_interpreter(plan.jobs[0].command, 'python'))}", soft_wrap=True)
    if plan.launcher == "skypilot":
        _print_task(out, plan, workspace)
    if plan.launcher == "local" and len(plan.jobs) > workspace.settings.max_parallel:
        out.print(f"{workspace.settings.max_parallel} run at once; the rest wait (max_parallel)")


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
