"""Workspaces, plans and a launcher for tests of launching: real parts, small jobs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from experiments.jobs.launchers.base import Absent, Found, JobSpec, SchedulerStatus, Unknown
from experiments.jobs.ledger import open_ledger
from experiments.jobs.plan import Placement, RecordedJob, make_plan
from experiments.launch import launcher_for
from experiments.project.errors import LaunchError
from experiments.project.settings import Settings
from experiments.project.state_words import SCHEDULER_ENDS
from experiments.project.workspace import Workspace
from experiments.types import Plan, TrainingJobConfig
from tests.fakes.waiting import wait_until

TRAINER = Path(__file__).with_name("trainer.py")


def trainer_command(*words: str) -> tuple[str, ...]:
    """Return the command of the fake trainer; `words` say what it does."""
    return (sys.executable, "-S", str(TRAINER), *words)


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


# One line for each start of a trainer: the proof that no job ran twice.
COUNTED = 'echo {run} >> "$EXPERIMENTS_RUN_DIR/../../started"'


def workspace_at(folder: Path, *, command: Sequence[str] = shell(COUNTED), **settings) -> Workspace:
    state = folder / ".experiments"
    for name in ("runs", "live"):
        (state / name).mkdir(parents=True, exist_ok=True)
    values = {"max_parallel": 2, "train_command": tuple(command), **settings}
    return Workspace(root=folder, state=state, settings=Settings(**values))


def plan_in(
    workspace: Workspace, *, seeds=range(5), arms=("base",), launcher="local", repeat=1, same_seed=1, **config
) -> Plan:
    with open_ledger(workspace) as ledger:
        placement = Placement(
            user="ada",
            ledger_id=ledger.id,
            launcher=launcher,
            target=launcher_for(launcher, workspace).target(),
            train_command=workspace.settings.train_command,
        )
    recorded = [RecordedJob(arm, TrainingJobConfig(curriculum="arena", **config)) for arm in arms]
    return make_plan("exp", recorded, placement, seeds=seeds, same_seed=same_seed, repeat=repeat)


def starts(workspace: Workspace) -> list[str]:
    """Return the run name of every trainer that was started, sorted."""
    path = workspace.state / "started"
    return sorted(path.read_text().split()) if path.exists() else []


def words_of(workspace: Workspace, names: Sequence[str]) -> dict[str, str]:
    found = launcher_for("local", workspace).poll(dict.fromkeys(names, ""))
    return {name: status.word for name, status in found.items()}


def wait_for_end(
    workspace: Workspace,
    names: Sequence[str],
    *,
    timeout_s: float = 60.0,
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """Wait until every job has ended and the supervisors' last act is over.

    Args:
        meanwhile: What people do as they wait, twice a second: a look at the status starts what can be started.
    """
    looked = time.monotonic()

    def ended() -> bool:
        nonlocal looked
        words = words_of(workspace, names)
        if len(words) == len(names) and set(words.values()) <= SCHEDULER_ENDS:
            return True
        if time.monotonic() - looked > 0.5:
            meanwhile()
            looked = time.monotonic()
        return False

    assert wait_until(ended, timeout_s=timeout_s), words_of(workspace, names)
    assert wait_until(lambda: not _programs_of(workspace, names), timeout_s=timeout_s), _programs_of(workspace, names)


def _programs_of(workspace: Workspace, names: Sequence[str]) -> list[str]:
    """Return what still runs for a workspace, less the supervisors of other jobs."""
    needle, runs = os.fsencode(workspace.state), os.fsencode(workspace.state / "runs")
    own = [os.fsencode(name) for name in names]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            others = runs in line and not any(name in line for name in own)
            if needle in line and b"experiments.jobs.launchers" in line and not others:
                found.append(entry.name)
    return found


class FileCluster:
    """A launcher whose scheduler is a file: it takes the same name twice, as SkyPilot does.

    Attributes:
        refuses: Run names that are refused, once each.
        unreachable: Reason why nothing can be asked; empty while it is up.
    """

    name = "skypilot"
    batch = 1
    at_once = 1

    def __init__(self, folder: Path) -> None:
        self._queue = folder / "queue.jsonl"
        self.refuses: set[str] = set()
        self.unreachable = ""

    def target(self) -> str:
        return "file-cluster"

    def reaches(self, target: str) -> bool:
        return target == self.target()

    def prepared(self, job: JobSpec) -> dict[str, str]:
        return {"command": list(job.command)}

    def submit(self, job: JobSpec) -> str:
        if job.run_name in self.refuses:
            self.refuses.discard(job.run_name)
            raise LaunchError(f"no machine for {job.run_name!r}")
        job_id = str(len(self.jobs()) + 1)
        told = {"name": job.run_name, "id": job_id, "env": dict(job.env), "command": list(job.command)}
        line = json.dumps(told) + "\n"
        descriptor = os.open(self._queue, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, line.encode())
        os.close(descriptor)
        return job_id

    def jobs(self) -> list[dict]:
        if not self._queue.exists():
            return []
        return [json.loads(line) for line in self._queue.read_text().splitlines()]

    def find(self, run_name: str, target: str) -> Found | Absent | Unknown:
        if self.unreachable or target != self.target():
            return Unknown(self.unreachable or f"another target: {target!r}")
        ids = [job["id"] for job in self.jobs() if job["name"] == run_name]
        return Found(ids[0]) if ids else Absent()

    def poll(self, jobs: Mapping[str, str]) -> dict[str, SchedulerStatus]:
        if self.unreachable:
            raise LaunchError(self.unreachable)
        known = {job["name"] for job in self.jobs()}
        return {name: SchedulerStatus("RUNNING") for name in jobs if name in known}

    def cancel(self, jobs: Sequence[tuple[str, str]]) -> None:
        self.cancelled = list(jobs)

    def logs(self, run_name: str, job_id: str, *, follow: bool = False) -> Iterator[str]:
        yield from ()
