"""The command `experiments status`: how jobs are, all of them or those of an experiment, an arm or a state.

Below it the progress view of `--follow`: every job with its steps, speed, reward and time left, until all have ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import tyro

from experiments.cli.cutting import Long
from experiments.cli.envelope import Answer
from experiments.cli.flags import Flag, Texts
from experiments.cli.machine import Machine, machine_answer
from experiments.cli.terminal import FittedColumn, FittedTable, console, say, state_text
from experiments.project.errors import ExperimentsError, LedgerError, UsageError
from experiments.project.look import STATES, counted, duration, quantity
from experiments.project.standing import trains, uncounted_words
from experiments.types import TERMINAL_VERDICTS, JobStatus

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from experiments.jobs.watch.snapshots import Snapshot
    from experiments.project.workspace import Workspace

_COLUMNS = (
    *(FittedColumn(heading) for heading in ("run", "state", "launcher", "scheduler", "tracker")),
    *(FittedColumn(heading, is_right=True) for heading in ("steps", "reward", "took")),
    FittedColumn("cost"),
)
_WORTH = ("run", "state", "steps", "reward", "took", "cost", "scheduler", "tracker", "launcher")
_LIVE_COLUMNS = (
    FittedColumn("run", least=22),
    FittedColumn("state"),
    FittedColumn("progress"),
    *(FittedColumn(heading, is_right=True) for heading in ("steps", "steps/s", "reward", "left")),
)
_LIVE_WORTH = ("run", "state", "steps", "left", "reward", "steps/s", "progress")
_BAR = 18
_RECENT = 100  # as many as one scrolls through
_INTERVAL_S = 1.0
_PLAIN_INTERVAL_S = 10.0  # a log file wants a line now and then, not a redrawn table


class Jobs(Long):
    """Jobs with how they are.

    Attributes:
        earlier: How many jobs that have ended were left out because they are older than the newest that are shown.
        goes_on: What goes on by itself beside them, a sentence each.
    """

    ITEMS: ClassVar[str] = "jobs"
    KEY: ClassVar[str] = "run_name"

    jobs: tuple[JobStatus, ...]
    earlier: int = 0
    goes_on: tuple[str, ...] = ()


def status(
    experiment: tyro.conf.Positional[
        Annotated[str | None, tyro.conf.arg(metavar="[EXPERIMENT]", help_behavior_hint="")]
    ] = None,
    *,
    arm: Annotated[Texts, tyro.conf.arg(metavar="[ARM ...]", help_behavior_hint="")] = None,
    state: Annotated[Texts, tyro.conf.arg(metavar="[STATE ...]", help_behavior_hint="")] = None,
    last: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")] = None,
    all_: Annotated[bool, tyro.conf.arg(name="all", help_behavior_hint="")] = False,
    archived: Flag = False,
    machine: Flag = False,
) -> Answer[Jobs] | Answer[Machine]:
    """Show the jobs that go on and the last hundred, or those of an experiment, an arm or a state.

    Args:
        experiment: Only the jobs of this experiment.
        arm: Only the jobs of any of these arms.
        state: Only the jobs in any of these states: pending, running, recovering, succeeded, failed, cancelled or
            unknown.
        last: Only the newest N of those.
        all_: Every job that was ever recorded.
        archived: Also what was archived.
        machine: Show the GPUs of this machine instead, who has them, and what waits for what.
    """
    from experiments.jobs.called import first_launch
    from experiments.jobs.finding import of_experiments
    from experiments.jobs.shelf import archived_runs
    from experiments.project.workspace import Workspace, files_of

    _check(state, last)
    workspace = Workspace.find(Path.cwd())
    _settle(workspace)
    if machine:
        return machine_answer(workspace)
    found, earlier = _polled(workspace, None if all_ or experiment or arm or state else last or _RECENT, experiment)
    of = [experiment] if experiment else None
    notes = [*found.problems(time.time()), *found.ongoing_problems(of), *_ended(workspace, found, earlier)]
    asked = of_experiments(found.jobs, [experiment] if experiment else [], arm or ())
    statuses = [item for item in asked if not state or item.verdict in state]
    put_away = set() if archived else archived_runs(workspace)
    if away := sum(item.run_name in put_away for item in statuses):
        statuses = [item for item in statuses if item.run_name not in put_away]
        notes.append(f"{counted(away, 'archived job')} {'is' if away == 1 else 'are'} not shown: add --archived")
    if last is not None:
        statuses = statuses[-last:]
    elif earlier and not experiment:
        what = f"{counted(earlier, 'earlier job')} that {'has' if earlier == 1 else 'have'} ended"
        notes.append(f"{what} {'is' if earlier == 1 else 'are'} not shown: experiments status --all")
    jobs = Jobs(
        jobs=tuple(statuses),
        earlier=0 if last is not None or experiment else earlier,
        goes_on=tuple(found.ongoing_lines(of)),
    )
    none = f"None of {counted(len(asked), 'job')} is {' or '.join(state or ())}." if found.jobs else ""

    def words(shown: Jobs) -> None:
        if shown.jobs:
            _print_table(list(shown.jobs))
            for launcher in dict.fromkeys(item.launcher for item in shown.jobs):
                console().print(f"Files ({launcher}): {files_of(launcher, workspace)}", style="dim", soft_wrap=True)
        else:
            say(none or f"No job yet. {first_launch(workspace.root)}")
        for line in shown.goes_on:
            say(line)

    return Answer(jobs, words, code=1 if found.unreadable else 0, notes=notes)


def _polled(workspace: Workspace, newest: int | None, experiment: str | None) -> tuple[Snapshot, int]:
    """Return how all jobs are, or those that go on and some others, and of how many nobody was asked; publish it.

    Args:
        newest: How many of the others, the newest ones; None for all, or for those of the experiment.

    Raises:
        LedgerError: Nobody knows which jobs there are.
    """
    from experiments.jobs.ledger import open_ledger
    from experiments.jobs.watch.publishing import publish_polled, published_of
    from experiments.monitoring import poll_once, sources_of

    with open_ledger(workspace, read_only=True) as ledger:
        jobs, earlier = ledger.recent(newest or 0, experiment)
        # Of a name that no job has it is said which there are.
        if newest is None and experiment not in {job.experiment for job in jobs}:
            jobs, earlier = ledger.rows(), 0
    sources = replace(sources_of(workspace.state), jobs=lambda: jobs)
    found = poll_once(workspace.state, sources=sources, before=published_of(workspace.state, jobs))
    if found.ledger_problem:
        raise LedgerError(found.ledger_problem)
    publish_polled(workspace, found)
    return found, earlier


def _check(state: Sequence[str] | None, last: int | None) -> None:
    if last is not None and last < 1:
        raise UsageError(f"--last {last}: at least 1 is needed. Leave it out for all.")
    if wrong := [word for word in state or () if word not in STATES]:
        raise UsageError(f"--state {wrong[0]!r} is none of {', '.join(STATES)}.")


def took_text(item: JobStatus) -> str:
    """Return how long a job took, or takes by now."""
    ended = item.ended_at or item.as_of
    return duration(ended - item.started_at if item.started_at else None)


def why_text(item: JobStatus) -> str:
    """Return why a job is as it is, and its last interruption; empty where there is nothing to say."""
    from experiments.jobs.events import last_interruption

    return "; ".join(filter(None, [item.reason, last_interruption(item.events, item.recoveries, time.time())]))


def _ended(workspace: Workspace, found: Snapshot, earlier: int) -> list[str]:
    """Have hopeless jobs of clusters ended, and return what came of it."""
    from experiments.jobs.watch.ending import may_be_ended
    from experiments.monitoring import end_hopeless, poll_once

    if earlier and any(map(may_be_ended, found.jobs)):
        found = poll_once(workspace.state)  # whether one is hopeless may rest on a baseline of long ago
    try:
        ended = end_hopeless(workspace.state, found)
    except ExperimentsError as error:
        return [f"a job is hopeless by its stop_when and could not be ended: {error}"]
    return [f"{run} was asked to end by its stop_when: {why}" for run, why in ended.items()]


def _settle(workspace: Workspace) -> None:
    """Carry on what a killed process left in doubt or in the outbox; the jobs are shown also where that cannot be."""
    from experiments.jobs.ledger import bring_up_to_date, open_ledger
    from experiments.jobs.submission import start_next

    bring_up_to_date(workspace)
    with open_ledger(workspace, read_only=True) as ledger:
        is_wanted = bool(ledger.outbox() or ledger.rows(state="submitting"))
    try:
        if is_wanted:
            start_next(workspace)
    except ExperimentsError as error:
        say(f"note: {error}", to_stderr=True)


def _print_table(statuses: list[JobStatus]) -> None:
    from experiments.jobs.events import NO_COST

    table = FittedTable(_COLUMNS, _WORTH)
    # What they found is told with the run, and there may be hundreds.
    shown = [item for item in statuses if trains(item.role) or item.verdict != "succeeded"]
    for item in shown:
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
    if uncounted := uncounted_words(shown):
        say(f"{uncounted}.")
    if evaluated := len(statuses) - len(shown):
        say(f"{counted(evaluated, 'evaluation')} succeeded; what they found: experiments show RUN")


def follow(poll: Callable[[], Sequence[JobStatus]], out: Console) -> bool:
    """Show the jobs that `poll` returns until all have ended.

    Returns:
        Whether every job succeeded; a caller that gets KeyboardInterrupt has detached, and training goes on.
    """
    statuses = _follow_live(poll, out) if out.is_terminal else _follow_plain(poll, out)
    return all(status.verdict == "succeeded" for status in statuses)


def progress_table(statuses: Sequence[JobStatus]) -> FittedTable:
    """Return one row a job; a run name too long for its column keeps its end, where arm and seed differ."""
    from experiments.jobs.watch.snapshots import time_left_s

    table = FittedTable(_LIVE_COLUMNS, _LIVE_WORTH)
    for status in statuses:
        table.add(
            status.run_name,
            state_text(status.verdict),
            _bar(status),
            steps_text(status),
            quantity(status.sps),
            quantity(status.reward),
            duration(time_left_s(status)),
            note=status.reason if status.verdict != "running" else "",
        )
    return table


def steps_text(status: JobStatus) -> str:
    """Return the steps of a job, and of how many where that is known."""
    steps = quantity(status.step)
    return steps if status.total_steps is None else f"{steps} of {quantity(status.total_steps)}"


def _bar(status: JobStatus) -> Text | str:
    """Return how far a job is, as a line; nothing where nobody knows how far it has to go, or how far it is."""
    from rich.text import Text

    if not status.total_steps or status.step is None:
        return ""
    done = max(0, min(_BAR, round(_BAR * status.step / status.total_steps)))
    return Text.assemble(("━" * done, "blue"), ("─" * (_BAR - done), "dim"))


def _follow_live(poll: Callable[[], Sequence[JobStatus]], out: Console) -> Sequence[JobStatus]:
    from rich.live import Live

    with Live(console=out, auto_refresh=False) as live:
        while True:
            statuses = poll()
            live.update(progress_table(statuses), refresh=True)
            if _all_ended(statuses):
                return statuses
            time.sleep(_INTERVAL_S)


def _follow_plain(poll: Callable[[], Sequence[JobStatus]], out: Console) -> Sequence[JobStatus]:
    shown: dict[str, str] = {}
    last = 0.0
    while True:
        statuses = poll()
        due = time.monotonic() - last >= _PLAIN_INTERVAL_S
        for status in statuses:
            if due or shown.get(status.run_name) != status.verdict:
                out.print(plain_line(status))
                shown[status.run_name] = status.verdict
        last = time.monotonic() if due else last
        if _all_ended(statuses):
            return statuses
        time.sleep(_INTERVAL_S)


def plain_line(status: JobStatus) -> str:
    """Return one job's progress as a line of a log."""
    from experiments.jobs.watch.snapshots import time_left_s

    parts = [status.run_name, status.verdict]
    if status.step is not None:
        parts.append(f"{steps_text(status)} steps")
    if status.sps is not None:
        parts.append(f"{quantity(status.sps)} steps/s")
    if status.reward is not None:
        parts.append(f"reward {quantity(status.reward)}")
    if (left := time_left_s(status)) is not None:
        parts.append(f"{duration(left)} left")
    if status.reason:
        parts.append(status.reason)
    return "  ".join(parts)


def _all_ended(statuses: Sequence[JobStatus]) -> bool:
    return all(status.verdict in TERMINAL_VERDICTS for status in statuses)
