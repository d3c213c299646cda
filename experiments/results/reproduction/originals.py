"""Which runs are to be reproduced, and what of each is still there to do it with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from experiments.jobs.ledger import open_ledger
from experiments.jobs.reproducing import path_begun_from
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import counted
from experiments.project.standing import trains
from experiments.project.workspace import Workspace
from experiments.results.attempts import standing_attempts
from experiments.results.reproduction.again import bring, lost_packages, problem_of_snapshot
from experiments.results.reproduction.sides import Side
from experiments.results.sides import side_of as named
from experiments.runs.store import RunQuery
from experiments.types import TrainingJob

_FEW = 3


def originals(workspace: Workspace, name: str) -> list[TrainingJob]:
    """Return the runs that a name means: a run, or the attempts that stand of an arm or a whole experiment.

    Reproductions are not among them, and replicates and forks are.

    Raises:
        UsageError: The name is nothing, or a reproduction, or nothing of it was launched yet.
    """
    asked = named(workspace, name)
    with open_ledger(workspace, read_only=True) as ledger:
        found = ledger.jobs(run_names=[ref.run for ref in asked.runs])
        if not asked.is_arm and found and found[0].role == "reproduction":
            raise UsageError(
                f"{name!r} is itself a reproduction. Reproduce what it reproduces: "
                f"experiments reproduce {found[0].parent}"
            )
        if not asked.is_arm and found and not trains(found[0].role):
            raise UsageError(
                f"{name!r} is an evaluation and trains nothing. Reproduce the run whose checkpoint it plays: "
                f"experiments reproduce {found[0].parent}"
            )
    launched = [job for job in found if job.state == "submitted" and job.role != "reproduction"]
    launched = standing_attempts(workspace, launched) if asked.is_arm else launched
    if not launched:
        raise UsageError(f"nothing of {name!r} was launched, so there is nothing to reproduce: experiments status")
    return launched


@dataclass(frozen=True)
class Part:
    """One thing that a reproduction needs or is compared with.

    Attributes:
        what: `code`, `packages`, `beginning`, `checkpoints`, `metrics`, ...
        words: What there is of it, or why there is none.
        is_there: Whether it can be had.
        is_needed: Whether without it no run can be started, or none that is as it was; what is only compared with is
            not.
    """

    what: str
    words: str
    is_there: bool
    is_needed: bool = False


def parts_of(here: Workspace, source: Workspace, original: Side) -> list[Part]:
    """Return what is there of a run, for its reproduction and for the comparison; no job is started.

    Args:
        here: The project that it would run in; its snapshot is brought there, and nothing is written to the other.
        source: The project that has it.
    """
    return [
        _code(here, source, original),
        _packages(here, original),
        *_links(here),
        *_beginning(original),
        _checkpoints(original),
        _metrics(original),
    ]


def _code(here: Workspace, source: Workspace, original: Side) -> Part:
    try:
        bring(here, source, original)
        problem = problem_of_snapshot(here.state, original)
    except ExperimentsError as error:
        problem = str(error)
    if problem:
        # Of a run that had a snapshot, what lies here now is no reproduction; of one that had none, it is all there is.
        had_one = original.own is not None and original.own.snapshot is not None
        return Part("code", problem, is_there=False, is_needed=had_one)
    assert original.own is not None
    assert original.own.snapshot is not None
    snapshot = original.own.snapshot
    return Part("code", f"snapshot {snapshot.id[:12]}, {counted(snapshot.file_count, 'file')}", is_there=True)


def _packages(here: Workspace, original: Side) -> Part:
    if original.environment is None:
        return Part("packages", "were not recorded", is_there=False)
    try:
        lost = lost_packages(here, original)
    except ExperimentsError as error:
        return Part("packages", str(error), is_there=False, is_needed=True)
    if lost:
        told = "; ".join([*list(lost.values())[:_FEW], *_further(list(lost)[_FEW:])])
        words = f"{counted(len(lost), 'package')} cannot be had: {told}"
        return Part("packages", words, is_there=False, is_needed=True)
    return Part("packages", f"set {original.environment}", is_there=True)


def _further(names: Sequence[str]) -> list[str]:
    return [f"and {', '.join(names)}"] if names else []


def _links(here: Workspace) -> Iterator[Part]:
    """Yield the ignored folders that trainers read, which no snapshot has."""
    for name in here.settings.snapshot_links:
        there = (here.root / name).exists()
        yield Part("data", f"{name}{'' if there else ' is not here'}", is_there=there, is_needed=True)


def _beginning(original: Side) -> Iterator[Part]:
    found = original.beginning
    if (place := path_begun_from(original.job)) is not None:
        there = place.exists()
        yield Part("beginning", f"{place}{'' if there else ' is not here'}", is_there=there, is_needed=True)
    if found is not None:
        words = found.problem or f"agent-step {found.step:,} of {found.run}, which is not reproduced with it"
        yield Part("beginning", words, is_there=found.file is not None, is_needed=True)


def _checkpoints(original: Side) -> Part:
    number = len(original.saved)
    return Part("checkpoints", counted(number, "file") if number else "none to compare with", is_there=number > 0)


def _metrics(original: Side) -> Part:
    try:
        found = original.store.find(RunQuery(names=[original.run], limit=None))
    except ExperimentsError as error:
        return Part("metrics", str(error), is_there=False)
    if not found:
        return Part("metrics", "none to compare with", is_there=False)
    return Part("metrics", f"{counted(len(found[0].summary), 'final value')}; the run {found[0].state}", is_there=True)
