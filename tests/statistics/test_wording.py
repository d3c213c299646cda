"""The methods sentence holds everything that a reviewer asks for."""

from __future__ import annotations

from experiments.statistics import (
    Options,
    Summary,
    band,
    compare_arms,
    describe,
    interval,
    methods_sentence,
    performance_profiles,
    summarise,
)
from tests.statistics.samples import curve, learning


def test_it_says_seeds_scores_intervals_assumptions_tests_axis_and_smoothing():
    curves = [*learning("base", 5.0), *learning("wide", 6.0), *learning("deep", 7.0)]
    curves[7] = curve(curves[7].values[:50], curves[7].steps[:50], arm="wide", seed=2, outcome="failed")
    arms = list(summarise(curves).values())
    text = methods_sentence(
        arms,
        [*map(describe, arms), *compare_arms(arms)],
        x_axis="agent steps",
        smoothing="EMA, half-life 5k agent steps",
    )
    assert text.startswith("n = 5 seeds an arm; 14 of 15 finished (4 of 5 finished, 1 failed).")
    for part in (
        "One score a run: mean over the last 10 % of the steps.",
        "95 % Student t interval of the mean, which assumes roughly symmetric scores (its nominal 95 % covers 80 to",
        "95 % paired Student t interval of the difference of the mean, which assumes roughly symmetric differences",
        "Compared with base, seed by seed by paired Student t, p-values after Holm over 2 comparisons.",
        "Curves are drawn over agent steps",
        "smoothed for display only (EMA, half-life 5k agent steps); all numbers are from values as logged.",
    ):
        assert part in text


def test_it_says_so_where_there_is_no_interval_and_where_nothing_is_smoothed():
    arms = list(summarise(learning("a", 5.0, seeds=1)).values())
    text = methods_sentence(arms, [describe(arms[0])], x_axis="updates")
    assert text.startswith("n = 1 seed an arm, all finished.")
    assert "Without an interval: mean (1 seed)." in text
    assert text.endswith("Nothing is smoothed.")


def test_it_speaks_of_bands_profiles_and_bootstraps():
    curves = learning("a", 5.0)
    scores = summarise(curves, Summary("area"))["a"]
    text = methods_sentence([band(curves, "iqm")], [describe(scores, "iqm"), *performance_profiles([scores])])
    assert "pointwise 95 % BCa bootstrap interval of the interquartile mean, which assumes independent seeds" in text
    assert "pointwise Wilson 95 % band, n = 5 of the share of runs that score more" in text
    assert (
        f"Bootstraps take {Options().resamples:,} resamples (2,000 at each step of a curve) with a fixed seed." in text
    )


def test_scores_that_were_put_in_for_failed_runs_are_named():
    curves = learning("a", 5.0)
    curves[1] = curve([1.0], arm="a", seed=1, outcome="failed")
    arms = list(summarise(curves, failed_score=0.0).values())
    assert "Runs that were given a score: failed, last value at 0 agent steps, counted as 0." in methods_sentence(arms)
    assert methods_sentence([]) == "No runs."


def test_an_interval_in_words_names_method_level_and_seeds():
    found = interval([1.0, 2.0, 4.0])
    assert found.words == "95 % Student t interval, n = 3"
    assert str(found) == "-1.46 to 6.13 (95 % Student t interval, n = 3)"
    assert found.coverage.startswith("a nominal 95 % covers 94 to 96 % on normal scores and 80 to 90 % on log-normal")
