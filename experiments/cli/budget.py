"""`experiments budget`: what goes on by itself may use so much, and until when."""

from __future__ import annotations

import datetime as dt
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from pydantic import Field

from experiments.cli.envelope import Answer, Shown
from experiments.cli.flags import Flag
from experiments.cli.terminal import agrees, console, persons_own, say
from experiments.jobs.ledger import Budget, Limits, open_ledger
from experiments.jobs.ledger.budgets import refuse_over
from experiments.project.errors import UsageError
from experiments.project.files import number_or_none
from experiments.project.look import counted
from experiments.project.names import check_name
from experiments.project.workspace import Workspace

if TYPE_CHECKING:
    from experiments.jobs.permits import Permit

_AMOUNTS = {"jobs": "40", "gpu-hours": "20", "usd": "50", "until": "2030-12-01T08:00"}


class Allowed(Shown):
    """What may be used; null where something is not limited. `until` is in Unix seconds."""

    jobs: int | None
    gpu_hours: float | None
    usd: float | None
    until: float | None


class Granted(Shown):
    """A budget with what is drawn from it; times are Unix seconds.

    Attributes:
        why: Why it ended.
        jobs: How many jobs have drawn on it.
        gpu_hours: What they took, and what those that have not ended may take at most; null where nobody knows.
        usd: The same in dollars.
        reserved: How many of its jobs have not ended.
        left: What may still be drawn, in words.
    """

    name: str
    limits: Allowed
    granted_at: float
    granted_by: str
    ended_at: float | None
    why: str
    jobs: int
    gpu_hours: float | None
    usd: float | None
    reserved: int
    is_open: bool
    left: str


class Budgets(Shown):
    """Budgets, and after `end` what came of the jobs that were cancelled with one, by run name."""

    budgets: tuple[Granted, ...]
    cancelled: dict[str, str] = Field(default_factory=dict)


def budget(
    action: tyro.conf.Positional[Literal["list", "set", "end"]] = "list",
    name: tyro.conf.Positional[Annotated[str | None, tyro.conf.arg(metavar="[NAME]", help_behavior_hint="")]] = None,
    limits: tyro.conf.Positional[
        Annotated[tuple[str, ...], tyro.conf.arg(metavar="[LIMIT ...]", help_behavior_hint="")]
    ] = (),
    *,
    cancel: Flag = False,
    yes: Flag = False,
) -> Answer[Budgets]:
    """Show what may go on by itself and what it has used; grant more, or end it.

    Args:
        action: list shows every budget, set grants one or changes its limits, end stops anything from drawing on it.
        name: Which budget; that of an experiment has its name. `set` and `end` need it.
        limits: Of `set`: jobs=40 gpu-hours=20 usd=50 until=2030-12-01T08:00, one or more of these.
        cancel: With `end`: also cancel its jobs that have not ended.
        yes: Do not ask before jobs are cancelled.
    """
    workspace = Workspace.find(Path.cwd())
    if action == "list":
        return _list(workspace, name)
    if name is None:
        raise UsageError(f"which budget? Name it: experiments budget {action} NAME. See them: experiments budget")
    if action == "set":
        found = read_limits(limits)
        permit = persons_own(
            shlex.join(["experiments", "budget", "set", name, *limits]), "It says what goes on without a person."
        )
        with open_ledger(workspace) as ledger:
            if name not in {one.name for one in ledger.budgets()}:
                check_name("budget", name)
            ledger.grant(name, found, permit.how)
        return _list(workspace, name)
    return _end(workspace, name, cancel=cancel, yes=yes)


def read_limits(words: Sequence[str], jobs: int | None = None) -> Limits:
    """Return the limits that words give, such as `jobs=40` and `until=2030-12-01T08:00`.

    Args:
        jobs: The number of jobs where they limit a time alone.

    Raises:
        UsageError: A word is none of them, or its value no amount.
    """
    found: dict[str, float] = {}
    for word in words:
        key, _, value = word.partition("=")
        if key not in _AMOUNTS or not value:
            example = " ".join(f"{name}={example}" for name, example in _AMOUNTS.items())
            raise UsageError(f"{word!r} is no limit of a budget. Give one or more of: {example}")
        if key in found:
            raise UsageError(f"{key} is given twice. Give it once.")
        found[key] = read_moment(key, value) if key == "until" else _amount(key, value)
    if not found.keys() - {"until"} and jobs is not None:
        found["jobs"] = jobs
    number = found.get("jobs")
    amounts = (found.get("gpu-hours"), found.get("usd"), found.get("until"))
    limits = Limits(int(number) if number is not None else None, *amounts)
    refuse_over(limits)
    return limits


def _amount(key: str, value: str) -> float:
    try:
        return int(value) if key == "jobs" else float(value)
    except ValueError:
        raise UsageError(
            f"{key}={value} is no {'whole number' if key == 'jobs' else 'number'}. Try {key}=20."
        ) from None


def read_moment(name: str, value: str) -> float:
    """Return a date and time in Unix seconds.

    Raises:
        UsageError: It is none.
    """
    try:
        return dt.datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{name}={value} is no date and time. Write it as {name}=2030-12-01T08:00.") from None


def _list(workspace: Workspace, name: str | None) -> Answer[Budgets]:
    with open_ledger(workspace, read_only=True) as ledger:
        found = [budget for budget in ledger.budgets() if name in {None, budget.name}]
    if name is not None and not found:
        raise UsageError(f"there is no budget {name!r}. See them: experiments budget")

    def words(_: Budgets) -> None:
        if found:
            console().print(_table(found))
        else:
            say("No budget was granted: nothing goes on by itself.")

    return Answer(Budgets(budgets=tuple(map(granted_as, found))), words)


def granted_as(budget: Budget) -> Granted:
    """Return a budget as it is answered."""
    used = {name: number_or_none(getattr(budget, name)) for name in ("gpu_hours", "usd")}
    limits = Allowed(**vars(budget.limits))
    return Granted(**{**vars(budget), **used, "limits": limits, "is_open": budget.is_open, "left": budget.left})


def _table(found: Sequence[Budget]) -> object:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("budget", "used", "not ended", "granted", "by"):
        table.add_column(heading, overflow="fold")
    for one in found:
        granted = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.granted_at))
        table.add_row(one.name, one.sentence, str(one.reserved), granted, one.granted_by)
    return table


def _end(workspace: Workspace, name: str, *, cancel: bool, yes: bool) -> Answer[Budgets]:
    from experiments.jobs.submission import cancel as cancel_jobs

    how = shlex.join(["experiments", "budget", "end", name])
    permit = persons_own(how, "It stops what goes on.")
    with open_ledger(workspace) as ledger:
        if name not in {one.name for one in ledger.budgets()}:
            raise UsageError(f"there is no budget {name!r}. See them: experiments budget")
        was_open = ledger.end_budget(name, f"ended with {how}")
        running = ledger.budgeted(name)
    say(f"Budget {name} is ended: nothing more is launched on it." if was_open else f"Budget {name} had ended already.")
    code, cancelled = 0, {}
    if running and not cancel:
        say(f"{counted(len(running), 'job')} of it have not ended. To end them too: {how} --cancel")
    elif running and not yes and sys.stdin.isatty() and not agrees(f"Cancel {counted(len(running), 'job')}?"):
        say("Nothing was cancelled.")
        code = 1
    elif running:
        cancelled = cancel_jobs(running, permit, workspace)
        for run, what in cancelled.items():
            say(f"{run}: {what}")
    problems = _tell_its_owner(workspace, name, permit)
    found = _list(workspace, name).data
    budgets = found.budgets if found is not None else ()
    return Answer(Budgets(budgets=budgets, cancelled=cancelled), code=max(code, 1 if problems else 0), errors=problems)


def _tell_its_owner(workspace: Workspace, name: str, permit: Permit) -> list[str]:
    """Have whatever went on by itself on a budget see that it has ended; return what could not be done."""
    from experiments.results.steps import owners, take_step

    problems = []
    for experiment in owners(workspace, name):
        stepped = take_step(workspace, permit, experiment)
        for line in stepped.done:
            say(line)
        problems += stepped.problems
    return problems
