"""Performance profiles: the share of runs that score more than each threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from experiments.notebooks.charts.captions import caption_of, interval_name
from experiments.notebooks.charts.runs import RunCurve, origin_words
from experiments.notebooks.charts.scores import DEFAULTS, ScoreOptions, no_score_words, scores_of
from experiments.notebooks.charts.theme import (
    colour_by_arm,
    dash_by_arm,
    data_of,
    empty_chart,
    palette_of,
    sentences,
    si_axis,
    styled,
)
from experiments.notebooks.charts.thinning import rounded
from experiments.statistics import methods_sentence, performance_profiles


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
    x = alt.X("t:Q", scale=alt.Scale(zero=False, nice=False), axis=si_axis(options.name, grid=False, tickCount=8))
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
