"""Pictures of charts: drawn elsewhere, so that nothing in a chart takes the page's process down."""

from __future__ import annotations

import pytest

from experiments.notebooks.charts import figures
from experiments.notebooks.charts.figures import Drawer, FigureError
from tests.fakes.cases import CASES

NAMES = (CASES / "serve" / "metric_names_that_abort.txt").read_text().split()


def chart(title="reward"):
    return {
        "data": {"values": [{title: 1.0, "step": 2}]},
        "mark": "point",
        "encoding": {"x": {"field": "step", "type": "quantitative", "title": title}},
    }


@pytest.fixture
def drawer():
    made = Drawer()
    yield made
    made.close()


def test_a_chart_is_drawn_as_svg_and_png(drawer):
    assert drawer.draw(chart(), "svg").startswith(b"<svg")
    small, large = drawer.draw(chart(), "png"), drawer.draw(chart(), "png", scale=3.0)
    assert small.startswith(b"\x89PNG")
    assert len(large) > len(small)


@pytest.mark.parametrize("name", [name.encode().decode("unicode_escape") for name in NAMES])
def test_a_control_character_in_a_name_is_drawn_as_a_sign(drawer, name):
    assert "a\ufffdb" in drawer.draw(chart(name), "svg").decode()


def test_what_brings_the_drawer_down_costs_a_sentence_and_the_next_chart_is_drawn(drawer, monkeypatch):
    monkeypatch.setattr(figures, "printable", lambda text: text)
    with pytest.raises(FigureError, match="came down"):
        drawer.draw(chart("a\x0bb"), "svg")
    assert drawer.draw(chart(), "svg").startswith(b"<svg")


@pytest.mark.parametrize(
    ("limits", "words"), [({"within_s": 0.001}, "took over"), ({"most_bytes": 1_000_000}, "came down")]
)
def test_a_chart_that_takes_too_much_is_given_up(limits, words):
    drawer = Drawer(**limits)
    with pytest.raises(FigureError, match=words):
        drawer.draw(chart(), "svg")
    assert drawer._process is None


def test_what_is_no_chart_says_so(drawer):
    with pytest.raises(FigureError, match="could not be drawn"):
        drawer.draw({"mark": "no such mark"}, "svg")


def test_nothing_that_a_chart_names_is_fetched(drawer):
    with pytest.raises(FigureError):
        drawer.draw({**chart(), "data": {"url": "http://127.0.0.1:1/data.json"}}, "svg")
