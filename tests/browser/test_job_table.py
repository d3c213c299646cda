"""The job table in a real browser: alone on a page, where a test plays Python's part."""

from __future__ import annotations

import json
import time

import pytest

from tests.fakes.serving import CHROMIUM
from widgets.jobs import JobTable

PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/jobs.css">
<body><div id="app" style="width: 1000px"></div><script type="module">
import widget from "/jobs.js";
const state = STATE, handlers = {};
window.sent = [];
window.model = {
  get: (key) => state[key],
  set(key, value) { state[key] = value; for (const each of handlers[`change:${key}`] ?? []) each(); },
  save_changes() { window.sent.push(structuredClone({selected: state.selected, request: state.request})); },
  send() {},
  on(event, each) { (handlers[event] ??= []).push(each); },
  off() {},
};
window.close_table = widget.render({model: window.model, el: document.getElementById("app")});
window.ready = true;
</script>"""

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="wants Debian's chromium")]


def row(run, state="running", **more):
    values = {
        "arm": "base",
        "seed": 0,
        "launcher": "local",
        "state": state,
        "words": f"scheduler {state}",
        "reason": "",
    }
    numbers = dict.fromkeys(("step", "total", "sps", "reward", "left_s", "started_at", "ended_at"))
    return {"run": run, **values, **numbers, **more}


def rows(count=3):
    return [row(f"ada.exp.base.s{seed}.abcdefgh", step=seed * 10, total=100, reward=seed / 2) for seed in range(count)]


@pytest.fixture(scope="module")
def page(browser):
    return browser.new_page(viewport={"width": 1040, "height": 500})


@pytest.fixture
def open_table(page):
    """Return a function that opens a page with a table of the given state; every error of the page fails the test."""
    errors = []
    page.on("pageerror", note := lambda error: errors.append(str(error)))

    def start(**state):
        now = time.time()
        full = {"rows": rows(), "as_of": now - 2, "sent_at": now, "stale_after": 10, "problems": [], "ongoing": []}
        full |= {"actions": [], "version": 1, "piece": {}}
        full |= {"notice": "", "empty": "No jobs yet. Launch some.", "selected": [], "request": {}, **state}
        html = PAGE.replace("STATE", json.dumps(full).replace("<", "\\u003c"))
        page.route("http://table/**", lambda route: answer(route, html))
        page.goto("http://table/")
        page.wait_for_function("window.ready")
        return page

    yield start
    page.unroute_all()
    page.remove_listener("pageerror", note)
    assert errors == []


def answer(route, html):
    """Give the page, or a file of the widget, without any server."""
    files = {
        "": ("text/html", html),
        "jobs.js": ("text/javascript", JobTable._esm),
        "jobs.css": ("text/css", JobTable._css),
    }
    name = route.request.url.rsplit("/", 1)[1]
    if name in files:
        route.fulfill(content_type=files[name][0], body=files[name][1])
    else:
        route.fulfill(status=404)


def set_trait(page, name, value):
    page.evaluate("([name, value]) => window.model.set(name, value)", [name, value])
    if name == "rows":
        page.evaluate("window.model.set('version', window.model.get('version') + 1)")


def cell(page, index, key):
    return page.locator("tbody tr").nth(index).locator(f".jobs-{key}")


def shown(page):
    return [name.split(".")[3] for name in page.locator("tbody bdi").all_inner_texts()]


def last_sent(page):
    return page.evaluate("window.sent.at(-1)")


def test_an_update_changes_texts_and_keeps_every_element(open_table):
    page = open_table()
    page.evaluate("window.before = [...document.querySelectorAll('tbody *')]")
    set_trait(page, "rows", [{**each, "step": 50} for each in rows()])
    assert cell(page, 0, "steps").inner_text() == "50 / 100"
    assert page.evaluate("window.before.every((element) => element.isConnected)")


def test_focus_selection_scroll_sort_and_filter_survive_an_update(open_table):
    many = rows(60)
    page = open_table(rows=many)
    page.get_by_label("Filter jobs").fill("base")
    page.get_by_role("button", name="Reward").click()
    page.evaluate("document.querySelector('.jobs-scroll').scrollTop = 600")
    page.locator('[data-run="ada.exp.base.s29.abcdefgh"] .jobs-state').click()
    top = page.evaluate("document.querySelector('.jobs-scroll').scrollTop")
    assert top > 0
    set_trait(page, "rows", [{**each, "reward": each["reward"] + each["seed"] + 1} for each in many])
    assert page.evaluate("document.activeElement.dataset.run") == "ada.exp.base.s29.abcdefgh"
    assert page.evaluate("document.querySelector('.jobs-scroll').scrollTop") == top
    assert page.locator("tr[aria-selected=true]").count() == 1
    page.evaluate("document.querySelector('.jobs-scroll').scrollTop = 0")
    page.locator('[aria-rowindex="2"]').wait_for()
    assert shown(page)[0] == "s59"
    assert page.get_by_label("Filter jobs").input_value() == "base"


def test_of_two_thousand_jobs_a_few_rows_are_in_the_page_and_the_keyboard_reaches_all(open_table):
    page = open_table(rows=rows(2_000))
    grid = page.get_by_role("grid", name="Jobs")
    assert grid.get_attribute("aria-rowcount") == "2001"
    for place, index in ((0.0, 2), (0.5, 1_002), (1.0, 2_001)):
        page.locator(".jobs-scroll").evaluate("(box, place) => { box.scrollTop = place * box.scrollHeight; }", place)
        page.locator(f'.jobs-row[aria-rowindex="{index}"]').wait_for()
        assert page.locator("tbody tr").count() < 60
        assert page.locator("*").count() < 2_000
    assert shown(page)[-1] == "s1999"
    page.locator('[data-run="ada.exp.base.s1999.abcdefgh"] .jobs-state').click()
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.dataset.run") == "ada.exp.base.s0.abcdefgh"
    page.locator(".jobs-scroll").evaluate("(box) => { box.scrollTop = 20_000; }")
    page.locator('[aria-rowindex="720"]').wait_for()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "grid"
    set_trait(page, "rows", [{**each, "step": 50} for each in rows(2_000)])
    assert cell(page, 12, "steps").inner_text() == "50 / 100"
    page.keyboard.press("Shift+ArrowDown")
    assert page.evaluate("document.activeElement.dataset.run") == "ada.exp.base.s1.abcdefgh"
    page.keyboard.press("Control+a")
    assert len(last_sent(page)["selected"]) == 2_000


def test_a_row_that_moves_keeps_the_focus(open_table):
    page = open_table()
    page.get_by_role("button", name="Reward").click()
    cell(page, 2, "state").click()
    set_trait(page, "rows", [{**each, "reward": 99.0 if ".s0." in each["run"] else 1.0} for each in rows()])
    assert shown(page)[0] == "s0"
    assert page.evaluate("document.activeElement.dataset.run") == "ada.exp.base.s0.abcdefgh"


def test_jobs_that_are_gone_leave_the_selection(open_table):
    page = open_table(selected=["ada.exp.base.s0.abcdefgh", "ada.exp.base.s1.abcdefgh"])
    set_trait(page, "rows", rows()[1:])
    assert last_sent(page)["selected"] == ["ada.exp.base.s1.abcdefgh"]


def test_several_jobs_are_selected_with_the_keyboard_alone(open_table):
    page = open_table()
    page.get_by_label("Filter jobs").focus()
    while not page.evaluate("document.activeElement.matches('tr')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    assert len(last_sent(page)["selected"]) == 2
    page.keyboard.press("Control+a")
    assert len(last_sent(page)["selected"]) == 3
    page.keyboard.press("Escape")
    assert last_sent(page)["selected"] == []


def test_a_table_without_actions_has_no_control_for_them(open_table):
    page = open_table()
    cell(page, 0, "state").click()
    names = page.locator("button").all_inner_texts()
    assert [name for name in names if "ada." not in name] == [
        *("Run", "State", "Progress", "Steps/s", "Reward", "Time left", "Started"),
    ]


def test_an_action_needs_two_steps_and_says_which_jobs(open_table):
    page = open_table(actions=["cancel", "retry"])
    assert page.get_by_role("button", name="Cancel jobs").is_disabled()
    page.get_by_label("Select all jobs shown").check()
    page.get_by_role("button", name="Cancel 3 jobs").click()
    assert last_sent(page)["request"] == {}
    dialog = page.get_by_role("alertdialog")
    assert "ada.exp.base.s0.abcdefgh" in dialog.inner_text()
    assert page.evaluate("document.activeElement.textContent") == "Go back"
    page.wait_for_timeout(550)
    dialog.get_by_role("button", name="Cancel 3 jobs").click()
    assert last_sent(page)["request"]["action"] == "cancel"
    assert len(last_sent(page)["request"]["runs"]) == 3
    assert dialog.is_hidden()


def test_a_double_click_confirms_nothing(open_table):
    page = open_table(actions=["cancel"])
    page.get_by_label("Select all jobs shown").check()
    button = page.get_by_role("button", name="Cancel 3 jobs")
    button.click()
    page.locator(".jobs-yes").click()
    assert last_sent(page)["request"] == {}
    page.keyboard.press("Escape")
    assert page.get_by_role("alertdialog").is_hidden()
    assert page.evaluate("document.activeElement.textContent") == "Cancel 3 jobs"


def test_an_action_is_offered_only_for_jobs_that_can_take_it(open_table):
    mixed = [row("a.a.a.s0.x", "running"), row("a.a.a.s1.x", "failed"), row("a.a.a.s2.x", "succeeded")]
    page = open_table(rows=mixed, actions=["cancel", "retry"])
    page.get_by_label("Select all jobs shown").check()
    assert page.locator(".jobs-action").all_inner_texts() == ["Cancel 1 job", "Retry 2 jobs"]


def test_a_note_wants_its_text(open_table):
    page = open_table(actions=["note"])
    cell(page, 0, "state").click()
    page.get_by_role("button", name="Note on 1 job").click()
    page.wait_for_timeout(550)
    page.locator(".jobs-yes").click()
    assert last_sent(page)["request"] == {}
    page.get_by_role("textbox", name="Note").fill("lr too high")
    page.locator(".jobs-yes").click()
    assert last_sent(page)["request"]["text"] == "lr too high"


def test_data_grows_old_on_a_page_that_hears_nothing(open_table):
    page = open_table(stale_after=3)
    assert page.locator(".jobs-age").inner_text() == "Updated 2 s ago"
    page.wait_for_function("document.querySelector('.jobs-age').textContent.startsWith('? Data ')", timeout=5000)


def test_ages_are_right_in_a_browser_whose_clock_is_not(open_table):
    past = time.time() - 7200
    page = open_table(as_of=past - 5, sent_at=past, rows=[row("a.a.a.s0.x", started_at=past - 60)])
    assert page.locator(".jobs-age").inner_text() == "Updated 5 s ago"
    assert cell(page, 0, "started").nth(0).inner_text() == "1 m ago"


def test_a_fixed_table_says_of_when_it_is_and_never_ages(open_table):
    page = open_table(sent_at=0, as_of=1_800_000_000)
    assert page.locator(".jobs-age").inner_text().startswith("As of 15 Jan 2027")


def test_problems_and_answers_are_said(open_table):
    page = open_table(problems=["offline: the server said 500 (data 40 s old)"])
    set_trait(page, "notice", "asked to end")
    assert page.get_by_role("status").first.inner_text() == "asked to end\noffline: the server said 500 (data 40 s old)"


def test_an_empty_table_says_what_to_do(open_table):
    page = open_table(rows=[])
    assert page.locator(".jobs-empty").inner_text() == "No jobs yet. Launch some."
    assert page.get_by_role("grid").is_hidden()
    set_trait(page, "rows", rows())
    assert page.get_by_role("grid").is_visible()


def test_hostile_names_are_only_text(open_table):
    evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
    page = open_table(
        rows=[row(evil, reason=evil, words=evil, arm=evil)], problems=[evil], empty=evil, actions=["cancel"]
    )
    cell(page, 0, "state").click()
    page.get_by_role("button", name="Cancel 1 job").click()
    assert page.locator("tbody bdi").inner_text() == evil
    assert page.locator("#app img, #app script").count() == 0
    assert page.evaluate("window.hacked") is None


def test_a_long_name_keeps_its_end_and_one_click_copies_it(open_table):
    name = f"ada.exp.{'long-' * 7}arm.s7.abcdefgh"
    page = open_table(rows=[row(name)])
    box, button = cell(page, 0, "name").locator("bdi").bounding_box(), cell(page, 0, "name").bounding_box()
    assert box["width"] > button["width"]
    assert abs((box["x"] + box["width"]) - (button["x"] + button["width"])) < 2
    cell(page, 0, "name").click()
    assert page.locator(".jobs-detail").inner_text() == f"Copied {name}"
    assert last_sent(page) is None


def test_rows_are_28_pixels_and_numbers_line_up(open_table):
    page = open_table()
    assert {cell(page, index, "pick").bounding_box()["height"] for index in range(3)} == {28}
    assert page.locator(".jobs-table").evaluate("(e) => getComputedStyle(e).fontVariantNumeric") == "tabular-nums"


def test_the_grid_tells_a_screen_reader_what_it_is(open_table):
    page = open_table()
    page.get_by_role("button", name="Reward").click()
    assert page.get_by_role("grid", name="Jobs").get_attribute("aria-multiselectable") == "true"
    assert page.get_by_role("columnheader", name="Reward").get_attribute("aria-sort") == "descending"
    assert page.get_by_role("checkbox", name="Select ada.exp.base.s2.abcdefgh").count() == 1
    unnamed = page.evaluate(
        "[...document.querySelectorAll('#app button, #app input')]"
        ".filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label'))).length"
    )
    assert unnamed == 0


def test_a_closed_view_leaves_no_timer(open_table):
    page = open_table()
    page.evaluate("window.close_table()")
    before = page.locator(".jobs-age").inner_text()
    page.wait_for_timeout(1500)
    assert page.locator(".jobs-age").inner_text() == before


def test_what_happened_to_a_job_and_its_cost_are_told_below_the_table(open_table):
    told = "running at 12:41; preempted at 12:42, running again 44 s later"
    cost = "cost: about $1.20 (estimate)"
    page = open_table(rows=[row("ada.exp.base.s0.abcdefgh", history=told, cost=cost), row("ada.exp.base.s1.abcdefgh")])
    page.locator("tbody tr").first.locator(".jobs-state").click()
    detail = page.locator(".jobs-detail")
    assert detail.inner_text().endswith(f"{told} · {cost}")
    assert told in cell(page, 0, "state").get_attribute("title")
    page.locator("tbody tr").nth(1).locator(".jobs-state").click()
    assert detail.inner_text() == "ada.exp.base.s1.abcdefgh · scheduler running"
