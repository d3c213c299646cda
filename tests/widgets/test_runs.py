"""The table of runs: what a page is sent of it, and what a page may set."""

from __future__ import annotations

import pytest

from tests.fakes.pages import Page
from widgets.runs import RunTable

COLUMNS = [{"key": "reward", "label": "reward", "title": "", "kind": "number", "name": ""}]

LAYOUT = {"grouped": True, "open": None, "flipped": ["a"], "away": ["reward"], "sort": None}


class Shown(Page):
    """The page of a table of runs."""

    @staticmethod
    def apply(tables, piece):
        for at, values in piece["rows"]:
            tables["rows"][at] = [dict(values).get(cell, value) for cell, value in enumerate(tables["rows"][at])]
        return tables


def table(*values):
    return {
        "columns": COLUMNS,
        "rows": [[f"run-{at}", "a", "0", True, "running", value] for at, value in enumerate(values)],
    }


def test_a_page_is_sent_the_values_that_changed_and_the_whole_where_runs_or_columns_are_others():
    widget = RunTable()
    change = widget.change
    assert change(table(1, 2), table(1, 3)) == {"rows": [[1, [[5, 3]]]]}
    assert change(table(1), table(1)) == {}
    assert change(table(1), table(1, 2)) is None
    assert change(table(1), {**table(1), "columns": []}) is None
    page = Shown(widget)
    page.show()
    widget.table = table(1, 2)
    page.show()
    widget.table = table(1, 5)
    assert page.received("piece")[-1:] == [{"at": 2, "rows": [[1, [[5, 5]]]]}]
    assert page.tables == widget.table


@pytest.mark.parametrize(
    ("name", "value", "may"),
    [
        ("selected", ["a"], True),
        ("selected", "a", False),
        ("selected", ["a" * 1_000], False),
        ("hidden", {"runs": [], "arms": ["a"]}, True),
        ("hidden", {"runs": []}, False),
        ("hidden", {"runs": [1], "arms": []}, False),
        ("picked", ["a"] * 25, False),
        ("layout", LAYOUT, True),
        ("layout", {**LAYOUT, "open": False, "sort": {"key": "reward", "down": True}}, True),
        ("layout", {**LAYOUT, "sort": {"key": "reward"}}, False),
        ("layout", {**LAYOUT, "sort": {"key": 1, "down": True}}, False),
        ("layout", {**LAYOUT, "flipped": "a"}, False),
        ("layout", {**LAYOUT, "grouped": None}, False),
        ("layout", {"grouped": True}, False),
        ("with_archived", True, True),
        ("with_archived", 1, False),
        ("actions", ["archive"], False),
        ("undo", {"action": "archive", "runs": ["a"]}, False),
        ("archived", ["a"], False),
        ("asked", "losses/*", True),
        ("asked", 1, False),
        ("table", {}, False),
        ("notes", [], False),
    ],
)
def test_a_page_sets_only_what_is_its_own_and_has_the_right_form(name, value, may):
    assert RunTable().may_set(name, value) is may


def test_a_request_is_about_runs_with_a_row_or_those_that_can_be_taken_back():
    widget, heard = RunTable(table=table(1), actions=["archive", "unarchive"]), []
    widget.on_request(lambda *asked: heard.append(asked[:2]) or "done")
    for nonce, action, run in (("1", "archive", "run-0"), ("2", "archive", "run-9"), ("3", "protect", "run-0")):
        widget.set_state({"request": {"action": action, "runs": [run], "text": "", "nonce": nonce}})
    assert (heard, widget.notice) == ([("archive", ["run-0"])], "done")
    widget.update(table=table(), undo={"action": "unarchive", "runs": ["run-0"]})
    widget.set_state({"request": {"action": "unarchive", "runs": ["run-0"], "text": "", "nonce": "4"}})
    assert heard[1:] == [("unarchive", ["run-0"])]
