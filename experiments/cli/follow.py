"""The progress view of `--follow`: every job with its steps, speed, reward and time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from experiments.cli.fitting import FittedColumn, FittedTable
from experiments.cli.terminal import state_text
from experiments.jobs.watch.snapshots import time_left_s
from experiments.project.look import duration, quantity
from experiments.types import TERMINAL_VERDICTS, JobStatus

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_COLUMNS = (
    FittedColumn("run", least=22),
    FittedColumn("state"),
    FittedColumn("progress"),
    *(FittedColumn(heading, is_right=True) for heading in ("steps", "steps/s", "reward", "left")),
)
_WORTH = ("run", "state", "steps", "left", "reward", "steps/s", "progress")
_BAR = 18
_INTERVAL_S = 1.0
_PLAIN_INTERVAL_S = 10.0  # a log file wants a line now and then, not a redrawn table


def follow(poll: Callable[[], Sequence[JobStatus]], out: Console) -> bool:
    """Show the jobs that `poll` returns until all have ended.

    Returns:
        Whether every job succeeded; a caller that gets KeyboardInterrupt has detached, and training goes on.
    """
    statuses = _follow_live(poll, out) if out.is_terminal else _follow_plain(poll, out)
    return all(status.verdict == "succeeded" for status in statuses)


def progress_table(statuses: Sequence[JobStatus]) -> FittedTable:
    """Return one row a job; a run name too long for its column keeps its end, where arm and seed differ."""
    table = FittedTable(_COLUMNS, _WORTH)
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
