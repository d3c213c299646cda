"""What a setting does to the score: one small chart for each setting in which the runs differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from experiments.notebooks.charts import room
from experiments.notebooks.charts.captions import caption_of
from experiments.notebooks.charts.runs import RunCurve, origin_words
from experiments.notebooks.charts.scores import DEFAULTS, ScoreOptions, lost_runs, no_score_words, scores_of
from experiments.notebooks.charts.theme import (
    colour_by_arm,
    data_of,
    empty_chart,
    palette_of,
    sentences,
    si_axis,
    styled,
)
from experiments.project import look
from experiments.project.look import counted
from experiments.statistics import still_out

MOST_SETTINGS = 9
_COLUMNS, _WIDTH, _HEIGHT = 3, 268, 150
_SPREAD = 20.0


def setting_effects(
    runs: Sequence[RunCurve], settings: Mapping[str, Mapping[str, object]], options: ScoreOptions = DEFAULTS
) -> Any:
    """Return each run's score over each setting; or a sentence where runs do not differ or have no score.

    Args:
        settings: Value of each run, by the name of the setting and the run; a run that lacks a setting is not drawn.
    """
    palette = palette_of(dark=options.dark)
    found = scores_of(runs, options)
    scores = {run.run: (arm.arm, run.value) for arm in found for run in arm.runs if _is_finite(run.value)}
    if not scores:
        return empty_chart(sentences(no_score_words(found), lost_runs(found)), palette)
    drawn = {name: values for name, values in settings.items() if _differs(values, scores)}
    if not drawn:
        return empty_chart("The runs with a score do not differ in any setting.", palette)
    arms = list(options.arms) or [arm.arm for arm in found]
    chosen = [arm for arm, _ in scores.values()] if len(arms) <= len(palette.arms) else []
    colour = colour_by_arm(arms, palette, chosen)
    names = list(drawn)[:MOST_SETTINGS]
    panels = [_panel(name, drawn[name], scores, options, colour, palette.muted) for name in names]
    hidden = len(drawn) - len(names)
    out = still_out([(arm.arm, arm.count) for arm in found])
    caption = caption_of(
        runs,
        "One point a run; the line joins the mean score of each value, without an interval",
        "Each chart mixes all values of the other settings" if len(drawn) > 1 else "",
        f"Score: {options.name}",
        f"Interim: {out}" if out else "",
        f"{counted(hidden, 'more setting')} not drawn" if hidden else "",
        lost_runs(found),
        origin_words(runs),
        method="mean of each value, no interval",
        note=options.note,
        counts=[arm.count for arm in found],
    )
    chart = alt.concat(*panels, columns=_COLUMNS, spacing=18)
    words = f"Score over {', '.join(names)}: {options.name}. {caption.text}"
    return styled(chart, caption, palette, description=words)


def _panel(
    name: str,
    values: Mapping[str, object],
    scores: Mapping[str, tuple[str, float | None]],
    options: ScoreOptions,
    colour: Any,
    muted: str,
) -> Any:
    known = [(run, value) for run, value in values.items() if value is not None and run in scores]
    numeric = all(_is_finite(value) for _, value in known)
    rows = []
    for run, value in known:
        arm, score = scores[run]
        shown = value if numeric else str(value)  # whole: two that begin alike are two
        opacity = 1.0 if not options.selected or run in options.selected else 0.2
        rows.append({"v": shown, "score": score, "said": look.quantity(score), "arm": arm, "run": run, "o": opacity})
    kind = "v:Q" if numeric else "v:N"
    x = alt.X(
        kind,
        **_scale([float(str(row["v"])) for row in rows] if numeric else []),
        axis=_axis([row["v"] for row in rows], numeric=numeric),
    )
    y = alt.Y("score:Q", title=None, scale=alt.Scale(zero=False), axis=si_axis("", tickCount=5, gridOpacity=0.6))
    means: dict[object, list[float]] = {}
    for row in rows:
        means.setdefault(row["v"], []).append(float(str(row["score"])))
    line = [{"v": value, "mean": float(np.mean(own))} for value, own in means.items()]
    points = (
        alt.Chart(data_of(rows))
        .mark_point(size=46, strokeWidth=1.4)
        .encode(
            x=x,
            y=y,
            color=colour,
            opacity=alt.Opacity("o:Q", scale=None, legend=None),
            tooltip=[
                alt.Tooltip("run:N", title="run"),
                alt.Tooltip(kind, title="setting"),
                alt.Tooltip("said:N", title="score"),
            ],
        )
    )
    joined = alt.Chart(data_of(line)).mark_line(strokeWidth=1.6, color=muted).encode(x=x, y=alt.Y("mean:Q", title=None))
    title = alt.TitleParams(name, fontSize=12, fontWeight="normal", anchor="start", limit=_WIDTH)
    return alt.layer(joined, points).properties(width=_WIDTH, height=_HEIGHT, title=title)


def _scale(values: Sequence[float]) -> dict[str, Any]:
    """Return the scale of numbers: logarithmic where they span more than a factor of twenty."""
    if not values:
        return {}
    if min(values) > 0 and max(values) / min(values) >= _SPREAD:
        return {"scale": alt.Scale(type="log", nice=False, padding=12)}
    return {"scale": alt.Scale(zero=False, padding=12)}


def _axis(values: Sequence[Any], *, numeric: bool) -> alt.Axis:
    """Return the axis of a setting: a tick at each value where they are few numbers."""
    several = set(values)
    if not numeric:
        return alt.Axis(title="", grid=False, **room.names_beside(len(several), str(_WIDTH)))
    few = len(several) <= _COLUMNS * 2
    return si_axis("", grid=False, **({"values": sorted(several)} if few else {"tickCount": 4}))


def _differs(values: Mapping[str, object], scores: Mapping[str, object]) -> bool:
    return len({str(value) for run, value in values.items() if value is not None and run in scores}) > 1


def _is_finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(value))
