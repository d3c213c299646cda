"""Simulated coverage of every interval that `experiments.statistics` can choose, through its public functions."""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import special

from experiments.statistics import (
    Options,
    Scores,
    anytime_interval,
    interval_at_look,
    intervals,
    look_limits,
    methods,
)
from experiments.statistics.aggregates import aggregate
from experiments.statistics.differences import difference_of, interval_of_difference, score_interval, welch_of_fewest
from experiments.statistics.intervals import interval_of, t_bounds
from experiments.statistics.pairing import fisher
from experiments.statistics.prediction import prediction
from experiments.statistics.profiles import performance_profiles
from experiments.statistics.sequential import anytime_limit
from experiments.statistics.values import Method

OPTIONS = Options(resamples=2_000)
STRICTER = Options(level=0.97)
SHAPES = ("normal", "log-normal")
Trial = Callable[[np.random.Generator, str], tuple[object, float]]


@dataclass(frozen=True)
class Case:
    """One interval at one number of seeds.

    Attributes:
        method: The method that has to be chosen there.
        name: What was simulated.
        trials: Takes a generator, a shape and a number; returns a boolean a trial: whether the truth was inside.
    """

    method: Method
    name: str
    trials: Callable[[np.random.Generator, str, int], np.ndarray]

    def coverage(self, shape: str, number: int) -> float:
        rng = np.random.default_rng(zlib.crc32(f"{self.method.name} {self.name} {shape}".encode()))
        return float(np.mean(self.trials(rng, shape, number)))


def draw(rng, shape, size):
    """Standard normal scores, or log-normal ones, whose skewness is 6.2."""
    scores = rng.standard_normal(size)
    return scores if shape == "normal" else np.exp(scores)


@functools.cache
def truth(statistic, shape, target=1.0):
    """The statistic of infinitely many runs, by quantiles of their scores."""
    quantile = special.ndtri((np.arange(200_000) + 0.5) / 200_000)
    scores = quantile if shape == "normal" else np.exp(quantile)
    return float(aggregate(statistic, target)(scores))


def one_arm(statistic, n, method, *, options=OPTIONS):
    """Many sets of scores at once, through the very choice that `interval` makes."""

    def trials(rng, shape, number):
        scores = draw(rng, shape, (number, n))
        choice = intervals.choose(n, statistic, options, reached=True)
        assert choice.method == method
        low, high = choice.bounds(scores)
        goal = truth(statistic, shape, target=options.target)
        return (low <= goal) & (goal <= high)

    return Case(method, f"{statistic}, n = {n}", trials)


def each(method, name, trial):
    """One trial after the other; a trial returns an `Interval` and the truth."""

    def trials(rng, shape, number):
        inside = np.empty(number, bool)
        for at in range(number):
            found, goal = trial(rng, shape)
            assert found.method.startswith(method.name), found
            inside[at] = found.contains(goal)
        return inside

    return Case(method, name, trials)


def gap_far_from_target(n):
    far = Options(target=4.0)

    def trial(rng, shape):
        while True:  # log-normal scores reach any target now and then: then no t interval is chosen
            scores = draw(rng, shape, n)
            if scores.max() < far.target:
                return interval_of(scores, "optimality gap", far), truth("optimality gap", shape, target=4.0)

    return each(methods.STUDENT, f"optimality gap, no seed at the target, n = {n}", trial)


def pairs(n, statistic="mean"):
    def trial(rng, shape):
        common = 0.7 * rng.standard_normal(n)
        ours, theirs = (Scores.of(common + draw(rng, shape, n), seeds=range(n)) for _ in range(2))
        return difference_of(ours, theirs, statistic, options=OPTIONS).interval, 0.0

    return each(methods.PAIRED if statistic == "mean" else methods.BCA, f"paired {statistic}, n = {n}", trial)


def all_looks(looks):
    """Whether the interval of every look of one comparison holds the truth."""
    limits = look_limits(looks)

    def trials(rng, shape, number):
        differences = paired(rng, shape, number, looks[-1])
        found = interval_at_look(differences[0, : looks[0]], looks)
        assert found.bounds == pytest.approx(t_bounds(differences[0, : looks[0]], limits[0]))
        inside = np.ones(number, bool)
        for look, limit in zip(looks, limits, strict=True):
            low, high = t_bounds(differences[:, :look], limit)
            inside &= (low <= 0) & (high >= 0)
        return inside

    return Case(methods.REPEATED, f"looks at {', '.join(map(str, looks))} pairs", trials)


def any_time(until):
    def trials(rng, shape, number):
        differences = paired(rng, shape, number, until)
        found = anytime_interval(differences[0])
        assert found.bounds == pytest.approx(t_bounds(differences[0], anytime_limit(until, 0.05)))
        inside = np.ones(number, bool)
        for n in range(methods.FEWEST_PAIRS, until + 1):
            low, high = t_bounds(differences[:, :n], anytime_limit(n, 0.05))
            inside &= (low <= 0) & (high >= 0)
        return inside

    return Case(methods.ANY_TIME, f"after each of {methods.FEWEST_PAIRS} to {until} pairs", trials)


def paired(rng, shape, number, n):
    """Differences (number, n) of two arms at the same seeds; what a seed does to both drops out."""
    return draw(rng, shape, (number, n)) - draw(rng, shape, (number, n))


def arms(method, statistic, n, m, ratio=1.0):
    def trial(rng, shape):
        ours, theirs = draw(rng, shape, n), ratio * draw(rng, shape, m)
        goal = 0.0 if ratio == 1 else truth(statistic, shape) * (1 - ratio)
        return interval_of_difference(ours, theirs, statistic, OPTIONS)[0], goal

    scales = f", scale 1 against {ratio:g}" if ratio != 1 else ""
    return each(method, f"difference of {statistic}, {n} against {m}{scales}", trial)


def fewest(n, m, ratio=1.0):
    """What is chosen for stricter levels only, at the level that all others are measured with."""
    scales = f", scale 1 against {ratio:g}" if ratio != 1 else ""

    def trials(rng, shape, number):
        ours, theirs = draw(rng, shape, (number, n)), ratio * draw(rng, shape, (number, m))
        assert interval_of_difference(ours[0], theirs[0], "mean", STRICTER)[0].method == methods.FEWEST.name
        goal = truth("mean", shape) * (1 - ratio)
        bounds = np.array([welch_of_fewest(*pair, 0.95)[:2] for pair in zip(ours, theirs, strict=True)])
        return (bounds[:, 0] <= goal) & (goal <= bounds[:, 1])

    return Case(methods.FEWEST, f"difference of mean, {n} against {m}{scales}", trials)


def improvement(n, m, shift):
    """Only the order of scores counts, so that the shape changes nothing but the draws."""
    goal = float(special.ndtr(shift / np.sqrt(2)))

    def trials(rng, shape, number):
        ours = rng.standard_normal((number, n, 1)) + shift
        theirs = rng.standard_normal((number, 1, m))
        ours, theirs = (ours, theirs) if shape == "normal" else (np.exp(ours), np.exp(theirs))
        low, high = score_interval((ours > theirs).mean(axis=(1, 2)), (n, m), 0.95)
        return (low <= goal) & (goal <= high)

    return Case(methods.WINS, f"{n} against {m}, shifts {shift:g}", trials)


def correlation(n, half):
    """Two arms that share `half` of the variance of normal scores, or of the logarithms of others."""

    def trials(rng, shape, number):
        common = rng.standard_normal((number, n, 1))
        scores = math.sqrt(half) * common + math.sqrt(1 - half) * rng.standard_normal((number, n, 2))
        scores, goal = (scores, half) if shape == "normal" else (np.exp(scores), np.expm1(half) / np.expm1(1.0))
        away = scores - scores.mean(axis=1, keepdims=True)
        products = (away[..., 0] * away[..., 1]).sum(axis=1)
        low, high = fisher(products / np.sqrt((away**2).sum(axis=1).prod(axis=1)), n, 0.95)
        return (low <= goal) & (goal <= high)

    return Case(methods.FISHER, f"share {half:g}, n = {n}", trials)


def further_run(n):
    def trials(rng, shape, number):
        scores = draw(rng, shape, (number, n + 1))
        low, high = prediction(scores[:, :n], 0.95)
        return (low <= scores[:, n]) & (scores[:, n] <= high)

    return Case(methods.PREDICTION, f"one further run, n = {n}", trials)


def profile(n):
    """A threshold drawn like a score: coverage averaged over where scores lie."""

    def trials(rng, shape, number):
        inside = np.empty(number, bool)
        for at in range(number):
            scores, threshold = draw(rng, shape, n), float(draw(rng, shape, ()))
            found = performance_profiles([Scores.of(scores)], thresholds=[threshold])[0]
            goal = float(1 - special.ndtr(threshold if shape == "normal" else np.log(threshold)))
            inside[at] = found.low[0] <= goal <= found.high[0]
        return inside

    return Case(methods.WILSON, f"n = {n}", trials)


BOOTSTRAP = Options(resamples=2_000, bootstrap=True)

CASES = [
    *(one_arm("mean", n, methods.STUDENT) for n in (2, 3, 4, 5, 7, 10, 20, 50)),
    *(gap_far_from_target(n) for n in (2, 5, 10)),
    *(pairs(n) for n in (3, 5, 10)),
    *(one_arm("median", n, methods.ORDER) for n in (5, 6, 7, 8, 9, 10, 15, 20, 50)),
    *(one_arm("iqm", n, methods.BCA) for n in (5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 20, 30, 50)),
    pairs(6, "iqm"),
    *(all_looks(looks) for looks in ((3, 5, 10), (4, 6, 8, 10, 12), (5, 10, 15, 20, 25))),
    *(any_time(until) for until in (10, 30)),
    *(one_arm("mean", n, methods.BCA, options=BOOTSTRAP) for n in (20, 30, 50)),
    *(one_arm("optimality gap", n, methods.BCA) for n in (20, 30, 50)),
    *(arms(methods.WELCH, "mean", n, m) for n, m in ((3, 3), (4, 4), (4, 6), (5, 5), (10, 10), (10, 15))),
    *(arms(methods.WELCH, "mean", n, n, ratio=3.0) for n in (3, 5, 10)),
    *(arms(methods.UNEVEN, "mean", n, m) for n, m in ((3, 5), (3, 10), (3, 12), (4, 10), (5, 10), (5, 20), (10, 20))),
    arms(methods.UNEVEN, "mean", 3, 10, ratio=3.0),
    arms(methods.UNEVEN, "mean", 10, 3, ratio=3.0),
    *(fewest(n, m) for n, m in ((3, 3), (5, 5), (10, 10), (5, 20))),
    *(fewest(n, m, ratio=4.0) for n, m in ((5, 5), (10, 3))),
    *(arms(methods.YUEN, "iqm", n, m) for n, m in ((6, 6), (6, 9), (8, 8), (8, 12), (10, 10), (10, 20))),
    arms(methods.YUEN, "iqm", 20, 20),
    *(
        improvement(n, m, shift)
        for n, m in ((5, 5), (5, 10), (10, 10), (20, 20), (50, 50))
        for shift in (0.0, 1.0, 2.0)
    ),
    *(correlation(n, half) for n in (5, 10, 20) for half in (0.0, 0.5, 0.9)),
    *(further_run(n) for n in (3, 5, 10, 20)),
    *(profile(n) for n in (2, 3, 5, 10, 20)),
]


def table(cases, normal=10_000, skewed=2_000):
    """Return one line a case: method, what was simulated, coverage on normal and on log-normal scores."""
    for case in cases:
        found = case.coverage("normal", normal), case.coverage("log-normal", skewed)
        yield case, *found, f"{case.method.name:22} {case.name:66} {100 * found[0]:5.1f} % {100 * found[1]:5.1f} %"


if __name__ == "__main__":
    print(f"{'interval':22} {'simulated':66} {'normal':>7} {'log-n.':>7}")
    for *_, line in table(CASES):
        print(line)
