"""Final scores: one dot a seed, the statistic with its interval, how often one arm beats another, and their profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import numpy as np

from experiments.notebooks.charts import room
from experiments.notebooks.charts.axes import Ends, beyond_words, end_params, moving_scale, with_intervals
from experiments.notebooks.charts.captions import caption_of, interval_name
from experiments.notebooks.charts.leading import MOST_ARMS, leading_arms, leading_words, ranked
from experiments.notebooks.charts.runs import RunCurve, origin_words
from experiments.notebooks.charts.theme import (
    colour_by_arm,
    dash_by_arm,
    data_of,
    empty_chart,
    palette_of,
    sentences,
    si_axis,
    styled,
    words_of,
)
from experiments.project import look
from experiments.project.look import counted
from experiments.project.standing import chooses, seed_words
from experiments.runs.store import REWARD_KEY
from experiments.runs.thinning import rounded
from experiments.statistics import (
    Comparison,
    Interval,
    Scores,
    Statistic,
    Summary,
    compare_arms,
    describe,
    methods_sentence,
    noise_floor,
    performance_profiles,
    summarise,
)

_ROW = 30
_MOST_ROWS = 24
_CHANCES = (("p", "chance"), ("low", "low"), ("high", "high"))
_END_TIPS = (alt.Tooltip("low_said:N", title="low"), alt.Tooltip("high_said:N", title="high"))


@dataclass(frozen=True)
class ScoreOptions:
    """What a reader may choose.

    Attributes:
        metric: What is scored.
        unit: Of the metric, where its trainer says one.
        summary: What one run's score is.
        statistic: Over the seeds of an arm.
        selected: Runs that stand out; empty for none.
        arms: All arms of the experiment, in order.
        leading: Arms in colour where there are more than eight, in that order; empty to find them by score.
        note: What a reader has to know first, such as which runs were left out.
        pool_codes: Whether something may be claimed of runs of different code.
        dark: Colours of a dark page.
    """

    metric: str = REWARD_KEY
    unit: str = ""
    summary: Summary = field(default_factory=Summary)
    statistic: Statistic = "mean"
    selected: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()
    leading: tuple[str, ...] = ()
    note: str = ""
    pool_codes: bool = False
    dark: bool = False

    @property
    def name(self) -> str:
        """What a score is, for an axis."""
        return f"{words_of(self.metric, self.unit)}, {self.summary.words}"


DEFAULTS = ScoreOptions()


def scores_of(runs: Sequence[RunCurve], options: ScoreOptions) -> list[Scores]:
    """Return the scores of each arm, from values as logged; runs without one keep the reason."""
    return list(summarise([run.curve for run in runs], options.summary).values())


def score_strip(runs: Sequence[RunCurve], options: ScoreOptions = DEFAULTS) -> Any:
    """Return one row an arm: its seeds, its statistic and the interval; or a sentence where no run has a score."""
    palette = palette_of(dark=options.dark)
    every = summarise([run.curve for run in runs], options.summary)
    arms = list(options.arms) or list(every)
    leading = _leading(runs, arms, options)
    found = [every[arm] for arm in _shown(runs, every, leading, options)]
    named = {scores.arm: f"{scores.arm} ({scores.count})".strip() for scores in found}
    dots = [dot for scores in found for dot in _dots(scores, named[scores.arm], options)]
    if not dots:
        return empty_chart(_no_score(list(every.values()), options.name), palette)
    estimates = [describe(scores, options.statistic) for scores in found]
    made = {scores.arm: one.interval.bounds for scores, one in zip(found, estimates, strict=True)}
    centres = [one.value for one in estimates if one.value is not None and np.isfinite(one.value)]
    drawn = np.array([*(dot["score"] for dot in dots), *centres])
    intervals = {arm: bounds for arm, bounds in made.items() if bounds}
    ends = with_intervals(drawn, list(intervals.values()))
    cut = beyond_words("interval", intervals, ends, "x-axis")
    bars = [
        {
            "arm": scores.arm,
            "row": named[scores.arm],
            "value": one.value,
            "said": look.quantity(one.value),
            **_within(one.interval, ends),
        }
        for scores, one in zip(found, estimates, strict=True)
    ]
    y = _rows(list(named.values()))
    axis = si_axis(options.name, gridOpacity=0.6, tickCount=room.ticks(8), **room.title())
    scale = moving_scale("score", zero=False)
    x = alt.X("score:Q", scale=scale, axis=axis)
    colour = colour_by_arm(arms, palette, leading, legend=False)
    strip = alt.Chart(data_of(dots)).mark_point(size=46, strokeWidth=1.4, filled=False, yOffset=-6)
    centre = alt.Chart(data_of([bar for bar in bars if bar["value"] is not None]))
    spread = alt.Chart(data_of([bar for bar in bars if bar["low"] is not None]))
    parts: list[Any] = [
        strip.encode(
            x=x,
            y=y,
            color=colour,
            opacity=alt.Opacity("o:Q", scale=None, legend=None),
            tooltip=[alt.Tooltip("run:N", title="run"), alt.Tooltip("said:N", title="score"), "seed:N"],
        )
    ]
    if any(bar["low"] is not None for bar in bars):
        rule = spread.mark_rule(strokeWidth=2.2, yOffset=7)
        parts.append(rule.encode(x=alt.X("from:Q", axis=axis, scale=scale), x2="to:Q", y=y, color=colour))
    thick = centre.mark_tick(thickness=2.6, size=15, yOffset=7)
    tips = [alt.Tooltip("arm:N", title="arm"), alt.Tooltip("said:N", title=options.statistic)]
    x = alt.X("value:Q", axis=axis, scale=scale)
    parts.append(thick.encode(x=x, y=y, color=colour, tooltip=[*tips, *_END_TIPS]))
    left = leading_words(len(found), len(every), "Rows, the best first")
    left = f"{left}; the table of runs and the groups have all" if left else ""
    few = f" of {len(found)} of {len(every)} arms" if left else ""
    caption = caption_of(
        runs,
        f"Circles: seeds; tick and line: {options.statistic} with its interval",
        cut,
        left,
        methods_sentence(found, estimates),
        lost_runs(list(every.values())),
        origin_words(runs),
        method=f"{options.statistic}, {interval_name(estimates)}{few}",
        note=options.note,
        counts=[scores.count for scores in every.values()],
        n=[len(scores.values) for scores in found],
    )
    height = _ROW * max(2, len(found))
    words = f"Scores of the seeds of each arm: {options.name}. {caption.text}"
    params = end_params("score", ends if cut else None)
    chart = alt.layer(*parts)
    return styled(chart, caption, palette, description=words, width="container", height=height, params=params)


def improvement_chart(runs: Sequence[RunCurve], options: ScoreOptions = DEFAULTS) -> Any:
    """Return how often a random run of each arm beats one of the baseline (the first arm), with its interval."""
    palette = palette_of(dark=options.dark)
    found = scores_of(runs, options)
    arms = list(options.arms) or [scores.arm for scores in found]
    results = comparisons(found, options)
    rows = [
        {
            "arm": one.arm,
            "row": f"{one.arm} ({one.verdict})".strip(),
            "p": one.improvement.value,
            "low": one.improvement.interval.low,
            "high": one.improvement.interval.high,
        }
        for one in results
        if one.improvement.value is not None
    ]
    if not rows:
        yet = " yet" if any(scores.waiting for scores in found) else ""
        few = f"No comparison{yet}: an arm has no score"
        if len(found) < 2:
            few = "A comparison needs two arms"
        if of_search(found):
            few = NOT_COMPARED
        return empty_chart(sentences(few, "; ".join(f"{s.arm}: {s.count.sentence}" for s in found)), palette)
    base = results[0].baseline
    y = _rows([str(row["row"]) for row in rows])
    axis = alt.Axis(
        format=".0%",
        tickCount=room.ticks(5),
        title=f"chance that a run of the arm beats one of {base}",
        gridOpacity=0.6,
        **room.title(),
    )
    scale = alt.Scale(domain=[0, 1])
    colour = colour_by_arm(arms, palette, [one.arm for one in results], legend=False)
    parts: list[Any] = [
        alt.Chart(data_of([{"half": 0.5}]))
        .mark_rule(strokeDash=[4, 3], color=palette.muted)
        .encode(x=alt.X("half:Q", axis=axis))
    ]
    drawn = [row for row in rows if row["low"] is not None]
    if drawn:
        rule = alt.Chart(data_of(drawn)).mark_rule(strokeWidth=2.2)
        parts.append(rule.encode(x=alt.X("low:Q", axis=axis, scale=scale), x2="high:Q", y=y, color=colour))
    points = alt.Chart(data_of(rows)).mark_point(filled=True, size=70, opacity=1)
    tips = [
        alt.Tooltip("arm:N", title="arm"),
        *(alt.Tooltip(f"{name}:Q", format=".0%", title=title) for name, title in _CHANCES),
    ]
    parts.append(points.encode(x=alt.X("p:Q", axis=axis, scale=scale), y=y, color=colour, tooltip=tips))
    caption = caption_of(
        runs,
        f"Probability of improvement over {base}; the dashed line is chance",
        methods_sentence(found, results),
        lost_runs(found),
        origin_words(runs),
        method=f"probability of improvement, {interval_name(results)}",
        note=options.note,
        counts=[scores.count for scores in found],
        n=[len(scores.values) for scores in found],
    )
    height = _ROW * max(2, len(rows))
    words = f"Probability of improvement over {base}. {caption.text}"
    return styled(alt.layer(*parts), caption, palette, description=words, width="container", height=height)


NOT_COMPARED = "Trials of a search are not compared: their scores have chosen among them"


def comparable(found: Sequence[Scores]) -> list[Scores]:
    """Return the arms that may be compared with each other: all but the trials of a search."""
    return [scores for scores in found if not any(map(chooses, scores.seeds))]


def of_search(found: Sequence[Scores]) -> bool:
    """Tell whether nothing is compared since some of the arms are trials."""
    return len(comparable(found)) < min(2, len(found))


def comparisons(found: Sequence[Scores], options: ScoreOptions) -> list[Comparison]:
    """Return every arm against the first, but for the trials of a search."""
    statistic = options.statistic if options.statistic in ("mean", "iqm") else "mean"
    return compare_arms(
        comparable(found),
        statistic,
        higher_is_better=not options.summary.lower_score_is_better,
        pool_codes=options.pool_codes,
    )


def comparison_sentences(runs: Sequence[RunCurve], options: ScoreOptions = DEFAULTS, most: int = 8) -> list[str]:
    """Return what the scores say about each arm against the first, one sentence each; a caution stands once, last.

    Of many arms those that lead are told first; all are compared, as the correction for many comparisons says.
    """
    results = comparisons(scores_of(runs, options), options)
    if len(results) > most:
        front = options.leading or leading_arms(runs, options.summary, options.statistic, options.selected)
        results.sort(key=lambda one: front.index(one.arm) if one.arm in front else len(front))
    more = [f"and {counted(len(results) - most, 'arm')} more"] if len(results) > most else []
    said: list[str] = []
    cautions: dict[str, None] = {}
    for one in results[:most]:
        before, caution, after = one.sentence.partition(one.difference.interval.caution or "\0")
        said.append(before.rstrip() + after)
        cautions[caution] = None
    return [*said, *more, *filter(None, cautions)]


def noise_sentence(runs: Sequence[RunCurve], options: ScoreOptions = DEFAULTS) -> str:
    """Return how far runs of one seed lie apart, and that a difference of two arms is no more; empty where none did."""
    found = scores_of(runs, options)
    noise, compared = noise_floor(found), comparisons(found, options)
    if noise is None:
        return ""
    return f"{noise.sentence(compared[0].difference.value if len(compared) == 1 else None)}."


def lost_runs(found: Sequence[Scores], most: int = 4) -> str:
    """Return which runs have no score, and why; the first few."""
    told = [
        f"{scores.arm} {seed_words(run.seed)}: {run.reason}" for scores in found for run in scores.runs if run.reason
    ]
    more = f"; and {len(told) - most} more" if len(told) > most else ""
    return f"Without a score: {'; '.join(told[:most])}{more}" if told else ""


def no_score_words(found: Sequence[Scores]) -> str:
    """Return that no run has a score; `yet` only where one may still get one."""
    return f"No run has a score{' yet' if any(scores.waiting for scores in found) else ''}"


def performance_profile(runs: Sequence[RunCurve], options: ScoreOptions = DEFAULTS) -> Any:
    """Return the profile of each arm with its band; or a sentence where no run has a score."""
    palette = palette_of(dark=options.dark)
    found = scores_of(runs, options)
    profiles = performance_profiles(found)
    drawn = [profile for profile in profiles if not profile.problem and len(profile.thresholds)]
    if not drawn:
        counts = "; ".join(f"{scores.arm}: {scores.count.sentence}" for scores in found)
        return empty_chart(sentences(f"{no_score_words(found)}, so there is no profile", counts), palette)
    arms = list(options.arms) or [scores.arm for scores in found]
    rows, areas = [], []
    for profile in drawn:
        columns = (rounded(profile.thresholds), rounded(profile.share), rounded(profile.low), rounded(profile.high))
        for at, share, low, high in zip(*columns, strict=True):
            rows.append({"t": at, "share": share, "arm": profile.arm})
            if low is not None and high is not None:
                areas.append({"t": at, "low": low, "high": high, "arm": profile.arm})
    x = alt.X(
        "t:Q",
        scale=alt.Scale(zero=False, nice=False),
        axis=si_axis(options.name, grid=False, tickCount=room.ticks(8), **room.title()),
    )
    axis = alt.Axis(format=".0%", title="share of runs that score more", gridOpacity=0.6)
    scale = alt.Scale(domain=[0, 1])
    chosen = set(options.selected)
    named = [scores.arm for scores in found if any(run.run in chosen for run in scores.runs)]
    colour = colour_by_arm(arms, palette, named)
    parts: list[Any] = []
    if areas and len(drawn) <= len(palette.arms):
        band = alt.Chart(data_of(areas)).mark_area(opacity=0.18, interpolate="step-after")
        parts.append(band.encode(x=x, y=alt.Y("low:Q", axis=axis, scale=scale), y2="high:Q", color=colour))
    line = alt.Chart(data_of(rows)).mark_line(strokeWidth=2.2, interpolate="step-after")
    y = alt.Y("share:Q", axis=axis, scale=scale)
    parts.append(line.encode(x=x, y=y, color=colour, strokeDash=dash_by_arm(arms), detail="arm:N"))
    without = [profile.arm for profile in profiles if profile.problem]
    caption = caption_of(
        runs,
        methods_sentence(found, drawn),
        f"No run has a score in {', '.join(without)}" if without else "",
        origin_words(runs),
        method=f"performance profile, {interval_name(profiles)}",
        note=options.note,
        counts=[scores.count for scores in found],
        n=[profile.n for profile in profiles if not profile.problem],
    )
    height = 260
    words = f"Performance profile: {options.name}. {caption.text}"
    return styled(alt.layer(*parts), caption, palette, description=words, width="container", height=height)


def _dots(scores: Scores, row: str, options: ScoreOptions) -> list[dict[str, Any]]:
    """Return a point for each run of an arm that has a score."""
    return [
        {
            "arm": scores.arm,
            "row": row,
            "score": run.value,
            "said": look.quantity(run.value),
            "seed": seed_words(run.seed),
            "run": run.run,
            "o": 1.0 if run.run in options.selected else 0.25 if options.selected else 0.75,
        }
        for run in scores.runs
        if run.value is not None and np.isfinite(run.value)
    ]


def _within(interval: Interval, ends: Ends) -> dict[str, float | str | None]:
    """Return the ends of an interval, and those that are drawn on an axis."""
    if interval.bounds is None:
        return dict.fromkeys(("low", "high", "from", "to", "low_said", "high_said"))
    (low, high), (first, last) = interval.bounds, ends
    said = {"low_said": look.quantity(low), "high_said": look.quantity(high)}
    return {"low": low, "high": high, "from": max(low, first), "to": min(high, last), **said}


def _rows(names: Sequence[str]) -> Any:
    """Return the y channel of the field `row`: one line an arm, in order."""
    return alt.Y("row:N", title=None, sort=list(names), axis=room.rows())


def _leading(runs: Sequence[RunCurve], arms: Sequence[str], options: ScoreOptions) -> Sequence[str]:
    """Return the arms in colour."""
    if len(arms) <= MOST_ARMS:
        return arms
    return options.leading or leading_arms(runs, options.summary, options.statistic, options.selected)


def _shown(
    runs: Sequence[RunCurve], every: Mapping[str, Scores], leading: Sequence[str], options: ScoreOptions
) -> list[str]:
    """Return the arms that have a row: all in their order, or of many those that lead and the best, the best first."""
    if len(every) <= _MOST_ROWS:
        return list(every)
    best = ranked(runs, every, options.statistic, options.summary)
    wanted = set(options.selected)
    chosen = dict.fromkeys(run.arm for run in runs if run.run in wanted)
    kept = set([arm for arm in dict.fromkeys([*leading, *chosen, *best]) if arm in every][:_MOST_ROWS])
    return [arm for arm in best if arm in kept]


def _no_score(found: Sequence[Scores], name: str) -> str:
    if not found:
        return "No runs yet. Launch some, and their scores appear here."
    return sentences(f"{no_score_words(found)} ({name})", lost_runs(found))
