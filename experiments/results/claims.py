"""What is claimed of arms, and of which kind each claim is: what a design registered before the launch, or exploratory.

`UNREGISTERED` is what every page and file says of comparisons that no rule is about.
"""

from __future__ import annotations

from dataclasses import dataclass

from experiments.jobs.designs import Registration
from experiments.results.scores import summary_of
from experiments.results.verdict import Judgement
from experiments.statistics import Comparison, Statistic, Summary

UNREGISTERED = "this suggests and decides nothing; only the verdict rests on what was registered before the launch."
"""Of every comparison but the verdict's own: metric, score and arms were chosen when the data were there."""


@dataclass(frozen=True)
class Claimed:
    """The verdict by a rule, and how far that was fixed before the runs."""

    judgement: Judgement
    registration: Registration

    @property
    def words(self) -> str:
        """Verdict, reason and kind: `Confirmed. b minus a: ... Registered: design 1 of its family, level 0.05.`."""
        return f"{self.judgement.decision.capitalize()}. {self.judgement.reason} {self.registration.words}"

    @property
    def kind(self) -> str:
        """The kind of the claim in few words: `registered (design 1, level 0.05)`."""
        if not self.registration.is_registered:
            return "exploratory"
        number, level = self.registration.number, self.registration.level
        return "registered" if number is None else f"registered (design {number}, level {level:.2g})"

    def about(self, metric: str, summary: Summary, statistic: Statistic) -> Comparison | None:
        """Return the comparison that decides, where it is registered and such numbers are what it is about."""
        rule, found = self.judgement.rule, self.judgement.comparison
        if rule is None or found is None or not self.registration.is_registered:
            return None
        is_about = (metric, summary, statistic) == (rule.metric, summary_of(rule), rule.statistic)
        return found if is_about else None
