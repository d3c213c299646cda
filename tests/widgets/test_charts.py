"""The chart widget's Python side: what it sends, what it takes from a page, and what it never takes."""

from __future__ import annotations

import gzip

import pytest

from widgets.charts import ChartWidget
from widgets.charts.bundle import vega_script
from widgets.charts.chart import divided


class Chart:
    def __init__(self, rows, caption="", mark="line"):
        self.rows, self.caption, self.mark = rows, caption, mark

    def to_dict(self):
        datasets = {"data-1": list(self.rows)} if self.rows else {}
        spec = {"$schema": "v6", "mark": self.mark, "data": {"name": "data-1"}, "datasets": datasets}
        return spec | {"title": self.caption, "description": "words", "usermeta": {"caption": self.caption}}


def test_rows_travel_by_column_under_a_name_that_stays():
    parts = divided(Chart([{"y": 1.0, "x": 2.0}, {"y": 3.0, "x": 4.0}], "n = 2").to_dict())
    assert parts["datasets"] == {"x-y": {"y": [1.0, 3.0], "x": [2.0, 4.0]}}
    assert parts["spec"] == {"$schema": "v6", "mark": "line", "data": {"name": "x-y"}}
    assert (parts["caption"], parts["description"]) == ("n = 2", "words")


def test_the_line_that_a_caption_folds_into_travels_with_it_and_is_no_part_of_the_form():
    chart = Chart([{"x": 1}], "n = 2. And more.")
    spec = chart.to_dict()
    spec["usermeta"]["summary"] = "n = 2"
    widget, plain = ChartWidget(), ChartWidget()
    widget.show(chart, divided(spec))
    plain.show(chart)
    assert (widget.summary, widget.caption, widget.spec) == ("n = 2", "n = 2. And more.", plain.spec)
    assert plain.summary == ""
    widget.clear()
    assert (widget.summary, widget.caption) == ("", "")


def test_two_datasets_with_the_same_columns_stay_apart():
    spec = {"layer": [{"data": {"name": "a"}}, {"data": {"name": "b"}}], "datasets": {"a": [{"x": 1}], "b": [{"x": 2}]}}
    parts = divided(spec)
    assert [layer["data"]["name"] for layer in parts["spec"]["layer"]] == ["x", "x+"]
    assert parts["datasets"] == {"x": {"x": [1]}, "x+": {"x": [2]}}


def test_new_rows_do_not_send_the_form_again():
    widget, sent = ChartWidget(), []
    widget.show(Chart([{"x": 1}], "one"))
    widget.observe(lambda change: sent.append(change["name"]), names=["spec", "datasets", "caption"])
    widget.show(Chart([{"x": 2}], "two"))
    assert sorted(sent) == ["caption", "datasets"]
    widget.show(Chart([{"x": 2}], "two", mark="point"))
    assert "spec" in sent


def test_params_come_with_rows_but_those_that_a_person_on_the_page_sets():
    """The page's own keep their first value in the form; what Python sets is no part of the form."""
    page = [{"name": name, "value": None} for name in ("x_from", "x_to", "hovered")]
    page += [{"name": "own", "value": 3, "bind": {"input": "range"}}, {"name": "arms", "select": "point", "value": []}]
    spec = {"mark": "line", "params": [*page, {"name": "y_to", "value": 4.0}]}
    parts = divided(spec)
    assert parts["params"] == {"y_to": 4.0}
    assert parts["spec"]["params"] == [*page, {"name": "y_to"}]


def test_a_cleared_chart_shows_nothing():
    widget = ChartWidget()
    widget.show(Chart([{"x": 1}]))
    widget.clear()
    assert (widget.spec, widget.datasets, widget.chart) == ({}, {}, None)


@pytest.mark.parametrize(
    "sent",
    [
        {"spec": {"evil": 1}},
        {"datasets": {"x": {}}},
        {"params": {"y_to": 1.0}},
        {"caption": "forged"},
        {"zoom": [2.0, 1.0]},
        {"zoom": ["a", "b"]},
        {"zoom": [1.0]},
        {"brush": {"x": [0, 1]}},
        {"brush": {"x": [0, 1], "y": [None, 1]}},
        {"clicked": {"run": 1, "x": 2.0}},
        {"clicked": {"run": "r", "x": float("nan")}},
        {"clicked": []},
    ],
)
def test_what_a_page_may_not_send_changes_nothing(sent):
    widget = ChartWidget()
    before = {
        name: getattr(widget, name) for name in ("spec", "datasets", "params", "caption", "zoom", "brush", "clicked")
    }
    widget.set_state(sent)
    assert {name: getattr(widget, name) for name in before} == before


def test_a_page_sends_zoom_brush_and_clicks():
    widget = ChartWidget()
    widget.set_state({"zoom": [1.0, 2.0], "brush": {"x": [0, 1], "y": [2, 3]}})
    widget.set_state({"clicked": {"run": "r", "x": 5, "nonce": "n"}})
    assert (list(widget.zoom), widget.brush["y"], widget.clicked["run"]) == ([1.0, 2.0], [2, 3], "r")


def test_vegas_script_is_made_once_and_kept_where_a_folder_is_given(tmp_path):
    packed = vega_script(tmp_path / "vega")
    [file] = (tmp_path / "vega").iterdir()
    assert file.read_bytes() == packed
    text = gzip.decompress(packed).decode()
    assert text.startswith("(() => {")
    assert "window.vegaEmbed=" in text
