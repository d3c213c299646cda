"""A study's page in real marimo servers: nothing of it fades or loses its place when something changes."""

from __future__ import annotations

import re

import pytest

from experiments.notebooks.template import DATA, template
from tests.browser.test_analysis import curves, fed, open_page, project  # noqa: F401 - a fixture
from tests.browser.test_notebook import SECONDS, TINY, click_when_still, folder, jobs_of  # noqa: F401 - fixtures
from tests.fakes.project import Project
from tests.fakes.serving import marimo_server
from tests.fakes.waiting import wait_on

pytestmark = pytest.mark.browser
FAULT = re.compile("could not be drawn|An internal error occurred|Traceback")
RAISING = """
@app.cell
def weather(study):
    from experiments.notebooks.page import Section

    class Weather(Section):
        def page(self):
            raise ValueError("no <b>sun</b>")

    Weather(study)
    return


@app.cell
def sums():
    1 / 0
    return


"""


def test_new_rows_change_the_chart_in_place_and_what_is_selected_stays(browser, folder):  # noqa: F811
    project = Project(folder, train_command=TINY)  # noqa: F811 - another one than the fixture's
    project.run("--seeds", "2", "--no-follow")
    runs = project.state / "runs"

    def log(*names):
        for name in names:
            for run in runs.iterdir():
                (run / name).touch()

    log("row1", "row2")
    try:
        with marimo_server("run", project.notebook(), cwd=folder) as url:
            page = open_page(browser, url)
            row = page.locator(".runs-row[data-run]").first
            row.wait_for(timeout=150 * SECONDS)
            for kept in (curves(page), page.locator(".runs-table")):
                kept.evaluate("element => { element.dataset.mine = 'yes'; }")
            before = fed(page)
            row.locator(".runs-state").click()
            page.locator(".runs-row[aria-selected=true]").wait_for(timeout=60 * SECONDS)
            log("row3")
            wait_on(page, lambda: fed(page) > before)
            page.locator(".runs-row td", has_text="300").first.wait_for(timeout=60 * SECONDS)
            page.locator(".runs-row[aria-selected=true]").wait_for(timeout=10 * SECONDS)
            assert page.locator(".runs-table").get_attribute("data-mine") == "yes"
            assert curves(page).get_attribute("data-mine") == "yes"
            page.close()
    finally:
        log("finish")


def test_more_of_a_log_is_read_after_another_job_was_chosen_and_tries_no_failed_run_again(browser, folder):  # noqa: F811
    project = Project(folder, 'seq 300; echo "ValueError: of {run}"; exit 3')  # noqa: F811 - another one than the fixture's
    project.run("--seeds", "2", "--follow", code=None)
    with marimo_server("edit", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_role("button", name="Retry these 2 runs").wait_for(timeout=150 * SECONDS)
        for run in (job.run_name for job in jobs_of(project)):  # the cell runs again for each
            page.locator(f'.jobs-row[data-run="{run}"] .jobs-state').click()
            page.get_by_role("log", name=f"log of {run}").wait_for(timeout=60 * SECONDS)
        page.get_by_label("Log", exact=True).and_(page.locator("select")).select_option(label="last 1,000 lines")
        page.get_by_text(f"{run}: 301 lines").wait_for(timeout=60 * SECONDS)
        page.get_by_role("button", name="Retry these 2 runs").wait_for()
        page.close()
    assert len(jobs_of(project)) == 2


@pytest.mark.parametrize(
    ("gone", "headings"),
    [
        (("verdict", "curves", "monitor", "replay", "launch"), {"Runs", "Details", "Export", "Scratch"}),
        (("scores", "job_log", "runs", "details", "export", "scratch"), {"Jobs", "Replays", "Launch"}),
        (("config", "jobs", "journal"), {"Jobs", "Replays", "Runs", "Details", "Export", "Scratch"}),
    ],
)
def test_any_cells_can_be_deleted_and_the_others_live(browser, project, gone, headings):  # noqa: F811
    notebook = project.notebook()
    text = notebook.read_text()
    for cell in template().cells:
        if cell.name in gone:
            start = text.index(f"@app.cell{cell.options}\ndef {cell.name}(")
            text = text[:start] + text[text.index("\n\n\n", start) + 3 :]
    notebook.write_text(text)
    with marimo_server("run", notebook, cwd=project.root) as url:
        page = open_page(browser, url)
        for heading in headings:
            page.get_by_role("heading", name=heading, exact=True).wait_for(timeout=120 * SECONDS)
        if "Details" in headings and "jobs" not in gone:
            page.get_by_text("For a paper").click()
            page.get_by_role("button", name="Figure and files").wait_for(timeout=60 * SECONDS)
        assert page.get_by_text(FAULT).count() == 0
        assert page.get_by_text("any more:").count() == len(set(gone) & set(DATA))
        page.close()


def test_what_raises_says_so_in_its_place_and_the_other_parts_live(browser, project):  # noqa: F811
    notebook = project.notebook()
    text = notebook.read_text()
    end = text.index('if __name__ == "__main__":')
    notebook.write_text(text[:end] + RAISING + text[end:])
    with marimo_server("run", notebook, cwd=project.root) as url:
        page = open_page(browser, url)
        page.get_by_text("Weather: this part could not be drawn (ValueError: no <b>sun</b>)").wait_for(
            timeout=120 * SECONDS
        )
        for heading in ("Jobs", "Replays", "Runs", "Details", "Launch", "Export", "Scratch"):
            page.get_by_role("heading", name=heading, exact=True).wait_for(timeout=60 * SECONDS)
        assert page.get_by_text("could not be drawn").count() == 1
        page.get_by_label("Metric", exact=True).select_option(label="losses/entropy")
        wait_on(page, lambda: metric_of(page) == "losses/entropy")
        page.close()


def metric_of(page):
    """Return the metric whose curves a page draws."""
    label = page.locator(".chart-stage").first.get_attribute("aria-label") or ""
    return re.match("Learning curves: (.*?) over ", label)[1]
