"""The generated notebook in real marimo servers, looked at with a real browser."""

from __future__ import annotations

import json
import re
import time

import pytest

from experiments.jobs.ledger import Ledger
from tests.fakes.project import Project
from tests.fakes.serving import ROOT, marimo_server, scratch_folder

pytestmark = pytest.mark.browser
SECONDS = 1_000.0
TINY = ["{python}", str(ROOT / "tests" / "fakes" / "tiny_trainer.py")]


@pytest.fixture
def folder():
    with scratch_folder() as found:
        yield found


def open_page(browser, url):
    # As tall as the notebook, so that every cell is drawn and can be clicked without scrolling.
    page = browser.new_page(viewport={"width": 1280, "height": 5000})
    page.goto(url)
    return page


def click_when_still(page, name, *, timeout_s=60.0):
    """Double-click a button once the page above it has stopped growing: a click must not land where it was."""
    button = page.get_by_role("button", name=name)
    button.wait_for(timeout=timeout_s * SECONDS)
    place, since, end = None, time.monotonic(), time.monotonic() + timeout_s
    while time.monotonic() < end and (place is None or time.monotonic() - since < 1.5):
        now = button.bounding_box()
        if now != place:
            place, since = now, time.monotonic()
        page.wait_for_timeout(100)
    button.dblclick()


def jobs_of(project):
    with Ledger.open(project.state, read_only=True) as ledger:
        return ledger.jobs()


def test_a_double_click_launches_once_and_the_page_then_offers_no_button(browser, folder):
    project = Project(folder)
    project.run("--no-launch")
    with marimo_server("edit", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_text("No jobs yet. Launch some, and they appear here.").wait_for(timeout=120 * SECONDS)
        click_when_still(page, "Launch 1 job")
        page.get_by_text("1 job launched.").wait_for(timeout=60 * SECONDS)
        page.get_by_text("already launched. To run the same again").wait_for(timeout=30 * SECONDS)
        page.get_by_role("row", name="study.arm-0").first.wait_for(timeout=60 * SECONDS)
        assert page.get_by_role("button", name=re.compile("^Launch")).count() == 0
        page.close()
    assert len(jobs_of(project)) == 1
    assert len(project.wait_until_started(1)) == 1


def test_a_repeat_is_launched_only_where_it_is_asked_for_by_its_number(browser, folder):
    project = Project(folder)
    project.run("--follow")
    with marimo_server("edit", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_text("already launched. To run the same again").wait_for(timeout=60 * SECONDS)
        page.get_by_label("Repeat").fill("2")
        page.get_by_label("Repeat").press("Enter")
        click_when_still(page, "Launch repeat 2: 1 job")
        page.get_by_text("1 job launched.").wait_for(timeout=30 * SECONDS)
        page.close()
    assert [job.repeat for job in jobs_of(project)] == [1, 2]
    assert len(set(project.wait_until_started(2))) == 2


def test_one_seed_is_launched_twice_from_the_form_and_counts_once(browser, folder):
    project = Project(folder)
    project.run("--no-launch")
    with marimo_server("edit", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_text("Nothing is launched yet").wait_for(timeout=60 * SECONDS)
        page.get_by_label("Runs of each seed").fill("2")
        page.get_by_label("Runs of each seed").press("Enter")
        page.get_by_text("1 replicate does not count as a seed").wait_for(timeout=30 * SECONDS)
        click_when_still(page, "Launch 2 jobs")
        page.get_by_text("2 jobs launched.").wait_for(timeout=30 * SECONDS)
        page.close()
    assert [(job.seed, job.role) for job in jobs_of(project)] == [(0, "seed"), (0, "replicate")]


def test_a_served_page_shows_the_jobs_and_has_no_control_that_changes_them(browser, folder):
    project = Project(folder)
    project.run("--follow")
    with marimo_server("run", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_text("This page only shows.").wait_for(timeout=60 * SECONDS)
        page.get_by_role("gridcell", name="succeeded").first.wait_for(timeout=30 * SECONDS)
        names = [button.inner_text().lower() for button in page.get_by_role("button").all()]
        assert not [
            name for name in names if any(word in name for word in ("launch", "cancel", "retry", "note", "tag"))
        ]
        page.close()
    assert len(jobs_of(project)) == 1


def test_a_new_row_of_a_run_reaches_the_served_page_without_a_reload(browser, folder):
    project = Project(folder, train_command=TINY)
    project.run()
    [job] = jobs_of(project)
    run_dir = project.state / "runs" / job.run_name
    with marimo_server("run", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_role("gridcell", name="running").first.wait_for(timeout=60 * SECONDS)
        delays = []
        for step in (100, 200, 300):
            logged = time.monotonic()
            (run_dir / f"row{step}").touch()
            page.get_by_text(str(step), exact=True).first.wait_for(timeout=20 * SECONDS)
            delays.append(time.monotonic() - logged)
        (run_dir / "finish").touch()
        page.get_by_role("gridcell", name="succeeded").first.wait_for(timeout=30 * SECONDS)
        page.close()
    print(json.dumps({"row logged to row seen, seconds": delays}))


def test_hostile_names_and_notes_are_text_on_the_page(browser, folder):
    project = Project(folder)
    project.run("--no-launch", "--description", "<img src=x onerror=\"document.title='hacked'\">")
    with marimo_server("run", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_text("<img src=x").wait_for(timeout=60 * SECONDS)
        assert page.title() != "hacked"
        page.close()
