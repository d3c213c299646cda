"""What was expected before a launch, and the rule that decides: text and literals that a notebook holds and git keeps.

The `journal` cell of a notebook is one `Journal`. Its hash and time are recorded beside a plan when it is launched
(`experiments.jobs.journal_record`), never in the plan's key: mending a typo launches nothing. Whether the rule was
changed afterwards can therefore be said.
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import Field, field_validator, model_validator

from experiments.types import Frozen

Direction = Literal["higher", "lower"]
SHOWN_HASH = 12


def _is_none(value: object) -> bool:
    return value is None


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
    """

    metric: str = Field(min_length=1)
    direction: Direction
    effect: float = Field(ge=0)
    arm: str = ""
    baseline: str = ""
    score: Literal["final", "area", "best"] = "final"
    statistic: Literal["mean", "iqm"] = "mean"
    # Left out of JSON where they are not stated: the hash of a rule without them is that of earlier versions.
    floor: float | None = Field(None, allow_inf_nan=False, exclude_if=_is_none)
    ceiling: float | None = Field(None, allow_inf_nan=False, exclude_if=_is_none)

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Rule:
        if self.floor is not None and self.ceiling is not None and self.floor >= self.ceiling:
            raise ValueError(f"floor {self.floor!r} is not below ceiling {self.ceiling!r}: they bound every score")
        return self

    @property
    def least_favourable(self) -> tuple[float | None, float | None]:
        """What a lost seed counts as in the arm, and in the baseline; None where the rule does not state it."""
        return (self.floor, self.ceiling) if self.direction == "higher" else (self.ceiling, self.floor)

    @property
    def sentence(self) -> str:
        """The rule in words."""
        arm, baseline = self.arm or "the other arm", self.baseline or "the baseline"
        what = {"final": "mean over the last 10 % of the steps", "area": "mean height of the curve"}
        side = "above" if self.direction == "higher" else "below"
        by = f"by at least {self.effect:g}" if self.effect else "at all"
        statistic = "interquartile mean" if self.statistic == "iqm" else "mean"
        return (
            f"{self.metric} ({what.get(self.score, 'best single value')}; {statistic} over seeds) of {arm} is {side} "
            f"that of {baseline} {by}. Confirmed where the whole 95 % interval of the difference says so, rejected "
            f"where all of it says otherwise, undecided between. {self._lost}"
        )

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


class Journal(Frozen):
    """The log of an experiment.

    Attributes:
        hypothesis: What is expected, and why; written before the launch.
        rule: What decides it.
        notes: What happened, by time in ISO 8601 (`2026-11-22 19:40`); not part of the hash.
    """

    hypothesis: str
    rule: Rule | None
    notes: dict[str, str] = Field(default_factory=dict)

    @field_validator("hypothesis")
    @classmethod
    def _stripped(cls, value: str) -> str:
        return value.strip()

    @property
    def is_written(self) -> bool:
        """Whether there is a hypothesis."""
        return bool(self.hypothesis)

    @property
    def digest(self) -> str:
        """sha256 of hypothesis and rule, whose line breaks and spacing do not count."""
        rule = self.rule.model_dump(mode="json") if self.rule else None
        content = {"hypothesis": " ".join(self.hypothesis.split()), "rule": rule}
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


BLANK = Journal(hypothesis="", rule=Rule(metric="overview/reward", direction="higher", effect=0.0))
"""What a notebook holds where its recipe expects nothing: a form to fill in."""
