"""A hand-written notebook in `marimo edit`: a click launches, once, and the public functions show what came of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from experiments.jobs.ledger import open_ledger
from experiments.project.workspace import Workspace
from tests.fakes.launching import wait_for_end
from tests.fakes.serving import chromium, marimo_server, scratch_folder
from tests.fakes.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

SETTINGS = """[tool.marimo.runtime]
auto_instantiate = true
[tool.experiments]
train_command = [
    "{python}", "-P", "-m", "experiments.trainer", "run={run}", "trainer.curriculum={curriculum}", "seed={seed}",
    "trainer.total_timesteps=40000", "trainer.evaluation.count=1", "trainer.replays.count=1",
]
"""
NOTEBOOK = """
import marimo

app = marimo.App()

with app.setup:
    import marimo as mo

    import experiments
    from experiments.notebooks.training import launch_multiple_training_runs, launch_training, page_permit


@app.cell
def _():
    launch = mo.ui.run_button(label="Launch")
    read = mo.ui.run_button(label="Read")
    mo.hstack([launch, read])
    return launch, read


@app.cell
def _():
    # Without a permit a cell launches nothing, however often it runs.
    try:
        launch_training("by_itself", "arena/basic")
    except experiments.LaunchRefused as refused:
        said = str(refused)
    mo.md(said)
    return


@app.cell
def _(launch):
    if launch.value:
        launch_training("alone", "arena/basic", permit=page_permit())
        launch_multiple_training_runs("several", "arena/basic", permit=page_permit())
    return


@app.cell
def _(read):
    mo.stop(not read.value)
    names = experiments.find_training_jobs()
    table = experiments.monitor_training_statuses(names)
    rows = {name: len(frame) for name, frame in experiments.fetch_metrics(names).items()}
    mo.vstack([
        mo.md(f"{len(names)} runs: {sorted(set(table['verdict']))}, rows {sorted(set(rows.values()))}"),
        experiments.plot_sps(names),
        experiments.create_run_summary_table(names),
        mo.md(f"{len(experiments.get_available_replays(names[0]))} replays"),
        experiments.show_replay(names[0]),
    ])
    return


if __name__ == "__main__":
    app.run()
"""


def test_a_click_in_an_editor_launches_and_the_functions_show_the_runs(monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    with scratch_folder() as folder:
        (folder / "pyproject.toml").write_text(SETTINGS)
        (folder / "plain.py").write_text(NOTEBOOK)
        workspace = Workspace.find(folder)
        with marimo_server("edit", folder / "plain.py", cwd=folder) as url, chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 3000})
            page.goto(url)
            expect(page.get_by_text("refused to launch").first).to_be_visible(timeout=60_000)
            page.get_by_role("button", name="Launch", exact=True).click()
            wait_until(lambda: len(launched(workspace)) == 2)
            wait_for_end(workspace, launched(workspace), timeout_s=300)
            page.get_by_role("button", name="Read", exact=True).click()
            said = page.get_by_text("2 runs: ['succeeded']")
            expect(said.first).to_be_visible(timeout=60_000)
            page.locator(".replay canvas, canvas").first.wait_for(timeout=60_000)
        assert sorted(job.experiment for job in jobs(workspace)) == ["alone", "several"]


def jobs(workspace):
    with open_ledger(workspace, read_only=True) as ledger:
        return [job for job in ledger.jobs() if job.state == "submitted"]


def launched(workspace):
    return [job.run_name for job in jobs(workspace)]
