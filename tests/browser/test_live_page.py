"""A notebook's page while its runs train: it is sent what changed, shows it in place, and costs nothing unseen."""

from __future__ import annotations

import contextlib
import json

import pytest

from experiments.notebooks.generation import generate
from experiments.notebooks.template import NotebookSpec
from experiments.types import BaseExperimentConfig
from tests.fakes.going import going
from tests.fakes.serving import CHROMIUM, marimo_server, scratch_folder
from tests.fakes.waiting import wait_on

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="wants Debian's chromium")]
SECONDS = 1000
ARMS, SEEDS, ROWS = ("base", "fast"), 3, 400
HIDES = "Object.defineProperty(document, 'hidden', { get: () => Boolean(window.isHidden) })"
KEEPS_VIEWS = """
let embed;
const kept = async (place, ...rest) => {
  const made = await embed(place, ...rest);
  place.view = made.view;
  return made;
};
Object.defineProperty(window, "vegaEmbed", { get: () => embed && kept, set: (own) => { embed = own; } });
"""
DRAWN = """(root) => {
  const { view } = root.querySelector(".chart-plot");
  const points = view.data("k-x-y");
  const last = {};
  for (const { x, k } of points) last[k] = Math.max(last[k] ?? 0, x);
  return { points: points.length, last: Object.values(last) };
}"""


@pytest.fixture(scope="module")
def training():
    """Yield jobs that train, and the address of their notebook's server."""
    with scratch_folder() as folder, going(folder, arms=ARMS, seeds=SEEDS, rows=ROWS) as jobs:
        notebook = folder / "exp_nb.py"
        sections = ("analysis", "monitor")
        spec = NotebookSpec(name="exp", config=BaseExperimentConfig(), sections=sections, jobs=jobs.jobs, root=folder)
        notebook.write_text(generate(spec))
        with marimo_server("run", notebook, cwd=folder) as url:
            yield jobs, url


@pytest.fixture
def opened(browser, training):
    """Return a function that opens the page; it returns the page and the messages that come to it."""
    jobs, url = training
    pages, errors = [], []

    def start():
        page = browser.new_page(viewport={"width": 1200, "height": 3000})
        page.add_init_script(HIDES)
        page.add_init_script(KEEPS_VIEWS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        came = []

        def hear(text):
            came.append(text)

        page.on("websocket", lambda socket: socket.on("framereceived", hear))
        page.goto(url)
        page.locator(".chart-root[data-drawn]").first.wait_for(timeout=180 * SECONDS)
        wait_on(page, lambda: page.locator(".jobs-row").count() == len(jobs.jobs))
        pages.append(page)
        return page, came

    yield start
    for page in pages:
        page.close()
    assert errors == []


def states(came):
    """Return the traits in the messages that came."""
    found = []
    for text in came:
        with contextlib.suppress(ValueError, AttributeError):
            data = json.loads(text).get("data", {})
            found.append(data.get("message", {}).get("state", {}) if isinstance(data.get("message"), dict) else {})
    return found


def drawn(page):
    return page.locator(".chart-root").first.evaluate(DRAWN)


def hidden_arms(page):
    return page.locator(".chart-root").first.evaluate(
        "root => JSON.stringify(root.querySelector('.chart-plot').view.signal('arms'))"
    )


def hide_an_arm(page):
    """Click an entry of the legend, which stands at the top of the canvas; return what is chosen then."""
    box = page.locator(".chart-root canvas").first.bounding_box()
    page.mouse.click(box["x"] + 115, box["y"] + 10)
    return wait_on(page, lambda: (chosen := hidden_arms(page)) != "{}" and chosen)


def steps_of(page):
    return page.locator(".jobs-steps").all_inner_texts()


def test_new_rows_come_as_tails_and_stand_in_the_drawing_that_is_there(opened, training):
    jobs, _ = training
    page, came = opened()
    page.wait_for_timeout(3 * SECONDS)
    chart = page.locator(".chart-root").first
    before, chosen = chart.evaluate("chart => chart.dataset.drawn"), hide_an_arm(page)
    came.clear()
    jobs.log(7)
    end = max(1000.0 * writer.step for writer in jobs.writers.values())
    wait_on(page, lambda: set(drawn(page)["last"]) == {end})
    assert chart.evaluate("chart => chart.dataset.drawn") == before
    assert hidden_arms(page) == chosen
    pieces = [state["piece"] for state in states(came) if "piece" in state]
    assert pieces
    assert not any("rows" in state or "k-x-y" in state.get("datasets", {}) for state in states(came))
    assert sum(map(len, came)) < 100_000
    whole, _ = opened()
    assert drawn(whole) == drawn(page)


def test_an_end_reaches_the_table_at_once_and_every_page(opened, training):
    jobs, _ = training
    first, second = opened()[0], opened()[0]
    gone = jobs.jobs[-1].run
    jobs.end(gone, code=3)
    for page in (first, second):
        page.locator(f'.jobs-row[data-run="{gone}"][data-state="failed"]').wait_for(timeout=20 * SECONDS)


def test_a_page_that_nobody_looks_at_is_sent_next_to_nothing_and_shows_the_newest_when_somebody_does(opened, training):
    jobs, _ = training
    page, came = opened()
    page.wait_for_timeout(3 * SECONDS)
    page.evaluate("window.isHidden = true")
    going_on = [job.run for job in jobs.jobs if job.run in jobs.locks]
    jobs.log(1, runs=going_on)
    page.wait_for_timeout(6 * SECONDS)
    came.clear()
    shown = steps_of(page)
    for _ in range(10):
        jobs.log(2, runs=going_on)
        page.wait_for_timeout(1 * SECONDS)
    assert len(states(came)) <= 3
    assert steps_of(page) == shown
    page.evaluate("window.isHidden = false; document.dispatchEvent(new Event('visibilitychange'))")
    end = max(1000.0 * jobs.writers[run].step for run in going_on)
    wait_on(page, lambda: end in drawn(page)["last"])
    wait_on(page, lambda: any(f"{end / 1000:g}k" in text for text in steps_of(page)))
