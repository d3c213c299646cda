"""What a trainer would fail of at once is one sentence before anything is launched."""

from __future__ import annotations

import sys

import pytest

from experiments.experiment import Experiment
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import prepare_plan
from experiments.jobs.specs import job_environment
from experiments.project.errors import UsageError
from experiments.project.values import replaced
from experiments.types import BaseExperimentConfig, Field, Trainer, TrainingJobConfig
from tests.fakes.launching import workspace_at

SEEDED = "{python} train.py --seed {seed}"


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "train.py").write_text("")
    return workspace_at(tmp_path)


def plan_of(workspace, command, *, seeds=(0, 1), launcher="local", curriculum="", **trainer):
    config = TrainingJobConfig(trainer=Trainer(name="mine", command=command, **trainer), curriculum=curriculum)
    return prepare_plan(workspace, "exp", [RecordedJob("base", config)], seeds=seeds, launcher=launcher)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("trian --seed {seed}", "'trian' is no program on the PATH. Check the first word"),
        ("./trian.sh --seed {seed}", "'./trian.sh' is no program in this folder"),
        ("{python} tran.py --seed {seed}", "there is no script 'tran.py' in "),
        ("uv run ./tools/run.py {seed}", "there is no script './tools/run.py' in "),
        ("{python} train.py", r"is not told its seed, so 2 seeds would be one run several times. Put \{seed\}"),
        (
            SEEDED + " --out {run_folder}",
            r"\{run_folder\} in '\{run_folder\}' is no placeholder. Did you mean \{run_dir\}",
        ),
        (SEEDED + " {curriculum}", r"is told its \{curriculum\}, and the job has none"),
    ],
)
def test_a_trainer_that_cannot_start_is_refused_with_the_next_step(workspace, command, says):
    with pytest.raises(UsageError, match=says):
        plan_of(workspace, command)


def test_one_seed_of_a_trainer_that_has_none_is_no_mistake(workspace):
    assert plan_of(workspace, "{python} train.py", seeds=(0,)).jobs[0].command == ("{python}", "train.py")


def test_a_seed_in_a_variable_is_passed(workspace):
    assert len(plan_of(workspace, "{python} train.py", env={"SEED": "{seed}"}).jobs) == 2


def test_the_folder_of_a_run_is_where_its_trainer_sees_it(workspace):
    [job] = plan_of(workspace, SEEDED + " --out={run_dir}/out", seeds=(3,)).jobs
    assert job.command[-1] == f"--out={workspace.runs / job.run_name}/out"


def test_the_key_of_a_plan_is_the_same_wherever_its_runs_lie_and_whatever_is_known_of_what_it_logs(tmp_path):
    keys = set()
    for name, metrics in (("a", {}), ("b", {"step": "global_step"})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.py").write_text("")
        plan = plan_of(workspace_at(tmp_path / name), SEEDED + " --out={run_dir}", metrics=metrics)
        keys.add(plan.key)
    assert len(keys) == 1


def test_a_variable_that_a_trainer_needs_is_part_of_the_key(workspace):
    one, other = (plan_of(workspace, SEEDED, env={"MODE": mode}).key for mode in ("a", "b"))
    assert one != other


@pytest.mark.parametrize("word", ["--seed=3", "--rng_seed=3", "seed=3"])
def test_a_seed_among_the_arguments_is_refused(workspace, word):
    trainer = Trainer(command=SEEDED, style="--key value")
    config = TrainingJobConfig(trainer=trainer, additional_args=(word,))
    with pytest.raises(UsageError, match=r"sets the seed, which is part of the run's name. Use --seeds"):
        prepare_plan(workspace, "exp", [RecordedJob("base", config)])


class Config(BaseExperimentConfig):
    learning_rate: float = Field(0.1)
    env_id: str = Field("CartPole-v1")
    gpus: int = Field(2)


class Study(Experiment):
    trainer = Trainer(command="{python} train.py --seed {seed} --env {env_id}", style="--key value", dashes=True)
    config: Config


def test_fields_are_arguments_placeholders_or_resources_and_jobs_may_change_them(workspace):
    study = Study("study", Config(additional_args=("--learning_rate=0.3", "--verbose")))
    study.workspace = workspace
    job = study.plan(seeds=(5,)).jobs[0]
    assert job.command[1:] == ("train.py", "--seed", "5", "--env", "CartPole-v1", "--learning_rate=0.3", "--verbose")
    assert job.config.gpus == 2
    other = study.job(env_id="Acrobot-v1", total=9)
    assert other.trainer.values == {"env_id": "Acrobot-v1"}
    assert other.additional_args == ("--learning-rate", "0.1", "--total", "9")


def test_a_field_that_a_template_misspells_is_named(workspace):
    class Misspelt(Study):
        trainer = Trainer(command="{python} train.py {seed} {envid}")

    study = Misspelt("study", Config())
    study.workspace = workspace
    with pytest.raises(UsageError, match=r"\{envid\} in '\{envid\}' is no placeholder. Did you mean \{env_id\}"):
        study.plan()


def test_a_recipe_without_a_trainer_and_without_jobs_is_told_what_it_lacks(workspace):
    class Bare(Experiment):
        config: BaseExperimentConfig

    bare = Bare("bare")
    bare.workspace = workspace
    with pytest.raises(UsageError, match=r"Bare has no trainer.*trainer = Trainer\(command="):
        bare.plan()


def test_a_trainer_of_the_project_is_known_by_its_name(tmp_path):
    own = {"mine": {"command": [sys.executable, "-c", "pass", "{seed}"], "style": "--key=value"}}
    workspace = workspace_at(tmp_path, trainers=own, trainer="mine")
    config = TrainingJobConfig(curriculum="c", additional_args=("--a=1",))
    [job] = prepare_plan(workspace, "exp", [RecordedJob("base", config)]).jobs
    assert job.config.trainer.name == "mine"
    assert job.command == (sys.executable, "-c", "pass", "0", "--a=1")
    with pytest.raises(UsageError, match=r"'min' is not known. Did you mean 'mine'"):
        prepare_plan(workspace, "exp", [RecordedJob("base", TrainingJobConfig(trainer="min"))])


def test_a_folder_that_no_node_sees_is_asked_for_before_a_launch(workspace):
    with pytest.raises(UsageError, match=r"says \{run_dir\}, and nobody knows.*Set run_root in"):
        plan_of(workspace, SEEDED + " --out={run_dir}", launcher="skypilot")
    plan = plan_of(workspace, SEEDED, launcher="skypilot", env={"DATA_DIR": "{run_dir}"})
    job = plan.jobs[0]
    with pytest.raises(UsageError, match=r"says \{run_dir\}, and nobody knows it.*Set run_root in"):
        job_environment(plan, job, workspace.settings, workspace.runs / job.run_name)
    shared = replaced(workspace.settings, run_root="/shared")
    found = job_environment(plan, job, shared, workspace.runs / job.run_name)
    assert found["DATA_DIR"] == f"/shared/{job.run_name}"


def test_a_secret_in_what_a_trainer_needs_is_refused(workspace, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef0123456789abcdef01234567")
    for env in ({"DATA": "x-0123456789abcdef0123456789abcdef01234567"}, {"HUB_TOKEN": "abc"}):
        plan = plan_of(workspace, SEEDED, env=env)
        with pytest.raises(UsageError, match="holds a secret, and what a trainer is told is recorded"):
            job_environment(plan, plan.jobs[0], workspace.settings, workspace.runs / "x")
