"""The trials of a search, drawn: parallel coordinates, the score over each setting, and the best so far.

All of it comes from the search's own record. The scores have chosen among the trials, so no chart has an interval and
none compares two of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from experiments.jobs.sweeps.ranges import Choices, Range, Value, said, words
from experiments.jobs.sweeps.search import Course, Trial
from experiments.notebooks.charts import room
from experiments.notebooks.charts.sweeps import MOST_SETTINGS
from experiments.notebooks.charts.theme import (
    Caption,
    data_of,
    empty_chart,
    palette_of,
    sentences,
    si_axis,
    styled,
    words_of,
)
from experiments.project import look
from experiments.project.look import counted, quantity

_COLUMNS, _WIDTH, _PANEL_HEIGHT = 3, 268, 150
_HEIGHT = 240
_TICKS = 5
_TIPS = (
    alt.Tooltip("trial:N", title="trial"),
    alt.Tooltip("settings:N", title="settings"),
    alt.Tooltip("said:N", title="score"),
)
_CHOSEN = "The scores have chosen among the trials, so no interval is drawn and nothing is decided here"


def parallel_trials(course: Course, *, dark: bool = False) -> Any:
    """Return one line a trial over an axis for each setting and one for the score; or a sentence without a trial."""
    palette = palette_of(dark=dark)
    if not course.trials:
        return empty_chart("No trial yet. As soon as one is launched, its settings appear here.", palette)
    search, best = course.search, course.best
    axes: dict[str, list[tuple[float, str]]] = {name: _ticks(space) for name, space in search.space.items()}
    scores = [trial.score for trial in course.trials if trial.score is not None]
    if scores:
        axes[_score_axis(course)] = _score_ticks(scores)
    rows: list[dict[str, Any]] = []
    for trial in course.trials:
        is_best = best is not None and trial.number == best.number
        points = {name: _place(space, trial.values[name]) for name, space in search.space.items()}
        if scores and trial.score is not None:
            points[_score_axis(course)] = _share(trial.score, scores)
        own = {**_row(course, trial), "rank": _rank(course, trial), "best": is_best}
        rows += [{**own, "axis": name, "at": at} for name, at in points.items()]
    x = alt.X(
        "axis:N",
        sort=list(axes),
        title=None,
        scale=alt.Scale(type="point", padding=0.3),
        axis=alt.Axis(orient="top", ticks=False, domain=False, **room.names_beside(len(axes))),
    )
    y = alt.Y("at:Q", title=None, axis=None, scale=alt.Scale(domain=[-0.04, 1.04], nice=False))
    ticks = [{"axis": name, "at": at, "tick": text} for name, each in axes.items() for at, text in each]
    ends = [{"axis": name, "low": 0.0, "high": 1.0} for name in axes]
    colour = alt.Color("rank:Q", scale=alt.Scale(domain=[0, 1], range=[palette.hairline, palette.arms[0]]), legend=None)
    scored, others = [row for row in rows if row["score"] is not None], [row for row in rows if row["score"] is None]
    base = {"x": x, "y": y, "detail": "trial:N"}
    parts: list[Any] = [
        alt.Chart(data_of(ends))
        .mark_rule(color=palette.muted, strokeWidth=1)
        .encode(x=x, y=alt.Y("low:Q", axis=None), y2="high:Q")
    ]
    if others:
        dashed = alt.Chart(data_of(others)).mark_line(
            strokeWidth=1.2, strokeDash=[3, 3], color=palette.muted, point={"filled": True, "color": palette.muted}
        )
        parts.append(dashed.encode(**base, tooltip=list(_TIPS)))
    if scored:
        thin = alt.Chart(data_of([row for row in scored if not row["best"]])).mark_line(strokeWidth=1.6)
        parts.append(thin.encode(**base, color=colour, tooltip=list(_TIPS)))
        thick = alt.Chart(data_of([row for row in scored if row["best"]]))
        marked = thick.mark_line(strokeWidth=3, color=palette.arms[1], point={"filled": True, "color": palette.arms[1]})
        parts.append(marked.encode(**base, tooltip=list(_TIPS)))
    texts = alt.Chart(data_of(ticks))
    beside: dict[str, Any] = {"align": "left", "dx": 6, "fontSize": 11}
    # In the colour of the page first, so that no line runs through a number.
    parts += [
        texts.mark_text(**beside, stroke=palette.page, strokeWidth=4, strokeJoin="round").encode(x, y, text="tick:N"),
        texts.mark_text(**beside, color=palette.text).encode(x, y, text="tick:N"),
    ]
    caption = _caption(
        course,
        "One line a trial, stronger in colour where its score is better",
        "The thick one is the best" if best else "",
        "Dashed: no score" if others else "",
    )
    described = f"Parallel coordinates of the trials over {', '.join(axes)}. {caption.text}"
    return styled(alt.layer(*parts), caption, palette, description=described, width="container", height=_HEIGHT)


def trial_settings(course: Course, *, dark: bool = False) -> Any:
    """Return the score over each setting, the seeds as points; or a sentence where no trial has a score."""
    palette = palette_of(dark=dark)
    told = [trial for trial in course.trials if trial.score is not None]
    if not told:
        return empty_chart(_without_scores(course), palette)
    names = list(course.search.space)[:MOST_SETTINGS]
    panels = [_panel(course, name, told, palette) for name in names]
    hidden = len(course.search.space) - len(names)
    caption = _caption(
        course,
        "Small circles: seeds; dots: the score of a trial" + (", filled for the best" if course.best else ""),
        "Each chart mixes all values of the other settings" if len(names) > 1 else "",
        f"{counted(hidden, 'more setting')} not drawn" if hidden else "",
    )
    chart = alt.concat(*panels, columns=_COLUMNS, spacing=18)
    described = f"Score of each trial over {', '.join(names)}. {caption.text}"
    return styled(chart, caption, palette, description=described)


def best_so_far(course: Course, *, dark: bool = False) -> Any:
    """Return the score of each trial by its number, and the best one until then; or a sentence without a score."""
    palette = palette_of(dark=dark)
    told = [trial for trial in course.trials if trial.score is not None]
    if not told:
        return empty_chart(_without_scores(course), palette)
    ranked = {trial.number for trial in course.ranking}
    rows = [{**_row(course, trial), "n": trial.number} for trial in told]
    steps, best = [], None
    better = max if course.search.rule.direction == "higher" else min
    for trial in told:
        if trial.number in ranked and trial.score is not None:
            best = trial.score if best is None else better(best, trial.score)
        if best is not None:
            steps.append({"n": trial.number, "best": best})
    last = max(trial.number for trial in course.trials)
    steps += [{"n": last, "best": best}] if best is not None else []
    scale = alt.Scale(domain=[-0.5, last + 0.5], nice=False)
    x = alt.X(
        "n:Q", scale=scale, axis=si_axis("trial", grid=False, tickMinStep=1, tickCount=room.ticks(min(10, last + 1)))
    )
    y = alt.Y("score:Q", scale=alt.Scale(zero=False), axis=si_axis(_score_axis(course), gridOpacity=0.6, tickCount=6))
    line = alt.Chart(data_of(steps)).mark_line(interpolate="step-after", strokeWidth=2.2, color=palette.arms[1])
    dots = alt.Chart(data_of(rows)).mark_point(size=46, strokeWidth=1.4, color=palette.arms[0])
    layers = alt.layer(
        line.encode(x=x, y=alt.Y("best:Q", scale=alt.Scale(zero=False))), dots.encode(x=x, y=y, tooltip=list(_TIPS))
    )
    caption = _caption(course, "Circles: the score of each trial; line: the best until then")
    described = f"Best score so far over the trials. {caption.text}"
    return styled(layers, caption, palette, description=described, width="container", height=_HEIGHT - 40)


def _panel(course: Course, name: str, told: Sequence[Trial], palette: look.Palette) -> Any:
    space, best = course.search.space[name], course.best
    means, seeds = [], []
    for trial in told:
        value = trial.values[name] if isinstance(space, Range) else said(trial.values[name])
        row = {**_row(course, trial), "v": value, "best": best is not None and trial.number == best.number}
        means.append(row)
        for number, score in enumerate(trial.seeds.values()):
            if score is not None:
                tip = f"{quantity(score)} (seed {number} of the search)"
                seeds.append({**row, "score": score, "said": tip})
    y = alt.Y("score:Q", title=None, scale=alt.Scale(zero=False), axis=si_axis("", tickCount=5, gridOpacity=0.6))
    x = _x_of(space)
    small = alt.Chart(data_of(seeds)).mark_point(size=22, strokeWidth=1, opacity=0.6, color=palette.arms[0])
    parts: list[Any] = [small.encode(x=x, y=y, tooltip=list(_TIPS))]
    for is_best, colour in ((False, palette.arms[0]), (True, palette.arms[1])):
        own = [row for row in means if row["best"] is is_best]
        if own:
            dots = alt.Chart(data_of(own)).mark_point(size=64, filled=is_best, strokeWidth=1.8, color=colour, opacity=1)
            parts.append(dots.encode(x=x, y=y, tooltip=list(_TIPS)))
    title = alt.TitleParams(name, fontSize=12, fontWeight="normal", anchor="start", limit=_WIDTH)
    return alt.layer(*parts).properties(width=_WIDTH, height=_PANEL_HEIGHT, title=title)


def _x_of(space: Range | Choices) -> Any:
    if isinstance(space, Choices):
        listed = [said(value) for value in space.values]  # also those that no trial with a score has
        axis = alt.Axis(title="", grid=False, **room.names_beside(len(listed), str(_WIDTH)))
        return alt.X("v:N", sort=listed, axis=axis, scale=alt.Scale(type="point", domain=listed, padding=0.5))
    scale = alt.Scale(
        type="log" if space.log else "linear", domain=[space.low, space.high], nice=False, zero=False, padding=10
    )
    values = [10.0**power for power in _powers(space)] if space.log and len(_powers(space)) > 1 else None
    more = {"values": values} if values else {"tickCount": 4}
    return alt.X("v:Q", scale=scale, axis=si_axis("", grid=False, **more))


def _row(course: Course, trial: Trial) -> dict[str, Any]:
    told = quantity(trial.score) if trial.score is not None else "no score" if trial.is_told else "not known yet"
    arm = course.search.arm_of(trial.number)
    return {"trial": arm, "score": trial.score, "said": told, "settings": words(trial.values)}


def _rank(course: Course, trial: Trial) -> float:
    """Return how good a trial is among those with a score: 1 for the best."""
    sign = 1.0 if course.search.rule.direction == "higher" else -1.0
    scores = [sign * other.score for other in course.trials if other.score is not None]
    if trial.score is None or len(scores) < 2:
        return 1.0
    return sum(score < sign * trial.score for score in scores) / (len(scores) - 1)


def _place(space: Range | Choices, value: Value) -> float:
    """Return where a value lies on its axis, from 0 to 1."""
    if isinstance(space, Choices):
        values = [said(each) for each in space.values]
        return values.index(said(value)) / max(1, len(values) - 1) if said(value) in values else 0.5
    return space.share(float(value))


def _ticks(space: Range | Choices) -> list[tuple[float, str]]:
    if isinstance(space, Choices):
        return [(_place(space, value), look.shortened(said(value), 18)) for value in space.values]
    ends = {space.low, space.high}
    inner = [10.0**power for power in _powers(space)] if space.log else [float(space.at(at / 4)) for at in range(1, 4)]
    numbers = sorted(ends | {number for number in inner if 0.08 < space.share(number) < 0.92})
    return [(space.share(number), f"{number:g}") for number in numbers]


def _powers(space: Range) -> list[int]:
    found = list(range(math.ceil(math.log10(space.low) - 1e-9), math.floor(math.log10(space.high) + 1e-9) + 1))
    return found[:: max(1, -(-len(found) // _TICKS))]


def _score_ticks(scores: Sequence[float]) -> list[tuple[float, str]]:
    low, high = min(scores), max(scores)
    if low == high:
        return [(0.5, quantity(low))]
    return [(at / 4, quantity(low + (high - low) * at / 4)) for at in range(5)]


def _share(score: float, scores: Sequence[float]) -> float:
    low, high = min(scores), max(scores)
    return 0.5 if low == high else (score - low) / (high - low)


def _score_axis(course: Course) -> str:
    return words_of(course.search.rule.metric)


def _without_scores(course: Course) -> str:
    if not course.trials:
        return "No trial yet, so no score."
    if course.out:
        return "No trial has a score yet."
    return "No trial has a score: the table below says why."


def _caption(course: Course, *more: str) -> Caption:
    failed = sum(trial.is_told and trial.score is None for trial in course.trials)
    trials = counted(len(course.trials), "trial")
    seeds = counted(len(course.search.seeds), "seed")
    parts = [f"{trials} of {seeds} each", f"{failed} without a score" if failed else ""]
    out = f"{len(course.out)} still out" if course.out else ""
    line = "; ".join(filter(None, [*parts, out, "exploratory"]))
    return Caption(line, sentences("; ".join(filter(None, [*parts, out])), *more, _CHOSEN))
