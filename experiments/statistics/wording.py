"""The methods sentence: what a paper has to say about its numbers, made from the numbers themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from experiments.project.look import counted
from experiments.statistics.bands import RESAMPLES, Band
from experiments.statistics.comparisons import Comparison, still_out
from experiments.statistics.profiles import Profile
from experiments.statistics.scores import Scores
from experiments.statistics.values import Estimate, Interval, Options

_NAMES = {"iqm": "interquartile mean"}
Result = Estimate | Comparison | Profile | Band


def methods_sentence(
    arms: Sequence[Scores | Band], results: Sequence[Result] = (), *, x_axis: str = "", smoothing: str = ""
) -> str:
    """Return how some results came about: seeds, scores, intervals with what they assume, tests, x-axis, smoothing.

    Args:
        arms: Each arm once, as scores or as a band.
        results: What the table or figure shows of them besides; a band stands here where arms are given as scores.
        x_axis: What curves are drawn over, in words; empty where no curve is drawn.
        smoothing: How curves were smoothed for the eye, in words (`EMA, half-life 20k agent steps`).
    """
    if not arms:
        return "No runs."
    parts = [_interim(arms), _seeds(arms), *_scores(arms), *_intervals(arms, results), *_tests(results)]
    if any("bootstrap" in part for part in parts):
        along = (
            f" ({RESAMPLES:,} at each step of a curve)"
            if any(isinstance(drawn, Band) for drawn in (*arms, *results))
            else ""
        )
        parts.append(f"Bootstraps take {Options().resamples:,} resamples{along} with a fixed seed.")
    if x_axis:
        parts.append(f"Curves are drawn over {x_axis}, each run within its own range.")
    if smoothing:
        parts.append(f"Curves are smoothed for display only ({smoothing}); all numbers are from values as logged.")
    elif x_axis:
        parts.append("Nothing is smoothed.")
    return " ".join(filter(None, parts))


def _interim(arms: Sequence[Scores | Band]) -> str:
    words = still_out([(arm.arm if isinstance(arm, Scores) else "", arm.count) for arm in arms])
    return f"Interim: {words}." if words else ""


def _seeds(arms: Sequence[Scores | Band]) -> str:
    counts = [arm.count for arm in arms]
    totals = sorted({count.total for count in counts})
    fewest = f"{totals[0]} to " if totals[0] < totals[-1] else ""
    start = f"n = {fewest}{counted(totals[-1], 'seed')} an arm"
    lost = [count.sentence for count in counts if count.finished < count.total or count.duplicates or count.uncounted]
    if not lost:
        return f"{start}, all {counts[0].goal}."
    return f"{start}; {sum(counts[1:], counts[0])} ({'; '.join(dict.fromkeys(lost))})."


def _scores(arms: Sequence[Scores | Band]) -> Iterator[str]:
    kinds = dict.fromkeys(arm.what for arm in arms if isinstance(arm, Scores))
    if kinds:
        yield f"One score a run: {'; '.join(kinds)}."
    attempts = dict.fromkeys(note for arm in arms if isinstance(arm, Scores) for note in arm.attempts)
    if attempts:
        yield f"Attempts: {'; '.join(attempts)}."
    filled = dict.fromkeys(
        run.reason
        for arm in arms
        if isinstance(arm, Scores)
        for run in arm.runs
        if run.value is not None and run.reason
    )
    if filled:
        yield f"Runs that were given a score: {'; '.join(filled)}."


def _intervals(arms: Sequence[Scores | Band], results: Sequence[Result]) -> Iterator[str]:
    made: dict[str, None] = {}
    missing: dict[str, None] = {}
    for name, interval in _named_intervals(results):
        if interval.bounds is None:
            missing[f"{name} ({interval.reason})"] = None
        else:
            doubt = f" (its nominal 95 % {interval.doubt})" if interval.doubt else ""
            assumption = f", which {interval.assumption}{doubt}" if interval.assumption else ""
            made[f"{interval.percent} {interval.method} interval of the {name}{assumption}"] = None
    for drawn in (*arms, *results):
        if isinstance(drawn, Band | Profile) and not drawn.problem:
            name = _NAMES.get(drawn.statistic, drawn.statistic) if isinstance(drawn, Band) else drawn.what
            assumption = f", which {drawn.assumption}" if drawn.assumption else ""
            (made if drawn.assumption else missing)[f"{drawn.method} of the {name}{assumption}"] = None
    if made:
        text = "; ".join(made)
        yield f"{text[0].upper()}{text[1:]}."
    if missing:
        yield f"Without an interval: {'; '.join(missing)}."


def _named_intervals(results: Sequence[Result]) -> Iterator[tuple[str, Interval]]:
    for result in results:
        if isinstance(result, Estimate):
            yield _NAMES.get(result.statistic, result.statistic), result.interval
        elif isinstance(result, Comparison) and result.claim.is_final:
            name = _NAMES.get(result.statistic, result.statistic)
            yield f"difference of the {name}", result.difference.interval
            yield result.improvement.statistic, result.improvement.interval


def _tests(results: Sequence[Result]) -> Iterator[str]:
    compared = [result for result in results if isinstance(result, Comparison)]
    unclaimed = dict.fromkeys(
        f"{one.arm} against {one.baseline}: {one.claim.reason}"
        for one in compared
        if one.claim.standing in ("lost", "codes", "chosen")
    )
    if unclaimed:
        yield f"Undecided: {'; '.join(unclaimed)}."
    tested = [one for one in compared if one.p_adjusted is not None]
    if compared:
        names = ", ".join(dict.fromkeys(one.baseline for one in compared))
        tests = ", ".join(dict.fromkeys(one.difference.test for one in tested))
        how = f" by {tests}" if tests else ""
        family = max(one.family for one in compared)
        holm = f", p-values after Holm over {counted(family, 'comparison')}" if tested and family > 1 else ""
        paired = ", seed by seed" if all(one.difference.paired for one in compared) else ""
        yield f"Compared with {names}{paired}{how}{holm}."
