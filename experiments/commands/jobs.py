"""Commands on jobs: how they are and what they print."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import tyro

from experiments.look import duration, quantity
from experiments.lookup import find_jobs
from experiments.terminal import VERDICT_MARKS, console
from experiments.types import JobStatus
from experiments.workspace import Workspace

_HINTLESS = tyro.conf.arg(help_behavior_hint="")
Flag = Annotated[bool, _HINTLESS]
_LINES = 200


def status(*, json_: Annotated[bool, tyro.conf.arg(name="json", help_behavior_hint="")] = False) -> int:
    """Show every job: its state, verdict, progress and times.

    Args:
        json_: Print a JSON list instead of a table.
    """
    from experiments.monitoring import job_statuses

    workspace = Workspace.find(Path.cwd())
    statuses = job_statuses(workspace.state)
    if json_:
        print(json.dumps([described(item) for item in statuses], indent=2))
    elif not statuses:
        print("No job yet. Launch one: uv run experiments/recipes/arena_experiment.py")
    else:
        _print_table(statuses)
    return 0


def logs(
    run: tyro.conf.Positional[str],
    *,
    follow: Annotated[bool, tyro.conf.arg(aliases=["-f"], help_behavior_hint="")] = False,
    lines: Annotated[int, tyro.conf.arg(aliases=["-n"])] = _LINES,
) -> int:
    """Show what a job printed.

    Args:
        run: Run name or launcher id.
        follow: Go on until the job has ended; Ctrl-C stops the view, not the job.
        lines: How many of the last lines to show; 0 for all.
    """
    from experiments.launch import launcher_for

    workspace = Workspace.find(Path.cwd())
    job = find_jobs(workspace, [run])[0]
    launcher = launcher_for(job.launcher, workspace)
    identity = job.launcher_id or job.run_name
    printed = list(launcher.logs(job.run_name, identity))
    for line in printed[-lines:] if lines else printed:
        _print_line(line)
    if follow:
        for number, line in enumerate(launcher.logs(job.run_name, identity, follow=True)):
            if number >= len(printed):
                _print_line(line)
    elif not printed:
        print(f"{job.run_name} has printed nothing yet.", file=sys.stderr)
    return 0


def described(item: JobStatus) -> dict[str, Any]:
    """Return a status as `status --json` prints it: every field, with times as Unix seconds."""
    return item.model_dump(mode="json")


def _print_table(statuses: list[JobStatus]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("run", "state", "launcher", "scheduler", "tracker"):
        table.add_column(heading, no_wrap=True)
    for heading in ("steps", "reward", "took"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("note")
    for item in statuses:
        mark, colour = VERDICT_MARKS[item.verdict]
        steps = f"{quantity(item.step)} of {quantity(item.total_steps)}"
        ended = item.ended_at or item.as_of
        took = duration(ended - item.started_at) if item.started_at else duration(None)
        table.add_row(
            item.run_name,
            Text(f"{mark} {item.verdict}", style=colour),
            item.launcher,
            item.scheduler or "",
            item.tracker or "",
            steps,
            quantity(item.reward),
            took,
            Text(item.reason, style="dim"),
        )
    console().print(table)


def _print_line(line: str) -> None:
    # A log may hold anything; what the terminal's encoding cannot show must not end the command.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()
