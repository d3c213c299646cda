"""The chart widget: Python sets what is drawn, the page says where a person zoomed, brushed and clicked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import traitlets

from widgets.charts.bundle import vega_script
from widgets.charts.changes import change_of
from widgets.page import LiveWidget, script, styles

_WORDS = ("caption", "summary")
_OF_THE_PAGE = {"x_from", "x_to", "hovered"}


class ChartWidget(LiveWidget):
    """A chart that is drawn again only where its form changes; new rows go into the drawing that is there.

    Zoom and brush survive both. What the page may set is `zoom`, `brush` and `clicked`; all else that it sends is
    ignored.

    Attributes:
        spec: Vega-Lite without rows; empty for no chart. `usermeta.pick` names the points that can be pointed at:
            `points` (a dataset with `x`, `y` and `k`, the number of a run), `runs` (one with `k`, `run`, `label`,
            `state`), `x` and `y` (what they are called). The params `x_from`, `x_to` and `hovered` are set by the page.
        datasets: Rows of each dataset by column: `{name: {column: [values]}}`; sent whole once, then what changed.
        params: Values of all other params, such as the ends of an axis: they change with the rows, not with the form.
        caption: What stands beneath the chart, as text.
        summary: The line that the caption folds into; empty where all of it stands there.
        description: What a reader who cannot see the chart is told.
        colours: Colours to put in the place of others on a dark page.
        can_select: Whether dragging may select runs, and a click one of them.
        zoom: Both ends of the x-range that is looked at, in the unit of x; empty for all of it.
        brush: `x` and `y`, each with both ends; empty where nothing is brushed.
        clicked: The point clicked last: `run` (empty for none), `x`, and `nonce`, new with each click.
        chart: The altair chart that is shown; stays in Python.
        followed: For whoever follows brush and clicks: what was passed on already; stays in Python.
    """

    _esm = script("charts", "chart")
    _css = styles(("charts", "chart"))
    pieced = "datasets"

    spec = traitlets.Dict().tag(sync=True)
    datasets = traitlets.Dict().tag(sync=True)
    params = traitlets.Dict().tag(sync=True)
    summary = traitlets.Unicode("").tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    description = traitlets.Unicode("").tag(sync=True)
    colours = traitlets.Dict().tag(sync=True)
    can_select = traitlets.Bool(False).tag(sync=True)
    zoom = traitlets.List(traitlets.Float()).tag(sync=True)
    brush = traitlets.Dict().tag(sync=True)
    clicked = traitlets.Dict().tag(sync=True)

    def __init__(self, *, cache_dir: Path | None = None, **traits: Any) -> None:  # noqa: ANN401 - the traits above
        """Make an empty chart.

        Args:
            cache_dir: Folder that keeps Vega's script.
            traits: Any of the attributes above.
        """
        super().__init__(**traits)
        self._cache_dir = cache_dir
        self.chart: Any = None
        self.followed: dict[str, Any] = {}
        self.on_msg(self._answer)

    def show(self, chart: Any, parts: Mapping[str, Any] | None = None) -> None:  # noqa: ANN401 - altair has no common type
        """Draw an altair chart in place of the one that is shown.

        Args:
            chart: Kept as `chart`, so that whoever exports the page can draw it without a widget.
            parts: What `divided` makes of `chart.to_dict()`, where it is known already.
        """
        parts = divided(chart.to_dict()) if parts is None else parts
        self.chart = chart
        with self.hold_sync():
            if parts["spec"] != self.spec:
                self.spec = parts["spec"]
            self.caption, self.summary, self.description = parts["caption"], parts["summary"], parts["description"]
            self.params, self.datasets = parts["params"], parts["datasets"]

    def change(self, old: Any, new: Any) -> dict[str, Any] | None:  # noqa: ANN401 - both are `datasets`
        """Return what leads from some rows to others (see `changes`); None where that is no less than all."""
        return change_of(old, new)

    def clear(self) -> None:
        """Show nothing."""
        self.chart = None
        if self.spec:
            with self.hold_sync():
                self.spec, self.datasets, self.params = {}, {}, {}
                self.caption, self.summary, self.description = "", "", ""

    def may_set(self, name: str, value: object) -> bool:
        """Tell whether a trait is the page's own and the value has the right form."""
        if name == "zoom":
            return isinstance(value, list) and (not value or _is_range(value))
        if name == "brush":
            return isinstance(value, dict) and (not value or all(_is_range(value.get(axis)) for axis in ("x", "y")))
        if name == "clicked":
            return isinstance(value, dict) and isinstance(value.get("run"), str) and _is_number(value.get("x"))
        return False

    def _answer(self, _widget: object, content: object, _buffers: object) -> None:
        if isinstance(content, dict) and content.get("type") == "vega":
            self.send({"type": "vega"}, buffers=[vega_script(self._cache_dir)])


def divided(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return `spec` (Vega-Lite without what comes with rows), `datasets` (by column), `params` and words of a chart.

    A dataset is called by its columns, so that its name stays the same when its rows change.
    """
    form = {key: value for key, value in spec.items() if key not in {"datasets", "title", "description", "usermeta"}}
    meta = {key: value for key, value in spec.get("usermeta", {}).items() if key not in _WORDS}
    form |= {"usermeta": meta} if meta else {}
    params = {param["name"]: param["value"] for param in spec.get("params", []) if _comes_with_rows(param)}
    if params:
        form["params"] = [
            {key: value for key, value in param.items() if key != "value" or param["name"] not in params}
            for param in spec["params"]
        ]
    text, datasets = json.dumps(form), {}
    for old, rows in spec.get("datasets", {}).items():
        name = dataset_name(rows[0]) if rows else "empty"
        while name in datasets:
            name += "+"
        columns = list(rows[0]) if rows else []
        datasets[name] = {column: [row[column] for row in rows] for column in columns}
        text = text.replace(json.dumps(old), json.dumps(name))
    words = {name: spec.get("usermeta", {}).get(name, "") for name in _WORDS}
    words["description"] = spec.get("description", "")
    return {"spec": json.loads(text), "datasets": datasets, "params": params, **words}


def _comes_with_rows(param: Mapping[str, Any]) -> bool:
    """Tell whether the value of a param is Python's: a person on the page sets selections, bound params and three."""
    return "value" in param and not param.keys() & {"select", "bind"} and param["name"] not in _OF_THE_PAGE


def dataset_name(columns: Mapping[str, Any]) -> str:
    """Return what `divided` calls a dataset with these columns."""
    return "-".join(sorted(columns))


def _is_range(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")
