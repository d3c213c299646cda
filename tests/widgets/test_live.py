"""A widget that is sent in pieces: what a page has is what Python has, whatever is slow, lost or closed."""

from __future__ import annotations

import random

import pytest

from tests.fakes.pages import Page
from widgets.charts import ChartWidget
from widgets.charts.changes import change_of
from widgets.page import live


def tables(*lengths, shift=0):
    """Return a dataset of several runs of some lengths, and one row a run of who is who."""
    rows = [(k, x) for k, length in enumerate(lengths) for x in range(length)]
    points = {"x": [x for _, x in rows], "y": [float(x * k) for k, x in rows], "k": [k for k, _ in rows]}
    return {
        "k-x-y": points,
        "k-run": {"k": list(range(len(lengths))), "run": [f"run {k} {shift}" for k in range(len(lengths))]},
    }


@pytest.fixture
def shown():
    """Return a chart and the page that shows it."""
    widget = ChartWidget()
    return widget, Page(widget)


def test_appended_rows_are_all_that_is_sent(shown):
    widget, page = shown
    widget.datasets = tables(500, 500)
    page.show()
    widget.datasets = tables(501, 503)
    [piece] = page.received("piece")
    assert piece["datasets"] == {
        "k-x-y": {
            "cuts": [[500, 0, 1], [1000, 0, 3]],
            "columns": {"x": [500, 500, 501, 502], "y": [0.0, 500.0, 501.0, 502.0], "k": [0, 1, 1, 1]},
        }
    }
    page.show()
    assert page.tables == widget.datasets


def test_a_state_that_says_the_same_sends_nothing(shown):
    widget, page = shown
    widget.datasets = tables(5, 5)
    page.show()
    page.forget()
    widget.datasets = tables(5, 5)
    assert page.messages == []


def test_any_two_states_lead_to_each_other():
    chance = random.Random(7)
    for _ in range(300):
        old, new = ({name: _random_rows(chance) for name in chance.sample("abc", k=2)} for _ in range(2))
        piece = change_of(old, new)
        widget = ChartWidget()
        page = Page(widget)
        widget.datasets = old
        page.show()
        widget.datasets = new
        page.show()
        assert page.tables == new
        assert piece is None or page.received("piece") or old == new


def _random_rows(chance):
    rows = sorted((chance.randrange(4), chance.randrange(3)) for _ in range(chance.randrange(1, 30)))
    return {"k": [k for k, _ in rows], "y": [y for _, y in rows]}


def test_a_page_that_falls_behind_gets_the_newest_alone(shown):
    """What waits is one state, however much happened meanwhile."""
    widget, page = shown
    widget.datasets = tables(100)
    page.show()
    page.forget()
    for length in range(101, 400):
        widget.datasets = tables(length)
        widget.caption = f"{length} rows"
    assert len(page.messages) == 1
    page.show()
    assert len(page.messages) == 2
    assert page.state["caption"] == "399 rows"
    page.show()
    assert page.tables == tables(399)


def test_a_page_that_was_opened_again_is_sent_the_whole(shown):
    widget, page = shown
    widget.datasets = tables(100)
    page.show()
    for length in (101, 102, 103):
        widget.datasets = tables(length)
        page.show()
    again = Page(widget, like=page)  # with what marimo kept of the traits: the whole of then, and the last piece
    assert again.tables == tables(103)
    assert page.tables == tables(103)


def test_a_second_view_of_a_chart_tells_nothing_that_confuses_the_first(shown):
    widget, page = shown
    widget.datasets = tables(10)
    page.show()
    widget.datasets = tables(11)
    page.say("shown", widget.version - 1)
    assert widget.is_waiting
    page.show()
    assert not widget.is_waiting


def test_a_page_that_answers_nothing_any_more_is_tried_again_after_a_while(shown, monkeypatch):
    widget, page = shown
    widget.datasets = tables(10)
    widget.datasets = tables(11)
    assert len(page.received("datasets")) == 1
    monkeypatch.setattr(live, "PATIENCE_S", 0.0)
    widget.datasets = tables(12)
    page.show()
    assert page.tables == tables(12)


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        {},
        {"type": "here"},
        {"type": "here", "at": "1"},
        {"type": "shown", "at": None},
        {"type": "x", "at": 1},
    ],
)
def test_nonsense_of_a_page_changes_nothing(shown, said):
    widget, page = shown
    widget.datasets = tables(10)
    page.show()
    page.forget()
    widget._hear(widget, said, [])
    assert page.messages == []
