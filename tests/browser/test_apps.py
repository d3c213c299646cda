"""The apps in a real browser behind the real server."""

from __future__ import annotations

import re
import time

import pytest

from tests.fakes.monitored import Fleet, monitored
from tests.fakes.served import served
from tests.fakes.serving import scratch_folder
from tests.fakes.waiting import wait_on

HIDE = (
    "value => { Object.defineProperty(document, 'hidden', {value, configurable: true});"
    " document.dispatchEvent(new Event('visibilitychange')); }"
)
pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def fleet():
    return Fleet(4, 5)


@pytest.fixture(scope="module")
def server(fleet):
    with scratch_folder() as folder, monitored(folder / ".experiments", fleet), served(folder) as running:
        yield running


@pytest.fixture(scope="module")
def context(browser, server):
    """One for all: what a page is made of is fetched and compiled once."""
    found = browser.new_context(viewport={"width": 1280, "height": 900})
    entry = found.new_page()
    entry.goto(server.entry)
    entry.close()
    yield found
    found.close()


@pytest.fixture
def page(context, server):
    opened = context.new_page()
    opened.problems = []
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.on("requestfailed", lambda request: opened.problems.append(f"failed: {request.url}"))
    opened.on("request", lambda request: request.url.startswith(server.url) or opened.problems.append(request.url))
    yield opened
    opened.close()


def row(page, run):
    return page.locator(f'[data-run="{run}"]')


def test_the_fleet_is_live_without_a_reload_and_asks_nothing_of_the_network(page, server, fleet):
    page.goto(f"{server.url}/apps/fleet/?open=all")
    first = fleet.jobs[0].run_name
    row(page, first).wait_for(timeout=30_000)
    assert page.locator(".jobs-row").count() == 20
    fleet.tick += 5
    moved = time.monotonic()
    text = f"{(10_000 + 1_000 * fleet.tick) // 1000}k"
    wait_on(page, lambda: text in row(page, first).inner_text())
    assert time.monotonic() - moved < 6  # a busy machine; the benchmark holds it to two polls
    assert page.problems == []


def test_a_page_says_that_it_opens_until_its_script_runs(page, server):
    words = "root => getComputedStyle(root, '::before').content"
    page.route("**/*.js", lambda route: route.abort())
    page.goto(f"{server.url}/apps/fleet/")
    assert page.locator("#root").evaluate(words) == '"Opening the page"'
    page.unroute_all()
    page.reload()
    page.get_by_role("heading", name="Fleet").wait_for(timeout=30_000)
    assert page.locator("#root").evaluate(words) == "none"


def test_a_link_opens_what_it_names_and_choosing_changes_the_address(page, server, fleet):
    run = fleet.jobs[3].run_name
    page.goto(f"{server.url}/apps/fleet/?open=all&run={run}&view=Provenance")
    row(page, run).wait_for(timeout=30_000)
    assert row(page, run).get_attribute("aria-selected") == "true"
    page.get_by_role("heading", name="study-00").wait_for(timeout=20_000)
    page.locator('[data-experiment="study-02"] .fleet-name').click()
    wait_on(page, lambda: "experiment=study-02" in page.url and "run=" not in page.url)
    page.get_by_role("heading", name="study-02").wait_for(timeout=20_000)


def test_the_fleet_is_worked_with_the_keyboard_alone(page, server):
    page.goto(f"{server.url}/apps/fleet/")
    group = page.locator(".fleet-group").first
    group.wait_for(timeout=30_000)
    group.focus()
    page.keyboard.press("ArrowRight")
    wait_on(page, lambda: page.locator(".jobs-row").count() == 5)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_on(page, lambda: page.locator('.jobs-row[aria-selected="true"]').count() == 1)
    page.keyboard.press("Escape")
    wait_on(page, lambda: page.locator('[aria-selected="true"]').count() == 0)
    page.keyboard.press("Enter")
    wait_on(page, lambda: page.locator('.jobs-row[aria-selected="true"]').count() == 1)
    page.get_by_role("link", name="Overview").focus()
    page.keyboard.press("Escape")  # from anywhere on the page, and the focus is back where it was
    wait_on(page, lambda: page.locator('[aria-selected="true"]').count() == 0)
    wait_on(page, lambda: page.locator(".jobs-row:focus").count() == 1)


def test_a_hidden_page_gets_nothing_and_catches_up_when_it_is_seen(page, server, fleet):
    received = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(time.monotonic())))
    page.goto(f"{server.url}/apps/fleet/?open=all")
    first = fleet.jobs[0].run_name
    row(page, first).wait_for(timeout=30_000)
    page.evaluate(HIDE, True)
    page.wait_for_timeout(2_000)
    before = len(received)
    for _ in range(4):
        fleet.tick += 1
        page.wait_for_timeout(1_000)
    assert len(received) - before <= 1
    page.evaluate(HIDE, False)
    text = f"{(10_000 + 1_000 * fleet.tick) // 1000}k"
    wait_on(page, lambda: text in row(page, first).inner_text())


def test_sources_that_go_down_leave_the_data_with_its_age_and_the_reason(page, server, fleet):
    page.goto(f"{server.url}/apps/fleet/")
    page.locator(".fleet-group").first.wait_for(timeout=30_000)
    fleet.down = True
    try:
        page.get_by_text(re.compile("the source is down")).first.wait_for(timeout=30_000)
        assert page.locator(".fleet-group").count() == 4
    finally:
        fleet.down = False
    wait_on(page, lambda: page.get_by_text(re.compile("the source is down")).count() == 0, 90)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_has_the_colours_of_its_reader_and_keeps_those_chosen(browser, server, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(server.entry)
    page.goto(f"{server.url}/apps/fleet/")
    wait_on(page, lambda: page.locator(f"body.{scheme}").count() == 1, 30)
    page.get_by_role("button", name=re.compile("colours")).click()
    other = {"light": "dark", "dark": "light"}[scheme]
    wait_on(page, lambda: page.locator(f"body.{other}").count() == 1, 30)
    context.close()


@pytest.mark.parametrize("path", ["compare", "replays", "logbook"])
def test_an_app_without_data_says_what_to_do_and_asks_nothing_of_the_network(page, server, path):
    page.goto(f"{server.url}/apps/{path}/")
    page.get_by_text(re.compile("Launch a recipe|Export a notebook|runs of")).first.wait_for(timeout=40_000)
    assert page.problems == []


def test_a_foreign_page_can_neither_frame_nor_read_nor_open_a_socket(browser, server):
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.entry)
    foreign = context.new_page()
    foreign.goto("data:text/html,<p>evil</p>")
    address = server.url.replace("http", "ws") + "/apps/fleet/ws?session_id=s_evil00"
    outcome = foreign.evaluate(
        "address => new Promise(done => { const s = new WebSocket(address); s.onopen = () => done('open');"
        " s.onerror = () => done('refused'); })",
        address,
    )
    assert outcome == "refused"
    read = foreign.evaluate(
        "url => fetch(url, {credentials: 'include'}).then(r => r.status, () => 'blocked')", f"{server.url}/health"
    )
    assert read == "blocked"
    foreign.set_content(f'<iframe src="{server.url}/health"></iframe>')
    foreign.wait_for_timeout(1_000)
    assert not any(
        "running for" in (frame.content() if frame.url != "about:blank" else "") for frame in foreign.frames[1:]
    )
    context.close()


def test_a_log_can_run_its_own_script_but_not_read_the_server(page, server):
    folder = server.log.parent / "experiments" / "log"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spy.html").write_text(
        "<p id=a>no script</p><script>document.getElementById('a').textContent = 'script ran';"
        "fetch('/health', {credentials: 'include'}).then(r => r.text(), () => 'blocked')"
        ".then(t => { document.body.append(' read: ' + t.slice(0, 20)); });"
        "try { document.cookie; document.body.append(' cookie') } catch { document.body.append(' no cookie') }</script>"
    )
    page.goto(f"{server.url}/log/spy.html")
    page.get_by_text("script ran").wait_for()
    page.get_by_text("read: blocked").wait_for()
    assert "no cookie" in page.inner_text("body")


def test_a_page_that_rests_gives_up_its_session_and_comes_back_to_what_it_showed(browser, server, fleet):
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.entry)
    page.clock.install()
    run = fleet.jobs[2].run_name
    page.goto(f"{server.url}/apps/fleet/?open=all&run={run}")
    row(page, run).wait_for(timeout=40_000)
    page.evaluate(HIDE, True)
    page.clock.fast_forward(130_000)
    page.wait_for_url(re.compile("/rest|/apps/fleet"), timeout=10_000)
    row(page, run).wait_for(timeout=40_000)  # it is in sight, so it came straight back
    assert row(page, run).get_attribute("aria-selected") == "true"
    context.close()


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_a_page_that_rests_wakes_nowhere_else(page, server, target):
    page.goto(f"{server.url}/rest?to={target}")
    page.wait_for_url(f"{server.url}/", timeout=10_000)
