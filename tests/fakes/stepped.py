"""Steps of a search on a launcher whose jobs end at once, killed at random moments.

`python tests/fakes/stepped.py FOLDER TRIALS SEEDS KILLS SEED WHOLE_S [prune]` prints one JSON object: the trials, and
what was handed over.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import optuna  # noqa: F401 - so that no fork imports it anew

from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.launchers.base import JobSpec, SchedulerStatus
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.rule import Rule
from experiments.jobs.sweeps.pruning import Pruning
from experiments.jobs.sweeps.ranges import Choices, Range
from experiments.jobs.sweeps.search import Course, Search, choosing_seeds, courses, open_search
from experiments.jobs.sweeps.template import make_template
from experiments.launch import allow_launch
from experiments.project.errors import LaunchError
from experiments.project.provenance import OwnCode, Provenance
from experiments.results.steps import take_step
from experiments.types import Metrics, Trainer, TrainingJobConfig
from tests.fakes.launching import FileCluster, workspace_at
from tests.fakes.swept_trainer import score_of
from tests.fakes.wandb_files import exit_record, offline_run, run

TRAINER = Trainer(
    name="swept",
    command=("python", "train.py", "--seed", "{seed}"),
    style="--key value",
    metrics=Metrics(step="step", primary="score", direction="higher"),
)
SPACE = {"rate": Range(low=1e-5, high=1e-1, log=True), "batch": Choices(values=(256, 512))}


class AtOnce(FileCluster):
    """A launcher whose jobs have ended when they are handed over, each with the score that its settings have.

    Attributes:
        dies: Tells of a job's seed and settings whether it dies instead.
        runs_on: Run names that have not ended.
        words: What the scheduler says of a job instead, by run name.
    """

    def __init__(self, folder: Path, dies=lambda _seed, _said: False) -> None:
        super().__init__(folder)
        self.dies, self.runs_on, self.words, self._runs = dies, set(), {}, folder / "runs"

    def submit(self, job: JobSpec) -> str:
        said = job.config.set_arguments()
        seed = int(job.command[job.command.index("--seed") + 1])
        if not self.dies(seed, said):
            # The run first, and whole: whoever kills the submitter of a job kills no trainer on a cluster.
            making = self._runs.parent / f"making.{os.getpid()}"
            log = offline_run(making, job.run_name).write(run(job.run_name))
            score = score_of(float(said["rate"]), int(said["batch"]), seed)
            log.log(*({"step": step, "score": score * step / 100} for step in range(10, 101, 10)))
            log.write(exit_record(0))
            if not (self._runs / job.run_name / "wandb").exists():
                (self._runs / job.run_name).mkdir(exist_ok=True)
                (making / job.run_name / "wandb").rename(self._runs / job.run_name / "wandb")
        return super().submit(job)

    def poll(self, jobs: Mapping[str, str]) -> dict[str, SchedulerStatus]:
        if self.unreachable:
            raise LaunchError(self.unreachable)
        found = {}
        for job in self.jobs():
            seed, said = job["seed"], job["said"]
            word = "RUNNING" if job["name"] in self.runs_on else "FAILED" if self.dies(seed, said) else "SUCCEEDED"
            word = self.words.get(job["name"], word)
            found[job["name"]] = SchedulerStatus(word, exit_code=1 if word == "FAILED" else 0)
        return {name: found[name] for name in jobs if name in found}

    def jobs(self) -> list[dict]:
        """Return what was handed over, with what each job was told."""
        return [{**job, **_said(job["command"])} for job in super().jobs()]


def _said(command: Sequence[str]) -> dict:
    words = dict(zip(command[2::2], command[3::2], strict=False))
    return {"seed": int(words["--seed"]), "said": {"rate": words["--rate"], "batch": words["--batch"]}}


def config_of(values) -> TrainingJobConfig:
    words = ("--rate", str(values.get("rate", 1e-4)), "--batch", str(values.get("batch", 256)))
    return TrainingJobConfig(trainer=TRAINER, additional_args=words)


def search_of(**changes) -> Search:
    values = {
        "experiment": "study",
        "space": SPACE,
        "own": {"rate": 1e-4, "batch": 256},
        "rule": Rule(metric="score", direction="higher", effect=0.5),
        "seeds": choosing_seeds(2),
        "trials": 12,
        "at_once": 2,
        "launcher": "skypilot",
        "train_command": ("python", "train.py"),
        "template": make_template(SPACE, config_of),
        "own_config": config_of({}).model_dump(mode="json"),
        "provenance": Provenance(state="clean", own=OwnCode()),
    }
    return Search(**{**values, **changes})


def course(workspace) -> Course:
    with open_ledger(workspace, read_only=True) as ledger:
        return courses(ledger)[0]


def opened(folder: Path, search: Search, dies=lambda _seed, _said: False):
    """Return a workspace with an opened search and the launcher of its jobs."""
    workspace = workspace_at(folder, user="ada")
    cluster = AtOnce(workspace.state, dies)
    with allow_launch() as permit, open_ledger(workspace) as ledger:
        open_search(ledger, search, permit)
    return workspace, cluster


def to_the_end(workspace) -> None:
    with allow_launch() as permit:
        while course(workspace).is_open:
            stepped = take_step(workspace, permit)
            assert not stepped.problems, stepped.problems


def killed_at_random(work: Callable[[], object], kills: int, seed: int, whole_s: float) -> dict[str, float]:
    """Do the work to its end, in forks that are killed at random moments before.

    The forks are of a process that has started no thread; SIGKILL runs no `finally`.

    Args:
        whole_s: What the work takes where nobody kills it: all kills together leave it half of that.

    Returns:
        How many were `killed`, and how long the last part `took`, in seconds.
    """
    drawn, killed = random.Random(seed), 0
    while killed < kills:
        pid = os.fork()
        if not pid:
            try:
                work()
            except BaseException:  # noqa: BLE001 - of a fork, which ends here
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        time.sleep(drawn.uniform(0.0, whole_s / kills))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0, "a step failed"
            break  # it was done before it could be killed
        killed += 1
    started = time.monotonic()
    work()
    return {"killed": killed, "took": time.monotonic() - started}


def main(folder: str, trials: int, seeds: int, kills: int, seed: int, whole_s: float, *, prunes: bool) -> None:
    prune = Pruning(trials=2) if prunes else None
    search = search_of(trials=trials, seeds=choosing_seeds(seeds), prune=prune, budget="study")
    workspace, cluster = opened(Path(folder), search)
    with open_ledger(workspace) as ledger:
        ledger.grant("study", Limits(jobs=trials * seeds), "test")
    LAUNCHERS["skypilot"] = lambda _: cluster
    done = killed_at_random(lambda: to_the_end(workspace), kills, seed, whole_s)
    found = [[trial.values, trial.score] for trial in course(workspace).trials]
    pruned = [trial.pruned and trial.pruned.model_dump() for trial in course(workspace).trials]
    with open_ledger(workspace, read_only=True) as ledger:
        done |= {"drawn": ledger.budgets()[0].jobs}
    print(json.dumps({**done, "trials": found, "pruned": pruned, "names": [job["name"] for job in cluster.jobs()]}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:6]), float(sys.argv[6]), prunes=sys.argv[7:] == ["prune"])
