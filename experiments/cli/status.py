"""The command `experiments status`: how jobs are, all of them or those of an experiment, an arm or a state."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import tyro

from experiments.cli.fitting import FittedColumn, FittedTable
from experiments.cli.flags import JsonFlag, Texts
from experiments.cli.follow import steps_text
from experiments.cli.terminal import console, say, state_text
from experiments.jobs.events import NO_COST, last_interruption
from experiments.jobs.finding import first_launch, of_experiments
from experiments.jobs.ledger import open_ledger
from experiments.project.errors import ExperimentsError, LedgerError, UsageError
from experiments.project.look import STATES, counted, duration, quantity
from experiments.project.workspace import Workspace
from experiments.types import JobStatus

_COLUMNS = (
    *(FittedColumn(heading) for heading in ("run", "state", "launcher", "scheduler", "tracker")),
    *(FittedColumn(heading, is_right=True) for heading in ("steps", "reward", "took")),
    FittedColumn("cost"),
)
_WORTH = ("run", "state", "steps", "reward", "took", "cost", "scheduler", "tracker", "launcher")


def status(
    experiment: tyro.conf.Positional[
        Annotated[str | None, tyro.conf.arg(metavar="[EXPERIMENT]", help_behavior_hint="")]
    ] = None,
    *,
    arm: Annotated[Texts, tyro.conf.arg(metavar="[ARM ...]", help_behavior_hint="")] = None,
    state: Annotated[Texts, tyro.conf.arg(metavar="[STATE ...]", help_behavior_hint="")] = None,
    last: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None,
    json_: JsonFlag = False,
) -> int:
    """Show every job, or those of an experiment, an arm or a state: its verdict, progress and times.

    Args:
        experiment: Only the jobs of this experiment.
        arm: Only the jobs of any of these arms.
        state: Only the jobs in any of these states: pending, running, recovering, succeeded, failed, cancelled or
            unknown.
        last: Only the newest N of those.
        json_: Print a JSON list instead of a table.
    """
    from experiments.monitoring import poll_once
    from experiments.project.workspace import files_of

    if last is not None and last < 1:
        raise UsageError(f"--last {last}: at least 1 is needed. Leave it out for all.")
    if wrong := [word for word in state or () if word not in STATES]:
        raise UsageError(f"--state {wrong[0]!r} is none of {', '.join(STATES)}.")
    workspace = Workspace.find(Path.cwd())
    _settle(workspace)
    found = poll_once(workspace.state)
    if found.ledger_problem:
        raise LedgerError(found.ledger_problem)
    for problem in found.problems(time.time()):
        say(f"note: {problem}", to_stderr=True)
    asked = of_experiments(found.jobs, [experiment] if experiment else [], arm or ())
    statuses = [item for item in asked if not state or item.verdict in state]
    if last is not None:
        statuses = statuses[-last:]
    if json_:
        say(json.dumps([item.model_dump(mode="json") for item in statuses], indent=2))
    elif found.jobs and not statuses:
        say(f"None of {counted(len(asked), 'job')} is {' or '.join(state or ())}.")
    elif not statuses:
        say(f"No job yet. {first_launch(workspace.root)}")
    else:
        _print_table(statuses)
        for launcher in dict.fromkeys(item.launcher for item in statuses):
            console().print(f"Files ({launcher}): {files_of(launcher, workspace)}", style="dim", soft_wrap=True)
    return 1 if found.unreadable else 0


def took_text(item: JobStatus) -> str:
    """Return how long a job took, or takes by now."""
    ended = item.ended_at or item.as_of
    return duration(ended - item.started_at if item.started_at else None)


def why_text(item: JobStatus) -> str:
    """Return why a job is as it is, and its last interruption; empty where there is nothing to say."""
    return "; ".join(filter(None, [item.reason, last_interruption(item.events, item.recoveries, time.time())]))


def _settle(workspace: Workspace) -> None:
    """Resolve what a killed process left in doubt; the jobs are shown also where that cannot be."""
    from experiments.jobs.submission import start_next

    with open_ledger(workspace, read_only=True) as ledger:
        in_doubt = ledger.rows(state="submitting")
    try:
        if in_doubt:
            start_next(workspace)
    except ExperimentsError as error:
        say(f"note: {error}", to_stderr=True)


def _print_table(statuses: list[JobStatus]) -> None:
    table = FittedTable(_COLUMNS, _WORTH)
    for item in statuses:
        table.add(
            item.run_name,
            state_text(item.verdict),
            item.launcher,
            item.scheduler or "",
            item.tracker or "",
            steps_text(item),
            quantity(item.reward),
            took_text(item),
            "" if item.cost == NO_COST.text else item.cost,
            note=why_text(item),
        )
    console().print(table)
