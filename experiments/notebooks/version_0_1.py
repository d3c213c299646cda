"""What cells of notebooks that version 0.1 made call, over the parts of today.

They import it from where it was then: `project.old_paths` leads here, and to `analysis`, `monitoring`, `replays` and
`training`, which have the rest. Such a cell hands in, last, what it waits for; nobody reads that.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import marimo as mo

from experiments.jobs import permits
from experiments.jobs.journal import Journal
from experiments.jobs.permits import is_edited, on_a_page
from experiments.notebooks import curves, details, job_log, training
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.controls import controls_line, controls_of
from experiments.notebooks.curves import brushed_runs, clicked_lines, comparison_lines, step_at
from experiments.notebooks.details import SMALL, SPEED, view_names
from experiments.notebooks.job_log import SetLaunches, lines_dropdown, log_view, retry_buttons, triage_view
from experiments.notebooks.paper import paper_part
from experiments.notebooks.parts import export_hint, write_log
from experiments.notebooks.shared import chart_widget
from experiments.notebooks.styles import Line, lines_html
from experiments.notebooks.tables import differences, groups
from experiments.notebooks.tables.differences import diff_inputs
from experiments.notebooks.tables.groups import group_picker
from experiments.notebooks.tables.runs import selected_runs, table_downloads
from experiments.notebooks.training import PlanPreview, launch_outcome, launch_plan_of, plan_preview, run_inputs
from experiments.notebooks.verdict import hypothesis_lines, log_lines, note_form, rule_lines, verdict_lines
from experiments.results.logged import logged_metrics
from experiments.types import JobRef

_chosen: weakref.WeakKeyDictionary[threading.Thread, dict[tuple[str, str], dict[str, Any]]] = (
    weakref.WeakKeyDictionary()
)


def _without_news(show: Callable[..., Any], number: int) -> Callable[..., Any]:
    """Return `show` for a cell that hands in more than the arguments that it has by their place."""

    @functools.wraps(show)
    def shown(*given: Any, **named: Any) -> Any:
        return show(*given[:number], **named)

    return shown


def _as_html(lines: Callable[..., Sequence[Line]], number: int) -> Callable[..., mo.Html | None]:
    """Return what shows `lines`, and None where there is none; for such a cell as well."""
    return lambda *given: lines_html(lines(*given[:number]))


draw_curves = _without_news(curves.draw_curves, 4)
draw_scores = _without_news(curves.draw_scores, 4)
draw_more = _without_news(details.draw_more, 5)
diff_view = _without_news(differences.diff_view, 3)
group_view = _without_news(groups.group_view, 4)
failures_in = _without_news(job_log.failures_in, 2)
verdict_view = _as_html(verdict_lines, 3)
log_view_of = _as_html(log_lines, 2)
comparison_note = _as_html(comparison_lines, 3)
clicked_note = _as_html(clicked_lines, 2)


def hypothesis_view(experiment: NotebookContext, jobs: Sequence[JobRef], journal: Journal) -> mo.Html:
    """Return hypothesis and rule, and whether they are those of the launch."""
    return mo.vstack(
        [mo.md("## Log"), lines_html([*hypothesis_lines(journal), *rule_lines(experiment, jobs, journal)])]
    )


def launch_form(experiment: NotebookContext, config_inputs: Any, how_inputs: Any) -> mo.Html:
    """Return the inputs of a plan; where nobody may launch, a sentence that says how to."""
    return training.launch_form(experiment, config_inputs, how_inputs, may_launch=in_editor())


def launch_control(preview: PlanPreview) -> Any:
    """Return the launch button of a preview; None where nobody may launch or nothing is left to launch."""
    label = training.launch_label(preview)
    return mo.ui.run_button(label=label, kind="success") if label and in_editor() else None


def launch_clicked(
    preview: PlanPreview,
    button: Any,
    experiment: NotebookContext,
    set_launches: SetLaunches,
    journal: Journal | None = None,
) -> None:
    """Launch the preview's plan if its button was pressed, and keep what came of it."""
    outcome = launch_plan_of(preview, experiment, journal) if button is not None and button.value else None
    if outcome is not None:
        set_launches(lambda before: (*before, outcome))


def in_editor() -> bool:
    """Tell whether a person who may launch works in this page."""
    return is_edited()


def page_permit() -> Any:
    """Return the permit of a person who clicks; while a cell runs, whether a person edits the page.

    A notebook of 0.1 asks this before it shows its launch form, too.
    """
    return permits.page_permit() or is_edited() or None


def note_metrics(
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    known: Sequence[str],
    tell: Callable[[tuple[str, ...]], None],
    _news: object = None,
) -> None:
    """Tell of the metrics that runs have logged, where they are others than those known."""
    found = tuple(logged_metrics(experiment.run_infos(jobs)))
    if found and found != tuple(known):
        tell(found)


def curve_controls(experiment: NotebookContext, jobs: Sequence[JobRef]) -> Any:
    """Return the controls of the learning curves as one dictionary element; made again, they keep what was chosen."""
    place = (str(experiment.workspace.state), experiment.name)
    before = _chosen.setdefault(threading.current_thread(), {})

    def remember(value: dict[str, Any]) -> None:
        _chosen.setdefault(threading.current_thread(), {})[place] = dict(value)

    elements, _ = controls_of(experiment, jobs, before.get(place, {}))
    return mo.ui.dictionary(elements, on_change=remember)


def controls_view(controls: Any) -> mo.Html:
    """Return the controls under the section's heading."""
    return mo.vstack([mo.md("## Analysis"), controls_line(controls.elements)])


def on_page(view: Any) -> Any:
    """Return a chart element for a page; None in a script or an export, where drawing gives the chart itself."""
    return view if on_a_page() else None


def follow_chart(
    view: Any,
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    controls: Any,
    set_brushed: Callable[[tuple[str, ...]], None],
    set_clicked: Callable[[tuple[str, int] | None], None],
) -> None:
    """Pass on what a person did in a chart: the runs brushed, and the run and step of the point clicked.

    Nothing is passed on twice, so that a zoom or new data change no selection.
    """
    widget = view.widget
    brush, nonce = dict(widget.brush), widget.clicked.get("nonce", "")
    if brush != widget.followed.get("brush", {}):
        widget.followed["brush"] = brush
        found = tuple(brushed_runs(experiment, jobs, controls, brush))
        if brush and not found:
            widget.brush = widget.followed["brush"] = {}
        set_brushed(found)
    if nonce and nonce != widget.followed.get("nonce"):
        widget.followed["nonce"] = nonce
        run = widget.clicked["run"]
        step = step_at(experiment, jobs, controls, run, float(widget.clicked["x"]))
        set_clicked((run, step) if run else None)


def standing_out(rows: Any, brushed: Sequence[str], point: tuple[str, int] | None) -> list[str]:
    """Return the runs that stand out: those selected in the table, else those brushed, else the one clicked."""
    return selected_runs(rows) or list(brushed) or ([point[0]] if point is not None else [])


def view_tabs(jobs: Sequence[JobRef], controls: Any) -> Any:
    """Return the choice among the further charts; only the chosen one is computed."""
    inside: Mapping[str, Any] = {SMALL: controls.elements["pattern"]}
    return mo.ui.tabs({name: inside.get(name, mo.Html("")) for name in view_names(jobs)}, value=SPEED)


def group_picker_view(picker: Any) -> mo.Html:
    """Return the choice of groups under its heading."""
    return mo.vstack([mo.md("### Runs in groups"), picker])


def diff_inputs_view(chosen: Any) -> mo.Html:
    """Return the choice of two on one line, under its heading."""
    line = mo.hstack([chosen["a"], chosen["b"]], justify="start", align="center", gap=1.0)
    return mo.vstack([mo.md("### What differs between two runs or arms"), line])


def paper_kit_view(
    experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any = None, _news: object = None
) -> mo.Html | None:
    """Return what a paper needs, under its heading."""
    part = paper_part(experiment, jobs, controls)
    return None if part is None else mo.vstack([mo.md("### For a paper"), part], gap=0.75)


def export_control() -> Any:
    """Return the button that writes the log; None where nobody works in an editor."""
    return mo.ui.run_button(label="Write the log") if in_editor() else None


def export_clicked(experiment: NotebookContext, button: Any) -> mo.Html | None:
    """Write the log if its button was pressed, and return what came of it."""
    return write_log(experiment) if button is not None and button.value else None
