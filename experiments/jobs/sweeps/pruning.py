"""Pruning: a trial that is worse than the median of the earlier ones at the same step is stopped.

The rule is that of Optuna's `MedianPruner` (Golovin et al., Google Vizier, KDD 2017, section 3.1): at an evaluation the
best value of the trial so far is below the median of what the completed trials before it had there. It is looked at
from the first evaluation on, in their order, and only at what trials recorded that had ended before this one was asked
for. So the same values prune the same trials at the same steps, whoever looks when and is killed meanwhile; a trial
that had ended before anybody looked is pruned all the same.
"""

from __future__ import annotations

import bisect
import statistics
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from pydantic import Field

from experiments.project.errors import UsageError
from experiments.project.look import counted, quantity
from experiments.project.values import Frozen

Evaluations: TypeAlias = Sequence[tuple[float, float]]
"""Steps in their order, each with the mean of a trial's seeds there."""


class Pruning(Frozen):
    """When trials are stopped.

    Attributes:
        trials: None is before so many have ended with a score.
        steps: Nor at an evaluation before this step.
    """

    trials: int = Field(5, ge=1)
    steps: float = Field(0.0, ge=0)

    @property
    def words(self) -> str:
        """The rule, for people."""
        after = f"after {counted(self.trials, 'trial')}"
        after += f" and {quantity(self.steps)} steps" if self.steps else ""
        return f"a trial whose best is worse than the median of the earlier ones at the same step is stopped, {after}"


class Pruned(Frozen):
    """Where a trial was found worse than the others.

    Attributes:
        value: Its best up to there.
        median: What half of the earlier trials were better than there.
    """

    step: float
    value: float
    median: float

    @property
    def words(self) -> str:
        """The same for people."""
        return (
            f"pruned at step {quantity(self.step)}: {quantity(self.value)} by then, and the median of the earlier "
            f"trials is {quantity(self.median)}"
        )


def parse_pruning(texts: Sequence[str]) -> Pruning:
    """Return the rule that words such as `trials=5` and `steps=100000` say.

    Raises:
        UsageError: They say none.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            number = int(value) if name == "trials" else float(value)
        except ValueError:
            number = -1
        if name not in Pruning.model_fields or name in found or not (name == "trials") <= number < float("inf"):
            raise UsageError(f"--prune {text!r} is not 'trials=N' or 'steps=N', each once. Try --prune trials=5")
        found[name] = number
    return Pruning.model_validate(found)


def pruned_at(
    own: Callable[[float], float | None],
    before: Sequence[Evaluations],
    pruning: Pruning,
    direction: Literal["higher", "lower"],
) -> Pruned | None:
    """Return where a trial is worse than the median of earlier ones; None where it is not, as far as it is.

    Args:
        own: Returns the trial's value at a step; None where it is not known (yet).
        before: What the completed trials recorded that it knows of, by their numbers: the first says at which steps is
            looked.
    """
    if len(before) < pruning.trials:
        return None
    sign = 1.0 if direction == "higher" else -1.0
    best: float | None = None
    for step, _ in before[0]:
        if (value := own(step)) is None:
            continue
        best = value if best is None else sign * max(sign * best, sign * value)
        others = [there for each in before if (there := value_at(each, step)) is not None]
        if step >= pruning.steps and others and sign * best < sign * (median := statistics.median(others)):
            return Pruned(step=step, value=best, median=median)
    return None


def value_at(evaluations: Evaluations, step: float) -> float | None:
    """Return the value at the last evaluation up to a step; None before the first, and beyond the last."""
    at = bisect.bisect_right(evaluations, step, key=lambda each: each[0])
    return evaluations[at - 1][1] if at and evaluations[-1][0] >= step else None
