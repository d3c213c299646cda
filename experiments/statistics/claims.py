"""What may be claimed of two arms: nothing before all planned seeds have ended, and nothing where seeds were lost.

A difference that is looked at while seeds are still out is stopped when it looks right, and one over the seeds that
happened to survive is chosen by what ended the others. Every page, chart, table and file asks `claim_of`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.project.look import counted
from experiments.statistics.scores import Scores
from experiments.statistics.values import SeedCount

_MOST_NAMED = 4

Standing = Literal["interim", "lost", "final"]


@dataclass(frozen=True)
class Claim:
    """Whether anything may be claimed of some arms.

    Attributes:
        standing: `interim` while planned seeds are out; `lost` where seeds ended without a score and were given none;
            else `final`.
        reason: Why nothing may be claimed, without a full stop; empty where it is final.
    """

    standing: Standing = "final"
    reason: str = ""

    @property
    def words(self) -> str:
        """The reason with its standing: `interim: 3 of 10 seeds of a have ended; ...`; empty where it is final."""
        return f"interim: {self.reason}" if self.standing == "interim" else self.reason

    @property
    def is_final(self) -> bool:
        """Whether a verdict may be given, and a p-value shown."""
        return self.standing == "final"


FINAL = Claim()


def claim_of(*arms: Scores) -> Claim:
    """Say of arms that are compared whether a claim is interim or final, and why."""
    if any(arm.waiting for arm in arms):
        return Claim("interim", still_out([(arm.arm, arm.count) for arm in arms]))
    if any(arm.lost for arm in arms):
        return Claim("lost", _lost_words(arms))
    return FINAL


def still_out(arms: Sequence[tuple[str, SeedCount]]) -> str:
    """Return what of some arms has ended and what is still out; empty where all has ended and was read.

    `3 of 10 seeds of a and 3 of 10 of b have ended; 7 of a and 7 of b are still out`
    """
    if len(arms) > _MOST_NAMED:
        together = sum((count for _, count in arms[1:]), arms[0][1])
        return still_out([(f"{len(arms)} arms", together)])
    out = [(f"{count.unfinished} of {name or 'the arm'}", count.unfinished) for name, count in arms if count.unfinished]
    unread = [f"{count.unread} of {name or 'the arm'}" for name, count in arms if count.unread]
    if not out and not unread:
        return ""
    ended = [
        f"{count.ended} of {counted(count.total, 'seed') if at == 0 else count.total} of {name or 'the arm'}"
        for at, (name, count) in enumerate(arms)
    ]
    still = "is" if sum(number for _, number in out) == 1 else "are"
    parts = [
        f"{_joined(ended)} have ended",
        f"{_joined([words for words, _ in out])} {still} still out" if out else "",
        f"{_joined(unread)} could not be read" if unread else "",
    ]
    return "; ".join(filter(None, parts))


def _lost_words(arms: Sequence[Scores]) -> str:
    if all(run.outcome == "no value" for arm in arms for run in arm.runs):
        names = _joined([arm.arm or "the arm" for arm in arms])
        return f"no seed of {names} has a value of {arms[0].metric or 'the metric'}"
    parts = [
        f"{len(arm.lost)} of {counted(len(arm.runs), 'seed') if at == 0 else len(arm.runs)} of {arm.arm or 'the arm'}"
        for at, arm in enumerate(arm for arm in arms if arm.lost)
    ]
    lost = [run for arm in arms for run in arm.lost]
    if all(run.outcome == "unscored" for run in lost):  # it ended as planned, and another went on for longer
        return f"{_joined(parts)} {'has' if len(lost) == 1 else 'have'} no score: {lost[0].reason}"
    return f"{_joined(parts)} {'was' if len(lost) == 1 else 'were'} lost"


def _joined(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
