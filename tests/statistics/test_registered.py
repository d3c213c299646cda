"""Registered designs claim what is not so in at most 5.5 % of cases; `registered` prints all tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.statistics import anytime_interval, interval_at_look
from experiments.statistics.differences import difference_of
from experiments.statistics.scores import Scores
from tests.share import share
from tests.statistics import registered
from tests.statistics.registered import (
    DESIGNS,
    FAMILIES,
    LAWS,
    NORMAL,
    SEEDS,
    TWELVE,
    TWENTY_FIVE,
    UNEQUAL_LAWS,
    UNPAIRED,
    Pairs,
    best_of_sweep,
    cost,
    effect_of_power,
    false_positives,
    families_with_a_better,
    level_of,
)

TRIALS = share(2000, 150)  # with each of three seeds
MANY = share(100_000, 20_000)  # of those that are counted all at once


def chance(most, trials):
    """Two standard errors: a share of exactly the bar would be found above it half the time."""
    return 2 * math.sqrt(most * (1 - most) / (trials * len(SEEDS)))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_looking_as_planned_at_pairs_of_equal_means_claims_little(design, law):
    trials = 3_000
    assert false_positives(design, law, trials) <= law.most + chance(law.most, trials)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_pairs_of_equal_means_are_claimed_to_differ_in_at_most_so_many_cases(design, law):
    assert false_positives(design, law, MANY) <= law.most + chance(law.most, MANY)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
@pytest.mark.parametrize("design", UNPAIRED, ids=str)
def test_arms_of_equal_means_are_claimed_to_differ_in_at_most_so_many_cases(design, law):
    assert false_positives(design, law, TRIALS) <= law.most + chance(law.most, TRIALS)


@pytest.mark.parametrize("design", [Pairs.looking(TWELVE), Pairs.any_time(30)], ids=str)
def test_skewed_differences_mislead_designs_that_look_as_often_as_a_caution_says(design):
    found = {law.name: false_positives(design, law, 3_000) for law in UNEQUAL_LAWS}
    assert 0.1 < max(found.values()) <= 0.26


@pytest.mark.parametrize("name", FAMILIES)
def test_of_a_hundred_equal_candidates_against_one_baseline_hardly_a_family_has_a_better(name):
    trials = 500
    for draw in (LAWS[0].ours, LAWS[2].ours):
        found = families_with_a_better(FAMILIES[name], draw, trials)
        assert found <= NORMAL + chance(NORMAL, trials)


def test_the_worst_of_five_controls_makes_hardly_a_family_better_at_a_fifth_of_its_level():
    trials, make = 500, FAMILIES["10 pairs, once"]
    for draw in (LAWS[0].ours, LAWS[2].ours):
        found = families_with_a_better(make, draw, trials, controls=5)
        assert found <= NORMAL + chance(NORMAL, trials)


def test_without_the_levels_of_a_family_one_unlucky_baseline_makes_many_better():
    assert families_with_a_better(FAMILIES["10 pairs, once"], LAWS[0].ours, 200, level=0.05) > 0.3


def test_the_levels_of_a_family_never_exceed_five_percent_together():
    assert sum(level_of(k) for k in range(1, 100_000)) == pytest.approx(0.05, rel=1e-4)


def test_the_best_of_a_sweep_is_no_better_on_fresh_seeds():
    chose, fresh = best_of_sweep(2_000, LAWS[0].ours)
    assert chose > 0.08
    assert fresh <= NORMAL + chance(NORMAL, 2_000)


@pytest.mark.parametrize("seed", SEEDS)
def test_looking_saves_seeds_where_the_effect_is_large(seed):
    found = cost(Pairs.looking(TWELVE), 1.5, 20_000, seed)
    assert found.power > 0.95
    assert found.ratio <= 0.72


@pytest.mark.parametrize("looks", [TWELVE, TWENTY_FIVE], ids=str)
@pytest.mark.parametrize("seed", SEEDS)
def test_looking_saves_some_where_the_power_is_four_fifths(seed, looks):
    design = Pairs.looking(looks)
    assert cost(design, effect_of_power(design, 0.8, 20_000, seed), 20_000, seed).ratio <= 0.9


def test_what_is_counted_all_at_once_is_what_the_intervals_say():
    rng = np.random.default_rng(3)
    differences = rng.standard_normal((60, 30)) + 0.6
    for row in differences:
        looking = [interval_at_look(row[:k], TWELVE) for k in TWELVE]
        after_any = [anytime_interval(row[:k]) for k in range(3, 31)]
        pair = Scores.of(row[:10], seeds=range(10)), Scores.of(np.zeros(10), seeds=range(10))
        for design, intervals, counts in (
            (Pairs.looking(TWELVE), looking, TWELVE),
            (Pairs.any_time(30), after_any, range(3, 31)),
            (Pairs.once(10, 0.05), [difference_of(*pair).interval], (10,)),
        ):
            claimed = [(one.low > 0) - (one.high < 0) if one.bounds else 0 for one in intervals]
            first = next((at for at, sign in enumerate(claimed) if sign), None)
            expected = (0, design.most) if first is None else (claimed[first], counts[first])
            assert [float(part) for part in design.outcomes(row)] == list(expected)


def test_the_table_has_a_line_of_each_design():
    lines = list(registered.tables(60))
    assert all(any(line.startswith(str(design)) for line in lines) for design in (*DESIGNS, *UNPAIRED))
