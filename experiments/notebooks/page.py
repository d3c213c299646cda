"""What the parts of a study's page share: what they are about, what they tell each other, how each is shown."""

from __future__ import annotations

import html
import queue
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import marimo as mo

from experiments.jobs.journal import Journal
from experiments.jobs.permits import on_a_page
from experiments.monitoring import Snapshot, monitor_for
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.styles import warning
from experiments.project.errors import ExperimentsError
from experiments.project.look import plain_logger, plain_text
from experiments.results.logged import logged_metrics
from experiments.results.scores import known_statuses
from experiments.types import TERMINAL_VERDICTS, JobRef

Made = TypeVar("Made")

_TICK_S = 0.5
_LEAST_S = 1.0
_REST, _LONGEST_S = 20.0, 60.0
"""A page rests so many times as long as it worked to take the news in: its charts say how old they are."""
_PAGES = 5
"""So many pages of one server are drawn as if each were alone."""
_CELLS_S = 5.0
"""Cells that read `news()` run again so often at most: a page fades what runs, and a person may be reading."""
_CELLS_PER_RUN_S = 0.6
"""What they do grows with the runs: a person's own cell reads and draws all rows of all of them."""
_LOOK_S = 3.0
"""So often a page looks whether something was recorded that is no news of a run."""
_log = plain_logger(__name__)


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
        hidden_names: What somebody hid in it, `runs` and `arms` by name.
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
        pools = journal.rule is not None and journal.rule.pool_codes
        self.experiment = replace(experiment, pool_codes=True) if pools else experiment
        self.recorded, self.journal = tuple(recorded), journal
        self.with_launched, self.may_launch = with_launched, may_launch
        self.selected: list[str] = []
        self.hidden_names: Mapping[str, Sequence[str]] = {"runs": (), "arms": ()}
        self.turn = threading.RLock()
        # The cell whose button launches reads it, too.
        self.known, self._set_known = mo.state(self._look(()), allow_self_loops=True)
        self.chosen, self._set_chosen = mo.state(Chosen())
        # As the cell of a search does, whose buttons freeze and expand it.
        self.news, self._set_news = mo.state(0, allow_self_loops=True)

    @property
    def jobs(self) -> list[JobRef]:
        """The jobs of the file, then those that the ledger has beside them."""
        return list(self.known().jobs)

    @property
    def hidden(self) -> list[str]:
        """Names of the runs that are hidden, with an arm's newest: no curve is drawn of them, and all counts them."""
        runs, arms = set(self.hidden_names["runs"]), set(self.hidden_names["arms"])
        return [job.run for job in self.jobs if job.run in runs or job.arm in arms] if runs or arms else []

    @abstractmethod
    def select(self, runs: list[str]) -> None:
        """Have these runs stand out in the charts."""

    @abstractmethod
    def hide(self, names: Mapping[str, Sequence[str]]) -> None:
        """Draw no curve of these `runs` and `arms`."""

    @abstractmethod
    def refresh_parts(self) -> None:
        """Change all parts in place."""

    def has_moved(self) -> bool:
        """Tell whether something is recorded that no part shows yet, though no run has news."""
        return False

    def is_unseen(self) -> bool:
        """Tell whether the page has not shown yet what it was sent last: it is slow, or nobody looks at it."""
        return False

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
        metrics = logged_metrics(self.experiment.run_infos(jobs))
        return Known(tuple(jobs), tuple(metrics), launches, tuple(sorted(ended)))


class Section(ABC):
    """One part of a study's page: made once, shown by a cell, drawn again in its place.

    A subclass says what stands on a page that somebody looks at, and what is left of it in a file or a script.
    """

    def __init__(self, study: Subject) -> None:
        self.study = study

    @abstractmethod
    def page(self) -> Any:
        """Return what a page shows."""

    def refresh(self) -> None:  # noqa: B027 - what stays as it is has nothing to change
        """Change in place what has news; called from a thread of the study, which holds `study.turn`."""

    def still(self) -> Any:
        """Return what stays where nobody can press anything: by default the same."""
        return self.page()

    def _display_(self) -> Any:
        try:
            return self.page() if on_a_page() else self.still()
        except ExperimentsError as error:
            return warning(self.study.experiment.told(error))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one part, the page lives
            _log.exception("section %s", type(self).__name__)
            return _failed(self, error)


class Changing(Section):
    """A section of which elements come and go: where another run is chosen, or a part is opened."""

    _maker: Maker | None = None

    def made(self, maker: Callable[[], Made]) -> Made:
        """Return what `maker` makes: elements of the cell that called this first, each with a name of its own."""
        if self._maker is None:
            self._maker = self.study.maker(type(self).__name__)
        return maker() if self._maker is None else self._maker.make(maker)

    def _display_(self) -> Any:
        return self.made(super()._display_)


class Maker:
    """A thread that makes what a cell shows, with names of its own for all that can be pressed.

    marimo counts the elements of a cell anew in each of its runs and for each press: made there, two that stand on a
    page at once would have one name, and a press of the one would reach the other. Here the count goes on. Start it
    in a cell: what is made belongs to that cell.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._has_ended = False
        self._thread = mo.Thread(target=self._run, daemon=True, name=name)
        self._thread.start()

    def make(self, maker: Callable[[], Made]) -> Made:
        """Return what `maker` makes in this thread, or in the caller's where this one has ended; raises what it raises.

        A person who interrupts the cell of the study ends its thread.
        """
        if threading.current_thread() is self._thread:
            return maker()
        made: Future[Made] = Future()

        def work() -> None:
            try:
                made.set_result(maker())
            except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
                made.set_exception(error)

        self._asked.put(work)
        while not wait([made], timeout=_TICK_S).done:
            if not self._thread.is_alive() and not made.done():
                work()
        return made.result()

    def end(self) -> None:
        """End once all is made that was asked for."""
        self._asked.put(self._end)

    def _run(self) -> None:
        while not self._has_ended:
            self._asked.get()()

    def _end(self) -> None:
        self._has_ended = True


def rest_s(worked_s: float, pages: int = 1) -> float:
    """Return how long a page rests after it took in news, which was so much work, where so many are open."""
    return min(_LONGEST_S, max(_LEAST_S, _REST * worked_s * _crowd(pages)))


def _crowd(pages: int) -> float:
    """Return how many times longer each of many pages rests: one server draws for all of them."""
    return max(1.0, pages / _PAGES)


class Follower(Maker):
    """Tells a study of every change of its runs, until the cell that made this runs again or its page is closed.

    marimo closes the widgets that a cell made when that cell runs again. What is made here belongs to the cell of the
    study, and so stays while the cells that show it run as often as they like.
    """

    def __init__(self, study: Subject) -> None:
        self._study = study
        self._runs = {job.run for job in study.jobs}
        self._last: object = None
        self._verdicts: Sequence[tuple[str, str]] = ()
        self._is_new = self._is_urgent = False
        self._makers: list[Maker] = []
        super().__init__(f"study {study.experiment.name}")

    def maker(self, name: str) -> Maker:
        """Return a maker for the cell that runs, which ends with the study."""
        self._makers.append(maker := Maker(name))
        if not self._thread.is_alive():
            maker.end()
        return maker

    def _run(self) -> None:
        me = mo.current_thread()
        monitor = monitor_for(self._study.experiment.workspace.state)
        subscription = monitor.subscribe(self._take, refs=self._study.jobs, is_alive=lambda: not me.should_exit)
        next_at, told, looked, is_owed = 0.0, 0.0, 0.0, False
        _followers.add(self)
        try:
            while not me.should_exit:
                self._work(_TICK_S)
                if self._study.is_unseen():
                    continue
                if self._is_new and (self._is_urgent or time.monotonic() >= next_at):
                    self._is_new, self._is_urgent, is_owed, began = False, False, True, time.thread_time()
                    self._study.refresh()
                    next_at = time.monotonic() + rest_s(time.thread_time() - began, len(_followers))
                if time.monotonic() - looked >= _LOOK_S:
                    is_owed, looked = is_owed or self._study.has_moved(), time.monotonic()
                pause_s = max(_CELLS_S, _CELLS_PER_RUN_S * len(self._runs)) * _crowd(len(_followers))
                if is_owed and time.monotonic() - told >= pause_s:
                    told, is_owed = time.monotonic(), False
                    self._study.tell_news()
        finally:
            _followers.discard(self)
            subscription.close()
            for maker in self._makers:
                maker.end()

    def _work(self, patience_s: float) -> None:
        """Do what is asked for, or wait a moment for it."""
        try:
            self._asked.get(timeout=patience_s)()
        except queue.Empty:
            return

    def _take(self, snapshot: Snapshot) -> None:
        """Note whether a snapshot says anything new of the study; called from the Monitor's thread."""
        jobs = [job for job in snapshot.jobs if job.run_name in self._runs or self._is_ours(job.run_name)]
        found: Any = [(job.run_name, job.verdict, job.cost_usd, snapshot.versions.get(job.run_name)) for job in jobs]
        verdicts = [(job.run_name, job.verdict) for job in jobs]
        if self._last not in (None, found):
            # What became of a job is told at once, whatever the last drawing cost; rows can wait.
            self._is_new, self._is_urgent = True, self._is_urgent or verdicts != self._verdicts
        self._last, self._verdicts = found, verdicts

    def _is_ours(self, run: str) -> bool:
        # USER.EXPERIMENT.ARM...: jobs that are launched elsewhere while the page is open.
        parts = run.split(".")
        return len(parts) > 1 and parts[1] == self._study.experiment.name


_followers: weakref.WeakSet[Follower] = weakref.WeakSet()


def stacked(parts: Iterable[Any]) -> mo.Html:
    """Return what there is of `parts`, one below the other."""
    return mo.vstack([part for part in parts if part is not None])


def _failed(section: Section, error: Exception) -> mo.Html:
    """Return a box that says that a section could not be drawn; the rest of the page lives."""
    what = f"{type(section).__name__}: this part could not be drawn ({type(error).__name__}: {error}). "
    return mo.callout(mo.Html(html.escape(plain_text(what) + "The other parts are not touched by it.")), kind="danger")
