"""The replays section: which replays a run has recorded, and one of them on the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import marimo as mo

from experiments.errors import UsageError
from experiments.look import quantity
from experiments.notebooks.analysis import Run, default_store, ref_of
from experiments.notebooks.context import NotebookContext
from experiments.runs.store import ReplayFile, RunStore
from experiments.types import JobRef

CELLS = {"replays": ("replay_run", "replay_step", "replay")}

Step = int | Literal["first", "last"]


def replay_run(tracked_jobs: list[JobRef]) -> Any:
    """Let the reader choose a run."""
    run_picker = run_dropdown(tracked_jobs)
    mo.vstack([mo.md("## Replays"), run_picker])
    return run_picker


def replay_step(experiment: NotebookContext, run_picker: mo.ui.dropdown) -> Any:
    """Let the reader choose one of the steps at which the run recorded a replay."""
    step_picker = step_dropdown(experiment, run_picker.value)
    step_picker
    return step_picker


def replay(experiment: NotebookContext, run_picker: mo.ui.dropdown, step_picker: mo.ui.dropdown) -> None:
    """Show the chosen replay."""
    replay_view(experiment, run_picker.value, step_picker.value)


def run_dropdown(jobs: Sequence[JobRef]) -> mo.ui.dropdown:
    """Return a choice of runs by arm and seed; the value is the run name, None where there is no run."""
    options = {f"{job.arm} seed {job.seed}  ({job.run.rsplit('.', 1)[-1]})": job.run for job in jobs}
    return mo.ui.dropdown(options, value=next(iter(options), None), label="Run", searchable=True)


def step_dropdown(experiment: NotebookContext, run: str | None) -> mo.ui.dropdown:
    """Return a choice of the steps at which `run` has a replay, newest first; the value is the step."""
    found = experiment.store.replays(run) if run else []
    options = {f"{quantity(item.step)} agent steps": item.step for item in sorted(found, key=lambda r: -r.step)}
    return mo.ui.dropdown(options, value=next(iter(options), None), label="Step")


def replay_view(experiment: NotebookContext, run: str | None, step: int | None) -> Any:
    """Return the replay of `run` nearest to `step`, or one sentence that says why there is none."""
    if run is None:
        return mo.md("No run yet. Launch one in the section above, and its replays appear here.")
    if step is None:
        return mo.md("This run has recorded no replay yet. The first is written when training starts.")
    return show_replay(run, step, store=experiment.store)


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


def show_replay(run: Run, step: Step = "last", *, store: RunStore | None = None, height: int = 720) -> Any:
    """Show one replay of a run on the page.

    Args:
        step: `first`, `last`, or agent steps: then the nearest replay is shown, and the page says so.
        height: Of the viewer, in pixels.
    """
    name = ref_of(run).run
    found = (store or default_store()).replays(name)
    if not found:
        return mo.md(f"Run `{name}` has recorded no replay yet.")
    chosen = nearest_replay(found, step)
    said = f"Replay at {chosen.step:,} agent steps"
    if isinstance(step, int) and chosen.step != step:
        said += f", the nearest to {step:,}"
    return mo.vstack([mo.md(said), _viewer(chosen, height)])


def _viewer(chosen: ReplayFile, height: int) -> Any:
    from widgets.replay.viewer import ReplayViewer

    return mo.ui.anywidget(ReplayViewer(chosen.path or chosen.url, height=height))
