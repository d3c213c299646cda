"""A search once more over wider ranges, where its best trial lay at the edge of what was tried.

It is made from what the search recorded, as its trials are: the recipe is not asked, and the code is the snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass

from experiments.jobs.funding import fund, unused_name
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import Permit, require
from experiments.jobs.sweeps.edges import wider_searches, wider_words
from experiments.jobs.sweeps.search import Search, courses, open_search
from experiments.project.look import counted
from experiments.project.names import check_name
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.results.freezing import courses_of, numbered
from experiments.results.steps import Stepped, take_step


@dataclass(frozen=True)
class Expansion:
    """A search once more, over ranges that are wider where the best trial lay at an edge.

    Attributes:
        name: Of the experiment that it is.
        is_open: Whether it was opened before.
    """

    name: str
    searches: tuple[Search, ...]
    ranges: str
    is_open: bool

    @property
    def jobs(self) -> int:
        """How many jobs it has at most."""
        return sum(search.trials * len(search.seeds) for search in self.searches)

    @property
    def sentence(self) -> str:
        """What would be searched."""
        first = self.searches[0]
        trials = f"{counted(first.trials, 'trial')} of {counted(len(first.seeds), 'seed')}"
        each = " for each arm" if len(self.searches) > 1 else ""
        return f"{self.name}: {self.ranges}, {trials}{each}, up to {self.jobs:,} jobs"


def expansion_of(workspace: Workspace, experiment: str, name: str | None = None) -> Expansion | None:
    """Return what a search at its edge is expanded to; None where no best trial lies at an end that can be moved.

    Args:
        name: Of the experiment that it is; None for one that is free.

    Raises:
        UsageError: The name is none, or there is no such search.
    """
    found = courses_of(workspace, experiment)
    ranges = wider_words(found)
    if not ranges:
        return None
    with open_ledger(workspace, read_only=True) as ledger:
        known: dict[str, set[str]] = {}
        for course in courses(ledger):
            known.setdefault(course.search.experiment, set()).add(course.search.id)
        for other, ids in known.items():
            same = wider_searches(found, other)
            if ids <= (wanted := {search.id for search in same}):
                return Expansion(other, tuple(same), ranges, is_open=ids == wanted)
        stem = experiment.rstrip("0123456789").removesuffix("-") or experiment
        name = check_name("experiment", name) if name else numbered(ledger, stem, 2)
    return Expansion(name, tuple(wider_searches(found, name)), ranges, is_open=False)


def open_expansion(expansion: Expansion, permit: Permit | None, workspace: Workspace) -> Stepped:
    """Open the wider search with a budget for its jobs and launch its first trials; what is open already goes on.

    Raises:
        LaunchRefused: Nobody asked for it.
        UsageError: Another search has the name.
    """
    permit = require(permit, f"search {expansion.ranges}")
    granted = []
    with open_ledger(workspace) as ledger:
        if not expansion.is_open:
            budget = unused_name(ledger, expansion.name, permit)
            granted.append(fund(ledger, budget, None, jobs=expansion.jobs, more=0, permit=permit))
            for search in expansion.searches:
                open_search(ledger, replaced(search, budget=budget), permit)
    stepped = take_step(workspace, permit, expansion.name, retry=True)
    stepped.done[:0] = granted
    return stepped
