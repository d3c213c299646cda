"""Waiting at a terminal, or in a script, until the jobs of a launch are handed over."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console

from experiments.jobs.ledger.outbox import Handing
from experiments.jobs.outbox import wait_for
from experiments.jobs.submission import refuse_failed
from experiments.project.look import counted
from experiments.project.workspace import Workspace
from experiments.types import Plan, TrainingJob

_PLAIN_S = 10.0  # a log file wants a line now and then


def handed_over(workspace: Workspace, plan: Plan, launched: Sequence[TrainingJob], out: Console) -> list[TrainingJob]:
    """Wait until the jobs of a plan are handed over, showing how far it is; return them as they are then.

    Ctrl-C ends the waiting alone.

    Raises:
        LaunchError: Some were refused, or their launcher could not be reached for minutes.
    """
    if all(job.state == "submitted" for job in launched):
        return list(launched)
    try:
        jobs = _wait_live(workspace, plan, out) if out.is_terminal else _wait_plain(workspace, plan, out)
    except KeyboardInterrupt:
        out.print("Detached; the hand-over goes on. How far it is: uv run experiments status")
        return list(launched)
    return refuse_failed(jobs)


def handed_later(launched: Sequence[TrainingJob]) -> list[str]:
    """Return what is to be said of jobs that no launcher has yet."""
    waiting = sum(job.state != "submitted" for job in launched)
    if not waiting:
        return []
    what = f"{counted(waiting, 'job')} {'is' if waiting == 1 else 'are'} handed over in the background"
    return [f"{what}. How far it is: uv run experiments status (--wait waits for it)"]


def _wait_live(workspace: Workspace, plan: Plan, out: Console) -> list[TrainingJob]:
    from rich.markup import escape

    with out.status("handing over") as shown:
        return wait_for(workspace, plan.key, lambda handing: shown.update(escape(_sentence(handing))))


def _wait_plain(workspace: Workspace, plan: Plan, out: Console) -> list[TrainingJob]:
    due = time.monotonic() + _PLAIN_S

    def tell(handing: Handing) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _PLAIN_S
            out.print(_sentence(handing), markup=False, highlight=False)

    return wait_for(workspace, plan.key, tell)


def _sentence(handing: Handing) -> str:
    return f"{handing.experiment}: {handing.words}"
