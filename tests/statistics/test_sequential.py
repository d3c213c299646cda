"""Looking before all seeds are there uses up as much of the level as was planned, whatever the level."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from experiments.statistics import anytime_interval, interval_at_look, look_limits, methods
from experiments.statistics.looks import CALIBRATED
from experiments.statistics.sequential import MIXTURE, anytime_limit

DESIGNS = ((4, 6, 8, 10, 12), (5, 10, 15, 20, 25), (3, 4, 5, 6, 7, 8), (3, 20))


def t_statistics(trials, until, seed=20_250_301):
    """t of the first n pairs (trials, until) where the mean difference is 0, of normal differences."""
    differences = np.random.default_rng(seed).standard_normal((trials, until))
    n = np.arange(1, until + 1)
    mean = differences.cumsum(axis=1) / n
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = ((differences**2).cumsum(axis=1) - n * mean**2) / (n - 1)
        return mean / np.sqrt(variance / n)


def first_crossings(looks, limits, trials):
    """The share of trials whose t is beyond the limit at each look, and at none before."""
    beyond = np.abs(t_statistics(trials, looks[-1])[:, np.array(looks) - 1]) > limits
    return np.bincount(beyond.argmax(axis=1)[beyond.any(axis=1)], minlength=len(looks)) / trials


@pytest.mark.parametrize("looks", DESIGNS, ids=str)
@pytest.mark.parametrize("spending", ["kim-demets", "pocock"])
def test_looks_spend_what_their_function_gives_them(spending, looks):
    trials = 200_000
    found = first_crossings(looks, look_limits(looks, spending=spending), trials)
    shares = np.array(looks) / looks[-1]
    spent = shares**2 if spending == "kim-demets" else np.log(1 + (math.e - 1) * shares)
    planned = np.diff(CALIBRATED * 0.05 * spent, prepend=0.0)
    assert found == pytest.approx(planned, abs=4 * math.sqrt(0.02 / trials))
    assert found.sum() == pytest.approx(0.045, abs=4 * math.sqrt(0.045 / trials))


def test_looks_spend_what_the_function_of_obrien_and_fleming_gives_them():
    looks, trials = (5, 10, 15, 20, 25), 200_000
    found = first_crossings(looks, look_limits(looks, spending="obrien-fleming"), trials)
    planned = 4 * stats.norm.sf(stats.norm.isf(0.045 / 4) / np.sqrt(np.array(looks) / 25))
    assert found.cumsum() == pytest.approx(planned, abs=4 * math.sqrt(0.045 / trials))


def test_a_small_level_of_a_late_design_of_a_family_is_spent_as_well():
    looks, level, trials = (4, 6, 8, 10, 12), 0.0006, 800_000
    found = first_crossings(looks, look_limits(looks, level), trials).sum()
    assert found == pytest.approx(0.9 * level, abs=3 * math.sqrt(level / trials))


def test_one_look_is_the_t_test():
    assert look_limits((8,), 0.05) == pytest.approx([stats.t.isf(0.045 / 2, 7)], rel=2e-3)
    assert look_limits((8,), 3e-6) == pytest.approx([stats.t.isf(0.9 * 3e-6 / 2, 7)], rel=2e-3)


@pytest.mark.parametrize(
    ("spending", "published"),
    [("pocock", (2.438, 2.427, 2.410, 2.397, 2.386)), ("obrien-fleming", (4.877, 3.357, 2.680, 2.290, 2.031))],
)
def test_with_very_many_pairs_the_limits_are_those_of_the_tables_for_a_known_spread(spending, published):
    found = look_limits((20_000, 40_000, 60_000, 80_000, 100_000), 0.05 / CALIBRATED, spending)
    assert found == pytest.approx(published, abs=0.005)


def test_limits_go_on_smoothly_where_the_recursion_gives_way_to_that_for_a_known_spread():
    before, after = look_limits((40, 49)), look_limits((41, 51))
    assert before == pytest.approx(after, abs=0.02)


def test_a_look_at_which_next_to_nothing_is_spent_has_no_interval():
    looks = (4, 6, 8, 10, 12)
    assert look_limits(looks, 3e-6, "obrien-fleming")[0] == math.inf
    found = interval_at_look([1.0, 1.1, 0.9, 1.2], looks, 3e-6, "obrien-fleming")
    assert found.words == "no interval: at 4 of 12 pairs this design decides nothing yet"


def test_the_interval_of_a_look_is_as_many_standard_errors_wide_as_its_limit():
    differences = np.array([1.0, 2.0, 3.0, 4.0, 2.5, 3.5])
    found = interval_at_look(differences, (4, 6, 8))
    half = look_limits((4, 6, 8))[1] * differences.std(ddof=1) / math.sqrt(6)
    assert found.bounds == pytest.approx((differences.mean() - half, differences.mean() + half))
    assert (found.level, found.n, found.method) == (0.95, 6, "repeated Student t")
    assert found.caution == methods.caution(6)


def test_what_has_no_interval_says_why():
    looks = (4, 6)
    assert "5 pairs of seeds; looks are planned at 4, 6" in interval_at_look([1, 2, 3, 4, 5], looks).reason
    assert "1 pair of 4 without a number" in interval_at_look([1, 2, math.nan, 4], looks).reason
    assert "all 4 pairs of seeds differ by the same 2" in interval_at_look([2.0] * 4, looks).reason
    assert "needs 3" in anytime_interval([1, 2]).reason
    assert "at level 0.05 an any-time interval begins at 4" in anytime_interval([1, 2, 3]).reason
    assert "without a number" in anytime_interval([1, None, 3, 4, 5]).reason


def test_the_level_of_a_late_design_is_not_called_a_hundred_percent():
    differences = [1.0, 1.1, 0.9, 1.2, 1.05, 0.95]
    assert interval_at_look(differences, (4, 6), 0.05 * 6 / (math.pi**2 * 49)).percent == "99.938 %"
    assert interval_at_look(differences, (4, 6), 3e-6).words.startswith("99.9997 % repeated Student t")
    assert interval_at_look(differences, (4, 6)).percent == "95 %"


@pytest.mark.parametrize("n", [4, 7, 20])
def test_the_any_time_limit_is_where_the_mixture_is_twenty_times_as_likely(n):
    t = anytime_limit(n, 0.05)

    def likelihood(effect):
        return stats.nct.pdf(t, n - 1, effect * math.sqrt(n)) * stats.norm.pdf(effect, scale=math.sqrt(MIXTURE))

    mixed = integrate.quad(likelihood, -12, 12, limit=200)[0]
    assert mixed / stats.t.pdf(t, n - 1) == pytest.approx(20, rel=1e-3)


@pytest.mark.parametrize("level", [0.05, 0.005])
def test_looking_after_each_of_two_hundred_pairs_stays_below_the_level(level):
    limits = np.array([math.inf] * 2 + [anytime_limit(n, level) for n in range(3, 201)])
    found = (np.abs(t_statistics(20_000, 200)[:, 2:]) > limits[2:]).any(axis=1).mean()
    assert level / 4 < found < level


def test_an_any_time_interval_holds_the_means_that_its_evidence_does_not_exclude():
    differences = np.array([1.0, 2.0, 3.0, 4.0, 2.5, 3.5])
    low, high = anytime_interval(differences).bounds
    for mean in (low, high):
        t = (differences.mean() - mean) / (differences.std(ddof=1) / math.sqrt(6))
        assert abs(t) == pytest.approx(anytime_limit(6, 0.05))
