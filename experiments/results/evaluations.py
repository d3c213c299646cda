"""What evaluations of checkpoints came to: of each checkpoint over its maps, of a run over checkpoints, of an arm.

A run's score is the mean over its evaluated checkpoints; an arm's interval is over its seeds, never over maps or
checkpoints, which are repeated looks at one draw.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.jobs.ledger import open_ledger
from experiments.jobs.reproducing import folder_of
from experiments.project.errors import UsageError
from experiments.project.files import number_or_none
from experiments.project.look import counted, quantity
from experiments.project.standing import trains
from experiments.project.workspace import Workspace
from experiments.results.attempts import standing_attempts
from experiments.results.sides import side_of
from experiments.runs.evaluations import EVALUATIONS, Evaluations, mean, metric_key, read_evaluations
from experiments.types import TrainingJob

RETURN = "return"
"""The metric that is told first, where rows have it."""


@dataclass(frozen=True)
class CheckpointScore:
    """One metric of one checkpoint over its maps.

    Attributes:
        sd: Standard deviation over the rows; None for one row.
        replays: Files that the evaluation recorded.
    """

    checkpoint: str
    step: int
    value: float
    sd: float | None
    rows: int
    replays: tuple[Path, ...] = ()


@dataclass(frozen=True)
class EvaluatedRun:
    """One metric of a run over the checkpoints that were evaluated on so many maps.

    Attributes:
        metric: Key under which curves, scores and rules read it.
        notes: What is to be said of it, one sentence each.
    """

    job: TrainingJob
    metric: str
    maps: int
    checkpoints: tuple[CheckpointScore, ...]
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """Mean over checkpoints."""
        return mean([each.value for each in self.checkpoints])

    @property
    def sd_over_checkpoints(self) -> float | None:
        """Standard deviation of the checkpoints' means; None for one checkpoint."""
        return _sd([each.value for each in self.checkpoints])

    @property
    def sd_over_maps(self) -> float | None:
        """Standard deviation over maps: the root of the mean variance in a checkpoint; None where maps have none."""
        known = [each.sd**2 for each in self.checkpoints if each.sd is not None]
        return mean(known) ** 0.5 if known else None

    @property
    def sentence(self) -> str:
        """All of it in a line."""
        spread = (("over checkpoints", self.sd_over_checkpoints), ("over maps", self.sd_over_maps))
        told = ", ".join(f"{quantity(sd)} {what}" for what, sd in spread if sd is not None)
        steps = [f"{each.step:,}" for each in self.checkpoints]
        where = steps[0] if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
        of = f"{counted(len(steps), 'checkpoint')} at {where}"
        return f"{self.metric} {quantity(self.value)}, {of}" + (f"; SD {told}" if told else "")

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "run": self.job.run_name,
            "arm": self.job.arm,
            "seed": self.job.seed,
            "role": self.job.role,
            "metric": self.metric,
            "maps": self.maps,
            "said": self.sentence,
            "value": number_or_none(self.value),
            "sd_over_checkpoints": number_or_none(self.sd_over_checkpoints),
            "sd_over_maps": number_or_none(self.sd_over_maps),
            "checkpoints": [
                {
                    "checkpoint": each.checkpoint,
                    "step": each.step,
                    "value": number_or_none(each.value),
                    "sd_over_maps": number_or_none(each.sd),
                    "episodes": each.rows,
                    "replays": [str(path) for path in each.replays],
                }
                for each in self.checkpoints
            ],
            "notes": list(self.notes),
        }


def evaluated_jobs(workspace: Workspace, name: str) -> list[TrainingJob]:
    """Return the runs that a name means: a run, or the attempts that stand of an arm or a whole experiment.

    Raises:
        UsageError: It is nothing, an evaluation, or nothing of it was launched.
    """
    asked = side_of(workspace, name)
    with open_ledger(workspace, read_only=True) as ledger:
        found = ledger.jobs(run_names=[ref.run for ref in asked.runs])
        if not asked.is_arm and found and not trains(found[0].role):
            raise UsageError(
                f"{name!r} is itself an evaluation, of run {found[0].parent!r}. Evaluate that: "
                f"experiments eval {found[0].parent}"
            )
    launched = [job for job in found if job.state == "submitted" and trains(job.role)]
    launched = standing_attempts(workspace, launched) if asked.is_arm else launched
    if not launched:
        raise UsageError(f"nothing of {name!r} was launched, so it has no checkpoint: experiments status")
    return launched


def evaluated_run(
    workspace: Workspace, job: TrainingJob, maps: int, *, ids: Sequence[str] | None = None, metric: str | None = None
) -> EvaluatedRun | None:
    """Return what evaluations of a run on so many maps found; None where they have found nothing.

    Args:
        ids: The evaluations that are meant; None for all that are comparable with the newest.
        metric: Name in the rows; `return` where there is one, else the first, where None.

    Raises:
        OSError: They cannot be read.
    """
    folder = folder_of(workspace, job.run_name)
    known = read_evaluations(folder)
    if ids is None:
        found, notes = known.chosen(maps)
    else:
        found, notes = [one for one in known.held if one.request.id in ids and one.rows], []
    names = list(dict.fromkeys(name for one in found for name in one.metrics))
    if not names:
        return None
    wanted = metric or (RETURN if RETURN in names else names[0])
    scores = [
        CheckpointScore(
            one.request.checkpoint,
            one.request.step,
            mean(one.metrics[wanted]),
            _sd(one.metrics[wanted]),
            len(one.metrics[wanted]),
            tuple(sorted((folder / EVALUATIONS / one.request.id / "replays").glob("*.json.z"))),
        )
        for one in found
        if wanted in one.metrics
    ]
    return EvaluatedRun(job, metric_key(maps, wanted), maps, tuple(scores), tuple(notes)) if scores else None


def evaluations_of(workspace: Workspace, job: TrainingJob) -> tuple[list[EvaluatedRun], list[str]]:
    """Return what is known of a run's evaluations, a value for each number of maps, and what cannot be read.

    Raises:
        OSError: They cannot be read at all.
    """
    known: Evaluations = read_evaluations(folder_of(workspace, job.run_name))
    numbers = dict.fromkeys(one.request.maps for one in known.held)
    found = [run for maps in sorted(numbers) if (run := evaluated_run(workspace, job, maps)) is not None]
    return found, [*known.problems, *(one.problem for one in known.held if one.problem)]


def _sd(numbers: Sequence[float]) -> float | None:
    return statistics.stdev(numbers) if len(numbers) > 1 else None
