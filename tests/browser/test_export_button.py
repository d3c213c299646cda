"""The button that writes a notebook's log: in an open editor it works, on a served page there is none."""

from __future__ import annotations

import pytest

from tests.fakes.project import Project
from tests.fakes.serving import chromium, marimo_server, scratch_folder

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BUTTON = "Write the log"


@pytest.fixture
def project():
    with scratch_folder() as folder:
        made = Project(folder)
        made.run("--follow", "--sections", "export")
        yield made


@pytest.fixture
def page():
    with chromium() as browser:
        yield browser.new_page(viewport={"width": 1280, "height": 5000})


def test_in_the_editor_it_writes_the_log_and_says_where(project, page):
    with marimo_server("edit", project.notebook(), cwd=project.root) as url:
        page.goto(url)
        button = page.get_by_role("button", name=BUTTON)
        button.wait_for(timeout=120_000)
        page.get_by_text("experiments export experiments/scratch/study_nb.py").wait_for()
        button.click()
        page.get_by_text("experiments/log/study.html (").wait_for(timeout=120_000)
    log = project.root / "experiments" / "log" / "study.html"
    assert "experiments export" in log.read_text()
    assert BUTTON not in log.read_text()


def test_a_served_page_has_the_command_and_no_button(project, page):
    with marimo_server("run", project.notebook(), cwd=project.root) as url:
        page.goto(url)
        page.get_by_text("experiments export experiments/scratch/study_nb.py").wait_for(timeout=120_000)
        assert page.get_by_role("button", name=BUTTON).count() == 0
