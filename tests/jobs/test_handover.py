from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.jobs.designs import record_journal
from experiments.jobs.journal import Journal, Rule
from experiments.jobs.specs import UNSET, job_environment, tracker_of
from experiments.launch import allow_launch, submit
from experiments.project.errors import UsageError
from experiments.project.settings import Settings
from experiments.runs.offline.places import named_step
from experiments.types import Metrics, Plan, Trainer
from tests.fakes.launching import plan_in, shell, wait_for_end, workspace_at


def test_a_tag_that_wandb_would_split_is_refused(tmp_path):
    plan = plan_in(workspace_at(tmp_path), wandb_tags=("a,b",))
    with pytest.raises(UsageError, match="'a,b'"):
        job_environment(plan, plan.jobs[0], Settings(), Path("run"))


def test_a_tag_that_holds_a_secret_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "hunter2-hunter2")
    plan = plan_in(workspace_at(tmp_path), wandb_tags=("by hunter2-hunter2",))
    with pytest.raises(UsageError, match=r"tag 'by \*\*\*' holds a secret"):
        job_environment(plan, plan.jobs[0], Settings(), Path("run"))


def test_the_users_own_number_of_threads_wins(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    plan = plan_in(workspace_at(tmp_path))
    environment = job_environment(plan, plan.jobs[0], Settings(), Path("run"))
    assert (environment["OMP_NUM_THREADS"], environment["MKL_NUM_THREADS"]) == ("4", "1")


def test_an_emptied_number_of_threads_is_none_that_the_user_chose(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    plan = plan_in(workspace_at(tmp_path))
    assert job_environment(plan, plan.jobs[0], Settings(), Path("run"))["OMP_NUM_THREADS"] == "1"


def test_the_threads_that_a_trainer_says_it_needs_win(tmp_path):
    trainer = Trainer(command="x {seed}", env={"OMP_NUM_THREADS": "3"})
    plan = plan_in(workspace_at(tmp_path), trainer=trainer)
    assert job_environment(plan, plan.jobs[0], Settings(), Path("run"))["OMP_NUM_THREADS"] == "3"


@pytest.mark.parametrize("launcher", ["local", "skypilot"])
@pytest.mark.parametrize("text", [None, "", " "])
def test_what_a_job_does_not_have_is_not_set_at_all(tmp_path, launcher, text):
    plan = plan_in(workspace_at(tmp_path))
    plan = Plan.model_validate({**plan.model_dump(), "launcher": launcher})
    settings = Settings(wandb_entity=text, wandb_group=text, run_root=text)
    environment = job_environment(plan, plan.jobs[0], settings, Path("run"))
    assert [name for name, value in environment.items() if not value.strip()] == []
    assert environment.keys().isdisjoint({"WANDB_TAGS", "WANDB_ENTITY"})
    assert ("WANDB_DIR" in environment) == ("EXPERIMENTS_RUN_DIR" in environment) == (launcher == "local")


def test_what_a_job_has_is_set(tmp_path):
    plan = plan_in(workspace_at(tmp_path), wandb_tags=("a", "b"))
    settings = Settings(wandb_entity="team", wandb_group="g", wandb_project="p")
    environment = job_environment(plan, plan.jobs[0], settings, Path("run"))
    names = ("WANDB_TAGS", "WANDB_ENTITY", "WANDB_RUN_GROUP", "WANDB_PROJECT")
    assert [environment[name] for name in names] == ["a,b", "team", "g", "p"]


def test_wandb_is_told_of_a_run_that_is_no_seed(tmp_path):
    plan = plan_in(workspace_at(tmp_path), seeds=[3], same_seed=2)
    seed, replicate = (job_environment(plan, job, Settings(), Path("run")) for job in plan.jobs)
    assert "WANDB_JOB_TYPE" not in seed
    assert replicate["WANDB_JOB_TYPE"] == "replicate"


def test_every_name_of_a_run_that_is_set_for_a_job_is_kept_from_another(tmp_path):
    plan = plan_in(workspace_at(tmp_path), wandb_tags=("a",))
    environment = job_environment(plan, plan.jobs[0], Settings(), Path("run"))
    # A project, a mode and how often W&B writes are no names of a run.
    shared = {"WANDB_PROJECT", "WANDB_MODE", "WANDB_X_TRANSACTION_LOG_FLUSH_INTERVAL", "PYTHONUNBUFFERED"}
    assert {name for name in environment if not name.endswith("_THREADS")} - shared <= set(UNSET)


def test_the_tracker_is_offline_or_the_project(tmp_path):
    plan = plan_in(workspace_at(tmp_path))
    assert tracker_of(plan, Settings()) == "offline"
    online = plan.model_copy(update={"wandb_mode": "online"})
    assert tracker_of(online, Settings(wandb_entity="team", wandb_project="p")) == "team/p"


OWN = 'echo 1 > "$EXPERIMENTS_RUN_DIR/metrics.json"'


def test_what_a_trainer_names_outlives_what_it_writes_into_its_folder(tmp_path):
    workspace = workspace_at(tmp_path, in_place=True)
    trainer = Trainer(command=shell(OWN), metrics=Metrics(step="env/steps"))
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=[0], trainer=trainer), permit, workspace)
    wait_for_end(workspace, [job.run_name])
    run_dir = workspace.runs / job.run_name
    assert (run_dir / "metrics.json").read_text() == "1\n"
    assert named_step(run_dir) == "env/steps"


def test_a_runs_config_in_wandb_is_told_the_rule_that_was_recorded_before_its_launch(tmp_path):
    workspace = workspace_at(tmp_path, command=shell('cp "$WANDB_SWEEP_PARAM_PATH" "$EXPERIMENTS_RUN_DIR/told"'))
    rule = Rule(metric="reward", direction="higher", effect=0.5, arm="b", baseline="a")
    journal, plan = Journal(hypothesis="b is better", rule=rule), plan_in(workspace, seeds=(0,), arms=("a", "b"))
    with allow_launch() as permit:
        record_journal(plan, journal, permit, workspace)
        jobs = submit(plan, permit, workspace)
    wait_for_end(workspace, [job.run_name for job in jobs])
    for job in jobs:
        told = json.loads((workspace.runs / job.run_name / "told").read_text())["experiments"]["value"]["design"]
        assert told == f"{journal.digest[:12]}: {rule.sentence}"
