"""Where on its curve a run was started again, from what its trainer, its files and its scheduler left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from experiments.jobs.events import Interruption, clock, interruptions, read_kept
from experiments.project.errors import ExperimentsError
from experiments.runs.axes import COUNTERS, own_axis, steps_along
from experiments.runs.offline.places import read_attempts
from experiments.types import JobRef

if TYPE_CHECKING:
    import pandas as pd

    from experiments.runs.offline.store import OfflineStore
    from experiments.runs.store import RunStore

# The clocks of a node and of a scheduler's server differ by some seconds.
_SKEW_S = 60.0


@dataclass(frozen=True)
class Recovery:
    """One time that a run went on elsewhere, or again.

    Attributes:
        step: Agent-steps that it went on from.
        at: Unix seconds at which it did, or at which its machines were lost where it has not yet.
        text: What happened, in a sentence.
    """

    step: int
    at: float
    text: str


@dataclass(frozen=True)
class _Start:
    at: float
    step: int
    host: str = ""
    replaced: int = 0


def recoveries(
    run: str, store: OfflineStore, *, rows: RunStore | None = None, now: float | None = None
) -> list[Recovery]:
    """Return where a run was started again, by step.

    The trainer's own notes count, else the files that W&B began, both on this machine or in a cluster's folder seen
    from here. What the scheduler told of an interruption goes with the start that followed it; an interruption that no
    start is known of is put where the rows were then.

    Args:
        run: Run name.
        store: Runs of this machine.
        rows: Where the run's rows are read if not there.
        now: Unix seconds; times of another day are shown with their day.

    Raises:
        StoreError: Its rows are needed, and cannot be read.
    """
    today = time.time() if now is None else now
    gaps = interruptions(read_kept(store.runs_dir / run).events)
    found = []
    for start in _later_starts(run, store):
        gap = next((gap for gap in reversed(gaps) if gap.at <= start.at + _SKEW_S), None)
        # Interruptions before it led to no start of their own: machines were lost before the trainer was on them.
        gaps = [other for other in gaps if gap is None or other.at > gap.at]
        found.append(Recovery(start.step, start.at, _words(start, gap, today)))
    found += _without_start(gaps, run, store if store.has(run) else rows, today)
    return sorted(found, key=lambda recovery: (recovery.step, recovery.at))


def recovery_marks(jobs: Sequence[JobRef], store: RunStore, *, now: float | None = None) -> pd.DataFrame:
    """Return where the runs of `jobs` were started again.

    Args:
        jobs: The runs.
        store: Where they are read; only what is on this machine, or seen from it, is looked at.
        now: Unix seconds; times of another day are shown with their day.

    Returns:
        Columns `run`, `arm`, `step` (int64, agent-steps that it went on from) and `text`, by job and step. Empty with
        the same columns where no run was started again.
    """
    import pandas as pd

    from experiments.runs.offline.store import OfflineStore

    rows: list[tuple[str, str, int, str]] = []
    here = getattr(store, "offline", store)
    for job in jobs:
        try:
            found = recoveries(job.run, here, rows=store, now=now) if isinstance(here, OfflineStore) else []
        except (ExperimentsError, OSError):
            continue  # a run that cannot be read is said to be so where its curve would be
        rows += [(job.run, job.arm, recovery.step, recovery.text) for recovery in found]
    return pd.DataFrame(rows, columns=["run", "arm", "step", "text"]).astype({"step": "int64"})


def _later_starts(run: str, store: OfflineStore) -> list[_Start]:
    noted = next((noted for folder in store.folders(run) if (noted := read_attempts(folder))), [])
    files = store.starts(run)
    if noted:
        starts = [_Start(start.at, start.step, start.host) for start in noted]
    else:
        starts = [_Start(file.at, file.step) for file in files if file.at is not None and file.step is not None]
    if len(starts) != len(files):
        return starts[1:]
    pairs = zip(starts[1:], files[:-1], strict=True)
    return [replace(start, replaced=before.replaced) for start, before in pairs]


def _words(start: _Start, gap: Interruption | None, now: float) -> str:
    where = f" on {start.host}" if start.host and gap is None else ""
    what = gap.words(now) if gap is not None else f"started again at {clock(start.at, now)}"
    again = f"; {start.replaced} rows after it were logged again" if start.replaced > 1 else ""
    again = "; one row after it was logged again" if start.replaced == 1 else again
    return f"{what}{where}, from step {start.step:,}{again}"


def _without_start(gaps: Sequence[Interruption], run: str, store: RunStore | None, now: float) -> list[Recovery]:
    if not gaps or store is None:
        return []
    frame, _ = store.history(run, COUNTERS)
    steps = steps_along(frame, own_axis(frame))
    found = []
    for gap in gaps:
        before = steps[(frame["_timestamp"] <= gap.at).to_numpy()] if "_timestamp" in frame else steps[:0]
        known = before[before == before]  # noqa: PLR0124 - not NaN: the counter may begin later than the rows
        found.append(Recovery(int(known[-1]) if len(known) else 0, gap.back_at or gap.at, gap.words(now)))
    return found
