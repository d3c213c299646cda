"""What can happen to a project in one day, and what there is to see of it afterwards."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

from experiments.jobs.ledger import Ledger
from tests.fakes.answers import data_in
from tests.fakes.project import Project
from tests.fakes.serving import ROOT
from tests.faults.processes import bridges, kill, supervisors, trainers

UNENDED = frozenset({"pending", "running", "recovering"})
Found = TypeVar("Found")
STEPS = 300_000
TRAINER = [
    *("{python}", "-P", "-m", "experiments.trainer", "run={run}", "trainer.curriculum={curriculum}", "seed={seed}"),
    *(f"trainer.total_timesteps={STEPS}", "trainer.evaluation.count=1", "trainer.replays.count=1"),
]
_LAST_LINE = re.compile(rf" of {STEPS:,} agent-steps +100%")


class Day:
    """Everything that is done to a project, with the second of the day printed for each thing.

    Attributes:
        plans: The command lines that launched something.
        wounded: Runs whose trainer was killed, so that they cannot have succeeded.
        orphaned: Runs whose supervisor was killed, so that nobody saw how their trainer ended.
        starved: Runs that were alive while the disk was full and the W&B server gone, so that they may have failed.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.plans: list[tuple[str, ...]] = []
        self.wounded: set[str] = set()
        self.orphaned: set[str] = set()
        self.starved: set[str] = set()
        self._began = time.monotonic()
        self._said: list[str] = []

    def note(self, text: str) -> None:
        self._said.append(f"{time.monotonic() - self._began:6.1f} s  {text}")
        print(self._said[-1], flush=True)

    def until(self, condition: Callable[[], Found], what: str, timeout_s: float = 300.0) -> Found:
        end = time.monotonic() + timeout_s
        while not (found := condition()):
            assert time.monotonic() < end, f"{what}: not within {timeout_s:.0f} s\n" + "\n".join(self._said)
            time.sleep(0.2)
        return found

    def launch(self, *arguments: str) -> None:
        before = len(self.launched())
        self.project.run(*arguments)
        self.plans.append(arguments)
        self.note(f"launched {len(self.launched()) - before} jobs: {' '.join(arguments)}")

    def launch_all_again(self, clock: str = "+0") -> None:
        """Give every command once more, with the clock moved; what is there is attached to."""
        before = self.launched()
        for plan in self.plans:
            done = self._call(["faketime", "-f", clock, sys.executable, str(self.project.recipe), *plan])
            assert "Traceback" not in done.stderr, done.stderr
        # Only where all its jobs have ended is the same command the next repeat.
        verdicts = self.until(self.verdicts, "the command line answers")
        going = {experiment_of(name) for name in before if verdicts[name] in UNENDED}
        assert going
        assert [name for name in self.launched() - before if experiment_of(name) in going] == []
        self.note(f"gave every command once more, the clock at {clock}: no further job of {', '.join(sorted(going))}")

    def kill_a_trainer(self) -> None:
        def unfinished() -> tuple[str, psutil.Process] | None:
            found = trainers(self.project.root)
            return _first({name: process for name, process in found.items() if name not in self.finished()})

        name, process = self.until(unfinished, "a trainer runs")
        self.wounded.add(name)
        kill(process)
        self.note(f"killed the trainer of {name}")

    def kill_a_supervisor(self) -> None:
        def both() -> tuple[str, psutil.Process] | None:
            busy = trainers(self.project.root)
            found = supervisors(self.project.root)
            return _first({name: process for name, process in found.items() if name in busy})

        name, process = self.until(both, "a supervisor and its trainer run")
        self.orphaned.add(name)
        kill(process)
        self.note(f"killed the supervisor of {name}; its trainer goes on")

    def kill_the_bridge(self) -> None:
        found = self.until(lambda: bridges(self.project.root), "a bridge to SkyPilot is open")
        kill(*found)
        self.note(f"killed {len(found)} bridge(s) to SkyPilot")

    def starve(self, seconds: float) -> None:
        """Let time pass, and keep in mind who is alive."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.starved |= trainers(self.project.root).keys() | supervisors(self.project.root).keys()

    def damage_a_log(self) -> None:
        """Cut the W&B file of a run that has succeeded, and put noise at its end."""
        name = self.until(lambda: next((n for n, v in self.verdicts().items() if v == "succeeded"), None), "a success")
        file = next(self._runs.glob(f"{name}/wandb/*/*.wandb"))
        file.write_bytes(file.read_bytes()[:-37] + os.urandom(500))
        self.note(f"cut the W&B file of {name} and put noise at its end")

    def launched(self) -> set[str]:
        """Return the run names in the ledger."""
        with Ledger.open(self.project.state, read_only=True) as ledger:
            return {job.run_name for job in ledger.jobs()}

    def verdicts(self) -> dict[str, str]:
        """Return what the command line says of each job, by run name."""
        return {name: row["verdict"] for name, row in self.statuses().items()}

    def statuses(self) -> dict[str, dict[str, str]]:
        """Return all that the command line says of each job, by run name."""
        done = self._call([sys.executable, "-P", "-m", "experiments.cli", "status", "--json"])
        # A full disk, or a server that is gone, may make it fail; it then says so in one sentence.
        assert "Traceback" not in done.stderr, done.stderr
        return {row["run_name"]: row for row in data_in(done.stdout)["jobs"]} if done.stdout else {}

    def finished(self) -> set[str]:
        """Return the local runs whose trainer printed that it had done all its steps."""
        return {name for name, text in self.logs().items() if _LAST_LINE.search(text)}

    def starts(self) -> dict[str, int]:
        """Return how often a trainer was started, by the local runs' names."""
        return {name: text.count(f"{name}: ") for name, text in self.logs().items()}

    def logs(self) -> dict[str, str]:
        """Return what the trainers printed, by the local runs' names."""
        return {path.parent.name: path.read_text() for path in self._runs.glob("*/train.log")}

    @property
    def _runs(self) -> Path:
        return self.project.state / "runs"

    def _call(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.project.root, env=environment(), capture_output=True, text=True, timeout=400
        )


class Exporting(threading.Thread):
    """Exports a notebook again and again.

    Attributes:
        over: Set it to end.
        codes: The exit code of each export.
        broken: Tracebacks, and names of logs that were not whole.
    """

    def __init__(self, notebook: Path, folder: Path) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.codes: list[int] = []
        self.broken: list[str] = []
        self._folder = folder
        self._command = [sys.executable, "-P", "-m", "experiments.cli", "export", str(notebook), "--deadline", "180"]

    def run(self) -> None:
        while not self.over.is_set():
            done = subprocess.run(
                self._command, cwd=self._folder, env=environment(), capture_output=True, text=True, timeout=400
            )
            self.codes.append(done.returncode)
            if "Traceback" in done.stderr:
                self.broken.append(done.stderr)
            logs = (self._folder / "experiments" / "log").glob("*.html")
            self.broken += [path.name for path in logs if not path.read_text().rstrip().endswith("</html>")]


def experiment_of(run_name: str) -> str:
    return run_name.split(".")[1]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "CI": "true"}


def _first(found: dict[str, Found]) -> tuple[str, Found] | None:
    return next(iter(found.items()), None)
