"""The table of runs in a real browser: alone on a page, where a test plays Python's part."""

from __future__ import annotations

import json
import re

import pytest

from tests.browser.test_job_table import PAGE
from tests.fakes.serving import CHROMIUM
from widgets.runs import RunTable

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="wants Debian's chromium")]
COLUMNS = [
    {"key": "lr", "label": "lr", "title": "setting trainer.lr", "kind": "number", "name": "trainer.lr"},
    {"key": "reward", "label": "reward", "title": "latest", "kind": "number", "name": ""},
    {"key": "curve", "label": "reward curve", "title": "one scale", "kind": "curve", "name": ""},
]
LAYOUT = {"grouped": True, "open": None, "flipped": [], "away": [], "sort": None}


def rows(arms, seeds):
    return [
        [f"ada.exp.arm-{arm}.s{seed}.abcdefgh", f"arm-{arm}", str(seed), True, "succeeded", 0.1, arm + seed, "~#Ab"]
        for arm in range(arms)
        for seed in range(seeds)
    ]


@pytest.fixture
def open_table(browser):
    """Return a function that opens a page with a table of the given runs; every error of the page fails the test."""
    errors = []
    page = browser.new_page(viewport={"width": 1040, "height": 700})
    page.on("pageerror", lambda error: errors.append(str(error)))

    def start(arms=3, seeds=2, **more):
        state = {"table": {"columns": COLUMNS, "rows": rows(arms, seeds)}, "version": 1, "piece": {}, "colours": {}}
        state |= {"notes": [], "empty": "No run yet.", "found": {"text": "", "names": [], "total": 0}}
        state |= {"selected": [], "hidden": {"runs": [], "arms": []}, "asked": "", "picked": [], "layout": LAYOUT}
        state |= {"archived": [], "with_archived": False, "protected": [], "actions": [], "notice": "", "undo": {}}
        state |= {"request": {}, **more}
        sent = "structuredClone(state)"
        html = PAGE.replace("STATE", json.dumps(state)).replace(
            "structuredClone({selected: state.selected, request: state.request})", sent
        )
        files = {
            "": ("text/html", html),
            "jobs.js": ("text/javascript", RunTable._esm),
            "jobs.css": ("text/css", RunTable._css),
        }
        page.route("http://table/**", lambda route: answer(route, files))
        page.goto("http://table/")
        page.wait_for_function("window.ready")
        return page

    yield start
    page.close()
    assert errors == []


def answer(route, files):
    kind, body = files.get(route.request.url.rsplit("/", 1)[1], ("text/plain", ""))
    route.fulfill(content_type=kind, body=body)


def sent(page, name):
    return page.evaluate("name => window.model.get(name)", name)


def shown(page):
    return page.locator(".runs-row td.runs-run").all_inner_texts()


def middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_of_ten_thousand_runs_a_few_rows_are_in_the_page_wherever_it_is_scrolled(open_table):
    page = open_table(2_000, 5)
    page.get_by_role("button", name="Open all").click()
    grid = page.get_by_role("treegrid", name="Runs")
    assert grid.get_attribute("aria-rowcount") == "12001"
    for place, index in ((0.0, 2), (0.5, 6_002), (1.0, 12_001)):
        page.locator(".runs-scroll").evaluate("(box, place) => { box.scrollTop = place * box.scrollHeight; }", place)
        page.locator(f'.runs-row[aria-rowindex="{index}"]').wait_for()
        assert page.locator("tbody tr").count() < 50
        assert page.locator("*").count() < 1_500
    assert "s4.abcdefgh" in shown(page)[-1]


def test_the_keyboard_moves_opens_hides_and_brings_to_the_front(open_table):
    page = open_table(30, 2)
    grid = page.get_by_role("treegrid", name="Runs")
    grid.focus()
    press(page, "ArrowDown", "Enter", "ArrowDown")
    active = page.locator(f"#{grid.get_attribute('aria-activedescendant')}")
    assert active.get_attribute("data-run") == "ada.exp.arm-1.s0.abcdefgh"
    press(page, "Space")
    assert sent(page, "hidden") == {"runs": ["ada.exp.arm-1.s0.abcdefgh"], "arms": []}
    assert page.get_by_text("1 run not drawn in the charts; scores and verdicts count it").is_visible()
    press(page, "Enter")
    assert sent(page, "selected") == ["ada.exp.arm-1.s0.abcdefgh"]
    press(page, "ArrowLeft", "Space")
    assert sent(page, "hidden") == {"runs": [], "arms": ["arm-1"]}
    press(page, "ArrowLeft", "End")
    assert grid.get_attribute("aria-activedescendant").endswith("-29")
    assert page.locator(".runs-row[data-at]").is_visible()
    page.get_by_role("button", name="Show all").click()
    assert sent(page, "hidden") == {"runs": [], "arms": []}


def test_an_eye_of_a_hidden_arm_brings_back_one_run_alone(open_table):
    page = open_table(hidden={"runs": [], "arms": ["arm-1"]})
    page.locator('[data-run="ada.exp.arm-1.s0.abcdefgh"] .runs-eye').click()
    assert sent(page, "hidden") == {"runs": ["ada.exp.arm-1.s1.abcdefgh"], "arms": []}
    assert page.locator('[data-arm="arm-1"]').get_attribute("data-eye") == "half"
    page.locator('[data-arm="arm-1"] .runs-eye').click()
    assert sent(page, "hidden") == {"runs": [], "arms": ["arm-1"]}


def test_arms_say_counts_and_means_and_sort_by_them(open_table):
    page = open_table()
    arm = page.locator('[data-arm="arm-2"]')
    assert [text.strip() for text in arm.locator("td").all_inner_texts()][:5] == [
        "arm-2",
        "2 succeeded",
        "2 runs",
        "0.1",
        "2.5x\u0304",
    ]
    assert arm.locator("td").nth(4).get_attribute("title") == "Mean of 2 runs: 2.5"
    page.get_by_role("button", name="Sort by reward", exact=True).click()
    assert page.locator(".runs-arm").evaluate_all("rows => rows.map((row) => row.dataset.arm)") == [
        "arm-2",
        "arm-1",
        "arm-0",
    ]
    assert page.locator("th[aria-sort=descending]").inner_text() == "reward"
    page.get_by_role("button", name="By arm").click()
    assert page.locator(".runs-row").count() == 6
    assert page.get_by_role("grid", name="Runs").is_visible()


def test_folds_sort_and_columns_are_told_and_a_page_begins_with_them(open_table):
    page = open_table()
    page.locator('[data-arm="arm-1"] .runs-caret').click()
    page.get_by_role("button", name="Sort by lr", exact=True).click()
    page.get_by_role("button", name="Sort by reward", exact=True).click()
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name="lr", exact=True).click()
    left = {**LAYOUT, "open": True, "flipped": ["arm-1"], "away": ["lr"], "sort": {"key": "reward", "down": True}}
    assert sent(page, "layout") == left
    before = shown(page)
    assert open_table(layout=left).get_by_role("columnheader").all_inner_texts() == [
        *("Run", "State", "Seed", "reward", "reward curve")
    ]
    assert shown(page) == before
    assert page.locator('[data-arm="arm-1"]').get_attribute("aria-expanded") == "false"
    assert page.locator("th[aria-sort=descending]").inner_text() == "reward"
    # A column that is gone sorts nothing.
    assert shown(open_table(layout={**left, "sort": {"key": "gone", "down": True}}))[0] == "arm-0"


def test_a_search_and_new_values_keep_what_is_chosen(open_table):
    page = open_table()
    page.locator('[data-run="ada.exp.arm-1.s0.abcdefgh"] .runs-state').click()
    page.get_by_label("Search runs").fill("arm-1 s0")
    assert page.get_by_text("1 arm, 1 run of 6 runs").is_visible()
    page.mouse.move(*middle(page.locator('[data-run="ada.exp.arm-1.s0.abcdefgh"] .runs-seed')))
    page.mouse.down()
    page.evaluate("window.model.set('piece', {at: 2, rows: [[2, [[6, 77]]]]})")
    page.get_by_role("gridcell", name="77").first.wait_for()
    assert sent(page, "selected") == ["ada.exp.arm-1.s0.abcdefgh"]
    page.mouse.up()  # though the row has other values by now
    assert sent(page, "selected") == []
    page.get_by_label("Search runs").fill("nothing")
    assert page.get_by_text("No run matches “nothing”").is_visible()


def test_columns_are_put_away_and_found_among_ten_thousand(open_table):
    names = [f"losses/{number}" for number in range(50)]
    page = open_table(found={"text": "*", "names": names, "total": 10_000})
    page.get_by_text("Columns", exact=True).click()
    page.get_by_text("The first 50 of 10,000 settings and metrics. Type to find others.").wait_for()
    page.get_by_role("checkbox", name="lr", exact=True).click()
    assert page.get_by_role("columnheader").all_inner_texts() == ["Run", "State", "Seed", "reward", "reward curve"]
    page.get_by_role("checkbox", name="losses/7", exact=True).click()
    assert sent(page, "picked") == ["losses/7"]
    page.get_by_role("button", name="Usual columns").click()
    assert sent(page, "picked") == []
    assert page.get_by_role("columnheader", name="Sort by lr").is_visible()


def test_columns_are_sorted_and_chosen_with_the_keyboard_which_stays_where_it_is(open_table):
    page = open_table()
    focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.parentElement.textContent"
    columns = page.get_by_text("Columns", exact=True)
    columns.focus()
    passed = [(press(page, "Tab"), page.evaluate(focused))[1] for _ in range(5)]
    assert passed[-1] == "Sort by lr", passed
    press(page, "Enter")
    assert page.get_by_role("columnheader", name="Sort by lr").get_attribute("aria-sort") != "none"
    assert page.evaluate(focused) == "Sort by lr"
    columns.focus()
    press(page, "Enter", "Escape")
    assert page.locator(".runs-columns[open]").count() == 0
    press(page, "Enter")
    page.get_by_role("checkbox").first.wait_for()
    press(page, "Tab", "Tab", "Space")
    assert not page.get_by_role("checkbox").first.is_checked()
    assert page.evaluate(focused) == page.locator(".runs-choices label").first.inner_text()
    press(page, "Escape")
    assert page.evaluate("document.activeElement.textContent") == "Columns"


SHELF = ["archive", "unarchive", "protect", "unprotect"]


def test_selected_runs_are_archived_in_two_steps_with_the_keyboard_and_taken_back(open_table):
    page = open_table(actions=SHELF, protected=["ada.exp.arm-1.s0.abcdefgh"])
    assert page.get_by_role("img", name="1 of 2 protected").is_visible()
    archive, protect = (page.get_by_role("button", name=re.compile(f"^{verb}")) for verb in ("Archive", "Protect"))
    assert archive.is_disabled()
    assert page.get_by_role("button", name="Unprotect").count() == 0
    page.get_by_role("treegrid", name="Runs").focus()
    press(page, "ArrowDown", "ArrowDown", "ArrowDown", "Shift+Enter")
    assert [archive.inner_text(), protect.inner_text()] == ["Archive 1 run", "Protect 1 run"]
    assert page.get_by_role("button", name="Unprotect 1 run").is_visible()
    archive.focus()
    press(page, "Enter")
    asked = page.get_by_role("alertdialog", name="Confirm")
    assert asked.get_by_text("Archive 1 run? ada.exp.arm-1.s1.abcdefgh").is_visible()
    assert sent(page, "request") == {}
    press(page, "Escape")
    assert page.evaluate("document.activeElement.textContent") == "Archive 1 run"
    press(page, "Enter", "Shift+Tab")
    page.wait_for_timeout(600)  # what comes sooner is the second half of a double click
    press(page, "Enter")
    request = sent(page, "request")
    assert (request["action"], request["runs"]) == ("archive", ["ada.exp.arm-1.s1.abcdefgh"])
    page.evaluate("window.model.set('undo', {action: 'unarchive', runs: ['ada.exp.arm-1.s1.abcdefgh']})")
    page.evaluate("window.model.set('notice', '1 run archived.')")
    assert page.get_by_text("1 run archived.").is_visible()
    page.get_by_role("button", name="Undo").press("Enter")
    again = sent(page, "request")
    assert (again["action"], again["runs"]) == ("unarchive", ["ada.exp.arm-1.s1.abcdefgh"])
    assert again["nonce"] != request["nonce"]


def test_a_table_that_offers_no_action_shows_what_is_archived_and_nothing_else(open_table):
    page = open_table(archived=["ada.exp.arm-0.s0.abcdefgh"], selected=["ada.exp.arm-0.s0.abcdefgh"])
    assert page.get_by_role("button", name="rchive").all_inner_texts() == ["Show 1 archived"]
    page.get_by_role("button", name="Show 1 archived").click()
    assert sent(page, "with_archived")
    assert page.get_by_role("button", name="Leave out archived").is_visible()
    assert page.get_by_role("img", name="archived", exact=True).is_visible()


def test_names_of_users_are_text(open_table):
    nasty = "<img src=x onerror=alert(1)>"
    table = {"columns": COLUMNS, "rows": [[nasty, nasty, "0", True, nasty, nasty, None, nasty], *rows(1, 1)]}
    page = open_table(table=table, notes=[nasty])
    assert page.locator("img").count() == 0
    assert nasty in page.locator(".runs-arm").first.inner_text()
