"""The job table in a real marimo server: real local jobs, pages that follow them, and an editor that can end them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request

import pytest

from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import allow_launch
from experiments.jobs.plan import Placement, RecordedJob, make_plan
from experiments.launch import cancel, submit
from experiments.monitoring import job_statuses
from experiments.project.files import try_lock
from experiments.project.workspace import Workspace
from experiments.types import TERMINAL_VERDICTS, TrainingJobConfig
from tests.fakes.serving import CHROMIUM, ROOT, scratch_folder
from tests.fakes.waiting import wait_until

RUN_TRAINER = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.fakes.tiny_trainer import main; main()"
NOTEBOOK = """
import marimo

app = marimo.App()

with app.setup:
    import marimo as mo

    from experiments.notebooks.context import open_notebook
    from experiments.notebooks.monitoring import job_monitor
    from experiments.types import BaseExperimentConfig


@app.cell
def _():
    experiment = open_notebook(__file__, BaseExperimentConfig())
    return (experiment,)


@app.cell
def _(experiment):
    job_table = job_monitor(experiment, experiment.joined([]))
    job_table
    return (job_table,)


@app.cell
def _(job_table):
    mo.md(f"chosen: {len(job_table.value['selected'])}")
    return


if __name__ == "__main__":
    app.run()
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="wants Debian's chromium"),
]


@pytest.fixture
def workspace():
    with scratch_folder() as folder:
        (folder / "pyproject.toml").write_text("[tool.experiments]\n")
        (folder / "arena_nb.py").write_text(NOTEBOOK)
        yield Workspace.find(folder)


@pytest.fixture
def runs(workspace):
    """Names of two jobs that run until a file tells them to end, or the test ends."""
    command = ("{python}", "-c", RUN_TRAINER)
    with open_ledger(workspace) as ledger:
        place = Placement(user="ada", ledger_id=ledger.id, launcher="local", target="local", train_command=command)
    plan = make_plan("arena", [RecordedJob("base", TrainingJobConfig(curriculum="arena"))], place, seeds=(0, 1))
    with allow_launch() as permit:
        names = [job.run_name for job in submit(plan, permit, workspace)]
        yield names
        cancel(names, permit, workspace)
    wait_until(
        lambda: all(status.verdict in TERMINAL_VERDICTS for status in job_statuses(workspace.state)), timeout_s=60
    )


@pytest.fixture
def serve(workspace):
    """Return a function that starts `marimo edit` or `marimo run` and returns its address."""
    servers = []

    def start(mode):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = ["--headless", "--no-token", "--port", str(port)]
        options += ["--session-ttl", "1", "--no-check"] if mode == "run" else []
        command = [sys.executable, "-m", "marimo", mode, str(workspace.root / "arena_nb.py"), *options]
        servers.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{address}/health"), timeout_s=60)
        return address

    yield start
    for server in servers:
        server.terminate()
        server.wait(20)


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True


def opened(browser, address):
    page = browser.new_page()
    page.goto(address)
    page.locator(".jobs-row").first.wait_for(timeout=60_000)
    return page


def steps(page, run):
    return page.locator(f'tr[data-run="{run}"] .jobs-steps')


def is_free(workspace):
    lock = try_lock(workspace.state / "live" / "monitor.lock")
    if lock is not None:
        os.close(lock)
    return lock is not None


def test_two_pages_follow_a_run_without_a_cell_running_again(workspace, runs, serve, browser):
    address = serve("run")
    pages = [opened(browser, address) for _ in range(2)]
    pages[0].locator(f'tr[data-run="{runs[1]}"] .jobs-state').click()
    pages[0].get_by_text("chosen: 1").wait_for()
    pages[0].locator(".jobs-table").evaluate("(table) => { table.dataset.mine = 'yes'; }")
    (workspace.runs / runs[0] / "row1").touch()
    for page in pages:
        wait_until(lambda page=page: steps(page, runs[0]).inner_text() == "100 / 1k", timeout_s=60)
    assert pages[0].locator(".jobs-table").get_attribute("data-mine") == "yes"
    assert pages[0].locator("tr[aria-selected=true]").get_attribute("data-run") == runs[1]
    assert pages[1].locator("tr[aria-selected=true]").count() == 0
    for page in pages:
        page.close()


def test_a_page_for_viewers_has_no_control_and_takes_no_request(workspace, runs, serve, browser):
    page = opened(browser, serve("run"))
    page.get_by_label("Select all jobs shown").check()
    page.get_by_text("chosen: 2").wait_for()
    assert page.locator(".jobs-action, .jobs-yes").count() == 0
    assert page.get_by_role("button", name="Cancel").count() == 0
    assert {status.verdict for status in job_statuses(workspace.state)} == {"running"}
    page.close()


def test_polling_ends_with_the_last_page(workspace, runs, serve, browser):
    page = opened(browser, serve("run"))
    assert not is_free(workspace)
    page.close()
    wait_until(lambda: is_free(workspace), timeout_s=60)


def test_in_an_editor_a_person_ends_a_job_in_two_steps(workspace, runs, serve, browser):
    page = browser.new_page()
    page.goto(serve("edit"))
    page.locator(".cm-content").first.click(timeout=60_000)
    page.keyboard.press("Control+Shift+r")
    page.locator(".jobs-row").first.wait_for(timeout=60_000)
    page.locator(f'tr[data-run="{runs[0]}"] .jobs-state').click()
    page.get_by_role("button", name="Cancel 1 job").click()
    page.wait_for_timeout(600)
    page.locator(".jobs-yes").click()
    page.locator(".jobs-problems").get_by_text("asked to end").wait_for(timeout=20_000)
    wait_until(
        lambda: page.locator(f'tr[data-run="{runs[0]}"]').get_attribute("data-state") == "cancelled", timeout_s=60
    )
    assert page.locator(f'tr[data-run="{runs[1]}"]').get_attribute("data-state") == "running"
    page.close()
