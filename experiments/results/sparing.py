"""What a verdict that came early spares: which jobs can be cancelled, and about how long they would have run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from experiments.jobs.families import arms_of_rule
from experiments.project.look import counted
from experiments.results.claims import Claimed
from experiments.types import TERMINAL_VERDICTS, JobRef, JobStatus


@dataclass(frozen=True)
class Spare:
    """Jobs that a look of a registered design made needless.

    Attributes:
        runs: Run names of those that have not ended.
        decided: What was decided at which look: `Confirmed at 10 of 20 planned seeds of each arm`.
        saved_s: Seconds of running that they would still take, by those of the design that have ended; None where none
            has.
    """

    runs: tuple[str, ...]
    decided: str
    saved_s: float | None = None

    @property
    def sentence(self) -> str:
        """What can be done: `Confirmed at 10 of 20 planned seeds of each arm; 20 jobs can be cancelled (...).`."""
        time = f" (about {_roughly(self.saved_s)} of running)" if self.saved_s else ""
        return f"{self.decided}; {counted(len(self.runs), 'job')} can be cancelled{time}."


def spare_of(claimed: Claimed, jobs: Sequence[JobRef], statuses: Mapping[str, JobStatus]) -> Spare | None:
    """Return what a verdict spares; None where it decides nothing early, is not registered, or nothing goes on.

    Args:
        jobs: All of the experiment, with those that were planned and not handed over.
    """
    judgement, registration = claimed.judgement, claimed.registration
    if judgement.rule is None or not judgement.spared or not registration.is_registered:
        return None
    about = arms_of_rule(judgement.rule, list(dict.fromkeys(job.arm for job in jobs))) or ()
    own = [job for job in jobs if job.arm in about and job.counts]
    ended = {job.run for job in own if job.run in statuses and statuses[job.run].verdict in TERMINAL_VERDICTS}
    left = [job for job in own if job.seed in judgement.spared and job.run not in ended]
    if not left:
        return None
    planned = max(len(seeds) for seeds in registration.seeds.values())
    decided = f"{judgement.decision.capitalize()} at {planned - len(judgement.spared)} of {planned} planned seeds"
    return Spare(tuple(job.run for job in left), f"{decided} of each arm", _saved_s(own, left, statuses))


def _roughly(seconds: float) -> str:
    """Return an estimate of a time without digits that nobody knows: `3 h`, `25 m`."""
    for unit, length in (("h", 3600.0), ("m", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(1.0, seconds):.0f} s"


def _saved_s(own: Sequence[JobRef], left: Sequence[JobRef], statuses: Mapping[str, JobStatus]) -> float | None:
    """Return how long jobs would still run together: as long as their arm's ended ones did, less what they ran."""
    took: dict[str, list[float]] = {}
    for job in own:
        status = statuses.get(job.run)
        if status is None or status.verdict != "succeeded" or status.started_at is None or status.ended_at is None:
            continue
        took.setdefault(job.arm, []).append(status.ended_at - status.started_at)
    if not took:
        return None
    every = median([one for each in took.values() for one in each])
    each = {arm: median(seconds) for arm, seconds in took.items()}
    return sum(max(0.0, each.get(job.arm, every) - _ran_s(statuses.get(job.run))) for job in left)


def _ran_s(status: JobStatus | None) -> float:
    if status is None or status.started_at is None:
        return 0.0
    return max(0.0, status.as_of - status.started_at)
