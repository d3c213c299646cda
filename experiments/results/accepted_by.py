"""By what an experiment is accepted: the criteria that stood before its first job, and what was written otherwise."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from experiments.jobs.controls.pooled import control_runs, controls_of, without_runs_of
from experiments.jobs.criteria import KIND, Criterion, RecordedCriteria, Stated, recorded_criteria, written_in
from experiments.jobs.finding import of_experiments
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.project.errors import LedgerError
from experiments.project.look import counted
from experiments.project.workspace import Workspace
from experiments.types import JobRef, KeptControl, TrainingJob


@dataclass(frozen=True)
class Asked:
    """What is to be judged, and by what.

    Attributes:
        jobs: The runs of kept controls, then those of the newest repeat of each plan of the experiment.
        criteria: Those that count.
        recorded_at: When they were recorded, in Unix seconds.
        exploratory: Why nothing can be accepted by them, as a sentence; empty where they stood before the first job.
        looks: How many launches brought new seeds of an arm: before each but the first one could see the others.
        notes: What else there is to know of them, one sentence each.
        controls: Name of the kept control that an arm is, by arm.
    """

    experiment: str
    jobs: tuple[JobRef, ...]
    criteria: tuple[Criterion, ...]
    recorded_at: float
    exploratory: str = ""
    looks: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    controls: Mapping[str, str] = field(default_factory=dict)


def asked_of(workspace: Workspace, experiment: str) -> Asked | None:
    """Return by what an experiment is accepted; None where no criterion was recorded at any of its launches.

    Raises:
        UsageError: No job belongs to the experiment.
        LedgerError: Its jobs or what was recorded of them cannot be read.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        rows = ledger.rows(experiment=experiment) or of_experiments(ledger.rows(), [experiment])
        if damaged := next((row for row in rows if isinstance(row, UnreadableJob)), None):
            raise LedgerError(damaged.sentence())
        controls = controls_of(ledger, [row.plan_key for row in rows])
        jobs = [row for row in without_runs_of(rows, controls) if isinstance(row, TrainingJob)]
        launched = _launches(jobs)
        if not recorded_criteria(ledger, list(launched)):
            return None
        newest = _newest(ledger, launched)
        recorded = recorded_criteria(ledger, newest)
        before = recorded_criteria(ledger, [key for key in launched if key not in newest])
        stands = _standing(ledger, recorded, {key: launched[key] for key in newest})
    if stands is None:
        return None
    stated, at, exploratory = stands
    own = [job.ref() for job in jobs if job.plan_key in newest]
    beside = _beside(controls, own)
    return Asked(
        experiment,
        (*control_runs(beside), *own),
        stated.criteria,
        at,
        exploratory,
        _looks([job for job in jobs if job.counts and job.plan_key in newest]),
        (
            *_left_aside(jobs, newest),
            *_moved(before, stated),
            *_others(recorded, stated),
            *_written_now(stated, workspace),
        ),
        {control.arm: control.name for control in beside},
    )


def _beside(controls: Iterable[KeptControl], own: Iterable[JobRef]) -> list[KeptControl]:
    """Return the controls of which an arm stands beside those that were launched, the newest of each arm."""
    arms = {job.arm for job in own if job.counts}
    return list({control.arm: control for control in controls if control.arm not in arms}.values())


def _launches(jobs: Iterable[TrainingJob]) -> dict[str, float]:
    """Return when each plan that has seeds was launched, by its key, the one that was recorded first before others."""
    found: dict[str, float] = {}
    for job in jobs:
        if job.counts and job.plan_key:
            found[job.plan_key] = min(job.created_at, found.get(job.plan_key, job.created_at))
    return found


def _looks(jobs: Iterable[TrainingJob]) -> dict[str, int]:
    """Return how many plans brought seeds of an arm that no earlier one had; whoever adds some until it fits, looks."""
    seen: dict[str, set[int]] = {}
    brought: dict[str, set[str]] = {}
    for job in jobs:
        if job.seed not in seen.setdefault(job.arm, set()):
            seen[job.arm].add(job.seed)
            brought.setdefault(job.arm, set()).add(job.plan_key)
    return {arm: len(plans) for arm, plans in brought.items()}


def _newest(ledger: LedgerReader, launched: Iterable[str]) -> list[str]:
    """Return the plans without those of which there is a later repeat, which is another try at the same seeds."""
    found: dict[str, tuple[int, str]] = {}
    for key in launched:
        plan = ledger.plan(key)
        family, repeat = (plan.family, plan.repeat) if plan is not None else (key, 1)
        if family not in found or repeat > found[family][0]:
            found[family] = (repeat, key)
    kept = {key for _, key in found.values()}
    return [key for key in launched if key in kept]


def _standing(
    ledger: LedgerReader, recorded: Sequence[RecordedCriteria], launched: Mapping[str, float]
) -> tuple[Stated, float, str] | None:
    """Return the criteria that count: those recorded before the first job; else the first there are, as exploratory.

    Raises:
        LedgerError: They cannot be read.
    """
    if not recorded:
        return None
    first, at = next(iter(launched.items()))
    counts = next((one for one in recorded if one.plan_key == first and one.at <= at), None)
    late = ""
    if counts is None or not ledger.was_told_first(KIND, first):
        counts = recorded[0]
        late = (
            f"Exploratory: the first runs were launched on {minute(at)}, before these criteria were recorded on "
            f"{minute(counts.at)}, and what is written after the data accepts nothing."
        )
    if counts.stated is None:
        when = minute(counts.at)
        raise LedgerError(
            f"the criteria recorded on {when} cannot be read by this version. Read them with a later one."
        )
    return counts.stated, counts.at, late


def _others(recorded: Sequence[RecordedCriteria], stated: Stated) -> list[str]:
    later = [one for one in recorded if one.stated is None or one.stated.criteria != stated.criteria]
    if not later:
        return []
    when = ", ".join(dict.fromkeys(minute(one.at) for one in later))
    return [f"Other criteria were recorded on {when}; what is judged by is what stood before the first run."]


def _moved(before: Sequence[RecordedCriteria], stated: Stated) -> list[str]:
    """Return that the repeat before was held to other criteria: a bound may have been moved by what it showed."""
    last = before[-1] if before else None
    if last is None or last.stated is None or last.stated.criteria == stated.criteria:
        return []
    other = [one.words for one in last.stated.criteria if one not in stated.criteria]
    held = f"held to {', '.join(map(repr, other))}" if other else "held to fewer criteria"
    return [f"The repeat before was {held} on {minute(last.at)}, and these may have been moved by what it showed."]


def _written_now(stated: Stated, workspace: Workspace) -> list[str]:
    """Return that the recipe's file has other criteria by now; what cannot be read there is nothing to speak of."""
    if not stated.recipe or stated.written is None:
        return []
    now = written_in(workspace.root / stated.recipe, stated.owner)
    if now is None or now == stated.written:
        return []
    what = "other criteria now: over the runs that there are they would be exploratory" if now else "no criteria now"
    return [f"{stated.recipe} states {what}. What it states counts from the next launch on."]


def _left_aside(jobs: Iterable[TrainingJob], newest: Sequence[str]) -> list[str]:
    aside = {job.plan_key for job in jobs if job.counts and job.plan_key not in newest}
    if not aside:
        return []
    before = counted(len(aside), "earlier repeat")
    return [f"Judged is the newest repeat of the same jobs; {before} of them left aside."]


def minute(at: float) -> str:
    """Return a time in Unix seconds as this machine's clock has it, to the minute."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
