"""What a run store is: one way to find runs and to read what is new in them, offline or from the W&B server.

Nothing here imports pandas; frames are made by the callers of `history`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import pandas as pd

AGENT_STEP = "metric/agent_step"
"""Steps of all agents together, as the trainer logs them; W&B's own counter is `_step`."""

REWARD_KEY = "overview/reward"
SPS_KEYS = ("overview/sps", "sps", "steps_per_second", "train/sps", "timing/sps", "performance/sps")
"""Names that trainers have for steps per second; the first is our own trainer's."""

JsonValue: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None


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
    """

    source: str
    rows: int
    total: int | None
    complete: bool
    as_of: float
    damage: str = ""


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
        step: Agent steps of the checkpoint that was played.
        path: File on this machine, or None.
        url: Public address, or None.
    """

    step: int
    path: str | None
    url: str | None
    label: str


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
        """Return all rows: `_step`, `_timestamp`, `_runtime` and one column a key, NaN where a row lacks it."""

    def logs(self, run: str, *, last: int | None = None) -> list[str]:
        """Return the console lines of the run, oldest first."""

    def replays(self, run: str) -> list[ReplayFile]:
        """Return the replays of the run, by step."""


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
