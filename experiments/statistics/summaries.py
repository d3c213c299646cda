"""What one run's score is, as it is said before anybody looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from experiments.project.look import counted
from experiments.statistics.values import shown

Kind = Literal["final", "area", "best", "steps to threshold"]


@dataclass(frozen=True)
class Summary:
    """What one run's score is. Choose it before looking at the curves: it belongs in the plan.

    Attributes:
        kind: `final`: mean of the values in the last part of the steps. `area`: area under the curve divided by its
            width, so in the metric's own unit. `best`: the best single value, which is too good the noisier the metric
            and the more often it is logged. `steps to threshold`: the first logged step that reaches it.
        window: Share of the steps that `final` and `area` look at, from the end; None (or what is no share) is 10 %
            for `final` and all for `area`.
        last_values: `final` takes the last so many values instead of a share of the steps; a run with fewer has no
            score.
        threshold: For `steps to threshold`.
        higher_is_better: Whether more of the metric is better.
        between: First and last step that `final` and `area` look at, in the place of a share of the steps.
    """

    kind: Kind = "final"
    window: float | None = None
    last_values: int | None = None
    threshold: float | None = None
    higher_is_better: bool = True
    between: tuple[float, float] | None = None

    @property
    def share(self) -> float:
        """Share of the steps that are looked at, from the end."""
        if self.window is None or not 0 <= self.window <= 1:
            return 0.1 if self.kind == "final" else 1.0
        return self.window

    @property
    def lower_score_is_better(self) -> bool:
        """Whether a lower score is the better one: always so for steps to a threshold."""
        return self.kind == "steps to threshold" or not self.higher_is_better

    @property
    def words(self) -> str:
        """What a score is, for a methods sentence."""
        last = "" if self.share == 1 else f" over the last {100 * self.share:.3g} % of the steps"
        if self.between is not None:
            last = " over steps {} to {}".format(*map(shown, self.between))
        if self.kind == "final":
            return f"mean of the last {counted(self.last_values, 'value')}" if self.last_values else f"mean{last}"
        if self.kind == "area":
            return f"mean height of the curve{last} (area under it)"
        side = "at least" if self.higher_is_better else "at most"
        return "best single value" if self.kind == "best" else f"steps to {side} {self.threshold}"


FINAL = Summary()
"""The mean over the end of a run."""
