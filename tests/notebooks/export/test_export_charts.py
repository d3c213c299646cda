from __future__ import annotations

import base64
import gzip
import json

import altair as alt
import marimo as mo
import pandas as pd
import pytest

from experiments.notebooks.export.draw.charts import MAX_ROWS
from experiments.notebooks.export.draw.objects import keeping
from experiments.notebooks.export.draw.values import value_html
from tests.notebooks.export.pages import sheet

TABLE = pd.DataFrame({"step": [1, 2, 3], "value": [0.1, None, 0.3], "arm": ["a", "b", "a"]})


def chart(table=TABLE):
    return alt.Chart(table, title="Caption").mark_line().encode(x="step", y=alt.Y("value", title="return"), color="arm")


def plans(page):
    found = []
    for piece in page.pieces:
        blocks = {name: json.loads(gzip.decompress(base64.b64decode(page.blocks[name][1]))) for name in piece.needs}
        found.append((blocks[piece.needs[0]], blocks, piece))
    return found


def test_data_stand_in_the_page_once_by_columns():
    page = sheet()
    for made in (chart(), chart().mark_point()):
        value_html(page, made)
    (first, blocks, _), (second, _, _) = plans(page)
    assert first["tables"] == second["tables"]
    assert len(page.blocks) == 3
    (name,) = first["tables"].values()
    assert blocks[name] == {"step": [1, 2, 3], "value": [0.1, None, 0.3], "arm": ["a", "b", "a"]}


def test_a_chart_has_a_still_picture_and_words():
    page = sheet()
    value_html(page, chart())
    (piece,) = page.pieces
    assert 'src="data:image/svg+xml;base64,' in piece.html
    assert "Line chart of return over step, by arm: a, b. Caption" in piece.html


def test_a_chart_inside_a_layout_or_an_element_is_a_chart():
    with keeping():
        page = sheet()
        value_html(page, mo.vstack([chart(), mo.ui.altair_chart(chart())]))
        assert [piece.kind for piece in page.pieces] == ["chart", "chart"]


def test_a_chart_that_only_says_something_is_its_sentence():
    page = sheet()
    for text in ("No run yet.", ["No run", "yet."]):
        said = alt.Chart({"values": [{"text": text}]}).mark_text(fontSize=14).encode(text="text:N")
        assert value_html(page, said) == '<p class="quiet">No run yet.</p>'
    assert page.pieces == []


def test_a_chart_with_too_many_rows_is_named():
    page = sheet()
    html = value_html(page, chart(pd.DataFrame({"step": range(MAX_ROWS + 1), "value": 1.0, "arm": "a"})))
    assert "200,001 rows is left out" in html
    assert page.pieces == []


def test_a_chart_whose_data_are_elsewhere_is_named():
    html = value_html(sheet(), alt.Chart("https://example.org/data.csv").mark_point().encode(x="a:Q"))
    assert "https://example.org/data.csv" in html


def test_a_specification_cannot_give_itself_rights():
    page = sheet()
    spec = chart().to_dict() | {"usermeta": {"embedOptions": {"ast": False}}}
    spec["encoding"]["href"] = {"field": "arm"}
    bundle = type("Bundle", (), {"_mime_": lambda _: ("application/vnd.vegalite.v6+json", json.dumps(spec))})
    value_html(page, bundle())
    text = json.dumps(plans(page)[0][0])
    assert "embedOptions" not in text
    assert "href" not in text


def test_secrets_and_hostile_names_in_data_are_cleaned(monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", "a-planted-key-0123456789")
    page = sheet()
    value_html(page, chart(TABLE.assign(arm=["a-planted-key-0123456789", "</script><b>", "\u202ex"])))
    packed = json.dumps(plans(page)[0][1])
    assert "planted" not in packed
    assert "</script>" not in "".join(text for _, text in page.blocks.values())


@pytest.mark.parametrize("table", [pd.DataFrame({"when": pd.date_range("2026-01-01", periods=3), "v": [1, 2, 3]})])
def test_times_are_iso_text(table):
    page = sheet()
    value_html(page, alt.Chart(table).mark_line().encode(x="when", y="v"))
    plan, blocks, _ = plans(page)[0]
    (name,) = plan["tables"].values()
    assert blocks[name]["when"][0].startswith("2026-01-01T00:00:00")


@pytest.mark.parametrize("pick", [{}, {"pick": {"points": "a", "runs": "b", "x": "x", "y": "y"}}])
def test_what_stands_beneath_a_chart_folds_into_its_line_and_is_in_the_page_once(pick):
    """The page has the words, so neither the drawing nor the still picture repeats them."""
    page = sheet()
    words = {"summary": "n = 2 <b>", "caption": "Caption of all arms. n = 2 <b>.", "unknown": "secret"}
    value_html(page, chart().properties(usermeta={**words, **pick}))
    (piece,) = page.pieces
    plan = json.loads(gzip.decompress(base64.b64decode(page.blocks[piece.needs[0]][1])))
    below = "<figcaption><details><summary>n = 2 &lt;b&gt;</summary>Caption of all arms. n = 2 &lt;b&gt;.</details>"
    assert below in piece.html
    assert "title" not in plan["spec"]
    assert "Caption of all arms" not in json.dumps(plan)
    still = base64.b64decode(piece.html.partition("svg+xml;base64,")[2].partition('"')[0]).decode()
    assert "Caption" not in still


def test_a_chart_that_one_points_at_is_drawn_by_the_chart_widget():
    page = sheet()
    runs = alt.Chart({"values": [{"k": 0, "run": "u.e.a.s0.x"}]}).mark_line().encode(x="k:Q")
    pick = {"points": "k-x-y", "runs": "k-run", "x": "steps", "y": "return"}
    points = alt.Chart({"values": [{"k": 0, "x": 1, "y": 2}, {"k": 0, "x": 2, "y": 3}]}).mark_line()
    value_html(page, (runs + points.encode(x="x:Q", y="y:Q")).properties(usermeta={"pick": pick, "caption": "n = 1"}))
    (piece,) = page.pieces
    plan = json.loads(gzip.decompress(base64.b64decode(page.blocks[piece.needs[0]][1])))
    assert set(plan["tables"]) == {"k-run", "k-x-y"}
    assert (plan["widget"]["pick"], plan["widget"]["state"]["caption"]) == (pick, "n = 1")
    assert plan["widget"]["esm"] in piece.needs
