"""A finished study without training: runs of several arms and seeds with losses, replays and a failed seed."""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path

import numpy as np

from experiments.jobs.ledger import open_ledger
from experiments.notebooks.data_cells import add_jobs
from experiments.project.workspace import Workspace
from experiments.types import JobRef
from tests.fakes.project import Project
from tests.fakes.wandb_files import exit_record, offline_run, run
from tests.widgets.replays import small

ARMS = ("baseline", "fast-lr", "big-net")
ROWS, SPACING = 120, 1_000


def refs(arms: tuple[str, ...] = ARMS, seeds: int = 3) -> list[JobRef]:
    """Return the jobs of a study."""
    return [
        JobRef(run=f"ada.study.{arm}.s{seed}.abcdefg{2 + seed}", arm=arm, seed=seed)
        for arm in arms
        for seed in range(seeds)
    ]


def write_run(
    runs_dir: Path, job: JobRef, level: float, *, rows: int = ROWS, code: int | None = 0, spike: float = 0.0
) -> None:
    """Write one run as its trainer would have; `code` is None for one that still runs, `spike` added to one reward."""
    rng = np.random.default_rng([job.seed, len(job.arm)])
    rate = 0.001 * (1 + len(job.arm))
    log = offline_run(runs_dir, job.run)
    log.write(run(job.run, {"trainer": {"optimizer": {"learning_rate": rate}}, "seed": job.seed}))
    noise, offset = rng.normal(0, 0.15, rows), rng.normal(0, 0.2)
    noise[rows // 4] += spike
    log.log(
        *(
            {
                "metric/agent_step": SPACING * (at + 1),
                "overview/reward": level * (1 - math.exp(-at / 40)) + offset + float(noise[at]),
                "overview/sps": 900.0 + 100 * job.seed + 20 * float(noise[at]),
                "losses/policy_loss": 0.1 * math.exp(-at / 60) + 0.01 * float(noise[at]),
                "losses/value_loss": 2.0 * math.exp(-at / 30) + 0.1 * float(noise[at]) ** 2,
                "losses/entropy": 1.6 - 0.004 * at,
            }
            for at in range(rows)
        )
    )
    if code is not None:
        log.write(exit_record(code))
        times = {"started_at": 1.7e9, "ended_at": 1.7e9 + rows, "exit_code": code}
        (runs_dir / job.run / "job.json").write_text(json.dumps({"run_name": job.run, **times}))


def write_replays(runs_dir: Path, job: JobRef, steps: tuple[int, ...] = (40_000, 80_000, 120_000)) -> None:
    """Give a run replays at some agent steps, all of the same episode."""
    place = runs_dir / job.run / "replays"
    place.mkdir(parents=True, exist_ok=True)
    for step in steps:
        (place / f"step_{step}.json.z").write_bytes(zlib.compress(json.dumps(small()).encode()))


def study(folder: Path, *, arms: tuple[str, ...] = ARMS, seeds: int = 3) -> tuple[Project, list[JobRef]]:
    """Return a project in `folder` with a notebook over finished runs; the last seed of the second arm failed early."""
    project, jobs = Project(folder), refs(arms, seeds)
    with open_ledger(Workspace.find(folder)):
        pass  # one without these jobs: they are known from the notebook alone
    for job in jobs:
        failed = len(arms) > 1 and job.arm == arms[1] and job.seed == seeds - 1
        level = 2.0 + 0.8 * arms.index(job.arm)
        write_run(project.state / "runs", job, level, rows=ROWS // 2 if failed else ROWS, code=int(failed))
        write_replays(project.state / "runs", job)
    project.run("--no-launch")
    add_jobs(project.notebook(), jobs)
    return project, jobs
