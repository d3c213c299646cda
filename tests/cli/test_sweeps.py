from __future__ import annotations

from experiments.cli.sweeps import as_json, expansions
from experiments.jobs.sweeps.search import Course, Trial
from tests.fakes.stepped import search_of


def course(rate, score=1.0):
    trial = Trial(0, {"rate": rate, "batch": 512}, "key", True, score, {"1000000": score})
    return Course(search_of(), (trial,))


def test_a_best_trial_at_the_end_of_a_range_says_expand_and_offers_the_wider_one():
    [said] = expansions(course(0.09))
    assert said == (
        "rate 0.09 of the best trial is at the high end of log:1e-05..0.1: expand it, under a new name: "
        "--search rate=log:1e-05..1"
    )
    assert as_json(course(2e-5))["expand"] == [
        (
            "rate 2e-05 of the best trial is at the low end of log:1e-05..0.1: expand it, under a new name: "
            "--search rate=log:1e-06..0.1"
        )
    ]


def test_a_best_trial_in_between_or_none_says_nothing():
    assert expansions(course(0.003)) == []
    assert expansions(Course(search_of())) == []
    assert as_json(Course(search_of()))["best"] is None
