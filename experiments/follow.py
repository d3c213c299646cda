"""The progress view of `--follow`: every job with its steps, speed, reward and time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from experiments.look import duration, quantity
from experiments.snapshots import time_left_s
from experiments.terminal import state_text
from experiments.types import TERMINAL_VERDICTS, JobStatus

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_INTERVAL_S = 1.0
_PLAIN_INTERVAL_S = 10.0  # a log file wants a line now and then, not a redrawn table


def follow(poll: Callable[[], Sequence[JobStatus]], out: Console) -> bool:
    """Show the jobs that `poll` returns until all have ended.

    Returns:
        Whether every job succeeded; a caller that gets KeyboardInterrupt has detached, and training goes on.
    """
    statuses = _follow_live(poll, out) if out.is_terminal else _follow_plain(poll, out)
    return all(status.verdict == "succeeded" for status in statuses)


def progress_table(statuses: Sequence[JobStatus]) -> Table:
    """Return one row a job; a run name too long for its column keeps its end, where arm and seed differ."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("run", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("progress", no_wrap=True)
    for heading in ("steps", "steps/s", "reward", "left"):
        table.add_column(heading, justify="right", no_wrap=True)
    for status in statuses:
        bar = ProgressBar(total=status.total_steps or 1, completed=status.step or 0, width=18)
        table.add_row(
            _end_of(status.run_name, 44),
            state_text(status.verdict),
            bar,
            f"{quantity(status.step)} of {quantity(status.total_steps)}",
            quantity(status.sps),
            quantity(status.reward),
            duration(time_left_s(status)),
        )
        if status.reason and status.verdict != "running":
            table.add_row(Text(f"  {status.reason}", style="dim"), "", "", "", "", "", "")
    return table


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
        parts.append(f"{quantity(status.step)} of {quantity(status.total_steps)} steps")
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


def _end_of(text: str, width: int) -> str:
    return text if len(text) <= width else "…" + text[-(width - 1) :]
