"""What stands beneath a chart: one line that says what may be concluded, which opens to the whole text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from experiments.jobs.ran import code_line
from experiments.notebooks.charts.runs import RunCurve, codes_in
from experiments.notebooks.charts.theme import Caption, sentences
from experiments.project.look import counted, minute_words
from experiments.statistics import Band, Comparison, Estimate, Profile, SeedCount, count_of

_MOST_NAMED = 8


def caption_of(
    runs: Sequence[RunCurve],
    *parts: str,
    method: str,
    note: str = "",
    counts: Sequence[SeedCount] | None = None,
    n: Iterable[int] = (),
    origin: str = "",
) -> Caption:
    """Return the words beneath a chart.

    Args:
        runs: Each curve that is drawn; of several metrics a run has several, and is one run.
        parts: Sentences of the whole text.
        method: What stands for the seeds, in few words.
        note: What a reader has to know first, in few words.
        counts: What became of the seeds of each arm; None to count the runs.
        n: How many seeds each arm's result rests on.
        origin: Where the rows come from, in words, where the runs themselves do not say it.
    """
    total = sum(counts or [_count_of(runs)], SeedCount())
    told = [note] if note else []
    limits = [*told, *_standing(total), *_reading(runs, total), *code_line(codes_in(runs))]
    is_whole = not limits and all(run.origin is not None for run in runs)
    whole = ["complete" if all(run.state for run in runs) else "all rows read"] if is_whole else []
    sizes = sorted(set(n))
    size = [f"n = {' to '.join(dict.fromkeys(map(str, (sizes[0], sizes[-1]))))}"] if sizes else []
    newest = max((run.origin.as_of for run in runs if run.origin is not None), default=None)
    time = [minute_words(newest)] if newest is not None else [origin] if origin else []
    return Caption(", ".join([method, *size, *limits, *whole, *time]), sentences(note, *parts, origin))


def interval_name(results: Sequence[Band | Estimate | Comparison | Profile], *, some_without: bool = False) -> str:
    """Return what the results' intervals are, in few words; it is said where some arms have none.

    Args:
        some_without: Whether there are arms besides that have no result.
    """
    names = dict.fromkeys(_method_of(result) for result in results)
    made = [name for name in names if name]
    if not made:
        return "no interval"
    return f"{' and '.join(made)}{' (not for every arm)' if some_without or '' in names else ''}"


def per_arm(told: Iterable[tuple[str, str]]) -> list[str]:
    """Return what is to be said of arms, each sentence once, with the arms of which it holds: `a, b: no interval`."""
    arms: dict[str, list[str]] = {}
    for arm, sentence in told:
        arms.setdefault(sentence, []).append(arm)
    return [f"{_named(own)}{sentence}" for sentence, own in arms.items()]


def _named(arms: Sequence[str]) -> str:
    named = [arm for arm in dict.fromkeys(arms) if arm]
    more = f" and {counted(len(named) - _MOST_NAMED, 'more arm')}" if len(named) > _MOST_NAMED else ""
    return f"{', '.join(named[:_MOST_NAMED])}{more}: " if named else ""


def _method_of(result: Band | Estimate | Comparison | Profile) -> str:
    """Return what an interval is, in few words; empty where there is none."""
    if isinstance(result, Band | Profile):
        return result.method.removeprefix("pointwise ").partition(", n = ")[0] if result.assumption else ""
    interval = result.improvement.interval if isinstance(result, Comparison) else result.interval
    return f"{interval.percent} {interval.method} interval" if interval.bounds else ""


def _count_of(runs: Sequence[RunCurve]) -> SeedCount:
    """Return what became of the seeds; of several curves of one run, one that has values speaks for it."""
    of_run: dict[str, RunCurve] = {}
    for run in runs:
        if run.run not in of_run or not len(of_run[run.run].curve.steps):
            of_run[run.run] = run
    return count_of([run.curve for run in of_run.values()])


def _standing(count: SeedCount) -> list[str]:
    """Return which of the planned seeds a result rests on, where it is not all."""
    of_all = f"of {counted(count.total, 'run')}"
    lost = count.ended - count.finished
    parts = (
        (count.unfinished, f"interim: {count.unfinished} {of_all} still out"),
        (lost, f"{lost} {of_all} lost"),
    )
    return [*(words for number, words in parts if number), *filter(None, [count.uncounted])]


def _reading(runs: Sequence[RunCurve], count: SeedCount) -> list[str]:
    """Return what limits the rows: some are missing, or there is something to know of where they come from."""
    unread = max(count.unread, len({run.run for run in runs if run.is_unread}))
    origins = {run.run: run.origin for run in runs if run.origin is not None}
    sampled = sum(not origin.complete for origin in origins.values())
    noted = sum(origin.complete and bool(origin.words) for origin in origins.values())
    parts = (
        (unread, f"{unread} of {counted(count.total, 'run')} not read"),
        (sampled, f"sampled or with rows lost in {counted(sampled, 'run')}"),
        (noted, f"a note on the rows of {counted(noted, 'run')}"),
    )
    return [words for number, words in parts if number]
