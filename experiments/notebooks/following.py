"""The threads of a study: one follows the runs for the cells of a page; all make what outlives a run of a cell."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, Protocol, TypeVar

import marimo as mo

from experiments.monitoring import Snapshot, monitor_for
from experiments.notebooks.context import NotebookContext
from experiments.types import JobRef

Made = TypeVar("Made")

_TICK_S = 0.5
_LEAST_S = 1.0
_REST = 4.0
"""A page rests so many times as long as it took to take the news in, so that it stays free for the person."""
_CELLS_S = 5.0
"""Cells that read `news()` run again so often at most: a page fades what runs, and a person may be reading."""
_CELLS_PER_RUN_S = 0.5
"""What they do grows with the runs: a person's own cell reads and draws all rows of all of them."""


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


class Followed(Protocol):
    """What is told of every change of its runs."""

    experiment: NotebookContext

    @property
    def jobs(self) -> list[JobRef]:
        """Its jobs so far."""

    def refresh(self) -> None:
        """Take in what is new."""

    def tell_news(self) -> None:
        """Have the cells run again that read it."""


class Follower(Maker):
    """Tells a study of every change of its runs, until the cell that made this runs again or its page is closed.

    marimo closes the widgets that a cell made when that cell runs again. What is made here belongs to the cell of the
    study, and so stays while the cells that show it run as often as they like.
    """

    def __init__(self, study: Followed) -> None:
        self._study = study
        self._runs = {job.run for job in study.jobs}
        self._last: object = None
        self._is_new = False
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
        next_at, told, is_owed = 0.0, 0.0, False
        try:
            while not me.should_exit:
                self._work(_TICK_S)
                if self._is_new and time.monotonic() >= next_at:
                    self._is_new, is_owed, began = False, True, time.monotonic()
                    self._study.refresh()
                    took = time.monotonic() - began
                    next_at = began + took + max(_LEAST_S, _REST * took)
                if is_owed and time.monotonic() - told >= max(_CELLS_S, _CELLS_PER_RUN_S * len(self._runs)):
                    told, is_owed = time.monotonic(), False
                    self._study.tell_news()
        finally:
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
        if self._last not in (None, found):
            self._is_new = True
        self._last = found

    def _is_ours(self, run: str) -> bool:
        # USER.EXPERIMENT.ARM...: jobs that are launched elsewhere while the page is open.
        parts = run.split(".")
        return len(parts) > 1 and parts[1] == self._study.experiment.name
