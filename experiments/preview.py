"""What a launch is about to do, as a table: every job with its run name, arm, seed and resources."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from experiments.arms import differences
from experiments.planning import estimate, resources, with_interpreter
from experiments.types import Plan
from experiments.workspace import Workspace

if TYPE_CHECKING:
    from rich.console import Console

_ROWS = 40


def print_preview(out: Console, plan: Plan, workspace: Workspace) -> None:
    """Print the jobs of `plan`, how they are started and what they cost."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("run", "arm", "seed", "difference", "resources"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "seed" else "left")
    difference = differences(plan)
    for job in plan.jobs[:_ROWS]:
        table.add_row(job.run_name, job.arm, str(job.seed), difference[job.arm], resources(plan, job))
    repeat = f", repeat {plan.repeat}" if plan.repeat > 1 else ""
    count = f"{len(plan.jobs)} job" if len(plan.jobs) == 1 else f"{len(plan.jobs)} jobs"
    out.print(f"{count} of {plan.experiment} on {plan.launcher}{repeat}; {estimate(plan)}")
    out.print(table)
    if len(plan.jobs) > _ROWS:
        out.print(f"and {len(plan.jobs) - _ROWS:,} more")
    out.print(f"command: {shlex.join(with_interpreter(plan.jobs[0].command, 'python'))}", soft_wrap=True)
    if plan.launcher == "skypilot":
        _print_task(out, plan, workspace)
    if plan.launcher == "local" and len(plan.jobs) > workspace.settings.max_parallel:
        out.print(f"{workspace.settings.max_parallel} run at once; the rest wait (max_parallel)")


def _print_task(out: Console, plan: Plan, workspace: Workspace) -> None:
    from experiments.sky_preview import task_preview

    whose = plan.jobs[0].run_name if len(plan.jobs) > 1 else "the job"
    out.print(f"SkyPilot task of {whose} (a secret's value goes to SkyPilot alone, and is stored nowhere here):")
    out.print(task_preview(plan, workspace), soft_wrap=True, markup=False, highlight=False)
