"""What two things are compared: runs, arms or experiments, by the names that people give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.jobs.called import begins, names
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.project.errors import UsageError
from experiments.project.standing import trains
from experiments.types import JobRef, TrainingJob

if TYPE_CHECKING:
    from experiments.project.workspace import Workspace

_LISTED = 12


@dataclass(frozen=True)
class Side:
    """One of the two things that are compared.

    Attributes:
        name: What was asked for: a run name, or an arm.
        is_arm: Whether it is an arm or an experiment; it may have several runs then.
    """

    name: str
    runs: tuple[JobRef, ...]
    is_arm: bool

    @property
    def label(self) -> str:
        """What to call it in a heading."""
        if not self.is_arm:
            return self.name
        return f"{self.name} ({len(self.runs)} run{'' if len(self.runs) == 1 else 's'})"


@dataclass(frozen=True)
class Line:
    """One thing that differs.

    Attributes:
        key: Setting, package or metric.
        a: Of the first side, as text; an en dash where it has none.
        b: Of the second side.
        change: What the difference is, where it has a size.
    """

    key: str
    a: str
    b: str
    change: str = ""


def sides(workspace: Workspace, a: str, b: str, jobs: Sequence[JobRef] = ()) -> tuple[Side, Side]:
    """Return what two names mean: runs by name or launcher id, else arms of one experiment, else experiments.

    What is none of these is a run by the beginning of its name, or of the code at its end.

    Args:
        a: A run, an arm or `EXPERIMENT/ARM`, an experiment or `EXPERIMENT/`.
        b: The same.
        jobs: References that need not be in the ledger, such as a notebook's; an arm of theirs stands first.

    Raises:
        UsageError: A name is neither a run nor an arm nor an experiment, is several, or both are the same.
    """
    known = _known(workspace, (a, b))
    found = tuple(_side(name, known, jobs, begins) for name in (a, b))
    if found[0].runs == found[1].runs:
        raise UsageError(
            f"{a!r} and {b!r} are the same. Name two runs, arms or experiments: experiments status lists them."
        )
    return found[0], found[1]


def side_of(workspace: Workspace, name: str) -> Side:
    """Return what one name means; see `sides`. Jobs are launched for it, so a beginning has some of the run's own code.

    Raises:
        UsageError: It is neither a run nor an arm nor an experiment, or several.
    """
    return _side(name, _known(workspace, [name]), (), names)


def _known(workspace: Workspace, names: Sequence[str]) -> list[TrainingJob | UnreadableJob]:
    """Return the jobs that some names may mean: those of the names where each is a run's, else all there are."""
    with open_ledger(workspace, read_only=True) as ledger:
        runs = ledger.rows(named=names)
        are_runs = set(names) <= {called for job in runs for called in (job.run_name, job.launcher_id)}
        return [job for job in (runs if are_runs else ledger.rows()) if job.state != "planned"]


def _side(
    name: str,
    known: Sequence[TrainingJob | UnreadableJob],
    jobs: Sequence[JobRef],
    is_begun: Callable[[str, str], bool],
) -> Side:
    refs = {job.run: job for job in jobs}
    runs = [job for job in known if name in (job.run_name, job.launcher_id)]
    if name in refs:
        return Side(name, (refs[name],), is_arm=False)
    if len(runs) == 1:
        return Side(runs[0].run_name, (runs[0].ref(),), is_arm=False)
    experiment, _, arm = name.rpartition("/")
    of_arm = [job for job in jobs if job.arm == name]
    if of_arm:
        return Side(name, tuple(of_arm), is_arm=True)
    trained = [job for job in known if trains(job.role)]
    whole = [job for job in trained if job.experiment == (name.removesuffix("/"))]
    matches = [job for job in trained if job.arm == arm and (not experiment or job.experiment == experiment)]
    if whole and matches:
        one = matches[0]
        raise UsageError(f"{name!r} is an experiment and an arm. Write {name}/ or {one.experiment}/{one.arm}.")
    if whole:
        return Side(name, tuple(job.ref() for job in whole), is_arm=True)
    experiments = list(dict.fromkeys(job.experiment for job in matches))
    if len(experiments) > 1:
        named = ", ".join(f"{one}/{arm}" for one in experiments)
        raise UsageError(f"arm {arm!r} is in {len(experiments)} experiments. Name one of them: {named}")
    begun = [job for job in known if not matches and is_begun(name, job.run_name)]
    if len(begun) == 1:
        return Side(begun[0].run_name, (begun[0].ref(),), is_arm=False)
    if begun:
        raise UsageError(f"{name!r} is the beginning of {len(begun)} runs: {_some(begun)}. Give more of the name.")
    if not matches:
        arms = list(dict.fromkeys([*(job.arm for job in jobs), *(f"{job.experiment}/{job.arm}" for job in known)]))
        listed = f" Arms: {', '.join(arms[:12])}." if arms else ""
        raise UsageError(f"{name!r} is neither a run nor an arm nor an experiment.{listed} Runs: experiments status")
    return Side(name, tuple(job.ref() for job in matches), is_arm=True)


def _some(jobs: Sequence[TrainingJob | UnreadableJob]) -> str:
    more = f" and {len(jobs) - _LISTED} more" if len(jobs) > _LISTED else ""
    return ", ".join(job.run_name for job in jobs[:_LISTED]) + more
