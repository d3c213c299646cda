"""What a study is about, and what its parts ask of it and tell each other; the study itself has the parts."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import marimo as mo

from experiments.jobs.journal import Journal
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.controls import known_runs, logged_metrics
from experiments.notebooks.following import Follower, Made, Maker
from experiments.results.scores import known_statuses
from experiments.types import TERMINAL_VERDICTS, JobRef


@dataclass(frozen=True)
class LaunchOutcome:
    """What came of one click."""

    text: str
    succeeded: bool


@dataclass(frozen=True)
class Known:
    """What there is to choose from so far.

    Attributes:
        jobs: Those of the file, then those that the ledger has beside them.
        metrics: Names of the numbers that their runs have logged, sorted.
        launches: What came of this page's launches, oldest first.
        ended: Names of the runs that have ended, sorted.
    """

    jobs: tuple[JobRef, ...] = ()
    metrics: tuple[str, ...] = ()
    launches: tuple[LaunchOutcome, ...] = ()
    ended: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """What a reader chose above and in the learning curves; everything below them shows the same.

    Attributes:
        value: By the name of the control: `metric`, `axis`, `statistic`, `summary`, `smoothing` and so on.
        runs: Names of the runs that were brushed; empty for all.
        point: Run name and step of the point that was clicked last.
    """

    value: Mapping[str, Any] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    point: tuple[str, int] | None = None


class Subject(ABC):
    """One notebook's experiment: its jobs, its journal, and what was chosen on its page.

    Attributes:
        experiment: Which experiment this is, where its state and its runs are.
        recorded: The jobs that the file names.
        with_launched: Whether the ledger's jobs of this experiment are shown beside them, and more can be launched.
        journal: Hypothesis and rule.
        known: Read as `known()`: jobs, metrics and launches so far, as `Known`.
        chosen: Read as `chosen()`: what was chosen in the curves, as `Chosen`.
        news: Read as `news()`: counts up when runs have new rows or another state.
        selected: Names of the runs that are selected in the table of runs.
        may_launch: Whether a person works in this page's editor: what is offered. An act asks for leave itself.
        turn: Of the page's thread and the one that follows the runs.
    """

    _follower: Follower | None = None

    def __init__(
        self,
        experiment: NotebookContext,
        recorded: Sequence[JobRef],
        journal: Journal,
        *,
        with_launched: bool,
        may_launch: bool,
    ) -> None:
        self.experiment, self.recorded, self.journal = experiment, tuple(recorded), journal
        self.with_launched, self.may_launch = with_launched, may_launch
        self.selected: list[str] = []
        self.turn = threading.RLock()
        # The cell whose button launches reads it, too.
        self.known, self._set_known = mo.state(self._look(()), allow_self_loops=True)
        self.chosen, self._set_chosen = mo.state(Chosen())
        self.news, self._set_news = mo.state(0)

    @property
    def jobs(self) -> list[JobRef]:
        """The jobs of the file, then those that the ledger has beside them."""
        return list(self.known().jobs)

    @abstractmethod
    def select(self, runs: list[str]) -> None:
        """Have these runs stand out in the charts."""

    @abstractmethod
    def refresh_parts(self) -> None:
        """Change all parts in place."""

    def made(self, maker: Callable[[], Made]) -> Made:
        """Return what `maker` makes: widgets that live as long as the study, whichever cell shows them."""
        return maker() if self._follower is None else self._follower.make(maker)

    def maker(self, name: str) -> Maker | None:
        """Return what makes the elements of the cell that runs, as long as the study lives; None in a script."""
        return None if self._follower is None else self._follower.maker(name)

    def choose(self, chosen: Chosen) -> None:
        """Tell the cells below the curves what was chosen there."""
        self._set_chosen(chosen)

    def tell_launch(self, update: Callable[[tuple[LaunchOutcome, ...]], tuple[LaunchOutcome, ...]]) -> None:
        """Tell all cells what came of a launch."""
        self._set_known(self._look(update(self.known().launches)))
        self.refresh()

    def refresh(self) -> None:
        """Change all parts in place, and tell the cells where there is more to choose from."""
        found = self._look(self.known().launches)
        if found != self.known():
            self._set_known(found)
        with self.turn:
            self.refresh_parts()

    def tell_news(self) -> None:
        """Have the cells run again that read `news()`."""
        self._set_news(self.news() + 1)

    def _look(self, launches: tuple[LaunchOutcome, ...]) -> Known:
        jobs = self.experiment.joined(self.recorded) if self.with_launched else self.recorded
        statuses = known_statuses(self.experiment.workspace.state)
        ended = (job.run for job in jobs if job.run in statuses and statuses[job.run].verdict in TERMINAL_VERDICTS)
        metrics = logged_metrics(known_runs(self.experiment, jobs))
        return Known(tuple(jobs), tuple(metrics), launches, tuple(sorted(ended)))
