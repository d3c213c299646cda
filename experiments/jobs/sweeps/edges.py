"""A best trial at the edge of what was tried: the optimum may lie beyond it, so the range is to be made wider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.jobs.sweeps.ranges import Choices, Range, Value, said
from experiments.jobs.sweeps.search import Course, Search
from experiments.project.values import replaced


@dataclass(frozen=True)
class Edge:
    """A setting of a best trial that lies at an end of what was tried.

    Attributes:
        wider: What to try instead; None where the field allows no more there.
    """

    experiment: str
    setting: str
    value: Value
    end: Literal["low", "high"]
    space: Range | Choices
    wider: Range | Choices | None

    @property
    def words(self) -> str:
        """Where the value lies, and that this asks for more."""
        where = f"{self.setting} {said(self.value)} of the best trial is at the {self.end} end of {self.space.text}"
        if self.wider is None:
            return f"{where}, and the field allows nothing beyond"
        if isinstance(self.wider, Choices):
            return f"{where}. Expand it with the recipe, under a new name: --search {self.setting}={self.wider.text}"
        return f"{where}. Expand it to {self.wider.text}: experiments sweep expand {self.experiment}"


def edges_of(course: Course) -> list[Edge]:
    """Return the settings of the best trial that lie at the end of what was tried; none without one."""
    if course.best is None:
        return []
    found = []
    for name, space in course.search.space.items():
        value = course.best.values[name]
        if (end := space.edge(value)) is not None:
            found.append(Edge(course.search.experiment, name, value, end, space, space.wider(end)))
    return found


def wider_searches(found: Sequence[Course], name: str) -> list[Search]:
    """Return the searches of an experiment once more, over ranges that are wider wherever a best trial lay at an edge.

    All of its arms get the same ranges and as many trials. They are made from what was recorded: no recipe is asked.
    A listed value that nobody listed has no config there, so only its recipe can add it.

    Args:
        name: Of the experiment that they are.
    """
    spaces = _wider_spaces(found)
    if not spaces:
        return []
    # What is searched for every arm alike, as the recipe's own command would have it.
    return [replaced(course.search, experiment=name, space={**course.search.space, **spaces}) for course in found]


def wider_words(found: Sequence[Course]) -> str:
    """Return the wider ranges that a new search would have, as people type them; empty where there are none."""
    return " ".join(f"{name}={space.text}" for name, space in _wider_spaces(found).items())


def _wider_spaces(found: Sequence[Course]) -> Mapping[str, Range]:
    spaces: dict[str, Range] = {}
    for edge in (edge for course in found for edge in edges_of(course)):
        if isinstance(edge.wider, Range):
            before = spaces.get(edge.setting)
            low = min(edge.wider.low, before.low) if before else edge.wider.low
            high = max(edge.wider.high, before.high) if before else edge.wider.high
            spaces[edge.setting] = replaced(edge.wider, low=low, high=high)
    return spaces
