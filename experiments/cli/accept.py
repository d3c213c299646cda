"""The command that says whether an experiment reaches what its recipe asks of it, for people and for CI."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from experiments.cli.envelope import Answer, Shown
from experiments.cli.terminal import FittedColumn, FittedTable, console
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import ACCEPTANCE, MISSING, quantity
from experiments.project.workspace import Workspace
from experiments.types import JobRef

if TYPE_CHECKING:
    from experiments.results.acceptance import Acceptance
    from experiments.results.accepted_by import Asked
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


class JudgedCriterion(Shown):
    """One criterion in one arm.

    Attributes:
        score: What one run's score is, in words.
        statistic: What is taken over the arm's seeds.
        value: It; null where there is none.
        interval: Both its ends at `level`; null where there is none, and `reason` says why.
        seeds: How many there are and how many count, in words.
        control: The kept control that the arm is, whose row decides nothing unless the criterion names the arm; empty
            for an arm of the experiment's own.
    """

    metric: str
    arm: str
    control: str
    comparison: str
    bound: float
    unit: str
    state: Literal["met", "excluded", "undecided"]
    reason: str
    score: str
    statistic: str
    value: float | None
    interval: tuple[float, float] | None
    level: float
    method: str
    assumption: str
    seeds: str


class Accepted(Shown):
    """Whether an experiment reaches what its recipe asks of it.

    Attributes:
        said: The verdict in a sentence.
        recorded_at: When the criteria were recorded, in Unix seconds.
        exploratory: Why nothing can be accepted by them; empty where they stood before the first job.
    """

    experiment: str
    verdict: Literal["accepted", "excluded", "undecided"]
    said: str
    recorded_at: float
    exploratory: str
    criteria: tuple[JudgedCriterion, ...]
    notes: tuple[str, ...]


def accept(
    experiment: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="EXPERIMENT")]],
) -> Answer[Accepted]:
    """Say whether an experiment reaches the criteria that its recipe states (accept = ...), as recorded at the launch.

    It ends with 0 where all are met, 1 where one is excluded, and 3 where it is undecided: an interval holds its bound,
    seeds are out or lost, or something cannot be read. What is not understood ends with 2, as of any command.

    Args:
        experiment: Name of the experiment.
    """
    from experiments.results.acceptance import EXIT_CODES
    from experiments.results.accepted_by import asked_of

    workspace = Workspace.find(Path.cwd())
    try:
        asked = asked_of(workspace, experiment)
        found = _judged(workspace, asked) if asked is not None else None
    except UsageError:
        raise
    except (ExperimentsError, OSError) as error:
        return Answer(None, code=EXIT_CODES["undecided"], errors=[str(error)])
    if found is None:
        raise UsageError(
            f"no criterion was recorded when {experiment!r} was launched, so there is nothing to accept it by. State "
            "some in its recipe, accept = (Criterion('overview/sps', '>=', 23_000),) with Criterion of "
            "experiments.jobs.criteria, and launch it once more: --again. A search records none: what it is frozen as "
            "is held to what its recipe stated when it was opened."
        )
    shown = Accepted.model_validate(found.as_json())
    return Answer(shown, lambda _: _print(found), code=EXIT_CODES[found.verdict])


def _judged(workspace: Workspace, asked: Asked) -> Acceptance:
    from experiments.monitoring import job_statuses
    from experiments.results.acceptance import acceptance_of
    from experiments.results.context import ExperimentContext

    context = ExperimentContext(asked.experiment, workspace)
    names = [job.run for job in asked.jobs]
    statuses = {status.run_name: status for status in job_statuses(workspace.state, names)}

    def score(jobs: Sequence[JobRef], metric: str, summary: Summary) -> ScoredRuns:
        return context.scored(jobs, metric, summary, statuses)

    return acceptance_of(asked, score, context.store)


def _print(found: Acceptance) -> None:
    from rich.text import Text

    table = FittedTable(_COLUMNS, [column.heading for column in _COLUMNS])
    for row in found.rows:
        value = row.estimate.value if row.estimate is not None else None
        table.add(
            f"{row.criterion.metric} {row.criterion.asked}",
            Text(f"{ACCEPTANCE[row.state].mark} {row.state}"),
            f"{row.arm} (control {row.control})" if row.control else row.arm,
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
