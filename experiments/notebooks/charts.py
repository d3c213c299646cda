"""Charts of curves in the colours of the page: seeds thin, means thick, and what they are made of beneath them."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from experiments import look
from experiments.notebooks.run_names import counted

AXIS_WORDS = {
    "overview/reward": "return per agent",
    "eval/reward": "return per agent on held-out maps",
    "overview/sps": "agent steps per second",
}
_MAX_POINTS = 2_000


def curve_chart(table: pd.DataFrame, metric: str, *, dark: bool = False) -> Any:
    """Return learning curves of one metric: each seed as a thin line, the mean of an arm as a thick one.

    The mean is drawn only where every seed of the arm has data, so it never jumps because a seed ended; the caption
    says how many seeds there are. Spikes survive the reduction to about 2,000 points a run (min-max).
    """
    palette = look.DARK if dark else look.LIGHT
    data = table[["run", "arm", "seed", "step", metric]].rename(columns={metric: "value"})
    data = data.assign(value=pd.to_numeric(data["value"], errors="coerce")).dropna()
    data = data[np.isfinite(data["value"])]
    if data.empty:
        return empty_chart(f"No values of {metric} yet. They appear here as the runs log them.", palette)
    arms = list(dict.fromkeys(table["arm"]))
    seeds = data.groupby("arm")["seed"].nunique()
    several = bool((seeds > 1).any())
    lines = pd.concat([thinned(group) for _, group in data.groupby("run", sort=False)])
    colour = alt.Color(
        "arm:N",
        title=None,
        scale=alt.Scale(domain=arms, range=look.arm_colours(arms, palette)),
        legend=alt.Legend(orient="top") if len(arms) > 1 else None,
    )
    axis = alt.Axis(labelExpr="format(datum.value, '~s')", grid=False, title="agent steps")
    x = alt.X("step:Q", axis=axis)
    y = alt.Y("value:Q", title=AXIS_WORDS.get(metric, metric), scale=alt.Scale(zero=True))
    hover = [
        alt.Tooltip("run:N"),
        alt.Tooltip("step:Q", format=",.0f", title="agent steps"),
        alt.Tooltip("value:Q", format=".4g"),
    ]
    thin = alt.Chart(lines).mark_line(opacity=0.3 if several else 1, strokeWidth=1 if several else 2)
    layers: list[Any] = [thin.encode(x=x, y=y, color=colour, detail="run:N", tooltip=hover)]
    if several:
        means = arm_means(data)
        thick = alt.Chart(means).mark_line(strokeWidth=2)
        layers.append(thick.encode(x=x, y=y, color=colour, tooltip=["arm:N", "step:Q", "value:Q", "seeds:Q"]))
    counts = ", ".join(f"{arm or 'runs'}: {counted(int(n), 'seed')}" for arm, n in seeds.items())
    method = "thick line: mean over seeds where all have data; " if several else ""
    caption = f"{counts}; {method}no interval, no smoothing. {table.attrs.get('origin', '')}"
    chart = alt.layer(*layers).properties(width="container", height=280)
    return styled(chart, caption, palette)


def arm_means(data: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over seeds of each arm, on the steps where every seed of the arm has data.

    Args:
        data: Columns `arm`, `run`, `step`, `value`.

    Returns:
        Columns `arm`, `step`, `value` and `seeds`, by arm and step; each seed is interpolated inside its own range.
    """
    rows = []
    for arm, group in data.groupby("arm", sort=False):
        curves = [curve.sort_values("step").drop_duplicates("step", keep="last") for _, curve in group.groupby("run")]
        low = max(curve["step"].iloc[0] for curve in curves)
        high = min(curve["step"].iloc[-1] for curve in curves)
        if low > high:
            continue
        grid = np.unique(np.concatenate([curve["step"] for curve in curves]))
        grid = grid[(grid >= low) & (grid <= high)]
        grid = grid[np.linspace(0, len(grid) - 1, min(len(grid), _MAX_POINTS)).astype(int)]
        values = np.mean([np.interp(grid, curve["step"], curve["value"]) for curve in curves], axis=0)
        rows.append(pd.DataFrame({"arm": arm, "step": grid, "value": values, "seeds": len(curves)}))
    return pd.concat(rows) if rows else pd.DataFrame(columns=["arm", "step", "value", "seeds"])


def thinned(curve: pd.DataFrame, points: int = _MAX_POINTS) -> pd.DataFrame:
    """Return at most about `points` rows of a curve, keeping the lowest and highest value of every stretch."""
    if len(curve) <= points:
        return curve
    from tsdownsample import MinMaxDownsampler

    kept: np.ndarray[Any, np.dtype[np.uint64]] = MinMaxDownsampler().downsample(
        curve["value"].to_numpy(dtype=float), n_out=points // 2 * 2
    )
    return curve.iloc[kept.astype(int)]


def styled(chart: alt.TopLevelMixin, caption: str, palette: look.Palette) -> Any:
    """Return a chart in the colours of the page, with its caption beneath it."""
    below = alt.TitleParams(
        caption,
        orient="bottom",
        anchor="start",
        fontSize=12,
        fontWeight="normal",
        color=palette.muted,
        offset=12,
        limit=900,
    )
    return (
        chart.properties(title=below)
        .configure(background="transparent", font="system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=palette.muted,
            titleColor=palette.text,
            domainColor=palette.hairline,
            tickColor=palette.hairline,
            gridColor=palette.hairline,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        )
        .configure_legend(labelColor=palette.text, labelFontSize=12)
    )


def empty_chart(sentence: str, palette: look.Palette = look.LIGHT) -> Any:
    """Return a chart that says in one sentence why there is nothing to draw."""
    text = alt.Chart(pd.DataFrame({"text": [sentence]})).mark_text(fontSize=14, color=palette.muted)
    chart = text.encode(text="text:N").properties(width="container", height=120)
    return chart.configure(background="transparent").configure_view(stroke=None)
