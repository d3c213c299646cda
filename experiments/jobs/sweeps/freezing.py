"""What was frozen of a search: which trial, against what, and the plan of the design that decides on it.

It is an event that is recorded in one transaction with the plan, so a search is frozen once for each of its winners.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.sweeps.search import Course, Trial

FROZEN = "frozen"
"""Kind of the ledger's event."""


@dataclass(frozen=True)
class Pick:
    """A trial that was chosen, with its search."""

    course: Course
    trial: Trial

    @property
    def arm(self) -> str:
        """The arm that it is, in its search and in what follows."""
        return self.course.search.arm_of(self.trial.number)

    @property
    def key(self) -> list[Any]:
        """What it is known by."""
        return [self.course.search.id, self.trial.number]


@dataclass(frozen=True)
class Sides:
    """What a search has led to: the winner, and what it is compared with.

    Attributes:
        baseline: The best trial of the baseline's own search; None for the settings that the recipe has.
    """

    winner: Pick
    baseline: Pick | None = None

    @property
    def courses(self) -> list[Course]:
        """The searches that they are of, the baseline's first."""
        return [pick.course for pick in (self.baseline, self.winner) if pick is not None]

    def event(self, name: str) -> tuple[str, Mapping[str, Any]]:
        """Return the event of a frozen design, for the transaction that records its plan.

        Args:
            name: Of the experiment that it is.
        """
        source = self.winner.course.search.experiment
        return FROZEN, {"experiment": name, "of": source, **self._keys}

    @property
    def _keys(self) -> dict[str, Any]:
        return {"winner": self.winner.key, "baseline": self.baseline.key if self.baseline else None}

    def plan_key(self, ledger: LedgerReader) -> str | None:
        """Return the plan of the design that these two were frozen as; None where they were not."""
        for event in ledger.events(kind=FROZEN):
            if {name: event.data.get(name) for name in ("winner", "baseline")} == self._keys:
                return event.plan_key
        return None
