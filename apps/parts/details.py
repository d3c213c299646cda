"""What the fleet page shows of one experiment: its curves, its search, a log, the config and where the code is from."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import marimo as mo

from apps.parts.links import experiment_of, known_jobs
from experiments.jobs.controls.pooled import control_runs
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ran import codes_of
from experiments.notebooks.job_log import log_view
from experiments.notebooks.styles import sentence, styled, warning
from experiments.project import look
from experiments.project.errors import ExperimentsError, LedgerError
from experiments.project.look import counted
from experiments.project.workspace import Workspace
from experiments.results.context import launched_in
from experiments.runs.store import REWARD_KEY
from experiments.types import JobRef, TrainingJob

VIEWS = ("Curves", "Search", "Log", "Config", "Provenance")
_MOST_ROWS = 200


def jobs_of(workspace: Workspace, experiment: str) -> list[JobRef]:
    """Return the runs of kept controls beside an experiment, then its jobs: the ledger's, and those only seen."""
    launched = launched_in(workspace, experiment)
    own, seen = known_jobs(workspace, launched)
    return [*control_runs(launched.controls), *(job for name, job in (*own, *seen) if name == experiment)]


def follow(
    value: Mapping[str, Any],
    last: dict[str, Any],
    choose: Callable[[dict[str, str]], None],
    see: Callable[[str], None],
) -> None:
    """Hand on what the table says is chosen and which data it shows, where that differs from `last`.

    Cells that depend on the table itself would run for every word that the page says.
    """
    for name, hand_on in (("selected", choose), ("seen", see)):
        if value.get(name) != last.get(name):
            last[name] = value.get(name)
            hand_on(value[name])


def heading_of(workspace: Workspace, chosen: Mapping[str, str]) -> mo.Html:
    """Return the head of the detail: what is chosen, or what to do."""
    name, run = chosen.get("experiment", ""), chosen.get("run", "")
    if not name:
        return sentence("Choose an experiment or a job above to see its curves, log, config and code.")
    what = f"<code>{html.escape(run)}</code>" if run else html.escape(_jobs_words(workspace, name))
    return styled(f'<h2 class="lead">{html.escape(name)}</h2><p>{what}</p>')


def _jobs_words(workspace: Workspace, experiment: str) -> str:
    """Return how many jobs an experiment has, and which kept controls they were launched beside."""
    controls = launched_in(workspace, experiment).controls
    theirs = {run.run for run in control_runs(controls)}
    own = counted(sum(job.run not in theirs for job in jobs_of(workspace, experiment)), "job")
    return ", ".join([own, *(f"beside control {one.name}" for one in controls)])


def view_picker(asked: str, *, on_change: Callable[[str], None]) -> mo.ui.radio:
    """Return the choice of what to see of an experiment; `asked` is chosen at first where it is one of them."""
    return mo.ui.radio(VIEWS, value=asked if asked in VIEWS else VIEWS[0], inline=True, on_change=on_change)


def view_of(view: str | None, workspace: Workspace, chosen: Mapping[str, str], lines: int) -> Any:  # noqa: ANN401
    """Return the search, the log, the config or the provenance of what is chosen; nothing for the curves."""
    if not chosen.get("experiment"):
        return None
    if view == "Log":
        return log_of(workspace, chosen, lines)
    if view == "Search":
        return search_of(workspace, chosen)
    if view == "Config":
        return config_of(workspace, chosen)
    return provenance_of(workspace, chosen) if view == "Provenance" else None


def metric_dropdown(
    workspace: Workspace, experiment: str, asked: str = "", *, on_change: Callable[[Any], None] | None = None
) -> mo.ui.dropdown:
    """Return a choice among the metrics that the experiment's runs have logged.

    Args:
        asked: Chosen at first where the runs have it; else what their trainer is about.
    """
    logged, first = [], REWARD_KEY
    if experiment:
        from experiments.results.logged import first_metric, logged_metrics

        jobs = jobs_of(workspace, experiment)
        logged = logged_metrics(experiment_of(workspace, experiment).run_infos(jobs))
        first = first_metric(logged, jobs)
    names = sorted({*logged, first})
    return mo.ui.dropdown(
        names, value=asked if asked in names else first, label="Metric", searchable=True, on_change=on_change
    )


def empty_chart(workspace: Workspace, experiment: str) -> Any:  # noqa: ANN401 - a marimo element
    """Return an empty chart for an experiment; zoom and selection last as long as it does."""
    from experiments.notebooks.shared import chart_widget

    return chart_widget(experiment_of(workspace, experiment))


def draw_curves(view: Any, workspace: Workspace, chosen: Mapping[str, str], metric: str | None) -> mo.Html | None:  # noqa: ANN401
    """Draw the learning curves of what is chosen; return a sentence where they cannot be read."""
    # The table is on the page before these, which take a second, are imported.
    from experiments.notebooks.curves import draw_curves as draw_in
    from experiments.notebooks.page import Chosen

    experiment = experiment_of(workspace, chosen.get("experiment", ""))
    jobs, run = jobs_of(workspace, experiment.name), chosen.get("run", "")
    if not jobs:
        return None
    controls = Chosen({"metric": metric, "axis": "steps", "log": False, "all_values": False})
    try:
        draw_in(view, experiment, jobs, controls, selected=[run] if run else [])
    except ExperimentsError as error:
        return warning(error)
    return None


def log_of(workspace: Workspace, chosen: Mapping[str, str], lines: int) -> Any:  # noqa: ANN401 - a marimo element
    """Return the last lines of the chosen job's log, or of the experiment's newest job."""
    experiment, run = experiment_of(workspace, chosen.get("experiment", "")), chosen.get("run", "")
    return log_view(experiment, jobs_of(workspace, experiment.name), [run] if run else [], lines)


def search_of(workspace: Workspace, chosen: Mapping[str, str]) -> mo.Html:
    """Return the trials of the experiment's search, and what it came to."""
    from experiments.notebooks.searching import searches_view

    experiment = experiment_of(workspace, chosen.get("experiment", ""))
    try:
        return searches_view(experiment, jobs_of(workspace, experiment.name))
    except ExperimentsError as error:
        return warning(error)


def config_of(workspace: Workspace, chosen: Mapping[str, str]) -> mo.Html:
    """Return the config of the chosen run, or the settings in which the experiment's runs differ."""
    from experiments.results.rows import config_differences, run_rows

    name, run = chosen.get("experiment", ""), chosen.get("run", "")
    jobs = [job for job in jobs_of(workspace, name) if not run or job.run == run]
    try:
        rows = run_rows(jobs, store=experiment_of(workspace, name).store)
    except ExperimentsError as error:
        return warning(error)
    if run:
        config = rows[0].config if rows else {}
        if not config:
            return sentence("This run has recorded no config yet.")
        return table_of(("setting", "value"), [(key, _value(value)) for key, value in sorted(config.items())])
    differing = config_differences(rows)
    if not differing:
        return sentence("The runs of this experiment differ in nothing but their seeds. Choose one to see its config.")
    lines = [(row.run_name, *(_value(values.get(row.run_name)) for values in differing.values())) for row in rows]
    return table_of(("run", *differing), lines)


def provenance_of(workspace: Workspace, chosen: Mapping[str, str]) -> mo.Html:
    """Return where the code of the chosen job came from, and the command that was launched."""
    name, run = chosen.get("experiment", ""), chosen.get("run", "")
    try:
        with open_ledger(workspace, read_only=True) as ledger:
            jobs = ledger.rows(run_names=[run]) if run else ledger.rows(experiment=name)
        if not jobs:
            return sentence("This project's ledger does not know the job: it was recorded on another machine.")
        job = [*jobs, *(job for job in jobs if not isinstance(job, UnreadableJob))][-1]
        if isinstance(job, UnreadableJob):
            return warning(LedgerError(job.sentence()))
        ran = codes_of(workspace, [job.run_name])[job.run_name]
    except ExperimentsError as error:
        return warning(error)
    if ran.problem:
        return warning(LedgerError(ran.problem))
    code = ran.provenance() or ran.planned
    lines = [("code that ran", ran.words(workspace.root)), *(code.lines() if code is not None else [])]
    return table_of(("", ""), [*_job_lines(job), *lines])


def table_of(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> mo.Html:
    """Return a plain table of texts, which scrolls where it is too wide."""

    def line(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(text)}</{tag[:2]}>" for text in cells) + "</tr>"

    body = "".join(line("td", row) for row in rows[:_MOST_ROWS])
    more = f"<p>{counted(len(rows) - _MOST_ROWS, 'more row')} left out.</p>" if len(rows) > _MOST_ROWS else ""
    head = f"<thead>{line('th scope=col', heads)}</thead>" if any(heads) else ""
    return styled(f'<div class="wide" tabindex="0"><table>{head}<tbody>{body}</tbody></table>{more}</div>')


def _job_lines(job: TrainingJob) -> list[tuple[str, str]]:
    return [
        ("job", job.run_name),
        ("launched by", f"{job.launcher} ({job.target})" if job.target else job.launcher),
        ("curriculum", job.config.curriculum),
        ("machine", f"{counted(job.config.nodes, 'node')}, {counted(job.config.gpus, 'GPU')} each"),
        ("command", " ".join(job.command)),
        ("plan", f"{job.plan_key[:16]}, repeat {job.repeat}, attempt {job.attempt}"),
        *([("retry of", job.retry_of)] if job.retry_of else []),
        *([("error", job.error)] if job.error else []),
    ]


def _value(value: object) -> str:
    return look.MISSING if value is None else str(value)
