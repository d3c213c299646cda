"""One notebook that two people read and two edit at the same time: each page is right."""

from __future__ import annotations

import contextlib
import re

import pytest

from tests.browser.test_notebook import SECONDS, TINY, folder, jobs_of, open_page  # noqa: F401 - fixtures
from tests.browser.test_study import metric_of
from tests.fakes.project import Project
from tests.fakes.serving import marimo_server
from tests.fakes.waiting import wait_on

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
NOTHING = "No jobs yet. Launch some, and they appear here."
ALREADY = "already launched. To run the same again"


@pytest.fixture
def project(folder):  # noqa: F811
    project = Project(folder, train_command=TINY)
    project.run("--no-launch")
    return project


def test_two_editors_launch_one_plan_once_and_two_readers_see_it_each_in_their_own_view(browser, project):
    notebook = project.notebook()
    with contextlib.ExitStack() as servers:
        urls = [
            servers.enter_context(marimo_server(mode, notebook, cwd=project.root)) for mode in ("run", "edit", "edit")
        ]
        readers = [open_page(browser, urls[0]) for _ in range(2)]
        first = readers[0]
        editors = [open_page(browser, url) for url in urls[1:]]
        for page in [*readers, *editors]:
            page.get_by_text(NOTHING).wait_for(timeout=120 * SECONDS)
        places = [middle_of(page, "Launch 1 job") for page in editors]
        for page, place in zip(editors, places, strict=True):
            page.mouse.click(*place)
        for page in editors:
            page.get_by_text(ALREADY).wait_for(timeout=60 * SECONDS)
            page.get_by_role("button", name=re.compile("^Launch")).wait_for(state="detached", timeout=60 * SECONDS)
        [job] = jobs_of(project)
        for page in [*readers, *editors]:
            page.get_by_role("gridcell", name="running").first.wait_for(timeout=60 * SECONDS)
        run = project.state / "runs" / job.run_name
        for row in range(3):
            (run / f"row{row}").touch()
        first.get_by_label("Metric", exact=True).select_option(label="overview/sps", timeout=60 * SECONDS)
        wait_on(first, lambda: metric_of(first) == "agent steps per second")
        (run / "finish").touch()
        for page in [*readers, *editors]:
            page.get_by_role("gridcell", name="succeeded").first.wait_for(timeout=60 * SECONDS)
        assert [metric_of(page) for page in readers] == ["agent steps per second", "return per agent"]
        for page in [*readers, *editors]:
            page.close()
    assert [run.name for run in (project.state / "runs").iterdir()] == [job.run_name]


def middle_of(page, name):
    """Return where a button stays once the page above it has stopped growing."""
    button, seen = page.get_by_role("button", name=name), []
    wait_on(
        page,
        lambda: seen.append(button.bounding_box()) or (len(seen) > 15 and len({str(box) for box in seen[-15:]}) == 1),
    )
    box = seen[-1]
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
