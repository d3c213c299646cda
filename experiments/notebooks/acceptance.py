"""What an experiment has to reach and whether it does, on its page: a line for each criterion and arm."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.jobs.ledger.schema import FILE
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.shared import scored_once
from experiments.notebooks.styles import Line
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import ACCEPTANCE, quantity
from experiments.results.acceptance import Judged, acceptance_of
from experiments.results.accepted_by import asked_of
from experiments.types import JobRef


def acceptance_lines(experiment: NotebookContext, jobs: Sequence[JobRef]) -> list[Line]:
    """Return what was recorded as criteria and what came of them as lines; none where nothing was recorded here.

    Args:
        jobs: Those of the page; without any there is nothing to accept.
    """
    if not jobs or not (experiment.workspace.state / FILE).exists():
        return []
    try:
        try:
            asked = asked_of(experiment.workspace, experiment.name)
        except UsageError:  # its jobs are in another ledger
            asked = None
        if asked is None:
            return []
        found = acceptance_of(asked, lambda *of: scored_once(experiment, *of), experiment.store)
    except ExperimentsError as error:
        return [Line(experiment.told(f"What this experiment has to reach could not be read: {error}"), "strong")]
    sign = ACCEPTANCE[found.verdict]
    return [
        Line(f"{sign.mark} Acceptance: {found.sentence[0].lower()}{found.sentence[1:]}", "strong"),
        *(Line(_said(row), "row", row.criterion.words_for(row.arm), muted=not row.decides) for row in found.rows),
        *(
            [Line(" ".join((asked.exploratory, *asked.notes)).strip(), "fine")]
            if asked.exploratory or asked.notes
            else []
        ),
    ]


def _said(row: Judged) -> str:
    value = row.estimate.value if row.estimate is not None else None
    parts = [f"{row.criterion.statistic} {quantity(value)}", row.interval, row.seeds] if value is not None else []
    reached = f" ({', '.join(filter(None, parts))})" if parts else ""
    return f"{ACCEPTANCE[row.state].mark} {row.state}{reached}. {row.reason}"
