"""A study of as many runs as a sweep of a lab has: arms by seeds, each run with its rows, settings and end."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.jobs.plan import Placement, RecordedJob, make_plan
from experiments.launch import launcher_for
from experiments.project.files import boot_id
from experiments.project.workspace import Workspace
from experiments.types import TrainingJobConfig
from tests.fakes import wandb_files as fake
from tests.fakes.project import RECIPE

METRICS = ("overview/sps", "losses/policy_loss", "losses/value_loss", "losses/entropy")


def study_of(folder: Path, *, arms: int, seeds: int, rows: int) -> Path:
    """Return the notebook of a project in `folder` whose ledger has so many runs, all of which succeeded."""
    lines = ["[tool.experiments]", "max_parallel = 2", "[tool.marimo.runtime]", "auto_instantiate = true"]
    (folder / "pyproject.toml").write_text("\n".join([*lines, ""]))
    (folder / "study.py").write_text(RECIPE)
    workspace = Workspace.find(folder)
    with open_ledger(workspace) as ledger, tenure() as owner:
        target = launcher_for("local", workspace).target()
        place = Placement(user="ada", ledger_id=ledger.id, launcher="local", target=target, train_command=("true",))
        jobs = [RecordedJob(f"arm-{number:03d}", TrainingJobConfig(curriculum="arena")) for number in range(arms)]
        plan = make_plan("study", jobs, place, seeds=range(seeds))
        ledger.record_plan(plan, tracker="offline", provenance={})
        wanted: dict[str, dict[str, object]] = {job.run_name: {} for job in plan.jobs}
        ledger.conclude(owner, accepted={name: name for name in ledger.intend(wanted, target, owner)})
        now = time.time()
        ended = {"exit_code": 0, "started_at": now - 2000, "ended_at": now - 1000, "word": "SUCCEEDED"}
        ledger.settle(dict.fromkeys(wanted, ended))
    who = {"supervisor": {"pid": 1, "start": "1"}, "trainer": {"pid": 1, "start": "1"}}
    for at, job in enumerate(plan.jobs):
        record = {"run_name": job.run_name, "boot_id": boot_id(), "host": os.uname().nodename, **who, **ended}
        (workspace.runs / job.run_name).mkdir()
        (workspace.runs / job.run_name / "job.json").write_text(json.dumps(record))
        _write(workspace.runs, job.run_name, at // seeds, job.seed, rows)
    command = [sys.executable, "study.py", "--no-launch", "--sections", "analysis,monitor", "--arms", str(arms)]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return folder / "experiments" / "scratch" / "study_nb.py"


def _write(runs: Path, name: str, arm: int, seed: int, rows: int) -> None:
    """Write a run as the SDK does: the summary goes with its last row, which is what W&B keeps of it."""
    config = {
        "run": name,
        "seed": seed,
        "trainer": {"learning_rate": 0.001 * (1 + arm % 5), "batch": 2 ** (6 + arm // 5 % 4), "gamma": 0.99},
        "policy": {"layers": 1 + arm % 3, "name": ("mlp", "lstm")[arm % 2]},
        "env": {"agents": 24, "map": f"arena-{arm % 7}"},
    }
    records = [fake.run(name, config), *_rows(rows, arm, seed), fake.exit_record(0)]
    fake.offline_run(runs, name).path.write_bytes(fake.frame(records))


def _rows(rows: int, arm: int, seed: int) -> Iterator[bytes]:
    chance = random.Random(1000 * arm + seed)
    best, noise = 1 + arm % 11 / 8 + chance.gauss(0, 0.15), 0.0
    row: dict[str, float] = {}
    for step in range(rows):
        noise = 0.95 * noise + chance.gauss(0, 0.03)
        reward = best * (1 - 2.7 ** (-step / (0.15 * rows * (1 + arm % 3)))) + noise
        row = {"metric/agent_step": 1000 * (step + 1), "overview/reward": reward}
        row |= {key: 1 / (1 + step / 50) + abs(chance.gauss(0, 0.1)) for key in METRICS} | {"overview/sps": 4000.0}
        row |= {"_step": step, "_timestamp": 1.7e9 + step, "_runtime": float(step)}
        yield fake.history(row, step)
    yield fake.summary(row)
