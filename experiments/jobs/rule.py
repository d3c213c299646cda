"""The rule that decides a hypothesis, written before the launch: what is measured, on how many seeds, when one looks.

Sources of the designs: Henderson et al. 2018, "Deep Reinforcement Learning that Matters"; Colas et al. 2018, "How Many
Random Seeds?"; Patterson et al. 2024, "Empirical Design in Reinforcement Learning".
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from experiments.project.look import counted, quantity
from experiments.project.values import Frozen, is_none

Direction = Literal["higher", "lower"]
ANY_TIME = "any time"
FEWEST = 3
"""Pairs of seeds that a look needs: a t interval of two covers next to everything."""
LEVEL = 0.05
MOST = 1_000
"""Seeds of an arm that a rule may plan."""


def _is_false(value: object) -> bool:
    return value is False


def _is_usual(value: object) -> bool:
    return value == LEVEL


def _rising(looks: Any) -> Any:  # noqa: ANN401 - numbers or a word
    if isinstance(looks, tuple) and list(looks) != sorted(set(looks)):
        raise ValueError(f"looks {looks!r} do not rise: they are numbers of seeds, such as (5, 10, 20)")
    return looks


Spending = Literal["kim-demets", "pocock", "obrien-fleming"]
Count = Annotated[int, Field(ge=FEWEST, le=MOST)]
Looks = Annotated[tuple[Count, ...] | Literal["any time"], AfterValidator(_rising)]


class Rule(Frozen):
    """What decides a hypothesis: the interval of the difference between an arm and the baseline.

    Attributes:
        metric: Key of the metric that decides.
        direction: Whether the hypothesis says that the arm has more of it than the baseline, or less.
        effect: Smallest difference that would matter, in the metric's own unit.
        arm: The arm that the hypothesis is about; empty where the experiment has only one beside the baseline.
        baseline: The arm that it is compared with; empty for the first.
        score: One run's score: the mean over its last tenth, the area under its curve, or its best value.
        statistic: Over the seeds: their mean, or their interquartile mean.
        floor: The least that a score can be. A seed that is lost counts as this in the arm that should have more.
        ceiling: The most that a score can be. A seed that is lost counts as this in the arm that should have less.
        pool_codes: Whether something may be decided of runs of different code. What differs may then be the code.
        last_values: How many of a run's last values `final` is the mean of, such as the evaluations of its last
            checkpoints; a run with fewer has no score.
        window: First and last step that `final` and `area` look at; None for their own share of the steps.
        seeds: How many seeds of each arm decide, those of the launch first and then the next higher numbers; None for
            those that were launched with the rule.
        looks: After how many seeds of both arms one looks, or `any time`; None for once, when all have ended. A look
            takes the seeds in their order, and compares them in pairs.
        one_sided: Whether only the side of the hypothesis matters, so that all of the level is spent on it.
        level: How often arms that are alike may be called different, over all designs of the family.
        paired: Whether seeds are compared one by one; None where both arms have the same.
        spending: How looks at given numbers of seeds share the level, as `statistics.look_limits` has it; None without.
    """

    metric: str = Field(min_length=1)
    direction: Direction
    effect: float = Field(ge=0)
    arm: str = ""
    baseline: str = ""
    score: Literal["final", "area", "best"] = "final"
    statistic: Literal["mean", "iqm"] = "mean"
    # What follows is left out of JSON where it is not stated: the hash of a rule without is that of earlier versions.
    floor: float | None = Field(None, allow_inf_nan=False, exclude_if=is_none)
    ceiling: float | None = Field(None, allow_inf_nan=False, exclude_if=is_none)
    pool_codes: bool = Field(False, exclude_if=_is_false)
    window: tuple[float, float] | None = Field(None, exclude_if=is_none)
    last_values: int | None = Field(None, ge=1, exclude_if=is_none)
    seeds: Count | None = Field(None, exclude_if=is_none)
    looks: Looks | None = Field(None, exclude_if=is_none)
    one_sided: bool = Field(False, exclude_if=_is_false)
    level: float = Field(LEVEL, gt=0, le=0.2, exclude_if=_is_usual)
    paired: bool | None = Field(None, exclude_if=is_none)
    spending: Spending | None = Field(None, exclude_if=is_none)

    @model_validator(mode="before")
    @classmethod
    def _with_spending(cls, given: Any) -> Any:  # noqa: ANN401 - whatever is given as a rule
        """Name what the looks spend by, so that what is recorded says it whatever is usual later."""
        if isinstance(given, dict) and isinstance(given.get("looks"), (tuple, list)):
            return {"spending": "kim-demets", **given}
        return given

    @model_validator(mode="after")
    def _holds_together(self) -> Rule:
        if self.floor is not None and self.ceiling is not None and self.floor >= self.ceiling:
            raise ValueError(f"floor {self.floor!r} is not below ceiling {self.ceiling!r}: they bound every score")
        if self.window is not None:
            self._check_window(*self.window)
        if self.last_values is not None and (self.window is not None or self.score != "final"):
            other = f"score {self.score!r}" if self.window is None else "a window"
            raise ValueError(f"last_values {self.last_values} and {other} are two ways to say what a run's score is")
        if self.looks is not None:
            self._check_looks(self.looks)
        return self

    def _check_window(self, first: float, last: float) -> None:
        if not 0 <= first < last < float("inf"):
            raise ValueError(f"window {self.window!r} is no stretch of steps: the first step, then a later one")
        if self.score == "best":
            raise ValueError("a window has no best value here: score 'final' is the mean over it, 'area' the area")

    def _check_looks(self, looks: tuple[int, ...] | str) -> None:
        if self.statistic != "mean" or self.paired is False:
            raise ValueError("looks before the end compare means in pairs of seeds: statistic 'mean', and not unpaired")
        if looks == ANY_TIME:
            if self.floor is None or self.ceiling is None:
                raise ValueError("looks at any time need floor and ceiling of the score: a lost seed counts as these")
            if self.seeds is None:
                raise ValueError("looks at any time need the number of seeds at which they end: seeds=20")
        elif not looks:
            raise ValueError("looks () are none: leave them out to look once, when all seeds have ended")
        elif self.seeds is not None and looks[-1] != self.seeds:
            raise ValueError(f"the last look is at {looks[-1]} of {self.seeds} seeds: it has to be at all of them")

    @property
    def planned(self) -> int | None:
        """How many seeds of each arm decide; None for those that were launched with the rule."""
        return self.looks[-1] if isinstance(self.looks, tuple) else self.seeds

    @property
    def least_favourable(self) -> tuple[float | None, float | None]:
        """What a lost seed counts as in the arm, and in the baseline; None where the rule does not state it."""
        return (self.floor, self.ceiling) if self.direction == "higher" else (self.ceiling, self.floor)

    def confidence(self, level: float | None = None) -> float:
        """Return the level of the interval that decides at an error rate, which is the rule's own where None."""
        alpha = self.level if level is None else level
        return 1 - (2 * alpha if self.one_sided else alpha)

    @property
    def sentence(self) -> str:
        """The rule in words."""
        arm, baseline = self.arm or "the other arm", self.baseline or "the baseline"
        side = "above" if self.direction == "higher" else "below"
        by = f"by at least {self.effect:g}" if self.effect else "at all"
        statistic = "interquartile mean" if self.statistic == "iqm" else "mean"
        decided = (
            "Confirmed where the whole interval of the difference says so, rejected where all of it says otherwise, "
            "undecided between."
        )
        sentences = [
            f"{self.metric} ({self._score}; {statistic} over seeds) of {arm} is {side} that of {baseline} {by}.",
            self._when,
            decided,
            self._lost,
            "Runs of different code are pooled." if self.pool_codes else "",
        ]
        return " ".join(filter(None, sentences))

    @property
    def _score(self) -> str:
        if self.window is not None:
            steps = "steps {} to {}".format(*map(quantity, self.window))
            return f"mean over {steps}" if self.score == "final" else f"mean height of the curve over {steps}"
        if self.last_values is not None:
            return f"mean of the last {counted(self.last_values, 'value')}"
        what = {"final": "mean over the last 10 % of the steps", "area": "mean height of the curve"}
        return what.get(self.score, "best single value")

    @property
    def _when(self) -> str:
        if self.looks is None:
            return f"Decided once, by {counted(self.seeds, 'seed')} of each arm." if self.seeds else ""
        if isinstance(self.looks, str):
            return f"Decided at any time, by up to {counted(self.seeds or 0, 'seed')} of each arm in their order."
        looks = ", ".join(map(str, self.looks[:-1]))
        ands = f"{looks} and {self.looks[-1]}" if looks else str(self.looks[-1])
        return f"Looked at after {ands} seeds of each arm in their order, in pairs; the first look that decides stands."

    @property
    def _lost(self) -> str:
        arm, baseline = self.least_favourable
        if arm is None and baseline is None:
            return "A lost seed leaves it undecided: no floor and ceiling of the score are stated."
        known = [(self.arm or "the other arm", arm), (self.baseline or "the baseline", baseline)]
        parts = [
            f"of {name} {'leaves it undecided' if value is None else f'counts as {value:g}'}" for name, value in known
        ]
        return f"A lost seed {' and '.join(parts)}."
