"""A project whose jobs are trained by our own trainer, for a second or two each."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from experiments.types import TrainingJob
from tests.fakes.project import Project, jobs_of

SMALL = (
    "trainer.num_envs=2",
    "trainer.log_interval=768",
    "trainer.evaluation.maps=1",
    "trainer.evaluation.count=1",
    "trainer.replays.count=0",
    "trainer.total_timesteps=1500",
)
COMMAND = ("{python}", "-P", "-m", "experiments.trainer", "run={run}", "trainer.curriculum={curriculum}", "seed={seed}")


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def trained_project(folder: Path) -> Project:
    """Return a project in git, clean, whose recipe trains in about two seconds a job."""
    project = Project(folder, train_command=[*COMMAND, *SMALL], wandb_mode="offline", max_parallel=2)
    (folder / ".gitignore").write_text(".experiments/\n__pycache__/\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "First")
    return project


def train(project: Project, *arguments: str, environment: dict[str, str] | None = None) -> list[TrainingJob]:
    """Launch the recipe, wait until all has ended, and return the jobs that it launched."""
    before = {job.run_name for job in jobs_of(project)} if (project.state / "ledger.sqlite").exists() else set()
    kept = {name: os.environ.get(name) for name in environment or {}}
    os.environ.update(environment or {})
    try:
        project.run(*arguments, "--follow")
    finally:
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    return [job for job in jobs_of(project) if job.run_name not in before]
