"""What a run store is: one way to find runs and to read what is new in them, offline or from the W&B server.

Nothing here imports pandas; frames are made by the callers of `history`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

from experiments.project.files import number_or_none
from experiments.project.trainers.value import Metrics

AGENT_STEP = "metric/agent_step"
"""Steps of all agents together, as the trainer logs them; W&B's own counter is `_step`."""

REWARD_KEY = "overview/reward"
SPS_KEYS = (
    *("overview/sps", "sps", "steps_per_second", "train/sps", "timing/sps", "performance/sps"),
    *("overview/steps_per_second", "SPS", "charts/SPS", "time/fps"),
)
"""Names that trainers have for steps per second; the first is our own trainer's."""


def latest_sps(summary: Mapping[str, Any], named: Sequence[str] = ()) -> float | None:
    """Return the latest steps per second of a run, under the first of its names that has a number; None for none.

    Monitor, tables and logs all ask here, so that a run has one speed.

    Args:
        summary: Latest value of each key.
        named: The names that its trainer says; `SPS_KEYS` where it says none.
    """
    logged = (key for key in named or SPS_KEYS if key in summary)  # of a dozen names a run has one or two
    return next((value for key in logged if (value := number_or_none(summary[key])) is not None), None)


@dataclass(frozen=True)
class RunInfo:
    """What is known of a run without its history.

    Attributes:
        name: W&B run id, which is our run name.
        state: The tracker's own word: `running`, `finished`, `failed`, `crashed`, ...
        created_at: Unix seconds.
        heartbeat_at: Unix seconds of the newest data.
        config: Plain JSON values, nested.
        summary: Latest value of each key, flattened with dots as W&B shows it.
        url: Page of the run on its server; None offline.
        note: What is to be known of its rows, in words: what could not be read, how they were joined, where it was
            forked from.
        place: `entity/project` as the run's own file says, which its script chose in the end; empty where it does not.
        run_id: The id that its script gave W&B in the place of its name; empty where it gave none.
    """

    name: str
    state: str
    display_name: str = ""
    user: str = ""
    group: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    created_at: float | None = None
    heartbeat_at: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    url: str | None = None
    exit_code: int | None = None
    note: str = ""
    place: str = ""
    run_id: str = ""


@dataclass(frozen=True)
class Origin:
    """Where the rows of a frame come from; every table and chart prints it.

    Attributes:
        source: `offline` or the server's host.
        rows: Rows held.
        total: Rows that the run has, where known.
        complete: Whether no row is missing up to `as_of`.
        as_of: Unix seconds of the reading.
        damage: What could not be read, in words; empty where all could.
        absent: Metrics that were asked for and that the run has not logged up to `as_of`: the frame has no such column.
        note: What else is to be known of where the rows come from, in words; no fault.
        nan_steps: W&B's steps at which a metric was logged as NaN, by metric: the frame alone cannot tell these from
            rows that lack it.
    """

    source: str
    rows: int
    total: int | None
    complete: bool
    as_of: float
    damage: str = ""
    absent: tuple[str, ...] = ()
    note: str = ""
    nan_steps: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """What a table or chart of these rows has to say of them: damage and note; empty where there is nothing."""
        return "; ".join(filter(None, (self.damage, self.note)))


def nan_steps_of(points: Mapping[str, Iterable[tuple[int, float]]]) -> dict[str, tuple[int, ...]]:
    """Return the steps at which a metric is NaN, of those that are it anywhere."""
    found = {key: tuple(step for step, value in held if math.isnan(value)) for key, held in points.items()}
    return {key: steps for key, steps in found.items() if steps}


def absent_from(columns: Iterable[object], keys: Sequence[str] | None) -> tuple[str, ...]:
    """Return the keys asked for that are no column."""
    held = set(columns)
    return tuple(key for key in dict.fromkeys(keys or ()) if key not in held)


@dataclass(frozen=True)
class RunUpdate:
    """What is new in one run since the last poll.

    Attributes:
        info: State, config and summary as they are now.
        rows: New history rows of each key asked for: `{key: [(step, value), ...]}`, ascending steps of W&B's `_step`.
        cursor: What to pass as `since` next time.
        version: Changes whenever anything of the run changed.
        reset: The run's data started over (its file is another one): drop what you hold; `rows` has all there is.
        damage: What of the run could not be read, and how directories of a resumed run were joined; in words.
        total: History rows that the run has, where known.
        sampled: Whether `rows` is a choice of what is new, because there was too much of it.
    """

    info: RunInfo
    rows: Mapping[str, Sequence[tuple[int, float]]]
    cursor: int
    version: str
    reset: bool = False
    damage: str = ""
    total: int | None = None
    sampled: bool = False


@dataclass(frozen=True)
class ReplayFile:
    """One replay that a run recorded.

    Attributes:
        step: Of the checkpoint that was played: agent steps in a file's name, W&B's step of a link that was logged.
        path: File on this machine, or None.
        url: Public address, or None.
        part: 0, or more for another replay of the same step.
        name: What its page calls it, where there are several of a step.
    """

    step: int
    path: str | None
    url: str | None
    label: str
    part: int = 0
    name: str = ""

    @property
    def when(self) -> str:
        """Its step in words, by what it counts, and which of several it is."""
        words = f"{self.step:,} agent steps" if self.path is not None else f"W&B step {self.step:,}"
        which = [f"{self.part + 1}"] if self.part or self.name else []
        return ", ".join([words, " ".join([*which, *([self.name] if self.name else [])])] if which else [words])

    @property
    def key(self) -> int | tuple[int, int]:
        """Its step, and its number where it is not the first of it."""
        return (self.step, self.part) if self.part else self.step


class RunStore(Protocol):
    """Where metrics are read."""

    @property
    def name(self) -> str:
        """`offline`, or `entity/project` of the server's store."""

    def find(self, query: RunQuery) -> list[RunInfo]:
        """Return the runs that match, in the query's order."""

    def poll(
        self, runs: Sequence[str], keys: Sequence[str], since: Mapping[str, int] | None = None
    ) -> dict[str, RunUpdate]:
        """Return what is new in each run that exists.

        Raises:
            StoreError: The store cannot be reached; nothing was read.
        """

    def history(self, run: str, keys: Sequence[str] | None = None) -> tuple[pd.DataFrame, Origin]:
        """Return all rows: `_step`, `_timestamp`, `_runtime` and one column a key, NaN where a row lacks it.

        A key that the run has not logged is no column, and stands in the origin's `absent`.

        Raises:
            StoreError: There is no such run, or the store cannot be reached.
        """

    def logs(self, run: str, *, last: int | None = None) -> list[str]:
        """Return the console lines of the run, oldest first."""

    def replays(self, run: str, metrics: Metrics | None = None) -> list[ReplayFile]:
        """Return the replays of the run, by step.

        Args:
            metrics: What its trainer names: under which keys it logs pages of replays, and how those link to them.
        """


def columns_of(store: RunStore, run: str, keys: Sequence[str]) -> tuple[Mapping[str, npt.NDArray[Any]], Origin]:
    """Return what `history` returns, as an array for each column, not to be written to.

    For whoever reads a thousand runs: making a frame of a run takes longer than reading its rows.

    Raises:
        StoreError: There is no such run, or the store cannot be reached.
    """
    own = getattr(store, "columns", None)
    if own is not None:
        found: tuple[Mapping[str, npt.NDArray[Any]], Origin] = own(run, keys)
        return found
    frame, origin = store.history(run, keys)
    return {str(key): column.to_numpy() for key, column in frame.items()}, origin


def keep_decoded(store: RunStore) -> None:
    """Have a store keep what it decoded of runs that have ended, where it keeps such: who reads many says when."""
    settle = getattr(store, "settle", None)
    if settle is not None:
        settle()


@dataclass(frozen=True)
class RunQuery:
    """Which runs, and in what order.

    Attributes:
        names: Run ids; None for any.
        tags_any: At least one of these tags.
        tags_all: All of these tags.
        name_pattern: Regular expression on the display name.
        created_after: Unix seconds.
        config: `{dotted key: value or {operator: value}}`.
        summary: The same on the summary.
        order: `-created_at`, `heartbeat_at`, `summary_metrics.<key>`, ...; a leading minus is descending.
    """

    names: Sequence[str] | None = None
    author: str | None = None
    group: str | None = None
    tags_any: Sequence[str] = ()
    tags_all: Sequence[str] = ()
    state: str | Sequence[str] | None = None
    name_pattern: str | None = None
    created_after: float | None = None
    created_before: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    order: str = "-created_at"
    limit: int | None = 50
