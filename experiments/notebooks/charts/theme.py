"""How every chart looks and what stands beneath it: colours of the page, caption, description, empty states."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from experiments.notebooks.charts import room
from experiments.project import look

AXIS_WORDS = {
    "overview/reward": "return per agent",
    "eval/reward": "return per agent on held-out maps",
    "overview/sps": "agent steps per second",
}
DARK_FOR_LIGHT = {
    **{getattr(look.LIGHT, name): getattr(look.DARK, name) for name in ("page", "raised", "text", "muted", "hairline")},
    **dict(zip(look.LIGHT.arms, look.DARK.arms, strict=True)),
    **{sign.light: sign.dark for sign in look.STATES.values()},
}
"""What a widget puts in the place of each colour on a dark page: charts for widgets are made in light colours."""

NUMBERS = (
    "abs(datum.value) >= 1000 ? format(datum.value, '~s') : "
    "datum.value && abs(datum.value) < 0.001 ? format(datum.value, '.2~e') : format(datum.value, '.3~g')"
)
"""How numbers are written at ticks: `200k`, `0.05`, `1e-5`."""

_CAPTION_WIDTH = 150
# Characters of a line that stands where a chart would: as many as a page of 800 px has room for.
_LINE = 76


@dataclass(frozen=True)
class Caption:
    """The words beneath a chart.

    Attributes:
        line: Method, n, completeness, what limits a conclusion, and the time of the newest data, in few words.
        text: All of it, in sentences.
    """

    line: str
    text: str


def words_of(metric: str, unit: str = "") -> str:
    """Return what a metric is called on an axis, with its unit where its trainer says one."""
    return AXIS_WORDS.get(metric) or (f"{metric} ({unit})" if unit else metric)


def palette_of(*, dark: bool) -> look.Palette:
    """Return the colours of a theme."""
    return look.DARK if dark else look.LIGHT


def colours_of(arms: Sequence[str]) -> dict[str, str]:
    """Return the colour of each arm as CSS that follows the theme of the page."""
    light, dark = arm_colour(arms, look.LIGHT), arm_colour(arms, look.DARK)
    return {arm: f"light-dark({light[arm]}, {dark[arm]})" for arm in arms}


def leading_colours(arms: Sequence[str], leading: Sequence[str]) -> dict[str, str]:
    """Return the same of the arms that a chart of so many arms has in colour."""
    light, dark = arm_colour(arms, look.LIGHT, leading), arm_colour(arms, look.DARK, leading)
    return {arm: f"light-dark({light[arm]}, {dark[arm]})" for arm in leading if arm in light}


def sentences(*parts: str) -> str:
    """Return the parts that say something as one text, each ended by a full stop."""
    said = (part.strip() for part in parts)
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in said if part)


def arm_colour(arms: Sequence[str], palette: look.Palette, chosen: Sequence[str] = ()) -> dict[str, str]:
    """Return the colour of each arm: the same in every chart of an experiment.

    Beyond eight arms all are grey but the first eight that are chosen.
    """
    if len(arms) <= len(palette.arms):
        return dict(zip(arms, palette.arms, strict=False))
    known = set(arms)
    coloured = [arm for arm in dict.fromkeys(chosen) if arm in known][: len(palette.arms)]
    return dict.fromkeys(arms, palette.muted) | dict(zip(coloured, palette.arms, strict=False))


def colour_by_arm(
    arms: Sequence[str], palette: look.Palette, chosen: Sequence[str] = (), *, legend: bool = True
) -> Any:
    """Return the colour channel of the field `arm`, with a legend where names help to read the chart."""
    colours = arm_colour(arms, palette, chosen)
    many = len(arms) > len(palette.arms)
    named = [arm for arm in dict.fromkeys(chosen) if arm in colours][: len(palette.arms)] if many else list(arms)
    shown = legend and len(arms) > 1 and named
    return alt.Color(
        "arm:N",
        title=None,
        scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        legend=room.legend(named) if shown else None,
    )


def dash_by_arm(arms: Sequence[str], chosen: Sequence[str] = ()) -> Any:
    """Return the dash channel of the field `arm`: from the fifth colour on a pattern helps it."""
    coloured = (
        [arm for arm in dict.fromkeys(chosen) if arm in set(arms)] if len(arms) > len(look.DASHES) else list(arms)
    )
    patterns = dict(zip(coloured, map(list, look.DASHES), strict=False))
    dashes = [patterns.get(arm, [1, 0]) for arm in arms]
    return alt.StrokeDash("arm:N", scale=alt.Scale(domain=list(arms), range=dashes), legend=None)


def data_of(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return rows as data of a chart.

    A tuple, since altair copies and checks every element of a list each time a chart is passed on.
    """
    return {"values": tuple(rows)}


def si_axis(title: str, **more: Any) -> alt.Axis:
    """Return an axis whose large numbers have SI suffixes."""
    return alt.Axis(labelExpr=NUMBERS, title=title, **more)


def styled(
    chart: Any,
    caption: Caption,
    palette: look.Palette,
    *,
    description: str,
    pick: dict[str, str] | None = None,
    **more: Any,
) -> Any:
    """Return a chart in the colours of the page, with its caption beneath it.

    Where a page draws it, the whole text is folded into the caption's line; a picture has the whole text.

    Args:
        description: What a reader who cannot see it is told.
        pick: What a widget may point at (see `widgets.charts`).
        more: Properties of the chart, such as `width` and `height`.
    """
    below = alt.TitleParams(
        textwrap.wrap(caption.text, _CAPTION_WIDTH) or [""],
        orient="bottom",
        anchor="start",
        fontSize=12,
        fontWeight="normal",
        color=palette.muted,
        offset=12,
    )
    meta: dict[str, Any] = {"caption": caption.text, "summary": caption.line} | ({"pick": pick} if pick else {})
    more["params"] = [*more.get("params", ()), room.param()]
    more |= {"title": below, "description": description, "usermeta": meta, "config": _config(palette)}
    # In its place: altair's own way copies the whole chart for it, and checks what `to_dict` checks once more.
    for name, value in more.items():
        setattr(chart, name, value)
    return chart


def empty_chart(sentence: str, palette: look.Palette = look.LIGHT) -> Any:
    """Return a chart that says in one sentence why there is nothing to draw."""
    lines = textwrap.wrap(sentence, _LINE) or [""]
    text = alt.Chart(data_of([{"text": lines}])).mark_text(fontSize=14, color=palette.muted, lineHeight=20)
    return text.encode(text="text:N").properties(
        width="container",
        height=60 + 20 * len(lines),
        description=sentence,
        usermeta={"caption": "", "summary": ""},
        config=_config(palette),
    )


def page_config() -> dict[str, Any]:
    """Return how a chart looks that stands on a page, for the specification of one that is not made here."""
    found: dict[str, Any] = _config(look.LIGHT).to_dict()
    return found


def _config(palette: look.Palette) -> alt.Config:
    axis = alt.AxisConfig(
        labelColor=palette.muted,
        titleColor=palette.text,
        domainColor=palette.hairline,
        tickColor=palette.hairline,
        gridColor=palette.hairline,
        labelFontSize=12,
        labelSeparation=6,
        titleFontSize=12,
        titleFontWeight="normal",
    )
    return alt.Config(
        background="transparent",
        font="system-ui, sans-serif",
        view=alt.ViewConfig(stroke=None),
        axis=axis,
        legend=alt.LegendConfig(labelColor=palette.text, labelFontSize=12, titleColor=palette.muted, symbolOpacity=1),
        title=alt.TitleConfig(color=palette.text),
    )
