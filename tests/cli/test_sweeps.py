from __future__ import annotations

import pytest

from experiments.cli.sweeps import searches_of, sweep
from experiments.jobs.sweeps.search import Course, Trial
from experiments.project.errors import UsageError
from tests.fakes.stepped import search_of


def course(rate, score=1.0):
    trial = Trial(0, {"rate": rate, "batch": 512}, "key", True, score, {"1000000": score})
    return Course(search_of(), (trial,))


def test_a_best_trial_at_the_end_of_a_range_says_expand_and_offers_the_wider_one():
    assert searches_of([course(0.09)]).searches[0].expand == (
        (
            "rate 0.09 of the best trial is at the high end of log:1e-05..0.1. Expand it to log:1e-05..1: experiments "
            "sweep expand study"
        ),
    )


def test_a_best_trial_in_between_or_none_says_nothing():
    assert searches_of([course(0.003)]).searches[0].expand == ()
    assert searches_of([Course(search_of())]).searches[0].best is None


@pytest.mark.parametrize(
    ("words", "flags", "said"),
    [
        ((), {}, "takes one experiment, alone or behind freeze or expand"),
        (("study", "other"), {}, "takes one experiment, alone or behind freeze or expand, not 'study other'"),
        (("freeze", "study", "other"), {}, "takes one experiment"),
        (("freeze", "study"), {"end": True}, "--end does not go with freeze"),
        (("expand", "study"), {"seeds": 5}, "nor --arm and --seeds with expand"),
        (("study",), {"seeds": 5}, "go with: experiments sweep freeze study"),
    ],
)
def test_words_and_flags_that_do_not_go_together_are_refused_in_a_sentence(words, flags, said):
    with pytest.raises(UsageError, match=said):
        sweep(words, **flags)
