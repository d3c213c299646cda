"""How a run stands to the seeds of its arm: one of them, or a replicate, reproduction, fork or evaluation: none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal, Self, TypedDict

from pydantic import Field, model_validator

from experiments.project.look import counted
from experiments.project.values import Frozen, is_none

MAX_REPLICATE = 9_999
CHOOSING = 1_000_000
"""Seeds from here upward are those that a search chooses by: no claim rests on them."""

Role = Literal["seed", "replicate", "reproduction", "fork", "evaluation"]


def _is_seed(value: object) -> bool:
    return value == "seed"


def _is_zero(value: object) -> bool:
    return value == 0


class Standing(Frozen):
    """How a run stands to the seeds of its arm; whatever names a run says it, and leaves it out where it is a seed.

    Attributes:
        replicate: 0 for a seed's own run, 1 and more for others of the same seed that were asked for beside it.
        role: `seed` is one of the arm's samples. A `replicate` has the same seed, a `reproduction` does a run once
            more to compare the two, a `fork` goes on from a run's checkpoint in another way, an `evaluation` plays one
            and trains nothing: none of these is a new draw, so none counts as a seed anywhere.
        parent: Run name of what was reproduced, forked or evaluated.

    Example:
        >>> from experiments.types import JobRef, Standing
        >>> run = JobRef(run="ada.arena.fast.s1r2.abcdefgh", arm="fast", seed=1, role="replicate", replicate=2)
        >>> isinstance(run, Standing), run.counts, run.role_words
        (True, False, 'replicate 2')
    """

    replicate: int = Field(0, ge=0, le=MAX_REPLICATE, exclude_if=_is_zero)
    role: Role = Field("seed", exclude_if=_is_seed)
    parent: str | None = Field(None, exclude_if=is_none)

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if (self.role == "seed" and self.replicate) or (self.role == "replicate" and not self.replicate):
            raise ValueError(f"a {self.role} cannot be replicate {self.replicate}: 0 is the seed's own run")
        return self

    @property
    def counts(self) -> bool:
        """Whether the run is one of its arm's seeds: the only runs that statistics are made of."""
        return counts_as_seed(self.role)

    @property
    def role_words(self) -> str:
        """What the run is where it is no seed, for people; empty for a seed."""
        return role_words(self.role, self.replicate)


def chooses(seed: int) -> bool:
    """Tell whether a seed is one that a search chooses by: a run of it is one of a trial, and carries no claim."""
    return seed >= CHOOSING


def seed_number(seed: int) -> str:
    """Return a seed as people read it: its number, or which of a search it is."""
    return f"{seed - CHOOSING} of the search" if chooses(seed) else str(seed)


def seed_words(seed: int) -> str:
    """Return the same with what it is: `seed 3`, or `seed 0 of the search`."""
    return f"seed {seed_number(seed)}"


def counts_as_seed(role: Role) -> bool:
    """Tell whether a run is a new draw of its arm; whatever is made of several runs is made of these."""
    return role == "seed"


def trains(role: Role) -> bool:
    """Tell whether a job is a run: what an evaluation finds belongs to the run whose checkpoint it plays."""
    return role != "evaluation"


def role_words(role: Role, replicate: int) -> str:
    """Return what a run is where it is no seed: `replicate 2`, `fork`; empty for a seed."""
    return "" if role == "seed" else f"{role} {replicate}" if replicate else role


class StandingFields(TypedDict):
    """The fields of a `Standing`."""

    replicate: int
    role: Role
    parent: str | None


def standing(of: Standing) -> StandingFields:
    """Return how a run stands to its arm's seeds, for another value that names the same run."""
    return {"replicate": of.replicate, "role": of.role, "parent": of.parent}


def uncounted_words(runs: Iterable[Standing]) -> str:
    """Return which of several runs are no seeds: `2 replicates and 1 fork do not count as seeds`; empty for none."""
    numbers = Counter(run.role for run in runs if not run.counts)
    if not numbers:
        return ""
    words = [counted(number, role) for role, number in numbers.items()]
    verb, noun = ("does", "a seed") if numbers.total() == 1 else ("do", "seeds")
    return f"{' and '.join(words)} {verb} not count as {noun}"
