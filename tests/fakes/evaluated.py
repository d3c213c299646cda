"""A project of a user's own trainer that saves checkpoints, and a command of its own that plays them on maps."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import launch_plan, prepare_plan
from experiments.launch import allow_launch
from experiments.project.files import write_json
from experiments.project.workspace import Workspace
from experiments.runs.evaluations import EVALUATIONS, REQUEST, ROWS, EvaluationRequest
from experiments.types import Checkpoints, Metrics, Trainer, TrainingJob, TrainingJobConfig
from tests.fakes.launching import wait_for_end, workspace_at
from tests.fakes.repositories import commit_all, repository

TRAIN = """
import pathlib, sys
folder = pathlib.Path(sys.argv[1]) / "checkpoints"
folder.mkdir()
for step in (10, 20, 30):
    (folder / f"step_{step}.pt").write_text(f"{step} {sys.argv[2]}")
"""
EVALUATE = """
import json, pathlib, sys
checkpoint, maps, out = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
with (out.parents[3].parent / "played").open("a") as played:
    played.write(out.parent.name + "\\n")
step, seed = checkpoint.read_text().split()
rows = [{"map": number, "return": int(step) + int(seed) + number, "won": number > 1} for number in range(maps)]
temporary = out.with_suffix(".tmp")
temporary.write_text(json.dumps(rows))
temporary.rename(out)
"""
TRAINER = Trainer(
    name="mine",
    command=(sys.executable, "train.py", "{run_dir}", "{seed}"),
    checkpoints=Checkpoints(pattern="step_{step}.pt"),
    evaluate=(sys.executable, "evaluate.py", "{checkpoint}", "{maps}", "{out}"),
    metrics=Metrics(step="steps"),
    uses_gpus=False,
)


def workspace_of_own(folder: Path, **settings: object) -> Workspace:
    """Return a project in git with the two scripts."""
    root = repository(folder)
    (root / "train.py").write_text(TRAIN)
    (root / "evaluate.py").write_text(EVALUATE)
    commit_all(root)
    return workspace_at(root, **settings)


def trained(workspace: Workspace, *, trainer: Trainer = TRAINER, seeds: range = range(1)) -> list[TrainingJob]:
    """Launch the trainer and return its jobs when they have ended."""
    recorded = [RecordedJob("a", TrainingJobConfig(trainer=trainer))]
    with allow_launch() as permit:
        jobs = launch_plan(prepare_plan(workspace, "exp", recorded, seeds=seeds), permit, workspace)
    wait_for_end(workspace, [job.run_name for job in jobs])
    return jobs


def played(workspace: Workspace) -> list[str]:
    """Return which evaluations were played, once for each time."""
    file = workspace.state / "played"
    return sorted(file.read_text().split()) if file.exists() else []


def write_evaluation(run_dir: Path, step: int, values: Mapping[int, object], **asked: object) -> EvaluationRequest:
    """Write what an evaluation leaves: the value of each map; none where it has found nothing yet."""
    number = len(list((run_dir / EVALUATIONS).glob("*")))
    defaults: dict[str, object] = {
        "id": f"{number:016x}",
        "run": run_dir.name,
        "checkpoint": f"step_{step}.pt",
        "step": step,
        "sha256": "0" * 64,
        "maps": len(values),
        "code": "code",
        "command": ("play",),
        "counter": "metric/agent_step",
        "at": float(number),
    }
    request = EvaluationRequest.model_validate(defaults | asked)
    folder = run_dir / EVALUATIONS / request.id
    folder.mkdir(parents=True)
    write_json(folder / REQUEST, request.model_dump(mode="json"))
    if values:
        write_json(folder / ROWS, [{"map": at, "return": value} for at, value in values.items()])
    return request
