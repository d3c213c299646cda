"""What the fleet page shows of one experiment: its curves, a log, the config and where the code came from."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import marimo as mo

from experiments import look
from experiments.errors import ExperimentsError
from experiments.look import counted
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.logs import log_view
from experiments.notebooks.styles import warning
from experiments.provenance import Provenance
from experiments.runs.store import REWARD_KEY, RunQuery
from experiments.snapshots import read_status
from experiments.types import BaseExperimentConfig, JobRef, TrainingJob
from experiments.workspace import Workspace

VIEWS = ("Curves", "Log", "Config", "Provenance")
_MOST_ROWS = 200


def experiment_of(workspace: Workspace, name: str) -> NotebookContext:
    """Return an experiment as the notebook's helpers know one."""
    return NotebookContext(name=name, path=workspace.root, workspace=workspace, config=BaseExperimentConfig())


def jobs_of(workspace: Workspace, experiment: str) -> list[JobRef]:
    """Return the jobs of an experiment: the ledger's, then those that were only seen; none where nobody knows it."""
    known = [job.ref() for job in experiment_of(workspace, experiment).launched()]
    seen = {job.run for job in known}
    others = [
        JobRef(run=status.run_name, arm=status.arm, seed=status.seed, launcher=status.launcher)
        for status in read_status(workspace.state / "live").jobs
        if status.experiment == experiment and status.run_name not in seen
    ]
    return [*known, *others]


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
        return mo.md("Choose an experiment or a job above to see its curves, log, config and code.")
    what = f"<code>{html.escape(run)}</code>" if run else counted(len(jobs_of(workspace, name)), "job")
    style = "margin: 8px 0 0; font-size: 20px; line-height: 28px; font-weight: 600"
    return mo.Html(f'<h2 style="{style}">{html.escape(name)}</h2><p style="margin: 0">{what}</p>')


def view_picker(asked: str, *, on_change: Callable[[str], None]) -> mo.ui.radio:
    """Return the choice of what to see of an experiment; `asked` is chosen at first where it is one of them."""
    return mo.ui.radio(VIEWS, value=asked if asked in VIEWS else VIEWS[0], inline=True, on_change=on_change)


def view_of(view: str | None, workspace: Workspace, chosen: Mapping[str, str], lines: int) -> Any:  # noqa: ANN401
    """Return the log, the config or the provenance of what is chosen; nothing for the curves."""
    if not chosen.get("experiment"):
        return None
    if view == "Log":
        return log_of(workspace, chosen, lines)
    if view == "Config":
        return config_of(workspace, chosen)
    return provenance_of(workspace, chosen) if view == "Provenance" else None


def metric_dropdown(
    workspace: Workspace, experiment: str, asked: str = "", *, on_change: Callable[[Any], None] | None = None
) -> mo.ui.dropdown:
    """Return a choice among the metrics that the experiment's runs have logged.

    Args:
        asked: Chosen at first where the runs have it; else the return per agent.
    """
    query = RunQuery(names=[job.run for job in jobs_of(workspace, experiment)], limit=None)
    try:
        found = experiment_of(workspace, experiment).store.find(query) if experiment else []
    except ExperimentsError:
        found = []  # the chart says what could not be read
    logged = {key for info in found for key, value in info.summary.items() if _is_number(value)}
    names = sorted(key for key in logged | {REWARD_KEY} if not key.startswith("_"))
    return mo.ui.dropdown(
        names, value=asked if asked in names else REWARD_KEY, label="Metric", searchable=True, on_change=on_change
    )


def empty_chart(workspace: Workspace, experiment: str) -> Any:  # noqa: ANN401 - a marimo element
    """Return an empty chart for an experiment; zoom and selection last as long as it does."""
    from experiments.notebooks.drawing import chart_widget

    return chart_widget(experiment_of(workspace, experiment))


def draw_curves(view: Any, workspace: Workspace, chosen: Mapping[str, str], metric: str | None) -> mo.Html | None:  # noqa: ANN401
    """Draw the learning curves of what is chosen; return a sentence where they cannot be read."""
    # The table is on the page before these, which take a second, are imported.
    from experiments.notebooks.charts.curves import CurveOptions, learning_curves
    from experiments.notebooks.charts.runs import read_runs
    from experiments.notebooks.drawing import data_versions, drawn_once, show, specified

    experiment = experiment_of(workspace, chosen.get("experiment", ""))
    jobs, run, wanted = jobs_of(workspace, experiment.name), chosen.get("run", ""), metric or REWARD_KEY
    if not jobs:
        return None

    def build() -> Any:  # noqa: ANN401
        statuses = {status.run_name: status for status in read_status(workspace.state / "live").jobs}
        runs = read_runs(
            jobs,
            wanted,
            store=experiment.store,
            statuses=statuses,
            versions=data_versions(experiment, jobs),
            place=str(workspace.state),
        )
        return specified(learning_curves(runs, CurveOptions(metric=wanted, selected=(run,) if run else ())))

    try:
        show(view, drawn_once(experiment, jobs, ("fleet", wanted, run), build))
    except ExperimentsError as error:
        return warning(error)
    return None


def log_of(workspace: Workspace, chosen: Mapping[str, str], lines: int) -> Any:  # noqa: ANN401 - a marimo element
    """Return the last lines of the chosen job's log, or of the experiment's newest job."""
    experiment, run = experiment_of(workspace, chosen.get("experiment", "")), chosen.get("run", "")
    return log_view(experiment, jobs_of(workspace, experiment.name), [run] if run else [], lines)


def config_of(workspace: Workspace, chosen: Mapping[str, str]) -> mo.Html:
    """Return the config of the chosen run, or the settings in which the experiment's runs differ."""
    from experiments.run_rows import config_differences, run_rows

    name, run = chosen.get("experiment", ""), chosen.get("run", "")
    jobs = [job for job in jobs_of(workspace, name) if not run or job.run == run]
    try:
        rows = run_rows(jobs, store=experiment_of(workspace, name).store)
    except ExperimentsError as error:
        return warning(error)
    if run:
        config = rows[0].config if rows else {}
        if not config:
            return mo.md("This run has recorded no config yet.")
        return table_of(("setting", "value"), [(key, _value(value)) for key, value in sorted(config.items())])
    differing = config_differences(rows)
    if not differing:
        return mo.md("The runs of this experiment differ in nothing but their seeds. Choose one to see its config.")
    lines = [(row.run_name, *(_value(values.get(row.run_name)) for values in differing.values())) for row in rows]
    return table_of(("run", *differing), lines)


def provenance_of(workspace: Workspace, chosen: Mapping[str, str]) -> mo.Html:
    """Return where the code of the chosen job came from, and the command that was launched."""
    name, run = chosen.get("experiment", ""), chosen.get("run", "")
    try:
        with workspace.ledger(read_only=True) as ledger:
            jobs = ledger.jobs(run_names=[run]) if run else ledger.jobs(experiment=name)
            record = ledger.provenance(jobs[-1].plan_key) if jobs else {}
    except ExperimentsError as error:
        return warning(error)
    if not jobs:
        return mo.md("This project's ledger does not know the job: it was recorded on another machine.")
    code = Provenance.model_validate(record).lines() if record else []
    return table_of(("", ""), [*_job_lines(jobs[-1]), *code])


def table_of(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> mo.Html:
    """Return a plain table of texts, which scrolls where it is too wide."""
    cell = 'style="text-align: left; padding: 4px 24px 4px 0; vertical-align: top; font-weight: normal"'
    head = "".join(f'<th scope="col" {cell}><small>{html.escape(text)}</small></th>' for text in heads)
    lines = "".join(
        "<tr>" + "".join(f"<td {cell}>{html.escape(text)}</td>" for text in row) + "</tr>" for row in rows[:_MOST_ROWS]
    )
    more = f"<p>{len(rows) - _MOST_ROWS:,} more rows are left out.</p>" if len(rows) > _MOST_ROWS else ""
    shown = f"<thead><tr>{head}</tr></thead>" if any(heads) else ""
    return mo.Html(
        '<div tabindex="0" style="overflow-x: auto; font-variant-numeric: tabular-nums">'
        f'<table style="border-collapse: collapse">{shown}<tbody>{lines}</tbody></table>{more}</div>'
    )


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


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
