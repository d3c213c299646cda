"""Which replays a run has recorded, and one of them on the page."""

from __future__ import annotations

import html
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import marimo as mo

from experiments.jobs.finding import Run, here, known_runs, ref_of
from experiments.jobs.permits import page_mode
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.styles import as_markdown, sentence, typed, warning
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import quantity
from experiments.results.scores import known_statuses
from experiments.runs.opening import default_store
from experiments.runs.store import ReplayFile, RunStore
from experiments.types import TERMINAL_VERDICTS, JobRef, Metrics

if TYPE_CHECKING:
    from widgets.replay import Limits

OPEN_LARGE = "Open it all the same: it may take gigabytes of memory"
SAVE_LARGE = "A saved page holds it only where a cell shows it so: show_replay(run, limits=Limits.large)."
Key = int | tuple[int, int]
"""A step, and the number of a replay where a step has several; see `ReplayFile.key`."""

Step = Key | Literal["first", "last"]
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
    options |= {f"{job.label}  ({job.run.rsplit('.', 1)[-1]})": job.run for job in jobs}
    clicked = next((text for text, run in options.items() if chosen is not None and run == chosen[0]), None)
    first = clicked or next(iter(options), None)
    # As wide as its page where the page is narrower than the longest of the names.
    is_many = len(options) > 8
    return mo.ui.dropdown(options, value=first, label=label, searchable=is_many, on_change=then, full_width=True)


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
    first: Literal["first", "last"] = "last",
    label: str = "Step",
    then: Callable[[Any], None] | None = None,
    metrics: Metrics | None = None,
) -> tuple[mo.ui.dropdown, Key | None]:
    """Return `step_dropdown`, which calls `then` with each new choice, and the step that it begins with.

    Args:
        first: Which replay is chosen at first where no step is `near`.
        label: Words before the choice.
        metrics: What the run's trainer names.
    """
    try:
        found = experiment.store.replays(run, metrics) if run else []
    except ExperimentsError:
        found = []  # the replay's own cell says why
    newest = sorted(found, key=lambda item: -item.step)
    options = {item.when.replace(f"{item.step:,}", quantity(item.step)): item.key for item in newest}
    chosen = nearest_replay(found, first if near is None else near).key if found else None
    shown = next((text for text, step in options.items() if step == chosen), None)
    return mo.ui.dropdown(options, value=shown, label=label, on_change=then), chosen


def replay_view(
    experiment: NotebookContext,
    run: str | JobRef | None,
    step: Key | None,
    other: str | JobRef | None = None,
    other_step: Key | None = None,
) -> Any:
    """Return the replay of `run` nearest to `step`, beside that of `other`, or one sentence that says why not.

    Args:
        run: Its name, or a reference, which also says how its trainer logs replays.
        other_step: Of `other`; that of `run` where it is None.
    """
    if run is None:
        return mo.md("No run yet. Once one is launched, its replays appear here.")
    cache = experiment.workspace.state / "cache" / "replays"
    try:
        if step is None and not experiment.store.replays(ref_of(run).run, ref_of(run).metrics):
            return mo.md(_no_replay_words(experiment, ref_of(run).run))
        wanted: Step = "last" if step is None else step
        if other is None:
            return show_replay(ref_of(run), wanted, store=experiment.store, cache_dir=cache)
        beside: Step = wanted if other_step is None else other_step
        return compare_replays(
            ref_of(run), ref_of(other), wanted, other_step=beside, store=experiment.store, cache_dir=cache
        )
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

    Example:
        >>> from experiments import get_available_replays
        >>> [replay["step"] for replay in get_available_replays("ada.study.a.s0.abcdefgh")]
        [100, 300]
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
    if isinstance(step, tuple):
        exact = next((item for item in ordered if item.key == step), None)
        return exact or nearest_replay(found, step[0])
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
    limits: Limits | None = None,
) -> Any:
    """Show one replay of a run on the page.

    Args:
        step: `first`, `last`, or a number of steps: then the nearest replay is shown, and its title says so.
        height: Of the viewer, in pixels.
        cache_dir: Folder of encoded replays.
        limits: How large it may be (`widgets.replay.Limits`); None is the default, and a button opens what is larger.

    Returns:
        The viewer as a marimo element (its `step` can be read and set), or a sentence where there is none to show.

    Raises:
        StoreError: There is no such run, or the server cannot be reached.
        UsageError: `step` is none of these.

    Example:
        >>> from experiments import show_replay
        >>> viewer = show_replay("ada.study.a.s0.abcdefgh", 250)  # the nearest to 250 steps
        >>> viewer.step
        0
    """
    name = ref_of(run).run
    chosen = _chosen(run, step, store)
    if chosen is None:
        return mo.md(f"Run {as_markdown(name)} has recorded no replay so far.")

    def make(limits: Limits) -> Any:
        from widgets.replay import ReplayViewer

        title = _title(name, chosen, step)
        return ReplayViewer(
            _source(chosen),
            label=title,
            cache_dir=cache_dir,
            height=height,
            limits=limits,
            drops=page_mode() == "edit",  # who may only look gives the server no files to read
        )

    return on_page(make, limits, [_source(chosen)])


def compare_replays(
    run: Run,
    other: Run,
    step: Step = "last",
    *,
    other_step: Step | None = None,
    store: RunStore | None = None,
    cache_dir: Path | None = None,
    limits: Limits | None = None,
) -> Any:
    """Show two replays side by side, locked to the same step of the episode: of two runs, or of one at two steps.

    Args:
        step: As for `show_replay`; of each run, the replay nearest to it.
        other_step: The same of `other` alone: `compare_replays(run, run, "first", other_step="last")`.
        cache_dir: Folder of encoded replays.
        limits: As for `show_replay`.

    Raises:
        StoreError: There is no such run, or the server cannot be reached.
        UsageError: `step` is none of those.
    """
    names = [ref_of(item).run for item in (run, other)]
    steps: tuple[Step, Step] = (step, step if other_step is None else other_step)
    left, right = _chosen(run, steps[0], store), _chosen(other, steps[1], store)
    if left is None or right is None:
        missing = names[0] if left is None else names[1]
        return mo.md(f"Run {as_markdown(missing)} has recorded no replay so far.")

    def make(limits: Limits) -> Any:
        from widgets.replay import ReplayCompare

        titles = (_title(names[0], left, steps[0]), _title(names[1], right, steps[1]))
        return ReplayCompare(_source(left), _source(right), labels=titles, cache_dir=cache_dir, limits=limits)

    return on_page(make, limits, [_source(left), _source(right)])


def _chosen(run: Run, step: Step, store: RunStore | None) -> ReplayFile | None:
    found = _recorded(run, store)
    return nearest_replay(found, step) if found else None


def _recorded(run: Run, store: RunStore | None) -> list[ReplayFile]:
    """Return the replays of a run; a name that is none is refused, for it must not look like a run without replays."""
    place = store or default_store()
    ref = ref_of(run)
    found = place.replays(ref.run, ref.metrics)
    if not found:
        known_runs(run, place, here() if store is None else None)
    return found


def _title(run: str, chosen: ReplayFile, asked: Step) -> str:
    text = f"{ref_of(run).label} at {chosen.when}"
    wanted = asked[0] if isinstance(asked, tuple) else asked
    return text if wanted in ("first", "last", chosen.step) else f"{text}, the nearest to {wanted:,}"


def _near(path: Path) -> str:
    """Return a file as commands take it in the working folder, where it lies in there."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _source(chosen: ReplayFile) -> Path | str:
    return Path(chosen.path) if chosen.path is not None else str(chosen.url)


def on_page(make: Callable[[Limits], Any], limits: Limits | None = None, sources: Sequence[Path | str] = ()) -> Any:
    """Return the widget that `make` makes as a marimo element; what it cannot open is said in its place.

    What is larger than the default limits says its size, and is opened where one asks for it.

    Args:
        sources: What it is to show: of files that cannot be read it is said which they are, and what tells more.
    """
    from widgets.replay import Limits, ReplayError
    from widgets.replay.codec.errors import LimitError

    try:
        return mo.ui.anywidget(make(limits or Limits.default))
    except ReplayError as error:
        can_be_opened = limits is None and isinstance(error, LimitError)
        words = f"This replay cannot be shown: {error}" + (f" {SAVE_LARGE}" if can_be_opened else "")
        said = mo.callout(mo.Html(html.escape(words)), kind="warn")
        if not can_be_opened:
            files = [_near(one) for one in sources if isinstance(one, Path)]
            commands = [typed(shlex.join(["uv", "run", "experiments", "replay", "inspect", one])) for one in files]
            return mo.vstack([said, sentence("What the file holds:"), *commands]) if files else said
        # Its content is made when it is opened: nothing runs anew, and a saved page says that it was not opened.
        return mo.vstack([said, mo.accordion({OPEN_LARGE: lambda: on_page(make, Limits.large)}, lazy=True)])
