"""Statistics over seeds that a careful reviewer would sign: numpy and scipy, no smoothing, no seed lost.

From curves to a verdict:

    scores = summarise(curves, Summary("final"))             one score a run; runs without one keep their reason
    describe(scores["base"], "iqm").sentence                 value, interval or why there is none, 4 of 5 finished
    compare_arms(list(scores.values()))                      difference, Holm, probability of improvement, verdict
    band([curve for curve in curves if curve.arm == "base"]) the curve with its interval and the seeds still alive
    methods_sentence(list(scores.values()), results)         what the paper has to say about it

Every number carries its count of seeds, its method and its assumption. Bad input (no runs, one seed, NaN, no spread,
different units) gives a value that says so, never an exception. Intervals are chosen by measured coverage: see
`intervals`, `comparisons` and `methods`.
"""

from __future__ import annotations

from experiments.statistics.aggregates import STATISTICS, Statistic
from experiments.statistics.bands import Band, band
from experiments.statistics.comparisons import Comparison, Finding, compare, compare_arms, verdict_of
from experiments.statistics.curves import Aligned, Curve, align, common_grid, curves_of, outcome_of
from experiments.statistics.differences import Difference, difference_of
from experiments.statistics.display import smoothed_for_display
from experiments.statistics.improvement import probability_of_improvement
from experiments.statistics.intervals import interval
from experiments.statistics.power import Power, power_analysis, power_of, seeds_needed
from experiments.statistics.profiles import Profile, performance_profiles, reached_by
from experiments.statistics.scores import Scores, SeedScore, describe
from experiments.statistics.significance import PermutationTest, holm
from experiments.statistics.summaries import Summary, summarise
from experiments.statistics.values import Estimate, Interval, Options, Outcome, SeedCount
from experiments.statistics.wording import methods_sentence

__all__ = [
    "STATISTICS",
    "Aligned",
    "Band",
    "Comparison",
    "Curve",
    "Difference",
    "Estimate",
    "Finding",
    "Interval",
    "Options",
    "Outcome",
    "PermutationTest",
    "Power",
    "Profile",
    "Scores",
    "SeedCount",
    "SeedScore",
    "Statistic",
    "Summary",
    "align",
    "band",
    "common_grid",
    "compare",
    "compare_arms",
    "curves_of",
    "describe",
    "difference_of",
    "holm",
    "interval",
    "methods_sentence",
    "outcome_of",
    "performance_profiles",
    "power_analysis",
    "power_of",
    "probability_of_improvement",
    "reached_by",
    "seeds_needed",
    "smoothed_for_display",
    "summarise",
    "verdict_of",
]
