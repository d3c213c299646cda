from __future__ import annotations

import re
from importlib.resources import files

import marimo as mo
import pandas as pd
import pyarrow as pa

from experiments.notebooks.export.draw.objects import keeping
from experiments.notebooks.export.draw.tables import MAX_ROWS
from tests.notebooks.export.pages import cells, drawn


def test_a_table_is_whole():
    html, notes = drawn(pd.DataFrame({"n": range(300), "name": "a"}))
    assert html.count("<tr>") == 301
    assert notes == []


def test_a_table_over_the_limit_says_how_much_it_shows():
    html, notes = drawn(pd.DataFrame({"n": range(MAX_ROWS + 1)}))
    assert html.count("<tr>") == MAX_ROWS + 1
    assert "the first 5,000 of 5,001 rows" in notes[0]


def test_numbers_are_readable_and_sort_by_their_value():
    frame = pd.DataFrame({"x": [1234567.0, 0.123456789, float("nan")], "whole": [1000, 2, 3]})
    html, _ = drawn(frame)
    assert cells(html) == ["1,234,567", "1,000", "0.123457", "2", "–", "3"]  # noqa: RUF001 - the sign for a missing value
    assert 'data-v="0.12345678' in html


def test_the_label_of_a_state_and_a_shortened_name_stay_in_one_line_wherever_they_stand():
    assert '<span class="name">…y.a.s0.hy3g24bt</span>' in drawn(pd.DataFrame({"run": ["…y.a.s0.hy3g24bt"]}))[0]
    html, _ = drawn(pd.DataFrame({"verdict": ["✓ succeeded", "✕ failed", "it failed"]}))
    assert re.findall('<span class="state (.*?)">(.*?)</span>', html) == [
        ("succeeded", "✓ succeeded"),
        ("failed", "✕ failed"),
    ]
    css = files("experiments.notebooks.export") / "static" / "page.css"
    assert re.search(r"^\.state, \.name \{[^}]*white-space: nowrap", css.read_text(), re.MULTILINE)


def test_hostile_cells_and_headings_are_text():
    html, _ = drawn(pd.DataFrame({"<script>": ["<img src=x onerror=alert(1)>"]}))
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;img" in html


def test_a_named_index_is_shown():
    frame = pd.DataFrame({"v": [1, 2]}, index=pd.Index(["a", "b"], name="arm"))
    assert cells(drawn(frame)[0]) == ["a", "1", "b", "2"]


def test_marimos_table_is_whole_with_its_formats():
    table = mo.ui.table(pd.DataFrame({"r": [0.5] * 40}), page_size=5, format_mapping={"r": "{:.0%}"})
    assert cells(drawn(table)[0]) == ["50%"] * 40


def test_a_table_inside_a_layout_is_whole():
    with keeping():
        layout = mo.vstack([mo.md("above"), pd.DataFrame({"n": range(30)})])
        assert len(cells(drawn(layout)[0])) == 30


def test_tables_of_other_libraries_are_tables():
    assert cells(drawn(pa.table({"a": [1], "b": ["x"]}))[0]) == ["1", "x"]
    assert cells(drawn(mo.ui.table([{"a": 1}, {"a": 2, "b": 3}]))[0]) == ["1", "–", "2", "3"]  # noqa: RUF001 - missing


def test_small_drawings_in_cells_are_drawn():
    svg = "<svg width='4' height='2'><rect width='4' height='2'/></svg>"
    table = mo.ui.table(pd.DataFrame({"c": [1]}), format_mapping={"c": lambda _: mo.Html(svg)})
    assert "data:image/svg+xml" in drawn(table)[0]
