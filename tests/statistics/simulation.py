"""Simulated coverage of every interval that `experiments.statistics` can choose, through its public functions."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from experiments.statistics import Options, Scores, intervals, methods
from experiments.statistics.aggregates import iqm
from experiments.statistics.differences import difference_of, interval_of_difference
from experiments.statistics.improvement import score_interval
from experiments.statistics.intervals import interval_of, interval_over_tasks
from experiments.statistics.profiles import performance_profiles
from experiments.statistics.values import Method

OPTIONS = Options(resamples=2_000)
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
def truth(statistic, shape, centres=(0.0,), scales=(1.0,), target=1.0):
    """The statistic of infinitely many runs, by quantiles of each task's scores."""
    quantile = special.ndtri((np.arange(200_000) + 0.5) / 200_000)
    scores = quantile if shape == "normal" else np.exp(quantile)
    pooled = np.concatenate([centre + scale * scores for centre, scale in zip(centres, scales, strict=True)])
    if statistic == "iqm":
        return float(iqm(pooled))
    if statistic == "median":
        return float(np.median(pooled))
    return float(pooled.mean()) if statistic == "mean" else float(np.maximum(target - pooled, 0).mean())


def listed(numbers):
    return " ".join(f"{number:g}" for number in numbers)


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


def arms(method, statistic, n, m, ratio=1.0, tasks=1, spread=0.0):
    places = spread * np.arange(tasks)

    def trial(rng, shape):
        ours = draw(rng, shape, (n, tasks)) + places
        theirs = ratio * draw(rng, shape, (m, tasks)) + places
        goal = 0.0 if ratio == 1 else truth(statistic, shape) * (1 - ratio)
        return interval_of_difference(list(ours.T), list(theirs.T), statistic, OPTIONS)[0], goal

    scales = f", scale 1 against {ratio:g}" if ratio != 1 else ""
    over = f" over {tasks} tasks {spread:g} apart" if tasks > 1 else ""
    return each(method, f"difference of {statistic}, {n} against {m}{scales}{over}", trial)


def over_tasks(method, statistic, n, centres, scales=None, shared=None):
    scales = scales or (1.0,) * len(centres)

    def trial(rng, shape):
        noise = draw(rng, shape, (n, len(centres)))
        if shared is not None:
            z = np.sqrt(shared) * rng.standard_normal((n, 1)) + np.sqrt(1 - shared) * rng.standard_normal(noise.shape)
            noise = z if shape == "normal" else np.exp(z)
        table = np.array(centres) + np.array(scales) * noise
        found = interval_over_tasks(list(table.T), statistic, OPTIONS, table=None if shared is None else table)
        return found, truth(statistic, shape, tuple(centres), tuple(scales))

    same = "" if shared is None else f", shared runs, correlation {shared:g}"
    name = f"{statistic} over tasks at {listed(centres)} +- {listed(sorted(set(scales)))}, n = {n} each{same}"
    return each(method, name, trial)


def improvement(n, m, shifts):
    """Only the order of scores counts, so that the shape changes nothing but the draws."""
    goal = float(special.ndtr(np.array(shifts) / np.sqrt(2)).mean())
    sizes = np.tile((float(n), float(m)), (len(shifts), 1))

    def trials(rng, shape, number):
        ours = rng.standard_normal((number, len(shifts), n, 1)) + np.array(shifts)[:, None, None]
        theirs = rng.standard_normal((number, len(shifts), 1, m))
        ours, theirs = (ours, theirs) if shape == "normal" else (np.exp(ours), np.exp(theirs))
        low, high = score_interval((ours > theirs).mean(axis=(2, 3)), sizes, 0.95)
        return (low <= goal) & (goal <= high)

    return Case(methods.WINS, f"{n} against {m}, shifts {listed(shifts)}", trials)


def profile(n, centres):
    """A threshold drawn like a score: coverage averaged over where scores lie."""

    def trials(rng, shape, number):
        inside = np.empty(number, bool)
        for at in range(number):
            table = np.array(centres) + draw(rng, shape, (n, len(centres)))
            threshold = centres[rng.integers(len(centres))] + float(draw(rng, shape, ()))
            found = performance_profiles([Scores.of(table)], thresholds=[threshold])[0]
            beyond = threshold - np.array(centres)
            with np.errstate(divide="ignore"):
                z = beyond if shape == "normal" else np.log(np.maximum(beyond, 0.0))
            goal = float((1 - special.ndtr(z)).mean())
            inside[at] = found.low[0] <= goal <= found.high[0]
        return inside

    return Case(methods.WILSON, f"n = {n}, tasks at {listed(centres)}", trials)


SAME, APART, MIXED = (0.0,) * 5, (0.0, 1.0, 2.0, 3.0, 4.0), (0.0, 0.3, 0.5, 0.8, 1.0)
SCALES = (0.05, 0.2, 0.1, 0.3, 0.02)
BOOTSTRAP = Options(resamples=2_000, bootstrap=True)

CASES = [
    *(one_arm("mean", n, methods.STUDENT) for n in (2, 3, 4, 5, 7, 10, 20, 50)),
    *(gap_far_from_target(n) for n in (2, 5, 10)),
    *(pairs(n) for n in (2, 3, 5, 10)),
    *(one_arm("median", n, methods.ORDER) for n in (5, 6, 7, 8, 9, 10, 15, 20, 50)),
    *(one_arm("iqm", n, methods.BCA) for n in (5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 20, 30, 50)),
    pairs(5, "iqm"),
    *(one_arm("mean", n, methods.BCA, options=BOOTSTRAP) for n in (20, 30, 50)),
    *(one_arm("optimality gap", n, methods.BCA) for n in (20, 30, 50)),
    *(arms(methods.WELCH, "mean", n, m) for n, m in ((3, 3), (3, 12), (4, 4), (4, 20), (5, 5), (10, 10), (5, 10))),
    *(arms(methods.WELCH, "mean", n, n, ratio=3.0) for n in (3, 5, 10)),
    *(arms(methods.YUEN, "iqm", n, m) for n, m in ((5, 5), (5, 10), (6, 12), (7, 14), (8, 8), (10, 10), (10, 30))),
    arms(methods.YUEN, "iqm", 20, 20),
    *(over_tasks(methods.SATTERTHWAITE, "mean", n, SAME) for n in (3, 5, 10)),
    over_tasks(methods.SATTERTHWAITE, "mean", 3, (0.0, 1.0)),
    over_tasks(methods.SATTERTHWAITE, "mean", 3, MIXED, SCALES),
    arms(methods.SATTERTHWAITE, "mean", 3, 3, tasks=5),
    *(over_tasks(methods.STRATIFIED, "iqm", n, SAME) for n in (5, 6, 8, 10, 20)),
    *(over_tasks(methods.STRATIFIED, "iqm", n, APART) for n in (5, 10)),
    *(over_tasks(methods.STRATIFIED, "iqm", n, MIXED, SCALES) for n in (5, 10)),
    *(over_tasks(methods.STRATIFIED, "iqm", n, (0.0, 1.0)) for n in (5, 8, 10)),
    *(over_tasks(methods.STRATIFIED, "optimality gap", n, SAME) for n in (5, 10)),
    *(arms(methods.STRATIFIED, "iqm", n, n, tasks=k, spread=2.0) for n, k in ((5, 5), (5, 3), (8, 2), (10, 5))),
    *(over_tasks(methods.BY_SEED, "iqm", n, MIXED, shared=0.5) for n in (8, 10, 20)),
    *(over_tasks(methods.BY_SEED, "iqm", n, (0.0, 2.0), shared=0.5) for n in (8, 10)),
    *(over_tasks(methods.BY_SEED, "optimality gap", n, SAME, shared=0.5) for n in (8, 20)),
    *(
        improvement(n, m, (shift,))
        for n, m in ((5, 5), (5, 10), (10, 10), (20, 20), (50, 50))
        for shift in (0.0, 1.0, 2.0)
    ),
    *(improvement(n, n, shifts) for n in (5, 10) for shifts in ((0.0,) * 5, (1.0,) * 5, (0.5, 0.2, 0.8, 0.0, 1.0))),
    *(improvement(n, n, (0.0, 0.0, 0.0, 3.0, 3.0)) for n in (5, 10)),
    *(profile(n, (0.0,)) for n in (2, 3, 5, 10, 20)),
    *(profile(n, centres) for n in (5, 10) for centres in (SAME, APART)),
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
