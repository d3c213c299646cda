"""The replays section: a run's replay on the page, and what one chooses it with."""

from __future__ import annotations

from typing import Any

import marimo as mo

from experiments.notebooks.page import Changing, Known, Subject, stacked
from experiments.notebooks.replays import Key, near_click, replay_view, run_dropdown, step_choice
from experiments.notebooks.styles import heading
from experiments.types import JobRef, Metrics


class Replay(Changing):
    """A run's replay, beside that of another run or step if one is chosen; a click on a curve chooses the nearest."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self._known: Known | None = None
        self._point: tuple[str, int] | None = None
        self._run: str | None = None
        self._other: str | None = None
        self._step: Key | None = None
        self._other_step: Key | None = None
        self._pickers: list[Any] = []
        self._steps: Any = None
        self._other_steps: Any = None
        self.viewer: Any = None

    def offer(self, known: Known, point: tuple[str, int] | None) -> None:
        """Have runs and steps offered as they are by now; a new click chooses both."""
        if known.jobs != (self._known.jobs if self._known else None) or point != self._point:
            if point is not None and point != self._point:
                self._run = point[0]
            names = [job.run for job in known.jobs]
            self._run = self._run if self._run in names else next(iter(names), None)
            self._known, self._point = known, point
            self._make()

    def page(self) -> mo.Html:
        """Return the choices above the viewer."""
        if self._run is None:
            return self.still()
        # Where there is nothing to step through, the reason stands in the place of the steps: one line is enough.
        is_empty = self._step is None and self._other is None
        last = self.viewer if is_empty else self._steps
        beside = [] if self._other is None else [self._other_steps]
        run, other = self._pickers
        chosen = mo.hstack([run, last, other, *beside], justify="start", align="center", gap=1.5, wrap=True)
        return stacked([heading("Replays"), chosen, None if is_empty else self.viewer])

    def still(self) -> mo.Html:
        """Return the viewer alone."""
        return stacked([heading("Replays"), self.viewer])

    def _make(self) -> None:
        jobs = self._known.jobs if self._known else ()
        at = None if self._run is None else (self._run, 0)
        self._pickers = [
            run_dropdown(jobs, chosen=at, then=self._run_chosen),
            run_dropdown(jobs, label="Compare with", none="no other run", then=self._other_chosen),
        ]
        self._other = None
        self._find_steps()

    def _find_steps(self) -> None:
        near = near_click(self._run, self._point)
        found = step_choice(
            self.study.experiment, self._run, near=near, then=self._step_chosen, metrics=self._named(self._run)
        )
        self._steps, self._step = found
        self._show()

    def _show(self) -> None:
        run, other = self._known_as(self._run), self._known_as(self._other)
        step, other_step = self._step, self._other_step
        self.viewer = self.study.made(lambda: replay_view(self.study.experiment, run, step, other, other_step))

    def _known_as(self, run: str | None) -> str | JobRef | None:
        """Return the reference to a run that the page has; its name where it has none."""
        jobs = self._known.jobs if self._known else ()
        return next((job for job in jobs if job.run == run), run)

    def _named(self, run: str | None) -> Metrics | None:
        job = self._known_as(run)
        return job.metrics if isinstance(job, JobRef) else None

    def _run_chosen(self, run: str | None) -> None:
        self._run = run
        self.made(self._find_steps)
        mo.output.replace(self)

    def _other_chosen(self, run: str | None) -> None:
        """Show another run at the nearest step; the same run at its first, where the last is what one looks at."""
        self._other = run
        self.made(self._find_other_steps)
        mo.output.replace(self)

    def _find_other_steps(self) -> None:
        step = self._step[0] if isinstance(self._step, tuple) else self._step
        near = None if self._other == self._run else step
        found = step_choice(
            self.study.experiment, self._other, near=near, first="first", label="at step", then=self._other_step_chosen,
            metrics=self._named(self._other),
        )  # fmt: skip
        self._other_steps, self._other_step = found
        self._show()

    def _other_step_chosen(self, step: Key | None) -> None:
        self._other_step = step
        self._show()
        mo.output.replace(self)

    def _step_chosen(self, step: Key | None) -> None:
        self._step = step
        self._show()
        mo.output.replace(self)
