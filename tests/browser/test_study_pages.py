"""What a person does with a study's page: expects, launches, notes, retries and selects."""

from __future__ import annotations

import time

import pytest

from experiments.jobs.journal import recorded_journals
from experiments.jobs.ledger import Ledger
from experiments.jobs.shelf import archived_runs, protected_runs
from experiments.project.files import read_json
from experiments.project.workspace import Workspace
from tests.browser.test_notebook import SECONDS, click_when_still, folder, jobs_of, open_page  # noqa: F401 - fixtures
from tests.fakes.project import Project
from tests.fakes.serving import marimo_server

pytestmark = pytest.mark.browser
FAILS = 'echo "ValueError: rate 0.$$ at /tmp/{run}"; exit 3'


def events(project, kind):
    with Ledger.open(project.state, read_only=True) as ledger:
        return [event for event in ledger.events() if event.kind == kind]


def wait_for(condition, timeout_s=30.0):
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_the_launch_button_records_the_hypothesis_and_a_note_is_kept_once(browser, folder):  # noqa: F811 - fixtures
    project = Project(folder)
    project.run("--no-launch", "--sections", "launch,log")
    notebook = project.notebook()
    notebook.write_text(notebook.read_text().replace('hypothesis=""', 'hypothesis="More <b>is</b> more."'))
    with marimo_server("edit", notebook, cwd=folder) as url:
        page = open_page(browser, url)
        click_when_still(page, "Launch 1 job", timeout_s=150)
        page.get_by_text("1 job launched.").wait_for(timeout=150 * SECONDS)
        page.get_by_placeholder("What happened").wait_for(state="hidden")
        page.get_by_role("button", name="Rule, log and notes").click()
        page.get_by_text("Unchanged since the launch").wait_for(timeout=60 * SECONDS)
        page.get_by_placeholder("What happened").fill("seed 0 looks <i>odd</i>")
        page.get_by_role("button", name="Keep the note").click()
        page.locator("td", has_text="seed 0 looks <i>odd</i>").wait_for(timeout=60 * SECONDS)
        page.close()
    [job] = jobs_of(project)
    [record] = recorded_journals(Workspace.find(folder), [job.plan_key])
    assert record.journal.hypothesis == "More <b>is</b> more."
    assert [event.data["text"] for event in events(project, "journal_note")] == ["seed 0 looks <i>odd</i>"]
    with marimo_server("run", notebook, cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_role("button", name="Rule and log").click(timeout=150 * SECONDS)
        page.get_by_text("Unchanged since the launch").wait_for(timeout=60 * SECONDS)
        assert page.get_by_placeholder("What happened").count() == 0
        page.close()


def test_failed_runs_are_one_group_and_only_the_editor_can_retry_them(browser, folder):  # noqa: F811 - fixtures
    project = Project(folder, FAILS)
    project.run("--seeds", "2", "--sections", "monitor", "--follow", code=None)
    with marimo_server("run", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_text("2 failed runs, 1 cause").first.wait_for(timeout=150 * SECONDS)
        page.get_by_text("uv run experiments retry").first.wait_for(timeout=10 * SECONDS)
        assert page.get_by_role("button", name="Retry").count() == 0
        page.close()
    with marimo_server("edit", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_role("button", name="Retry these 2 runs").wait_for(timeout=150 * SECONDS)
        page.get_by_role("button", name="Retry these 2 runs").dblclick()
        assert wait_for(lambda: len(jobs_of(project)) == 4, timeout_s=60.0)
        page.close()
    assert sorted(job.attempt for job in jobs_of(project)) == [1, 1, 2, 2]


def test_what_an_editor_hides_and_folds_stays_and_a_reader_changes_it_for_nobody(browser, folder):  # noqa: F811 - fixtures
    project = Project(folder)
    project.run("--seeds", "2", "--sections", "analysis", "--follow")
    views = project.state / "views"

    def hidden(page):
        page.locator('[data-eye="shut"]').first.wait_for(timeout=150 * SECONDS)
        page.get_by_text("1 run not drawn in the charts").wait_for()
        # In the order of seeds, the other way round.
        first, _ = page.locator(".runs-row").evaluate_all("rows => rows.map((row) => row.dataset.run)")
        return ".s1." in first

    with marimo_server("edit", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        page.get_by_role("button", name="Sort by Seed").click(timeout=150 * SECONDS)
        page.get_by_role("button", name="Sort by Seed").click()
        page.locator('[data-run*=".s0."] .runs-eye').click()
        assert hidden(page)
        # A page shows at once what its kernel does only after all that it was asked before.
        assert wait_for(lambda: any(read_json(file)["hidden"] for file in views.glob("*.json")), timeout_s=60.0)
        page.reload()
        assert hidden(page)
        page.close()
    [file] = views.iterdir()
    kept = file.read_text()
    with marimo_server("run", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        assert hidden(page)
        page.get_by_role("button", name="Show all").click()
        page.locator('[data-eye="shut"]').wait_for(state="detached")
        page.reload()
        assert hidden(page)
        page.close()
    assert file.read_text() == kept
    with marimo_server("edit", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        assert hidden(page)
        page.get_by_role("button", name="Show all").click()
        page.locator('[data-eye="shut"]').wait_for(state="detached")
        assert wait_for(lambda: file.read_text() != kept)
        page.close()


def test_runs_are_archived_protected_and_taken_back_from_their_table(browser, folder):  # noqa: F811 - fixtures
    project = Project(folder)
    project.run("--seeds", "2", "--sections", "analysis", "--follow")
    workspace = Workspace.find(folder)
    first = next(job.run_name for job in jobs_of(project) if job.seed == 0)

    def press(page, verb):
        page.get_by_role("button", name=f"{verb} 1 run").click(timeout=60 * SECONDS)
        page.wait_for_timeout(600)  # what comes sooner is the second half of a double click
        page.get_by_role("alertdialog").get_by_role("button", name=f"{verb} 1 run").click()

    with marimo_server("edit", project.notebook(), cwd=folder) as url:
        page = open_page(browser, url)
        row = page.locator(f'[data-run="{first}"]')
        row.locator(".runs-state").click(timeout=150 * SECONDS)
        press(page, "Archive")
        row.wait_for(state="detached", timeout=60 * SECONDS)
        assert archived_runs(workspace) == {first}
        page.get_by_text("1 run archived; scores and verdicts count them as before.").wait_for()
        page.get_by_role("button", name="Undo").click()
        row.wait_for(timeout=60 * SECONDS)
        assert archived_runs(workspace) == set()
        press(page, "Protect")
        row.get_by_role("img", name="protected").wait_for(timeout=60 * SECONDS)
        assert protected_runs(workspace) == {first}
        assert page.get_by_role("button", name="Archive runs").is_disabled()
        page.close()
