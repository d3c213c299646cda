"""The replays section: which replays a run has recorded, and one of them on the page."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import marimo as mo

from experiments.jobs.finding import Run, here, known_runs, ref_of
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.page import Changing, Known, Subject, stacked
from experiments.notebooks.styles import as_markdown, heading, warning
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import quantity
from experiments.results.scores import known_statuses
from experiments.runs.opening import default_store
from experiments.runs.store import ReplayFile, RunStore
from experiments.types import TERMINAL_VERDICTS, JobRef

Step = int | Literal["first", "last"]
Clicked = tuple[str, int]
"""Run name and step of a point of a learning curve, as the run counts."""


def run_dropdown(
    jobs: Sequence[JobRef],
    *,
    label: str = "Run",
    none: str | None = None,
    chosen: Clicked | None = None,
    then: Callable[[Any], None] | None = None,
) -> mo.ui.dropdown:
    """Return a choice of runs by arm and seed; the value is the run name, None where there is no run.

    Args:
        none: Words for no run, chosen at first; without it the first run is.
        chosen: Point of a learning curve, whose run is chosen at first.
        then: Called with each new choice.
    """
    options: dict[str, str | None] = {} if none is None else {none: None}
    options |= {f"{job.arm} seed {job.seed}  ({job.run.rsplit('.', 1)[-1]})": job.run for job in jobs}
    clicked = next((text for text, run in options.items() if chosen is not None and run == chosen[0]), None)
    first = clicked or next(iter(options), None)
    return mo.ui.dropdown(options, value=first, label=label, searchable=len(options) > 8, on_change=then)


def near_click(run: str | None, point: Clicked | None) -> int | None:
    """Return the step of a clicked point where it lies on the curve of `run`; else None."""
    return point[1] if point is not None and point[0] == run else None


def step_dropdown(experiment: NotebookContext, run: str | None, *, near: int | None = None) -> mo.ui.dropdown:
    """Return a choice of the steps at which `run` has a replay; the value is the step.

    Args:
        near: Agent steps, as clicked on a learning curve: the nearest replay is chosen; None for the newest.
    """
    return step_choice(experiment, run, near=near)[0]


def step_choice(
    experiment: NotebookContext,
    run: str | None,
    *,
    near: int | None = None,
    then: Callable[[Any], None] | None = None,
) -> tuple[mo.ui.dropdown, int | None]:
    """Return `step_dropdown`, which calls `then` with each new choice, and the step that it begins with."""
    try:
        found = experiment.store.replays(run) if run else []
    except ExperimentsError:
        found = []  # the replay's own cell says why
    newest = sorted(found, key=lambda item: -item.step)
    options = {item.when.replace(f"{item.step:,}", quantity(item.step)): item.step for item in newest}
    chosen = nearest_replay(found, "last" if near is None else near).step if found else None
    label = next((text for text, step in options.items() if step == chosen), None)
    return mo.ui.dropdown(options, value=label, label="Step", on_change=then), chosen


def replay_view(experiment: NotebookContext, run: str | None, step: int | None, other: str | None = None) -> Any:
    """Return the replay of `run` nearest to `step`, beside that of `other`, or one sentence that says why not."""
    if run is None:
        return mo.md("No run yet. Once one is launched, its replays appear here.")
    cache = experiment.workspace.state / "cache" / "replays"
    try:
        if step is None and not experiment.store.replays(run):
            return mo.md(_no_replay_words(experiment, run))
        wanted: Step = "last" if step is None else step
        if other is None:
            return show_replay(ref_of(run), wanted, store=experiment.store, cache_dir=cache)
        return compare_replays(ref_of(run), ref_of(other), wanted, store=experiment.store, cache_dir=cache)
    except ExperimentsError as error:
        return warning(error)


def _no_replay_words(experiment: NotebookContext, run: str) -> str:
    status = known_statuses(experiment.workspace.state).get(run)
    if status is not None and status.verdict in TERMINAL_VERDICTS:
        return "This run has recorded no replay, and it has ended."
    return "This run has recorded no replay yet. One appears here once its trainer writes it."


def get_available_replays(run: Run, *, store: RunStore | None = None) -> list[dict[str, Any]]:
    """Return the replays of a run, by step: dicts with `step` (as `label` says it), `url`, `filename` and `label`.

    `url` is None for a replay that is only a file on this machine, whose path is then `filename`. A job that has not
    recorded one yet has none.

    Raises:
        StoreError: There is no such run, or the server cannot be reached.
    """
    found = _recorded(run, store)
    return [
        {"step": item.step, "url": item.url, "filename": item.path, "label": item.label}
        for item in sorted(found, key=lambda item: item.step)
    ]


def nearest_replay(found: Sequence[ReplayFile], step: Step) -> ReplayFile:
    """Return the first, the last, or the replay nearest to `step`; the earlier one of two at the same distance.

    Raises:
        UsageError: `step` is none of these.
    """
    ordered = sorted(found, key=lambda item: item.step)
    if step == "first":
        return ordered[0]
    if step == "last":
        return ordered[-1]
    if isinstance(step, bool) or not isinstance(step, int):
        raise UsageError(f"step {step!r} is not a replay's step. Use 'first', 'last' or a number of steps.")
    return min(ordered, key=lambda item: abs(item.step - step))


def show_replay(
    run: Run,
    step: Step = "last",
    *,
    store: RunStore | None = None,
    height: int = 720,
    cache_dir: Path | None = None,
) -> Any:
    """Show one replay of a run on the page.

    Args:
        step: `first`, `last`, or a number of steps: then the nearest replay is shown, and its title says so.
        height: Of the viewer, in pixels.
        cache_dir: Folder of encoded replays.

    Returns:
        The viewer as a marimo element (its `step` can be read and set), or a sentence where there is none to show.

    Raises:
        StoreError: There is no such run, or the server cannot be reached.
        UsageError: `step` is none of these.
    """
    name = ref_of(run).run
    chosen = _chosen(run, step, store)
    if chosen is None:
        return mo.md(f"Run {as_markdown(name)} has recorded no replay so far.")

    def make() -> Any:
        from widgets.replay import ReplayViewer

        title = _title(name, chosen, step)
        return ReplayViewer(_source(chosen), label=title, cache_dir=cache_dir, height=height)

    return _on_page(make)


def compare_replays(
    run: Run, other: Run, step: Step = "last", *, store: RunStore | None = None, cache_dir: Path | None = None
) -> Any:
    """Show the replays of two runs side by side, locked to the same step of the episode.

    Args:
        step: As for `show_replay`; of each run, the replay nearest to it.
        cache_dir: Folder of encoded replays.

    Raises:
        StoreError: There is no such run, or the server cannot be reached.
        UsageError: `step` is none of those.
    """
    names = [ref_of(item).run for item in (run, other)]
    left, right = (_chosen(item, step, store) for item in (run, other))
    if left is None or right is None:
        missing = names[0] if left is None else names[1]
        return mo.md(f"Run {as_markdown(missing)} has recorded no replay so far.")

    def make() -> Any:
        from widgets.replay import ReplayCompare

        titles = (_title(names[0], left, step), _title(names[1], right, step))
        return ReplayCompare(_source(left), _source(right), labels=titles, cache_dir=cache_dir)

    return _on_page(make)


def _chosen(run: Run, step: Step, store: RunStore | None) -> ReplayFile | None:
    found = _recorded(run, store)
    return nearest_replay(found, step) if found else None


def _recorded(run: Run, store: RunStore | None) -> list[ReplayFile]:
    """Return the replays of a run; a name that is none is refused, for it must not look like a run without replays."""
    place = store or default_store()
    found = place.replays(ref_of(run).run)
    if not found:
        known_runs(run, place, here() if store is None else None)
    return found


def _title(run: str, chosen: ReplayFile, asked: Step) -> str:
    ref = ref_of(run)
    text = f"{ref.arm} seed {ref.seed} at {chosen.when}"
    return text if asked in ("first", "last", chosen.step) else f"{text}, the nearest to {asked:,}"


def _source(chosen: ReplayFile) -> Path | str:
    return Path(chosen.path) if chosen.path is not None else str(chosen.url)


def _on_page(make: Callable[[], Any]) -> Any:
    """Return the widget that `make` makes as a marimo element; what it cannot open is said in its place."""
    from widgets.replay import ReplayError

    try:
        return mo.ui.anywidget(make())
    except ReplayError as error:
        return mo.callout(mo.Html(html.escape(f"This replay cannot be shown: {error}")), kind="warn")


class Replay(Changing):
    """A run's replay, beside that of another where one is chosen; a click on a learning curve chooses the nearest."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self._known: Known | None = None
        self._point: tuple[str, int] | None = None
        self._run: str | None = None
        self._other: str | None = None
        self._step: int | None = None
        self._pickers: list[Any] = []
        self._steps: Any = None
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
        chosen = mo.hstack([*self._pickers, last], justify="start", align="center", gap=1.5, wrap=True)
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
        found = step_choice(self.study.experiment, self._run, near=near, then=self._step_chosen)
        self._steps, self._step = found
        self._show()

    def _show(self) -> None:
        run, step, other = self._run, self._step, self._other
        self.viewer = self.study.made(lambda: replay_view(self.study.experiment, run, step, other))

    def _run_chosen(self, run: str | None) -> None:
        self._run = run
        self.made(self._find_steps)
        mo.output.replace(self)

    def _other_chosen(self, run: str | None) -> None:
        self._other = run
        self._show()
        mo.output.replace(self)

    def _step_chosen(self, step: int | None) -> None:
        self._step = step
        self._show()
        mo.output.replace(self)
