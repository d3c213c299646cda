"""What is planned of a run that is done once more, and which reproductions of it there are."""

from __future__ import annotations

import sys

import pytest

from experiments.jobs.ledger import open_ledger
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import check_plan, launch_plan, prepare_plan
from experiments.jobs.reproducing import path_begun_from, reproduction_plan, reproductions
from experiments.jobs.submission import code_of_job
from experiments.launch import allow_launch
from experiments.project.errors import ExperimentsError
from experiments.project.values import replaced
from experiments.types import Trainer, TrainingJobConfig
from tests.fakes.launching import wait_for_end, workspace_at
from tests.fakes.repositories import repository


@pytest.fixture
def workspace(tmp_path):
    root = repository(tmp_path / "p")
    (root / "train.py").write_text("print('trained')\n")
    return workspace_at(root)


@pytest.fixture
def job(workspace):
    """A job of another trainer than ours, whose script is gone since."""
    config = TrainingJobConfig(curriculum="arena", trainer=Trainer(command=(sys.executable, "train.py", "{seed}")))
    with allow_launch() as permit:
        [job] = launch_plan(prepare_plan(workspace, "exp", [RecordedJob("a", config)], seeds=[0]), permit, workspace)
    wait_for_end(workspace, [job.run_name])
    (workspace.root / "train.py").unlink()
    return job


def test_a_reproduction_that_no_launcher_got_is_none_and_is_completed_by_the_next(workspace, job):
    plan = reproduction_plan(workspace, job)
    with open_ledger(workspace) as ledger:
        own = code_of_job(ledger, job)
        checked = check_plan(plan, workspace, own=own)
        # Whoever launches it is killed here.
        ledger.record_plan(plan, provenance=checked.code.running(own).model_dump(mode="json"))
    assert reproductions(workspace, [job.run_name]) == {}
    assert reproduction_plan(workspace, job) == plan
    with allow_launch() as permit:
        [again] = launch_plan(checked, permit, workspace)
    assert again.run_name == plan.jobs[0].run_name
    wait_for_end(workspace, [again.run_name])
    assert reproductions(workspace, [job.run_name])[job.run_name].run_name == again.run_name
    assert (workspace.runs / again.run_name / "train.log").read_text() == "trained\n"


def test_a_run_that_went_on_from_a_path_is_not_reproduced_without_what_lay_there(workspace, job, tmp_path):
    trainer = Trainer(command=job.config.trainer.command, resume="init", resume_value="{checkpoint}")
    file = tmp_path / "checkpoint.pt"

    def resumed(value):
        config = replaced(job.config, trainer=trainer, additional_args=(f"init={value}",))
        return replaced(job, config=config)

    assert path_begun_from(job) is None
    assert path_begun_from(resumed("within/the/snapshot.pt")) is None
    with pytest.raises(ExperimentsError, match=f"went on from '{file}', which is not here"):
        reproduction_plan(workspace, resumed(file))
    file.touch()
    assert reproduction_plan(workspace, resumed(file)).jobs[0].parent == job.run_name
    with pytest.raises(ExperimentsError, match=r"went on from '\{state\}/runs/x\.pt'"):
        reproduction_plan(workspace, resumed("{state}/runs/x.pt"))
