"""What the runs of two sides had installed and computed with, and what of it differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.jobs.ran import Ran
from experiments.project.environment.differences import Conditions, Difference, explained_differences
from experiments.project.errors import ExperimentsError

if TYPE_CHECKING:
    from experiments.project.workspace import Workspace

__all__ = ["Compared", "compared_conditions", "conditions_of"]

_SIDES = ("the first", "the second")


@dataclass(frozen=True)
class Compared:
    """What differs between the conditions of two sides.

    Attributes:
        differences: Most likely to change numbers first.
        same_packages: How many packages both have alike; None where a side's package set is not known.
        notes: What could not be read, and of which side the newest of several is compared.
    """

    differences: tuple[Difference, ...] = ()
    same_packages: int | None = None
    notes: tuple[str, ...] = ()


def conditions_of(workspace: Workspace, code: Ran) -> Conditions:
    """Return what is recorded of the start of one run.

    Raises:
        ExperimentsError: Its package set is not there any more, or was changed.
    """
    if code.started is None:
        return Conditions()
    return Conditions.recorded(workspace.state, code.started.environment, code.started.machine)


def compared_conditions(workspace: Workspace, a: Sequence[Ran], b: Sequence[Ran]) -> Compared:
    """Return what differs between the runs of two sides; of a side with several conditions the newest are compared."""
    notes: dict[str, None] = {}
    sides = []
    for word, codes in zip(_SIDES, (a, b), strict=True):
        found: list[Conditions] = []
        for code in codes:
            try:
                conditions = conditions_of(workspace, code)
            except ExperimentsError as error:
                notes[str(error)] = None
                conditions = Conditions(None, code.started.machine if code.started else None)
            if conditions != Conditions() and conditions not in found:
                found.append(conditions)
        if len(found) > 1:
            notes[f"{word} ran on {len(found)} different machines or package sets; the newest is compared"] = None
        sides.append(found[-1] if found else Conditions())
    old, new = (side.environment.packages if side.environment else None for side in sides)
    same = None if old is None or new is None else sum(new.get(name) == package for name, package in old.items())
    return Compared(tuple(explained_differences(*sides)), same, tuple(notes))
