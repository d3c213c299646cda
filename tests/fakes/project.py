"""A small project of a user's: a recipe in a folder of its own, and the commands run in it as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from experiments.jobs.ledger import Ledger
from experiments.types import TrainingJob

RECIPE = '''
from experiments.experiment import Experiment
from experiments.types import BaseExperimentConfig, Field, TrainingJobConfig


class StudyConfig(BaseExperimentConfig):
    """A study."""

    curriculum: str = Field("arena/basic", description="Curriculum.")
    gpus: int = Field(1, ge=0, description="GPUs.")
    arms: int = Field(1, ge=1, description="Arms.")


class Study(Experiment):
    tags = ("study",)
    config: StudyConfig

    def launch_training_runs(self):
        job = TrainingJobConfig(curriculum=self.config.curriculum, gpus=self.config.gpus)
        return [self.launch_training_run_from_config(f"arm-{i}", job) for i in range(self.config.arms)]


if __name__ == "__main__":
    Study.main(StudyConfig, name="study")
'''
COUNTED = 'echo {run} >> "$EXPERIMENTS_RUN_DIR/../../started"; echo hello from {run}'


class Project:
    """A folder with `[tool.experiments]` and one recipe."""

    def __init__(self, folder: Path, script: str = COUNTED, **settings: object) -> None:
        self.root, self.recipe = folder, folder / "study.py"
        self.state = folder / ".experiments"
        self.recipe.write_text(RECIPE)
        values = {"train_command": ["/bin/sh", "-c", script], **settings}
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        (folder / "pyproject.toml").write_text(
            "\n".join(["[tool.experiments]", *lines, "[tool.marimo.runtime]", "auto_instantiate = true"])
        )

    def run(self, *arguments: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run the recipe's command line; check its exit code and that it shows no traceback."""
        return self._checked([sys.executable, str(self.recipe), *arguments], code)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the recipe's command line and return at once."""
        command = [sys.executable, str(self.recipe), *arguments]
        return subprocess.Popen(
            command, cwd=self.root, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def command(self, *arguments: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run `experiments ...` in the project."""
        return self._checked([sys.executable, "-m", "experiments.cli", *arguments], code)

    def notebook(self, name: str = "study") -> Path:
        return self.root / "experiments" / "scratch" / f"{name}_nb.py"

    def started(self) -> list[str]:
        """Return the run names of all trainers that ever started, once for each start."""
        file = self.state / "started"
        return file.read_text().split() if file.exists() else []

    def wait_until_started(self, count: int, timeout_s: float = 30.0) -> list[str]:
        deadline = time.monotonic() + timeout_s
        while len(self.started()) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.started()

    def _checked(self, command: list[str], code: int | None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.root, env=_environment(), capture_output=True, text=True, timeout=120, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert code is None or done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done


def jobs_of(project: Project) -> list[TrainingJob]:
    """Return the jobs of the project's ledger, as they were launched."""
    with Ledger.open(project.state, read_only=True) as ledger:
        return ledger.jobs()


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONWARNINGS": "ignore",
        "CI": "true",
        "PYTHONUNBUFFERED": "1",
    }
