"""The replays of a notebook in real marimo servers: compared, dropped on the viewer, and opened past a limit."""

from __future__ import annotations

import base64
import json
import re
import zlib

import pytest

from experiments.jobs.watch.snapshots import Snapshot, write_live
from experiments.notebooks.replays import OPEN_LARGE
from experiments.types import JobStatus
from tests.browser.test_analysis import SECONDS, open_page
from tests.fakes.cases import CASES
from tests.fakes.charted import refs, study
from tests.fakes.serving import CHROMIUM, ROOT, marimo_server, scratch_folder
from tests.widgets.replays import small

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="wants Debian's chromium")]

SEED = "baseline seed 0"
# A drop as the browser makes it of a file from outside the page.
DROP = """(canvas, [name, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  const event = {dataTransfer, bubbles: true, cancelable: true, composed: true};
  for (const kind of ["dragover", "drop"]) canvas.dispatchEvent(new DragEvent(kind, event));
}"""


@pytest.fixture(scope="module")
def project():
    """Return a finished study of one arm whose newest replay is larger than the limits allow."""
    with scratch_folder() as folder:
        made, jobs = study(folder, arms=("baseline",), seeds=1)
        wall = {
            "type_name": "wall",
            "location": [3, 3],
            "orientation": 0,
            "inventory": [],
            "inventory_max": 0,
            "color": 0,
        }
        agents = small()["objects"][:2]
        large = small(objects=[*agents, *({"id": at, **wall} for at in range(3, 100_002))])
        place = made.state / "runs" / jobs[0].run / "replays" / "step_160000.json.z"
        place.write_bytes(zlib.compress(json.dumps(large).encode(), 1))
        yield made


def choose(page, label, option):
    page.get_by_label(label, exact=True).and_(page.locator("select")).select_option(label=option)


def shown(page, name):
    """Wait for a viewer by the name that screen readers have of it."""
    found = page.get_by_role("application", name=re.compile(name))
    found.wait_for(timeout=60 * SECONDS)
    return found


def drop(page, name, data):
    canvas = page.locator(".rv-map-canvas").first
    canvas.evaluate(DROP, [name, base64.b64encode(data).decode()])


def compare_first_and_last(page):
    """Compare a run with itself: its first replay beside the one that is looked at, then at other steps of both."""
    choose(page, "Step", "120k agent steps")
    shown(page, f"{SEED} at 120,000")
    field = page.get_by_label("Compare with", exact=True)
    field.select_option(label=field.locator("option", has_text=SEED).inner_text())
    halves = shown(page, "Two replays compared").locator(".rv-half > .rv-title")
    assert [re.sub(".* at ", "", title) for title in halves.all_inner_texts()] == [
        "120,000 agent steps",
        "40,000 agent steps",
    ]
    choose(page, "at step", "80k agent steps")
    halves.get_by_text("80,000 agent steps").wait_for(timeout=60 * SECONDS)
    choose(page, "Step", "40k agent steps")
    halves.get_by_text("40,000 agent steps").wait_for(timeout=60 * SECONDS)
    before = page.get_by_role("slider", name="Step").last.get_attribute("aria-valuenow")
    page.get_by_role("button", name="One step on (])").click()
    page.wait_for_timeout(300)
    assert page.get_by_role("slider", name="Step").last.get_attribute("aria-valuenow") == str(int(before) + 1)
    field.select_option(label="no other run")
    shown(page, f"{SEED} at 40,000")


def drop_a_file(page):
    """Drop a file of a person's own, then one that is no replay: that is said, and the first one stays."""
    drop(page, "of-mine.json.z", (CASES / "replays" / "33-capacity-group.json.z").read_bytes())
    viewer = shown(page, "of-mine")
    viewer.get_by_text("7 x 4").wait_for()
    drop(page, "letter.txt", b"Dear diary")
    viewer.get_by_text(re.compile("'letter.txt' cannot be opened.*neither zlib, gzip nor JSON")).wait_for()
    assert viewer.get_by_role("heading", name="of-mine").is_visible()


def open_the_large_one(page):
    """Open what is over a limit, at the button below the sentence that says how large it is."""
    choose(page, "Step", "160k agent steps")
    page.get_by_text(re.compile("This replay cannot be shown: the replay has 100,001 objects")).wait_for(
        timeout=60 * SECONDS
    )
    assert page.get_by_role("application").count() == 0
    page.get_by_role("button", name=OPEN_LARGE).click()
    shown(page, f"{SEED} at 160,000").get_by_text("2 agents, 10 steps, 5 x 4").wait_for()


@pytest.mark.parametrize("mode", ["run", "edit"])
def test_replays_are_compared_dropped_and_opened_past_a_limit(browser, project, mode):
    with marimo_server(mode, project.notebook(), cwd=project.root) as url:
        page = open_page(browser, url)
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        open_the_large_one(page)
        compare_first_and_last(page)
        if mode == "edit":
            drop_a_file(page)
        else:
            drop(page, "of-mine.json.z", (CASES / "replays" / "00-base.json.z").read_bytes())
            page.wait_for_timeout(1000)
            assert page.get_by_role("application", name="of-mine").count() == 0, "who may only look opens no files"
        page.close()
    assert errors == []


def test_the_gallery_shows_first_beside_last_and_opens_what_is_over_a_limit(browser, project):
    job = refs(("baseline",), 1)[0]
    seen = JobStatus(run_name=job.run, arm=job.arm, seed=job.seed, verdict="succeeded", experiment="study")
    write_live(project.state / "live", Snapshot(jobs=(seen,)), with_metrics=False)
    with marimo_server("run", ROOT / "apps" / "replays.py", cwd=project.root) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 2000})
        page.goto(url, timeout=120 * SECONDS)
        cards = page.get_by_role("button", name=re.compile(f"^{SEED} "))
        cards.nth(2).wait_for(timeout=60 * SECONDS)
        large = page.get_by_role("button", name=re.compile("160k steps"))
        large.get_by_text(re.compile("cannot be shown")).wait_for(timeout=60 * SECONDS)
        large.click()
        page.get_by_text(re.compile("This replay cannot be shown: the replay has 100,001 objects")).wait_for()
        page.get_by_role("button", name=OPEN_LARGE).click()
        shown(page, f"{SEED} at 160,000")
        cards.filter(has_text="120k steps").click()
        shown(page, f"{SEED} at 120,000")
        page.get_by_role("checkbox", name="Second one beside").check()
        cards.filter(has_text="40k steps").click()
        halves = shown(page, "Two replays compared").locator(".rv-half > .rv-title")
        assert {re.sub(".* at ", "", title) for title in halves.all_inner_texts()} == {
            "120,000 agent steps",
            "40,000 agent steps",
        }
        page.close()
