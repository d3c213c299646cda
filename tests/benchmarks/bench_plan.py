"""Previewing a plan of 200 jobs, against validating their configs; and how long the page stands still at the launch."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from experiments.jobs.arms import Grid
from experiments.jobs.ledger import Ledger
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.forms import config_form
from experiments.notebooks.training import PlanPreview, plan_preview
from experiments.project.workspace import Workspace
from experiments.recipes.arena_experiment import ArenaExperiment, ArenaExperimentConfig
from experiments.types import TrainingJobConfig
from tests.benchmarks import Bar
from tests.benchmarks.measuring import least_cpu_s
from tests.fakes.launching import workspace_at
from tests.fakes.project import Project
from tests.fakes.serving import chromium, marimo_server, scratch_folder
from tests.fakes.waiting import wait_until

JOBS = 200
SHAPES = ((8, 25), (40, 5), (200, 1))
_WATCH_FRAMES = """() => {
    window.longest = 0;
    let last = performance.now();
    const look = (now) => {
        window.longest = Math.max(window.longest, now - last);
        last = now;
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""


def run() -> list[Bar]:
    """Measure in CPU time, the best of many taken in turn; the page by its longest gap between two frames."""
    config = ArenaExperimentConfig()
    given = config.model_dump()
    job = TrainingJobConfig(curriculum=config.curriculum).model_dump()
    with tempfile.TemporaryDirectory() as folder:
        workspace = workspace_at(Path(folder))
        recipe = ArenaExperiment("arena", config)
        recipe.workspace = workspace

        def plan_of(arms: int, seeds: int) -> Callable[[], Any]:
            values = {"gpus": list(range(1, arms + 1))}
            return lambda: PlanPreview(
                recipe.plan(arms=Grid(config, values).arms(), seeds=range(seeds), repeat=1)
            ).rows()

        yardstick, *plans, page = least_cpu_s(
            lambda: [
                (ArenaExperimentConfig.model_validate(given), TrainingJobConfig.model_validate(job))
                for _ in range(JOBS)
            ],
            *(plan_of(*shape) for shape in SHAPES),
            _page_preview(workspace, config),
            rounds=60,
        )
    note = (
        f"validating {JOBS} recipe configs and {JOBS} job configs: {yardstick * 1e3:.2f} ms; "
        f"on the page, with the ledger read and marimo's table drawn: {page * 1e3:.2f} ms"
    )
    bars = [
        Bar(
            f"preview of {JOBS} jobs, {arms} arms x {seeds} seeds / validating their configs",
            spent / yardstick,
            2.0,
            note=note,
        )
        for (arms, seeds), spent in zip(SHAPES, plans, strict=True)
    ]
    return [*bars, _page_stands_still()]


def _page_preview(workspace: Workspace, config: ArenaExperimentConfig) -> Callable[[], Any]:
    """Return what a notebook does at each key press: read the inputs, plan, look into the ledger, build the table."""
    experiment = NotebookContext("arena", workspace.root / "arena_nb.py", workspace, config)
    inputs = config_form(config, name="arena")
    how = {"seeds": "25", "launcher": "local", "vary": "gpus=1,2,3,4,5,6,7,8", "repeat": "1", "same_seed": "1"}
    return lambda: plan_preview(experiment, inputs, SimpleNamespace(value=how)).view()


def _page_stands_still() -> Bar:
    """Launch 200 jobs with a click in `marimo edit` and take the longest gap between two frames of the page."""
    with scratch_folder() as folder, chromium() as browser:
        project = Project(folder, max_parallel=1)
        project.run("--no-launch")
        with marimo_server("edit", project.notebook(), cwd=folder) as url:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(url)
            page.get_by_label("Seeds").fill(str(JOBS))
            page.get_by_label("Seeds").press("Enter")
            button = page.get_by_role("button", name=f"Launch {JOBS} jobs")
            button.wait_for(timeout=60_000)
            page.wait_for_timeout(3_000)
            page.evaluate(_WATCH_FRAMES)
            button.click()
            # Looked at from outside: to search the page for a text would itself hold it up.
            wait_until(lambda: len(_launched(project)) == JOBS)
            time.sleep(2)
            longest = page.evaluate("window.longest")
            page.close()
        # Those that wait first, or each end would start the next.
        project.command("cancel", *_launched(project)[::-1], "--yes", code=None)
    return Bar(
        "longest gap between two frames while a page submits 200 jobs",
        longest,
        500.0,
        unit="ms",
        note="headless chromium",
    )


def _launched(project: Project) -> list[str]:
    with Ledger.open(project.state, read_only=True) as ledger:
        return [job.run_name for job in ledger.jobs() if job.state == "submitted"]
