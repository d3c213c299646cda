"""The command that says whether an experiment reaches what its recipe asks of it, for people and for CI."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from experiments.cli.flags import JsonFlag
from experiments.cli.terminal import FittedColumn, FittedTable, console, report_error, say
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import ACCEPTANCE, MISSING, quantity
from experiments.project.workspace import Workspace
from experiments.types import JobRef

if TYPE_CHECKING:
    from experiments.results.acceptance import Acceptance, Asked
    from experiments.results.scores import ScoredRuns
    from experiments.statistics import Summary

_COLUMNS = (
    FittedColumn("criterion"),
    FittedColumn("state"),
    FittedColumn("arm"),
    FittedColumn("reached", is_right=True),
    FittedColumn("interval"),
    FittedColumn("seeds"),
)


def accept(
    experiment: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="EXPERIMENT")]], *, json_: JsonFlag = False
) -> int:
    """Say whether an experiment reaches the criteria that its recipe states (accept = ...), as recorded at the launch.

    It ends with 0 where all are met, 1 where one is excluded, and 3 where it is undecided: an interval holds its bound,
    seeds are out or lost, or something cannot be read. What is not understood ends with 2, as of any command.

    Args:
        experiment: Its name.
        json_: Print a JSON document instead of a table.
    """
    from experiments.results.acceptance import EXIT_CODES, asked_of

    workspace = Workspace.find(Path.cwd())
    try:
        asked = asked_of(workspace, experiment)
        found = _judged(workspace, asked) if asked is not None else None
    except UsageError:
        raise
    except (ExperimentsError, OSError) as error:
        report_error(error)
        return EXIT_CODES["undecided"]
    if found is None:
        raise UsageError(
            f"no criterion was recorded when {experiment!r} was launched, so there is nothing to accept it by. State "
            "some in its recipe, accept = (Criterion('overview/sps', '>=', 23_000),) with Criterion of "
            "experiments.jobs.criteria, and launch it once more: --again. A search, and "
            "what it is frozen as, record none: launch the recipe itself."
        )
    if json_:
        say(json.dumps(found.as_json(), indent=2))
    else:
        _print(found)
    return EXIT_CODES[found.verdict]


def _judged(workspace: Workspace, asked: Asked) -> Acceptance:
    from experiments.jobs.ran import code_words, marks_of
    from experiments.monitoring import job_statuses
    from experiments.results.acceptance import acceptance_of
    from experiments.results.scores import scored_runs
    from experiments.runs.opening import default_store

    names = [job.run for job in asked.jobs]
    statuses = {status.run_name: status for status in job_statuses(workspace.state, names)}
    store, marks = default_store(workspace.root), marks_of(workspace, names)
    words = code_words((job.arm, marks[job.run]) for job in asked.jobs if job.counts and job.run in marks)

    def score(jobs: Sequence[JobRef], metric: str, summary: Summary) -> ScoredRuns:
        found = scored_runs(jobs, metric, store, statuses=statuses, summary=summary, codes=marks)
        return replace(found, notes=(*found.notes, *words))

    return acceptance_of(asked, score, store)


def _print(found: Acceptance) -> None:
    from rich.text import Text

    table = FittedTable(_COLUMNS, [column.heading for column in _COLUMNS])
    for row in found.rows:
        value = row.estimate.value if row.estimate is not None else None
        table.add(
            f"{row.criterion.metric} {row.criterion.asked}",
            Text(f"{ACCEPTANCE[row.state].mark} {row.state}"),
            row.arm,
            quantity(value) if value is not None else MISSING,
            row.interval or MISSING,
            row.seeds,
            note=row.reason,
        )
    out = console()
    out.print(table)
    out.print()
    out.print(f"{ACCEPTANCE[found.verdict].mark} {found.sentence}", style="bold", soft_wrap=True)
    for note in found.notes:
        out.print(note, style="dim")
