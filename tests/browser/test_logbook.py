"""The logbook in a browser, opened as a file with nobody to answer a request."""

from __future__ import annotations

import pytest

from experiments.notebooks.export.logbook import write_logbook
from experiments.notebooks.export.record import LoggedMetric, LogRecord, with_record
from tests.fakes.serving import chromium

pytestmark = pytest.mark.browser


def log(folder, name, value, **fields):
    metric = LoggedMetric(name="return per agent", value=value, text=f"{value:g}")
    values = {"title": name, "experiment": name.partition(".")[0], "key_metric": metric, **fields}
    (folder / f"{name}.html").write_bytes(with_record(b"<title>T</title>", LogRecord(**values)))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    log(folder, "alpha", 3, created="2026-11-20T00:00:00+00:00", hypothesis="Ore helps <script>alert(1)</script>")
    log(folder, "beta", 20, created="2026-11-21T00:00:00+00:00", verdict="Confirmed. By far.")
    log(folder, "gamma", 1, created="2026-11-22T00:00:00+00:00")
    log(folder, "beta.2026-11-19T000000Z", 2, created="2026-11-19T00:00:00+00:00")
    path = write_logbook(folder)
    with chromium() as browser:
        found = browser.new_page()
        found.said, found.asked = [], []
        found.on("console", lambda message: found.said.append(message.text))
        found.on("pageerror", lambda error: found.said.append(str(error)))
        found.on("dialog", lambda dialog: found.said.append("dialog"))
        found.on("request", lambda request: found.asked.append(request.url))
        found.goto(path.as_uri())
        yield found


def titles(page):
    rows = page.locator("tbody tr")
    return [row.locator("a").inner_text() for row in rows.all() if row.is_visible()]


def test_it_asks_nobody_and_breaks_none_of_its_own_rules(page):
    assert len(page.asked) == 1
    assert page.said == []


def test_earlier_logs_show_when_asked_for(page):
    assert titles(page) == ["gamma", "beta", "alpha"]
    page.get_by_label("show 1 earlier log").check()
    assert len(titles(page)) == 4
    page.get_by_label("show 1 earlier log").uncheck()


def test_search_narrows_by_every_word(page):
    search = page.get_by_role("searchbox")
    search.fill("ORE helps")
    assert titles(page) == ["alpha"]
    assert page.get_by_role("status").inner_text() == "1 of 4 logs"
    search.fill("nothing of the kind")
    assert titles(page) == []
    search.fill("")


def test_a_heading_sorts_by_numbers_not_texts(page):
    page.get_by_role("button", name="key metric").click()
    assert titles(page) == ["gamma", "alpha", "beta"]
    page.get_by_role("button", name="key metric").click()
    assert titles(page) == ["beta", "alpha", "gamma"]
    page.get_by_role("button", name="when").click()


def test_dark_and_light_can_be_switched(page):
    before = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_role("button", name="Dark", exact=True).click()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != before
