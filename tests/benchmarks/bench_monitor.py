"""What viewers cost: twenty pages of one notebook ask launchers and files as often as one, and rows reach them soon.

The pages are websocket clients of a real `marimo run` that check every update they get.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import allow_launch
from experiments.jobs.plan import Placement, RecordedJob, make_plan
from experiments.launch import cancel, submit
from experiments.project.workspace import Workspace
from experiments.types import TrainingJobConfig
from tests.benchmarks import Bar
from tests.benchmarks.measuring import widget_states
from tests.fakes.serving import ROOT, marimo_server

VIEWERS = 20
SECONDS = 60.0
ROW_EVERY_S = 1.5
RUN_TRAINER = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.fakes.tiny_trainer import main; main(240)"
NOTEBOOK = """
import marimo

app = marimo.App()

with app.setup:
    from pathlib import Path

    from experiments.notebooks.context import open_notebook
    from experiments.notebooks.monitoring import job_monitor
    from experiments.types import BaseExperimentConfig
    from tests.fakes import counting


@app.cell
def _():
    experiment = open_notebook(__file__, BaseExperimentConfig())
    counting.start(experiment.workspace.state, Path(__file__).with_name("counts.json"))
    return (experiment,)


@app.cell
def _(experiment):
    job_table = job_monitor(experiment, experiment.joined([]))
    job_table
    return


if __name__ == "__main__":
    app.run()
"""


@dataclass
class Viewer:
    """One page as its server sees it.

    Attributes:
        rows: As the page has them.
        seen: When each value of the first run's step arrived, by step.
        wrong: Updates that took a step back or held no row of the run, once one had.
    """

    run: str
    rows: list[dict] = field(default_factory=list)
    seen: dict[int, float] = field(default_factory=dict)
    wrong: int = 0
    updates: int = 0

    def hear(self, text: str) -> None:
        """Take in one message of the server."""
        if '"rows"' not in text and '"piece"' not in text:
            return
        for state in widget_states(json.loads(text)):
            if "rows" not in state and not state.get("piece", {}).get("rows"):
                continue
            self.rows = [dict(row) for row in state.get("rows", self.rows)]
            for at, values in state.get("piece", {}).get("rows", []):
                self.rows[at].update(values)
            steps = [row["step"] or 0 for row in self.rows if row.get("run") == self.run]
            self.updates += 1
            if not steps and not self.seen:
                continue  # a table opens empty
            self.wrong += len(steps) != 1 or steps[0] < max(self.seen, default=0)
            for step in steps:
                self.seen.setdefault(step, time.monotonic())


def run() -> list[Bar]:
    """Measure one viewer, then twenty, of one page over the same jobs."""
    with _jobs() as (workspace, names), marimo_server("run", workspace.root / "arena_nb.py", cwd=workspace.root) as url:
        alone = asyncio.run(_watch(url, workspace, names[0], 1))
        crowd = asyncio.run(_watch(url, workspace, names[0], VIEWERS))
    delays = [delay for viewer in crowd.viewers for delay in viewer.delays]
    wrong = sum(viewer.wrong for viewer in (*alone.viewers, *crowd.viewers))
    what = f"{VIEWERS} websocket viewers of one page, {SECONDS:g} s each, {len(names)} local jobs"
    cpu = f"{what}; CPU of the server {crowd.cpu_s:.2f} s against {alone.cpu_s:.2f} s"
    return [
        Bar("store polls with 20 viewers against 1", crowd.polls / alone.polls, 1.1, note=cpu),
        Bar("files opened with 20 viewers against 1", crowd.opened / alone.opened, 1.1, note=what),
        Bar("row in the run's file to row on the page, median", statistics.median(delays), 3.0, "s", note=what),
        Bar("updates that lost a row or went back", wrong, 0, "updates", note=f"of {crowd.updates} in all", gate=True),
    ]


@dataclass
class _Watched:
    viewers: list[_Delays]
    polls: float
    opened: float
    cpu_s: float
    updates: int


@dataclass
class _Delays:
    delays: list[float]
    wrong: int


async def _watch(url: str, workspace: Workspace, run_name: str, count: int) -> _Watched:
    """Open `count` pages, log rows for a while, and return what the pages saw and what the server did meanwhile."""
    viewers = [Viewer(run_name) for _ in range(count)]
    ready = asyncio.Barrier(count + 1)
    stop = asyncio.Event()
    tasks = [asyncio.create_task(_view(url, viewer, ready, stop)) for viewer in viewers]
    async with asyncio.timeout(90):
        await ready.wait()
    await asyncio.sleep(2)
    before, began = _counts(workspace), time.monotonic()
    logged: dict[int, float] = {}
    step = max(max(viewer.seen, default=0) for viewer in viewers)
    while time.monotonic() - began < SECONDS:
        step += 100
        (workspace.runs / run_name / f"row{step}").touch()
        logged[step] = time.monotonic()
        await asyncio.sleep(ROW_EVERY_S)
    after, seconds = _counts(workspace), time.monotonic() - began
    stop.set()
    await asyncio.gather(*tasks)
    return _Watched(
        [
            _Delays([viewer.seen[at] - logged[at] for at in logged if at in viewer.seen], viewer.wrong)
            for viewer in viewers
        ],
        (after["polls"] - before["polls"]) / seconds,
        (after["opened"] - before["opened"]) / seconds,
        after["cpu_s"] - before["cpu_s"],
        sum(viewer.updates for viewer in viewers),
    )


async def _view(url: str, viewer: Viewer, ready: asyncio.Barrier, stop: asyncio.Event) -> None:
    from websockets.asyncio.client import connect

    address = f"{url.replace('http', 'ws')}/ws?session_id=s_{uuid.uuid4().hex[:6]}"
    async with connect(address, max_size=None) as socket:
        is_ready = False
        while not stop.is_set():
            try:
                text = await asyncio.wait_for(socket.recv(), 0.2)
            except TimeoutError:
                continue
            viewer.hear(str(text))
            if viewer.updates and not is_ready:
                is_ready = True
                await ready.wait()


def _counts(workspace: Workspace) -> dict[str, float]:
    return json.loads((workspace.root / "counts.json").read_text())


@contextmanager
def _jobs():
    """Yield a project with four local jobs that run until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "pyproject.toml").write_text("[tool.experiments]\nmax_parallel = 4\n")
        (root / "arena_nb.py").write_text(NOTEBOOK)
        workspace = Workspace.find(root)
        with open_ledger(workspace) as ledger:
            command = ("{python}", "-c", RUN_TRAINER)
            place = Placement(user="ada", ledger_id=ledger.id, launcher="local", target="local", train_command=command)
        plan = make_plan("arena", [RecordedJob("base", TrainingJobConfig(curriculum="arena"))], place, seeds=range(4))
        with allow_launch() as permit:
            names = [job.run_name for job in submit(plan, permit, workspace)]
            try:
                yield workspace, names
            finally:
                cancel(names, permit, workspace)
                _wait_for_end(workspace)


def _wait_for_end(workspace: Workspace) -> None:
    from experiments.monitoring import job_statuses

    end = time.monotonic() + 30
    while time.monotonic() < end and any(status.ended_at is None for status in job_statuses(workspace.state)):
        time.sleep(0.1)
