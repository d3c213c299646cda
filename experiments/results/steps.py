"""What goes on by itself is carried on by one step: what has ended is told, what follows is launched.

There is no daemon. Whoever is alive takes a step: a supervisor as its job ends, the Monitor of a page that a person
edits or of `--follow`, a person with `experiments step`. A step may be killed at any line and taken any number of
times: it does what is still to be done, under a lease, so that two of them do nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from experiments.jobs import batches, outbox
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import Permit, require
from experiments.jobs.sweeps.going_on import mark_going_on, record_step
from experiments.jobs.sweeps.search import courses, outlived
from experiments.project.errors import ExperimentsError
from experiments.project.workspace import Workspace
from experiments.results import deciding
from experiments.results.deciding import open_courses
from experiments.results.searching import carry_on

LEASE = "step"
_TURN_S = 120.0
_LOOK_S = 0.2


@dataclass
class Stepped:
    """What a step did.

    Attributes:
        done: Each thing that was told or launched, in words.
        problems: What could not be done, in words; the next step tries again.
        goes_on: How many things go on by themselves after it; None where another process was at it all the time.
    """

    done: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    goes_on: int | None = None


@dataclass(frozen=True)
class Kind:
    """Something that goes on by itself.

    Attributes:
        names: Returns what goes on, as (experiment, name), of a workspace.
        carry: Carries one of these on, by its name, and tells of it; `retry` hands refused jobs over once more.
    """

    names: Callable[[Workspace], list[tuple[str, str]]]
    carry: Callable[[Workspace, Permit, str, bool, Callable[[str], None]], None]


def _open_searches(workspace: Workspace) -> list[tuple[str, str]]:
    """Return searches that are not done, and those that are and whose budget is still to be ended."""
    with open_ledger(workspace, read_only=True) as ledger:
        searches = [course.search for course in courses(ledger) if course.is_open] + outlived(ledger)
    return [(search.experiment, search.id) for search in searches]


def _prunes(workspace: Workspace) -> bool:
    with open_ledger(workspace, read_only=True) as ledger:
        return any(course.is_open and course.search.prune is not None for course in courses(ledger))


KINDS: tuple[Kind, ...] = (Kind(_open_searches, carry_on), Kind(open_courses, deciding.carry_on))
"""Whatever goes on by itself; what is left of it after a step is what `names` still has."""


def take_step(
    workspace: Workspace, permit: Permit | None, experiment: str | None = None, *, retry: bool = False
) -> Stepped:
    """Carry on what goes on by itself, as far as it can be now.

    Args:
        experiment: Only of this one; of all where None.
        retry: Whether jobs that a launcher refused are handed to it once more.

    Raises:
        LaunchRefused: Nobody asked for it.
        LedgerError: The ledger cannot be read or written.
    """
    permit = require(permit, "carry on what goes on by itself")
    outbox.see_to_it(workspace)
    stepped, problems = Stepped(), dict[str, list[str]]()
    with _turn(workspace) as holder:
        if holder:
            stepped.problems.append(f"{holder} is at it for {_TURN_S:.0f} s already. Try again: experiments step")
            return stepped
        began, looks = time.time(), _prunes(workspace)
        for kind in KINDS:
            for of, name in kind.names(workspace):
                if experiment not in {None, of}:
                    continue
                mark_going_on(workspace, goes_on=True, looks=looks)
                try:
                    kind.carry(workspace, permit, name, retry, stepped.done.append)
                except ExperimentsError as error:  # of this one: the others go on
                    problems.setdefault(of, []).append(f"{of}: {error}")
        stepped.problems += [said for each in problems.values() for said in each]
        record_step(workspace.state, problems, began, experiment)
        stepped.goes_on = sum(len(kind.names(workspace)) for kind in KINDS)
        mark_going_on(workspace, goes_on=stepped.goes_on > 0, looks=looks)
    return stepped


def owners(workspace: Workspace, budget: str) -> list[str]:
    """Return the experiments of which something goes on that draws on a budget."""
    with open_ledger(workspace, read_only=True) as ledger:
        searched = [one.search.experiment for one in courses(ledger) if one.is_open and one.search.budget == budget]
        batched = [one.batched for one in batches.courses(ledger) if not one.ended]
    return list(dict.fromkeys([*searched, *(each.experiment for each in batched if each.budget == budget)]))


@contextmanager
def _turn(workspace: Workspace) -> Iterator[str]:
    """Hold the lease of a step during a block; yield who has it instead, in words, where that one does not end.

    To wait is what keeps a search going: whoever has it may have looked before our job ended.
    """
    with tenure() as owner, open_ledger(workspace) as ledger:
        deadline = time.monotonic() + _TURN_S
        while (holder := ledger.take_lease(LEASE, owner)) is not None and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        try:
            yield holder or ""
        finally:
            ledger.conclude(owner)
