"""What a poll brought, published for whoever reads it, where no Monitor does that all the time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ledger.schema import FILE
from experiments.jobs.watch.earlier import keep_earlier, with_earlier
from experiments.jobs.watch.monitor import LOCK
from experiments.jobs.watch.snapshots import Snapshot, read_status, write_live
from experiments.project.files import try_lock
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.types import TERMINAL_VERDICTS, TrainingJob

WATCHED = 5_000
"""Jobs that a page watches beside those that go on and its own: what a lab launches in weeks."""


def published_of(state_dir: Path, jobs: Sequence[TrainingJob | UnreadableJob]) -> Snapshot:
    """Return what was published, with how those of some jobs ended that are too old to be watched."""
    live = state_dir / "live"
    return with_earlier(live, read_status(live), jobs)


def publish_polled(workspace: Workspace, found: Snapshot) -> None:
    """Publish what a poll of some jobs brought, with how the others ended, where nobody polls anyway.

    Nothing is published where the state folder cannot be written, where something newer is, and where nobody has asked
    about some job yet: `experiments.monitoring.publish_once` does. How those ended that are too old to be watched is
    kept beside it, whoever polls.

    Args:
        found: All jobs that go on, and some of the others.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    if found.settled:
        names, earlier = _watched(workspace)
        if earlier:
            keep_earlier(workspace.state / "live", found, set(names))
    with unpolled(workspace.state) as live:
        if live is None:
            return
        before = read_status(live)
        if before.written_at > found.written_at:
            return  # a Monitor came and went meanwhile
        known = {job.run_name: job for job in before.jobs if job.verdict in TERMINAL_VERDICTS}
        known |= {job.run_name: job for job in found.jobs}
        names, earlier = _watched(workspace)
        told = set(names)
        if known.keys() >= told:
            whole = {
                "jobs": tuple(known[name] for name in names),
                "versions": {name: each for name, each in (before.versions | found.versions).items() if name in told},
                "settled": {name: each for name, each in (before.settled | found.settled).items() if name in told},
            }
            publish(live, replaced(found, **whole, earlier=earlier))


def _watched(workspace: Workspace) -> tuple[list[str], int]:
    with open_ledger(workspace, read_only=True) as ledger:
        return ledger.recent_names(WATCHED)


@contextmanager
def unpolled(state_dir: Path) -> Iterator[Path | None]:
    """Hold the place of the Monitor during a block; yield where it publishes, or None where the place is taken."""
    live = state_dir / "live"
    if not (state_dir / FILE).exists():
        yield None
        return
    try:
        live.mkdir(exist_ok=True)
        lock = try_lock(live / LOCK)
    except OSError:
        lock = None
    try:
        yield None if lock is None else live
    finally:
        if lock is not None:
            os.close(lock)


def publish(live: Path, found: Snapshot) -> None:
    """Publish a snapshot, where the folder can be written."""
    with suppress(OSError):  # a folder that is only read has its news from the poll itself
        write_live(live, found, with_metrics=True)
