"""One score a run, measured where it should be, and every run that has none still counted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.statistics import Scores, Summary, describe, interval, summarise
from tests.statistics.samples import curve

RAMP = np.arange(101.0)  # the value equals a tenth of the step: 0 to 100 over 0 to 1000


@pytest.mark.parametrize(
    ("summary", "score"),
    [
        (Summary(), RAMP[90:].mean()),
        (Summary(window=0.5), RAMP[50:].mean()),
        (Summary(last_values=3), 99.0),
        (Summary("area"), 50.0),
        (Summary("area", window=0.25), 87.5),
        (Summary("best"), 100.0),
        (Summary("best", higher_is_better=False), 0.0),
        (Summary("steps to threshold", threshold=42.5), 430.0),
        (Summary("steps to threshold", threshold=3.0, higher_is_better=False), 0.0),
        (Summary("steps to threshold", threshold=200.0), math.inf),
    ],
)
def test_each_summary_measures_what_it_says(summary, score):
    assert summarise([curve(RAMP)], summary)[""].values.tolist() == [pytest.approx(score)]


def test_uneven_logging_does_not_change_the_area():
    dense = curve([0.0, 1.0, 1.0, 1.0, 2.0], steps=[0, 100, 110, 120, 200])
    assert summarise([dense], Summary("area"))[""].values[0] == pytest.approx((50 + 20 + 120) / 200)


def test_runs_without_a_score_keep_their_reason_and_their_count():
    curves = [
        curve(RAMP, seed=0),
        curve(RAMP[:40], seed=1, outcome="failed"),
        curve([*RAMP[:50], np.nan], seed=2),
        curve(RAMP[:60], seed=3, outcome="unfinished"),
        curve(RAMP[:70], seed=4),
        curve([], seed=5),
        curve([], seed=6, outcome="unread"),
    ]
    found = summarise(curves)[""]
    assert found.count.sentence == (
        "3 of 7 finished, 1 failed, 1 diverged, 1 without a value of the metric, 1 without a score, 1 unfinished, "
        "1 not read"
    )
    assert [run.reason for run in found.runs][1:] == [
        "failed, last value at 390 agent steps",
        "diverged, last value at 490 agent steps",
        "unfinished, last value at 590 agent steps",
        "no value after 690 of 1,000 agent steps",
        "ended without a value of the metric",
        "it could not be read",
    ]
    assert [run.upto for run in found.runs] == [None, None, None, None, 1000.0, None, None]


def test_a_failed_run_may_be_given_a_score_and_still_counts_as_failed():
    curves = [curve(RAMP, seed=0), curve(RAMP[:40], seed=1, outcome="failed")]
    found = summarise(curves, failed_score=0.0)[""]
    assert found.values.tolist() == [95.0, 0.0]
    assert str(found.count) == "1 of 2 finished"
    assert describe(found).notes == ("seed 1: failed, last value at 390 agent steps, counted as 0",)


def test_a_run_counts_at_a_given_step_as_soon_as_it_got_there():
    curves = [curve(RAMP, seed=0), curve(RAMP[:60], seed=1, outcome="failed"), curve(RAMP[:30], seed=2)]
    found = summarise(curves, Summary("best"), at=500)[""]
    assert found.values.tolist() == [50.0, 50.0]
    assert str(found.count) == "2 of 3 reached 500 agent steps, 1 without a score"


def test_arms_are_compared_at_the_same_experience_unless_told_otherwise():
    curves = [curve(RAMP, arm="long"), curve(RAMP[:51], arm="short")]
    assert str(summarise(curves)["short"].count) == "1 of 1 finished, 1 without a score"
    own = summarise(curves, Summary("best"), at="own end")
    assert (own["long"].values.tolist(), own["short"].values.tolist()) == ([100.0], [50.0])


def test_different_step_units_give_no_score_and_say_so():
    found = summarise([curve(RAMP), curve(RAMP, arm="b", unit="updates")])
    assert found["b"].runs[0].reason == "the curves have different step units: agent steps, updates"
    assert describe(found["b"]).value is None


def test_a_seed_that_never_gets_there_keeps_the_median_honest():
    curves = [curve(RAMP + lift, seed=seed) for seed, lift in enumerate((0, 5, 10, 15, -50))]
    found = summarise(curves, Summary("steps to threshold", threshold=90.0))[""]
    median, mean = describe(found, "median"), describe(found, "mean")
    assert (median.value, median.interval.bounds) == (850.0, (750.0, math.inf))
    assert "to not reached" in median.sentence
    assert mean.value is None
    assert mean.interval.reason.startswith("1 of 5 seeds never reached it")
    assert "1 of 5 seeds never reached it" in mean.notes


def test_plain_numbers_make_scores_too():
    found = Scores.of([1.0, 2.0, float("nan"), "four"], arm="a", seeds=[3, 5, 7, 9])
    assert (found.values.tolist(), found.seeds, found.count.diverged) == ([1.0, 2.0], (3, 5, 7, 9), 2)
    twice = Scores.of([1.0, 2.0, 3.0], seeds=[0, 0, 1])
    assert (twice.values.tolist(), twice.count.sentence) == ([1.0, 3.0], "2 of 2 finished, 1 duplicate left aside")


def test_several_scores_of_one_run_are_never_taken_for_several_runs():
    found = describe(Scores.of(np.arange(12.0).reshape(4, 3), arm="a"))
    assert (found.value, found.interval.bounds, found.count.sentence) == (
        None,
        None,
        "4 of 4 finished, 4 without a score",
    )
    assert found.notes[0] == "seed 0: 3 scores of one run; give one, such as their mean"
    assert interval(np.arange(12.0).reshape(4, 3)).words == (
        "no interval: several scores of one seed; give one, such as their mean"
    )
    assert describe(Scores.of(np.arange(4.0).reshape(4, 1))).value == 1.5


def test_a_summary_says_in_words_what_it_measures():
    assert Summary().words == "mean over the last 10 % of the steps"
    assert (
        Summary("area", window=0.25).words == "mean height of the curve over the last 25 % of the steps (area under it)"
    )
    assert Summary("steps to threshold", threshold=5.0).words == "steps to at least 5.0"
