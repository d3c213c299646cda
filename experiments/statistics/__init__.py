"""Numbers over seeds that a careful reviewer would sign: no smoothing, no seed lost.

From curves to a verdict:

    scores = summarise(curves, Summary("final"))             one score a run; runs without one keep their reason
    describe(scores["base"], "iqm").sentence                 value, interval or why there is none, 4 of 5 finished
    compare_arms(list(scores.values()))                      difference, Holm, probability of improvement, verdict
    band([curve for curve in curves if curve.arm == "base"]) the curve with its interval and the seeds still alive
    methods_sentence(list(scores.values()), results)         what the paper has to say about it

What this room promises. Every number carries its count of seeds, its method and its assumption. Bad input (no runs, one
seed, NaN, no spread, different units, several scores of one run) gives a value that says so, never an exception.
Nothing is claimed while seeds are out, where seeds were lost, or over runs of different code that no rule pools
(`comparisons`). A run that is no seed counts nowhere (`curves.standing_curves`), and shows the noise floor (`noise`).
The same scores give the same report, byte for byte. Intervals are chosen by measured coverage: see `methods`,
`intervals` and `comparisons`. A seed has one score; who measures a run on several tasks gives their mean.

What one may import: the names below, from here. The files are private to the room.

What it may import: numpy, `scipy.special`, `experiments.project.look` and `experiments.types`; pandas only as a type.
Nothing of `scipy.stats`: it takes half a second and 40 MB to load in every notebook. The tests hold each formula to
it.
"""

from __future__ import annotations

from experiments.statistics.aggregates import STATISTICS, Statistic, aggregate
from experiments.statistics.bands import Band, band
from experiments.statistics.comparisons import (
    Comparison,
    Finding,
    compare,
    compare_arms,
    different_code,
    still_out,
    verdict_of,
)
from experiments.statistics.curves import (
    Aligned,
    Curve,
    align,
    common_grid,
    count_of,
    curves_of,
    outcome_of,
    smoothed_for_display,
    standing_curves,
)
from experiments.statistics.differences import (
    Difference,
    difference_of,
    paired_differences,
    probability_of_improvement,
)
from experiments.statistics.intervals import interval
from experiments.statistics.looks import CALIBRATED, Spending, look_limits
from experiments.statistics.noise import NoiseFloor, floor_of, noise_floor
from experiments.statistics.normality import DOUBTFUL, looks_otherwise, normality_of
from experiments.statistics.pairing import PairCorrelation, pair_correlation
from experiments.statistics.power import Power, power_analysis, power_of, seeds_needed
from experiments.statistics.prediction import next_run
from experiments.statistics.profiles import Profile, performance_profiles, reached_by
from experiments.statistics.sameness import same_seeds
from experiments.statistics.scores import Scores, SeedScore, describe, summarise
from experiments.statistics.sequential import anytime_interval, interval_at_look
from experiments.statistics.significance import PermutationTest, holm
from experiments.statistics.slopes import Slope, Trouble, collapsed, end_slope, shared_settings, troubles
from experiments.statistics.summaries import Summary
from experiments.statistics.values import Estimate, FloatArray, IntArray, Interval, Options, Outcome, SeedCount, shown
from experiments.statistics.wording import methods_sentence

__all__ = [
    "CALIBRATED",
    "DOUBTFUL",
    "STATISTICS",
    "Aligned",
    "Band",
    "Comparison",
    "Curve",
    "Difference",
    "Estimate",
    "Finding",
    "FloatArray",
    "IntArray",
    "Interval",
    "NoiseFloor",
    "Options",
    "Outcome",
    "PairCorrelation",
    "PermutationTest",
    "Power",
    "Profile",
    "Scores",
    "SeedCount",
    "SeedScore",
    "Slope",
    "Spending",
    "Statistic",
    "Summary",
    "Trouble",
    "aggregate",
    "align",
    "anytime_interval",
    "band",
    "collapsed",
    "common_grid",
    "compare",
    "compare_arms",
    "count_of",
    "curves_of",
    "describe",
    "difference_of",
    "different_code",
    "end_slope",
    "floor_of",
    "holm",
    "interval",
    "interval_at_look",
    "look_limits",
    "looks_otherwise",
    "methods_sentence",
    "next_run",
    "noise_floor",
    "normality_of",
    "outcome_of",
    "pair_correlation",
    "paired_differences",
    "performance_profiles",
    "power_analysis",
    "power_of",
    "probability_of_improvement",
    "reached_by",
    "same_seeds",
    "seeds_needed",
    "shared_settings",
    "shown",
    "smoothed_for_display",
    "standing_curves",
    "still_out",
    "summarise",
    "troubles",
    "verdict_of",
]
