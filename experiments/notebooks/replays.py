"""The replays section: which replays a run has recorded, and one of them on the page."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import marimo as mo

from experiments.errors import ExperimentsError, UsageError
from experiments.look import quantity
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.run_names import Run, ref_of
from experiments.notebooks.styles import warning
from experiments.runs.store import ReplayFile, RunStore
from experiments.types import JobRef
from experiments.wandb_utils import default_store

CELLS = {"replays": ("replay_other", "replay_runs", "replay_step", "replay")}

Step = int | Literal["first", "last"]
Clicked = tuple[str, int]
"""Run name and agent steps of a point of a learning curve."""


def replay_other(tracked_jobs: list[JobRef]) -> Any:
    """Let the reader choose a second run to compare with; shown beside the first."""
    other_picker = run_dropdown(tracked_jobs, label="Compare with", none="no other run")
    return other_picker


def replay_runs(tracked_jobs: list[JobRef], clicked_point: Any, other_picker: Any) -> Any:
    """Let the reader choose a run; a click on a learning curve chooses it too."""
    run_picker = run_dropdown(tracked_jobs, chosen=clicked_point())
    mo.vstack([mo.md("## Replays"), mo.hstack([run_picker, other_picker], justify="start", gap=1.5)])
    return run_picker


def replay_step(experiment: NotebookContext, run_picker: Any, clicked_point: Any) -> Any:
    """Let the reader choose one of the steps at which the run recorded a replay; a click chooses the nearest."""
    step_picker = step_dropdown(experiment, run_picker.value, near=near_click(run_picker.value, clicked_point()))
    step_picker
    return step_picker


def replay(experiment: NotebookContext, run_picker: Any, other_picker: Any, step_picker: Any) -> Any:
    """Show the chosen replay, or two side by side; `viewer.step` leads the page and follows it."""
    viewer = replay_view(experiment, run_picker.value, step_picker.value, other_picker.value)
    viewer
    return viewer


def run_dropdown(
    jobs: Sequence[JobRef], *, label: str = "Run", none: str | None = None, chosen: Clicked | None = None
) -> mo.ui.dropdown:
    """Return a choice of runs by arm and seed; the value is the run name, None where there is no run.

    Args:
        none: Words for no run, chosen at first; without it the first run is.
        chosen: Point of a learning curve, whose run is chosen at first.
    """
    options: dict[str, str | None] = {} if none is None else {none: None}
    options |= {f"{job.arm} seed {job.seed}  ({job.run.rsplit('.', 1)[-1]})": job.run for job in jobs}
    clicked = next((text for text, run in options.items() if chosen is not None and run == chosen[0]), None)
    first = clicked or next(iter(options), None)
    return mo.ui.dropdown(options, value=first, label=label, searchable=len(options) > 8)


def near_click(run: str | None, point: Clicked | None) -> int | None:
    """Return the agent steps of a clicked point where it lies on the curve of `run`; else None."""
    return point[1] if point is not None and point[0] == run else None


def step_dropdown(experiment: NotebookContext, run: str | None, *, near: int | None = None) -> mo.ui.dropdown:
    """Return a choice of the steps at which `run` has a replay; the value is the step.

    Args:
        near: Agent steps, as clicked on a learning curve: the nearest replay is chosen; None for the newest.
    """
    try:
        found = experiment.store.replays(run) if run else []
    except ExperimentsError:
        found = []  # the replay's own cell says why
    options = {f"{quantity(item.step)} agent steps": item.step for item in sorted(found, key=lambda r: -r.step)}
    chosen = nearest_replay(found, "last" if near is None else near).step if found else None
    label = next((text for text, step in options.items() if step == chosen), None)
    return mo.ui.dropdown(options, value=label, label="Step")


def replay_view(experiment: NotebookContext, run: str | None, step: int | None, other: str | None = None) -> Any:
    """Return the replay of `run` nearest to `step`, beside that of `other`, or one sentence that says why not."""
    if run is None:
        return mo.md("No run yet. Once one is launched, its replays appear here.")
    cache = experiment.workspace.state / "cache" / "replays"
    try:
        if step is None and not experiment.store.replays(run):
            return mo.md("This run has recorded no replay yet. The first is written when training starts.")
        wanted: Step = "last" if step is None else step
        if other is None:
            return show_replay(run, wanted, store=experiment.store, cache_dir=cache)
        return compare_replays(run, other, wanted, store=experiment.store, cache_dir=cache)
    except ExperimentsError as error:
        return warning(error)


def get_available_replays(run: Run, *, store: RunStore | None = None) -> list[dict[str, Any]]:
    """Return the replays of a run, by step: dicts with `step` (agent steps), `url`, `filename` and `label`.

    `url` is None for a replay that is only a file on this machine, whose path is then `filename`.
    """
    found = (store or default_store()).replays(ref_of(run).run)
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
        raise UsageError(f"step {step!r} is not a replay's step. Use 'first', 'last' or a number of agent steps.")
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
        step: `first`, `last`, or agent steps: then the nearest replay is shown, and its title says so.
        height: Of the viewer, in pixels.
        cache_dir: Folder of encoded replays.

    Returns:
        The viewer as a marimo element (its `step` can be read and set), or a sentence where there is none to show.
    """
    name = ref_of(run).run
    chosen = _chosen(store or default_store(), name, step)
    if chosen is None:
        return mo.md(f"Run `{name}` has recorded no replay yet.")

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
    """
    source = store or default_store()
    names = [ref_of(item).run for item in (run, other)]
    left, right = (_chosen(source, name, step) for name in names)
    if left is None or right is None:
        missing = names[0] if left is None else names[1]
        return mo.md(f"Run `{missing}` has recorded no replay yet.")

    def make() -> Any:
        from widgets.replay import ReplayCompare

        titles = (_title(names[0], left, step), _title(names[1], right, step))
        return ReplayCompare(_source(left), _source(right), labels=titles, cache_dir=cache_dir)

    return _on_page(make)


def _chosen(store: RunStore, run: str, step: Step) -> ReplayFile | None:
    found = store.replays(run)
    return nearest_replay(found, step) if found else None


def _title(run: str, chosen: ReplayFile, asked: Step) -> str:
    ref = ref_of(run)
    text = f"{ref.arm} seed {ref.seed} at {chosen.step:,} agent steps"
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
