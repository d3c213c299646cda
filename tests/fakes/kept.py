"""A project with an arm that can be kept as a control, and a recipe that launches a candidate beside it."""

from __future__ import annotations

import functools
import sys
import tempfile
from pathlib import Path

from experiments.jobs.controls.files import ControlFile, KeptRun, KeptScores
from experiments.project.environment.probing import probed
from experiments.project.environment.records import Environment, Machine, read_environment
from experiments.project.files import inherited
from experiments.project.provenance import CodeRecord
from experiments.project.snapshots import take
from experiments.project.workspace import Workspace
from experiments.types import JobRef, Metrics, Trainer, TrainingJobConfig
from tests.fakes.launching import workspace_at
from tests.fakes.project import Project
from tests.fakes.repositories import git

ROOT = Path(__file__).parents[2]
TRAINER = Trainer(
    name="hills",
    command="{python} train.py --seed {seed}",
    style="--key value",
    dashes=True,
    steps="--steps",
    uses_gpus=False,
    metrics=Metrics(step="step", primary="score", direction="higher", total="steps"),
)
CONFIG = TrainingJobConfig(gpus=0, additional_args=("--rate", "0.1"), trainer=TRAINER)
_TRAIN = f"""
import os, random, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.fakes.wandb_files import exit_record, offline_run, run

folder, said = Path(os.environ["EXPERIMENTS_RUN_DIR"]), dict(zip(sys.argv[1::2], sys.argv[2::2]))
log = offline_run(folder.parent, folder.name)
log.write(run(folder.name))
noise = random.Random(said["--seed"]).gauss(0, 0.1)
score = 10 * float(said["--rate"]) + noise + random.Random(said["--seed"] + said["--rate"]).gauss(0, 0.01)
log.log(*({{"step": step, "score": score}} for step in range(1, 11)))
log.write(exit_record(0))
"""
_HILLS = f"""
from experiments.experiment import Experiment
from experiments.types import BaseExperimentConfig, Field, Metrics, Trainer


class HillsConfig(BaseExperimentConfig):
    rate: float = Field(0.1, gt=0, description="Step size.")


class Hills(Experiment):
    trainer = {TRAINER!r}
    seeds = (0, 1, 2)
    config: HillsConfig


if __name__ == "__main__":
    Hills.main(HillsConfig, name="hills")
"""
_BESIDE = """
from experiments.experiment import Experiment
from experiments.jobs.journal import Rule
from hills import Hills, HillsConfig


class BesideConfig(HillsConfig):
    pass


class Beside(Experiment):
    trainer = Hills.trainer
    controls = "kept"
    hypothesis = "A larger rate climbs higher."
    rule = Rule(metric="score", direction="higher", effect=0.0, arm="fast", baseline="baseline")
    config: BesideConfig

    def launch_training_runs(self):
        jobs = [self.launch_training_run_from_config("baseline", self.job())]
        return [*jobs, self.launch_training_run_from_config("fast", self.job(rate=0.2))]


if __name__ == "__main__":
    Beside.main(BesideConfig, name="beside")
"""


class KeptProject(Project):
    """A project in git, clean, whose recipe `hills.py` has one arm; `beside.py` launches `fast` beside control kept."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        names = {"train": _TRAIN, "hills": _HILLS, "beside": _BESIDE}
        for name, text in names.items():
            (folder / f"{name}.py").write_text(text)
        (folder / ".gitignore").write_text(".experiments/\n__pycache__/\nexperiments/scratch/\n")
        git(folder, "init", "-q")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "First")

    def recipe_run(self, name: str, *arguments: str, code: int | None = 0) -> str:
        """Run the command line of a recipe and return what it says."""
        done = self._checked([sys.executable, str(self.root / f"{name}.py"), *arguments], code)
        return done.stdout + done.stderr


def repository_at(folder: Path) -> Workspace:
    """Return the workspace of a project in git with a trainer, of which nothing was launched."""
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text("print('trains')\n")
    (folder / "README.md").write_text("Text.\n")
    (folder / ".gitignore").write_text(".experiments/\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "First")
    return workspace_at(folder)


@functools.cache
def here() -> tuple[Environment, Machine]:
    """Return what a job would run in here."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    with tempfile.TemporaryDirectory() as state:
        told = inherited() | dict.fromkeys(threads, "1")
        found = probed([sys.executable, "train.py"], told, Path(state), Path(state))
        return read_environment(Path(state), found["environment"]), Machine.model_validate(found["machine"])


def control_file(workspace, *, name: str = "kept", arm: str = "baseline", seeds=(0, 1, 2), **fields) -> ControlFile:
    """Return a control of the code as it lies in a workspace, and of what runs here."""
    environment, machine = here()
    snapshot = take(workspace.root, workspace.state, workspace.settings)
    refs = [JobRef(run=f"ada.old.{arm}.s{seed}.aaaaaaaa", arm=arm, seed=seed) for seed in seeds]
    summary = {"kind": "final", "window": None, "last_values": None, "threshold": None}
    scores = KeptScores(
        metric="score",
        summary={**summary, "higher_is_better": True, "between": None},
        values={ref.run: float(ref.seed) for ref in refs},
    )
    given = {
        "name": name,
        "experiment": "old",
        "arm": arm,
        "kept_at": "2026-11-30T10:00:00+00:00",
        "plan": "k" * 64,
        "config": CONFIG,
        "runs": tuple(KeptRun(ref=ref, outcome="finished") for ref in refs),
        "snapshot": snapshot,
        "code": CodeRecord.of_snapshot(snapshot),
        "environment": environment,
        "machines": (machine,),
        "scores": (scores,),
        **fields,
    }
    return ControlFile.model_validate(given)
