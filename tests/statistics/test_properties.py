"""What holds for all scores: order does not matter, and neither do unit and origin of the scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from experiments.statistics import (
    STATISTICS,
    Interval,
    Options,
    Scores,
    compare,
    describe,
    holm,
    interval,
    performance_profiles,
)
from experiments.statistics.significance import permutation_test
from tests.statistics.samples import curve

QUICK = Options(resamples=200)
numbers = st.integers(-1000, 1000).map(lambda number: number / 8)
samples = st.lists(numbers, min_size=1, max_size=24)
scales = st.sampled_from([0.25, 1.0, 3.0, 1000.0])


def close(first: Interval, second: Interval, scale: float = 1.0, shift: float = 0.0) -> bool:
    if first.bounds is None or second.bounds is None:
        return first.bounds is second.bounds
    moved = [scale * bound + shift for bound in second.bounds]
    return first.bounds == pytest.approx(moved, rel=1e-6, abs=1e-6 * scale)


@pytest.mark.parametrize("statistic", STATISTICS)
@given(values=samples, order=st.randoms())
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_seeds_does_not_matter(statistic, values, order):
    shuffled = values.copy()
    order.shuffle(shuffled)
    assert interval(values, statistic, QUICK) == interval(shuffled, statistic, QUICK)


@pytest.mark.parametrize("statistic", ["mean", "median", "iqm"])
@given(values=samples, scale=scales, shift=numbers)
@settings(max_examples=25, deadline=None)
def test_intervals_move_with_the_scale_of_the_scores(statistic, values, scale, shift):
    moved = [scale * value + shift for value in values]
    assert close(interval(moved, statistic, QUICK), interval(values, statistic, QUICK), scale, shift)


@given(ours=samples, theirs=samples, scale=scales)
@settings(max_examples=40, deadline=None)
def test_a_comparison_the_other_way_round_says_the_opposite(ours, theirs, scale):
    first = compare(Scores.of(ours), Scores.of(theirs), options=QUICK)
    second = compare(Scores.of(np.array(theirs) * scale), Scores.of(np.array(ours) * scale), options=QUICK)
    assert {first.verdict, second.verdict} in ({"undecided"}, {"better", "worse"})
    assert first.improvement.value == pytest.approx(1 - second.improvement.value)
    assert close(first.difference.interval, _turned(second.difference.interval), 1 / scale)


@given(ours=st.lists(numbers, min_size=1, max_size=6), theirs=st.lists(numbers, min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_permutation_test_is_never_below_the_smallest_that_it_can_give(ours, theirs):
    found = permutation_test(np.array(ours), np.array(theirs))
    assume(found.p_value is not None)
    assert found.smallest - 1e-12 <= found.p_value <= 1


@given(values=st.lists(st.none() | st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_of_p_values_and_never_lowers_one(values):
    adjusted = holm(values)
    pairs = sorted((one, other) for one, other in zip(values, adjusted, strict=True) if one is not None)
    assert [other for _, other in pairs] == sorted(other for _, other in pairs)
    assert all(one <= other <= 1 for one, other in pairs)
    assert [one is None for one in values] == [one is None for one in adjusted]


@given(values=samples)
@settings(max_examples=40, deadline=None)
def test_a_profile_falls_and_its_band_holds_it(values):
    found = performance_profiles([Scores.of(values)])[0]
    assert (np.diff(found.share) <= 0).all()
    assume(len(values) > 1)
    assert ((found.low <= found.share) & (found.share <= found.high)).all()


@given(values=samples, lost=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_no_seed_is_ever_lost_from_the_count(values, lost):
    found = describe(Scores.of([*values, *[float("nan")] * lost]))
    assert (found.count.finished, found.count.diverged, found.count.total) == (len(values), lost, len(values) + lost)


@given(
    values=st.lists(numbers | st.just(float("nan")), max_size=30),
    steps=st.lists(st.integers(0, 40), max_size=30),
)
@settings(max_examples=60, deadline=None)
def test_a_curve_is_ascending_finite_and_counts_what_it_left_out(values, steps):
    found = curve(values, steps=steps)
    assert (np.diff(found.steps) > 0).all()
    assert np.isfinite(found.values).all()
    assert found.lost >= max(len(values), len(steps)) - min(len(values), len(steps))


def _turned(found: Interval) -> Interval:
    return found if found.bounds is None else Interval(-found.bounds[1], -found.bounds[0], method=found.method)
