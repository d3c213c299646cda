"""The notebook that people read: its page, and what that costs against the page of the version before.

Both versions serve projects of their own beside each other, made by their own command lines with equal runs.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.benchmarks import Bar
from tests.benchmarks.measuring import tell
from tests.fakes.project import RECIPE
from tests.fakes.serving import chromium, marimo_process, scratch_folder
from tests.fakes.version_before import COMMIT, Installation
from tests.fakes.wandb_files import LogWriter, exit_record, offline_run
from tests.fakes.wandb_files import run as run_record

ROUNDS = 3
SEEDS, ROWS = 9, 300
JOBS, SECONDS, ROW_EVERY_S = 40, 300.0, 10.0
STILL_S = 4.0
"""A page counts as drawn once its server has done next to nothing for so long."""


@dataclass
class Side:
    """One version: what is installed, a project with a notebook, and the writers of its runs."""

    installed: Installation
    notebook: Path
    writers: dict[str, LogWriter]

    @contextlib.contextmanager
    def served(self, command: str) -> Iterator[tuple[psutil.Process, str]]:
        """Yield the server of the notebook as a process, and its address."""
        place = {"cwd": self.installed.project, "packages": self.installed.packages}
        with marimo_process(command, self.notebook, **place) as (process, url):
            yield psutil.Process(process.pid), url


def run(rounds: int = ROUNDS, seconds: float = SECONDS) -> list[Bar]:
    """Measure all bars of the notebook; `seconds` is how long 40 jobs are watched."""
    with _project(SEEDS, "exit 0") as (before, now):
        for side in (before, now):
            for number, writer in enumerate(side.writers.values()):
                _log(writer, number, ROWS)
                writer.write(exit_record())
        bars = _page(now)
        tell("opening both pages in turn")
        costs = [(_opened(before), _opened(now)) for _ in range(rounds)]
    least = [min(side) for side in zip(*costs, strict=True)]
    note = f"least of {rounds}, {SEEDS} runs of {ROWS} rows: {least[1]:.2f} s against {least[0]:.2f} s of {COMMIT}"
    bars.append(Bar("`marimo run`: CPU until all is drawn, against before", least[1] / least[0], 0.7, note=note))
    return [*bars, _watched(seconds)]


def _page(side: Side) -> list[Bar]:
    """Return how long the page of a sweep is in the editor, and where its first chart begins."""
    with side.served("edit") as (_, url), chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 9000})
        page.goto(url)
        page.locator(".chart-root[data-drawn]").first.wait_for(timeout=180_000)
        page.wait_for_timeout(8000)
        top = page.locator(".chart-root").first.bounding_box()["y"]
        cells = page.locator("[data-cell-id]")
        boxes = [cells.nth(number).bounding_box() for number in range(cells.count())]
        bottom = max(box["y"] + box["height"] for box in boxes if box)
    note = "`marimo edit`, 1440 px wide, 9 runs that ended"
    return [
        Bar("height of the page of a 9-run sweep", bottom, 5000, "px", note=note),
        Bar("top of its first chart", top, 900, "px", note=note),
    ]


def _opened(side: Side) -> float:
    """Return the CPU seconds of a fresh server until its page is drawn and it is still."""
    with side.served("run") as (server, url), chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 9000})
        page.goto(url)
        page.locator(".chart-root[data-drawn]").first.wait_for(timeout=180_000)
        return _when_still(server)


def _watched(seconds: float) -> Bar:
    """Let both versions watch 40 jobs that log, beside each other; return the ratio of what they cost."""
    with _project(JOBS, "while [ ! -e ../../../end ]; do sleep 1; done", follow=False) as (before, now):
        for side in (before, now):
            for number, writer in enumerate(side.writers.values()):
                _log(writer, number, ROWS)
        tell(f"{JOBS} jobs watched for {seconds:g} s by both versions")
        with before.served("run") as (old, old_url), now.served("run") as (new, new_url), chromium() as browser:
            for url in (old_url, new_url):
                page = browser.new_page(viewport={"width": 1440, "height": 9000})
                page.goto(url)
                page.locator(".chart-root[data-drawn]").first.wait_for(timeout=180_000)
            time.sleep(30)
            start = [_cpu_s(old), _cpu_s(new)]
            began = time.monotonic()
            while time.monotonic() - began < seconds:
                for side in (before, now):
                    for number, writer in enumerate(side.writers.values()):
                        _log(writer, number, 1)
                time.sleep(ROW_EVERY_S)
            cost = [_cpu_s(old) - start[0], _cpu_s(new) - start[1]]
        for side in (before, now):
            (side.installed.project / "end").touch()
    note = f"{JOBS} local jobs, a row each {ROW_EVERY_S:g} s, {seconds:g} s: {cost[1]:.1f} s against {cost[0]:.1f} s"
    return Bar("40 jobs watched: CPU of the page's server, against before", cost[1] / cost[0], 0.5, note=note)


@contextlib.contextmanager
def _project(seeds: int, script: str, *, follow: bool = True) -> Iterator[tuple[Side, Side]]:
    """Yield the version before and this one, each with a project of `seeds` jobs."""
    with scratch_folder() as folder:
        sides = []
        for name in ("before", "now"):
            (folder / name).mkdir()
            installed = Installation(folder / name)
            if name == "now":
                installed.upgrade()
            command = ["/bin/sh", "-c", f'cd "$EXPERIMENTS_RUN_DIR"; {script}']
            settings = {"train_command": command, "max_parallel": seeds, "wandb_mode": "offline"}
            lines = ["[tool.experiments]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
            lines += ["[tool.marimo.runtime]", "auto_instantiate = true"]
            (installed.project / "pyproject.toml").write_text("\n".join(lines))
            (installed.project / "study.py").write_text(RECIPE)
            words = ("--arms", "3", "--seeds", str(seeds // 3)) if seeds % 3 == 0 else ("--seeds", str(seeds))
            installed.python("study.py", *words, "--follow" if follow else "--no-follow")
            runs = installed.project / ".experiments" / "runs"
            writers = {path.name: offline_run(runs, path.name) for path in sorted(runs.iterdir()) if path.is_dir()}
            for name_of_run, writer in writers.items():
                writer.write(run_record(name_of_run, {"run": name_of_run}))
            notebook = installed.project / "experiments" / "scratch" / "study_nb.py"
            sides.append(Side(installed, notebook, writers))
        try:
            yield sides[0], sides[1]
        finally:
            for side in sides:
                (side.installed.project / "end").touch()


def _log(writer: LogWriter, number: int, rows: int) -> None:
    for _ in range(rows):
        at = writer.step
        reward = (1 - math.exp(-at / 80)) * (1 + number % 3 / 4) + 0.1 * math.sin(at * (number + 1))
        writer.log({"metric/agent_step": 1000 * (at + 1), "overview/reward": reward, "overview/sps": 4000.0})


def _cpu_s(server: psutil.Process) -> float:
    """Return the CPU seconds of a server and of all processes that it started and that live."""
    total = 0.0
    for process in [server, *server.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _when_still(server: psutil.Process, timeout_s: float = 180.0) -> float:
    deadline, last, since = time.monotonic() + timeout_s, _cpu_s(server), time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < STILL_S:
        time.sleep(0.5)
        spent = _cpu_s(server)
        if spent - last > 0.1:
            last, since = spent, time.monotonic()
    return _cpu_s(server)
