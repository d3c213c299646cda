from __future__ import annotations

import threading
from pathlib import Path

import pytest

from widgets.jobs import JobTable

ROWS = [{"run": "a"}, {"run": "b"}]


def asked(action="cancel", runs=("a",), nonce="n1", **more):
    return {"action": action, "runs": list(runs), "nonce": nonce, **more}


@pytest.fixture
def table():
    return JobTable(rows=ROWS, actions=["cancel", "note"])


@pytest.fixture
def heard(table):
    calls = []
    table.on_request(lambda *call: calls.append(call) or "done")
    return calls


def test_a_table_has_no_controls_unless_it_is_given_some():
    assert JobTable(rows=ROWS).actions == []


def test_a_confirmed_request_is_carried_out_once_and_answered(table, heard):
    table.set_state({"request": asked(text="why")})
    table.set_state({"request": asked(text="why")})
    assert heard == [("cancel", ["a"], "why")]
    assert table.notice == "done"


def test_the_same_action_can_be_asked_for_again(table, heard):
    table.set_state({"request": asked()})
    table.set_state({"request": asked(nonce="n2")})
    assert len(heard) == 2


@pytest.mark.parametrize(
    "request_",
    [
        {},
        asked(action="launch"),
        asked(action=["cancel"]),
        asked(runs=[]),
        asked(runs=["somebody-elses"]),
        asked(runs=[3, None]),
        asked(nonce=""),
        asked(nonce=7),
        {"action": "cancel", "runs": "a", "nonce": "n"},
    ],
)
def test_a_request_that_the_table_does_not_offer_reaches_nobody(table, heard, request_):
    table.set_state({"request": request_})
    assert heard == []


def test_a_table_without_actions_carries_out_nothing_whatever_a_page_sends():
    table, calls = JobTable(rows=ROWS), []
    table.on_request(lambda *call: calls.append(call) or "")
    table.set_state({"actions": ["cancel"], "request": asked()})
    assert calls == []
    assert table.actions == []


def test_a_page_sets_only_what_is_its_own(table):
    table.set_state({"rows": [], "problems": ["hacked"], "as_of": 5.0, "empty": "", "selected": ["a"], "_esm": "x"})
    assert (table.rows, table.problems, table.as_of, table.selected) == (ROWS, [], 0.0, ["a"])


def test_an_action_that_fails_says_why_on_the_page(table):
    def refuse(*_):
        raise RuntimeError("nobody may cancel here")

    table.on_request(refuse)
    table.set_state({"request": asked()})
    assert table.notice == "nobody may cancel here"


def test_an_update_sets_all_traits_and_can_come_from_any_thread(table):
    thread = threading.Thread(target=lambda: table.update(rows=[{"run": "c"}], problems=["p"]))
    thread.start()
    thread.join()
    assert (table.rows, table.problems) == ([{"run": "c"}], ["p"])


def test_an_update_does_not_wait_for_a_page_that_is_busy(table, heard, monkeypatch):
    monkeypatch.setattr("widgets.page.guarded._PATIENCE_S", 0.05)
    entered, leave = threading.Event(), threading.Event()
    table.on_request(lambda *_: entered.set() or leave.wait(10) or "")
    page = threading.Thread(target=lambda: table.set_state({"request": asked()}))
    page.start()
    assert entered.wait(10)
    assert table.update(problems=["late"]) is False
    leave.set()
    page.join()
    assert table.update(problems=["in time"]) is True


def test_the_shipped_file_never_reads_text_as_html():
    source = (Path(__file__).parents[2] / "widgets/jobs/static/jobs.js").read_text(encoding="utf-8")
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "http://",
    ):
        assert forbidden not in source.replace('"http://www.w3.org/2000/svg"', "")
