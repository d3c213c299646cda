"""The difference between two arms, with the interval and the test that hold at their numbers of seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from experiments.look import counted
from experiments.statistics import bounds, methods
from experiments.statistics.aggregates import aggregate, iqm, trimmed, winsorised
from experiments.statistics.intervals import interval_of, interval_over_tasks, mean_over_tasks
from experiments.statistics.pairs import one_score_a_run, paired_differences
from experiments.statistics.resampling import Strata, over_tasks, stratified
from experiments.statistics.scores import Scores
from experiments.statistics.significance import PermutationTest, permutation_test, sign_test
from experiments.statistics.values import DEFAULTS, LEVEL, FloatArray, Interval, Method, Options

Compared = Literal["mean", "iqm"]


@dataclass(frozen=True)
class Difference:
    """A statistic of one arm minus that of another.

    Attributes:
        value: In the unit of the score; None where an arm has no score.
        p_value: Of the test that belongs to the interval; of the permutation test where the interval is a bootstrap.
        test: What `p_value` is of, in words.
        paired: Whether seeds were compared one by one; `value` is then the statistic of the paired differences.
        notes: What a reader has to know besides.
    """

    value: float | None
    interval: Interval
    p_value: float | None
    test: str
    permutation: PermutationTest
    paired: bool = False
    notes: tuple[str, ...] = ()


def difference_of(
    arm: Scores,
    baseline: Scores,
    statistic: Compared = "mean",
    *,
    paired: bool | None = None,
    options: Options = DEFAULTS,
) -> Difference:
    """Return by how much an arm differs from a baseline.

    Args:
        paired: Whether to compare seed by seed; by default where both arms were planned with the same seeds.
    """
    n = len(arm.values) + len(baseline.values)
    shared = arm.shared_runs or baseline.shared_runs
    problem = ""
    if arm.tasks != baseline.tasks:
        problem = "the arms were not scored on the same tasks"
    elif shared and statistic == "iqm":
        problem = "the same runs were scored on every task; compare means"
    elif shared:
        arm, baseline = one_score_a_run(arm), one_score_a_run(baseline)
    ours, theirs = arm.strata, baseline.strata
    if not problem and any(not len(part) for part in [*ours, *theirs]):
        problem = "an arm has no score"
    elif not problem and not all(np.isfinite(part).all() for part in [*ours, *theirs]):
        problem = "some seeds never reached the threshold; see the probability of improvement"
    if problem:
        return Difference(
            None, Interval.none(problem, n, level=options.level), None, "", PermutationTest(reason=problem)
        )
    pairing = None if paired is False else paired_differences(arm, baseline, forced=paired is True)
    if pairing is not None:
        return replace(_of_pairs(list(pairing.differences), statistic, options), notes=pairing.notes)
    notes = ("not paired: fewer than two seeds have a score in both arms",) if paired else ()
    return replace(_of_arms(ours, theirs, statistic, options), notes=notes)


def welch(arm: FloatArray, baseline: FloatArray, level: float) -> tuple[float, float, float]:
    """Return both ends of the interval of a difference of means, and the p-value of its being 0.

    Source: Welch 1947, "The generalization of Student's problem when several different population variances are
    involved".
    """
    parts = np.array([arm.var(ddof=1) / len(arm), baseline.var(ddof=1) / len(baseline)])
    df = np.array([len(arm) - 1.0, len(baseline) - 1.0])
    return bounds.t_of_variances(float(arm.mean() - baseline.mean()), parts, df, level)


def yuen(arm: FloatArray, baseline: FloatArray, level: float) -> tuple[float, float, float]:
    """Return both ends of the interval of a difference of interquartile means, and the p-value of its being 0.

    Source: Yuen 1974, "The two-sample trimmed t for unequal population variances".
    """
    (ours, our_part, our_df), (theirs, their_part, their_df) = _trimmed(arm), _trimmed(baseline)
    parts, df = np.concatenate([our_part, their_part]), np.concatenate([our_df, their_df])
    return bounds.t_of_variances(ours - theirs, parts, df, level)


def trimmed_t(differences: FloatArray) -> float | None:
    """Return the p-value of an interquartile mean of paired differences being 0; None where none varies.

    A sign test of five pairs cannot go below 0.06, and would never decide anything.

    Source: Tukey & McLaughlin 1963, "Less vulnerable confidence and significance procedures for location".
    """
    found = bounds.t_of_variances(*_trimmed(differences), LEVEL)[2]
    return None if math.isnan(found) else found


def _of_pairs(differences: Strata, statistic: Compared, options: Options) -> Difference:
    value = over_tasks(differences, statistic)
    permutation = sign_test(differences, aggregate(statistic), options)
    several = len(differences) > 1
    found = (
        interval_over_tasks(differences, statistic, options)
        if several
        else interval_of(differences[0], statistic, options)
    )
    interval = _of_differences(found, statistic)
    if interval.bounds is None:
        return Difference(value, interval, None, "", permutation, paired=True)
    if statistic == "iqm" and not several:
        return Difference(value, interval, trimmed_t(differences[0]), "trimmed t", permutation, paired=True)
    if statistic == "iqm":
        test = f"sign test, {permutation.method}"
        return Difference(value, interval, permutation.p_value, test, permutation, paired=True)
    p_value = mean_over_tasks(differences, options.level)[2]
    return Difference(value, interval, p_value, interval.method, permutation, paired=True)


def _of_arms(ours: Strata, theirs: Strata, statistic: Compared, options: Options) -> Difference:
    value = over_tasks(ours, statistic) - over_tasks(theirs, statistic)
    permutation = permutation_test(ours, theirs, aggregate(statistic), options)
    interval, p_value = interval_of_difference(ours, theirs, statistic, options)
    if interval.bounds is None:
        return Difference(value, interval, None, "", permutation)
    if p_value is None:
        test = f"permutation test, {permutation.method}"
        return Difference(value, interval, permutation.p_value, test, permutation)
    return Difference(value, interval, p_value, interval.method, permutation)


def interval_of_difference(
    ours: Strata, theirs: Strata, statistic: Compared, options: Options = DEFAULTS
) -> tuple[Interval, float | None]:
    """Return the interval of a difference of unpaired arms, and the p-value of its test; None for a bootstrap."""
    n = sum(map(len, [*ours, *theirs]))
    reason = _too_few(ours, theirs, statistic)
    if reason:
        return Interval.none(reason, n, level=options.level), None
    p_value = None
    if statistic == "iqm" and len(ours) > 1:
        method = replace(methods.STRATIFIED, name=f"{methods.STRATIFIED.name} over {len(ours)} tasks")
        ends = stratified(ours, statistic, options, minus=theirs)
    else:
        method, ends, p_value = _t_interval(ours, theirs, statistic, options.level)
    return Interval.made(ends, method, n, level=options.level), p_value


def _trimmed(scores: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Return the interquartile mean of scores, the variance of it, and its degrees of freedom."""
    n, kept = len(scores), len(scores) - 2 * trimmed(len(scores))
    variance = (n - 1) * winsorised(scores).var(ddof=1) / (kept * (kept - 1))
    return float(iqm(scores)), np.array([variance]), np.array([kept - 1.0])


def _t_interval(
    ours: Strata, theirs: Strata, statistic: Compared, level: float
) -> tuple[Method, tuple[float, float], float]:
    if len(ours) > 1:
        method, found = methods.SATTERTHWAITE, _over_tasks(ours, theirs, level)
    elif statistic == "mean":
        method, found = methods.WELCH, welch(ours[0], theirs[0], level)
    else:
        method, found = methods.YUEN, yuen(ours[0], theirs[0], level)
    return method, found[:2], found[2]


def _over_tasks(ours: Strata, theirs: Strata, level: float) -> tuple[float, float, float]:
    centre = float(np.mean([first.mean() - second.mean() for first, second in zip(ours, theirs, strict=True)]))
    arms = [*ours, *theirs]
    parts = np.array([part.var(ddof=1) / len(part) for part in arms]) / len(ours) ** 2
    return bounds.t_of_variances(centre, parts, np.array([len(part) - 1.0 for part in arms]), level)


def _too_few(ours: Strata, theirs: Strata, statistic: Compared) -> str:
    """Return why so few seeds have no interval of their difference, or nothing."""
    sizes = [len(part) for part in [*ours, *theirs]]
    fewest, most = min(sizes), max(sizes)
    if all(part.max() == part.min() for part in [*ours, *theirs]):
        return "no score varies within its arm"
    several = len(ours) > 1
    if statistic == "mean":
        needed = methods.FEWEST_OVER_TASKS if several else methods.FEWEST_WELCH
    else:
        needed = methods.FEWEST_STRATIFIED if several else methods.FEWEST_IQM
    if fewest < needed:
        return f"{counted(fewest, 'seed')} in an arm; it needs {needed}"
    if several:
        runs = min(sum(map(len, ours)), sum(map(len, theirs)))
        enough = statistic == "mean" or runs >= methods.FEWEST_RUNS_STRATIFIED
        return "" if enough else f"{counted(runs, 'run')} in an arm; it needs {methods.FEWEST_RUNS_STRATIFIED}"
    uneven = (fewest == 3 and most > 12) if statistic == "mean" else (fewest < 10 and most > 2 * fewest)
    return f"{fewest} against {most} seeds are too uneven" if uneven else ""


def _of_differences(interval: Interval, statistic: Compared) -> Interval:
    """Return the interval of paired differences under a name that says so."""
    if interval.bounds is None:
        return interval
    if statistic == "mean" and interval.method == methods.STUDENT.name:
        method = methods.PAIRED
        return replace(interval, method=method.name, assumption=method.assumption, coverage=method.coverage)
    return replace(interval, method=f"{interval.method} of paired differences")
