"""Of two arms with scores of one law at most 6 % are called different; `false_claims` prints the table."""

from __future__ import annotations

import math

import pytest

from experiments.statistics import methods
from tests.share import share
from tests.statistics import false_claims
from tests.statistics.false_claims import EVEN, OTHERS, PAIRS, UNEVEN, Design

MOST = 0.06
TRIALS = share(2000, 150)  # with each of three seeds


@pytest.mark.parametrize("design", [Design(3, 3), Design(3, 10), Design(3, 3, paired=True)], ids=str)
def test_few_trials_of_few_seeds_are_rarely_called_different(design):
    trials = 60
    slack = 3 * math.sqrt(MOST * (1 - MOST) / (trials * len(false_claims.SEEDS)))
    assert max(false_claims.of_one_law(design, trials).values()) <= MOST + slack


@pytest.mark.slow
@pytest.mark.parametrize("design", [*EVEN, *UNEVEN, *PAIRS, *OTHERS], ids=str)
def test_at_most_six_percent_of_arms_with_the_same_scores_are_called_different(design, capsys):
    found = false_claims.of_one_law(design, TRIALS)
    with capsys.disabled():
        print(f"\n{false_claims.head('one law in both arms', found)}\n{false_claims.line(design, found)}")
    # A share of exactly 6 % would be found above it half the time.
    chance = 2 * math.sqrt(MOST * (1 - MOST) / (TRIALS * len(false_claims.SEEDS)))
    assert max(found.values()) <= MOST + chance


@pytest.mark.slow
@pytest.mark.parametrize("design", [*EVEN, *PAIRS], ids=str)
def test_unequal_shapes_with_equal_means_mislead_as_often_as_a_caution_says(design, capsys):
    found = false_claims.of_equal_means(design, TRIALS)
    with capsys.disabled():
        print(f"\n{false_claims.head('equal means, other shapes', found)}\n{false_claims.line(design, found)}")
    assert "up to a quarter" in methods.caution(design.ours)
    assert 0.1 < max(found.values()) <= 0.26


@pytest.mark.slow
@pytest.mark.parametrize("design", [Design(5, 5), Design(5, 20), Design(5, 5, paired=True)], ids=str)
def test_five_seeds_an_arm_see_a_gap_of_two_deviations_more_often_than_not(design):
    assert false_claims.of_a_gap(design, TRIALS, gaps=(2.0,))["2 deviations"] > 0.5
