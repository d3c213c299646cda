"""`experiments status` of some jobs, and the other commands that take experiments and arms, over real local jobs."""

from __future__ import annotations

import json

import pytest

from experiments.jobs.finding import first_launch
from experiments.notebooks.data_cells import read_jobs
from tests.fakes.project import Project, jobs_of
from tests.fakes.wandb_files import offline_run, run

# The second arm of an experiment fails.
SCRIPT = "case {run} in *.arm-1.*) echo 'ValueError: odd'; exit 3;; esac; echo hello"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("project"), SCRIPT, wandb_mode="offline")
    made.run("first", "--arms", "2", "--seeds", "2", "--follow", code=None)
    made.run("second", "--follow")
    return made


def shown(project, *filters):
    found = json.loads(project.command("status", *filters, "--json").stdout)
    return [(job["experiment"], job["arm"], job["seed"], job["verdict"]) for job in found]


def test_jobs_are_chosen_by_experiment_arm_state_and_number(project):
    every = [
        ("first", "arm-0", 0, "succeeded"),
        ("first", "arm-0", 1, "succeeded"),
        ("first", "arm-1", 0, "failed"),
        ("first", "arm-1", 1, "failed"),
        ("second", "arm-0", 0, "succeeded"),
    ]
    assert shown(project) == every
    assert shown(project, "first") == every[:4]
    assert shown(project, "--arm", "arm-0") == [*every[:2], every[4]]
    assert shown(project, "--state", "failed") == every[2:4]
    assert shown(project, "--state", "failed", "succeeded", "--last", "2") == every[3:]
    assert shown(project, "first", "--arm", "arm-0", "arm-1", "--state", "failed", "--last", "20") == every[2:4]
    assert shown(project, "second", "--state", "running") == []


def test_the_table_has_the_same_jobs_and_says_when_there_is_none(project):
    table = project.command("status", "first", "--arm", "arm-1", "--last", "1").stdout
    assert [line.split()[1:3] for line in table.splitlines() if ".arm-" in line] == [["✕", "failed"]]
    assert project.command("status", "second", "--state", "failed").stdout == "None of 1 job is failed.\n"


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (["third"], "no job belongs to experiment 'third'. There are: first, second."),
        (["second", "--arm", "arm-1"], "no job of second belongs to arm 'arm-1'. There are: arm-0."),
        (["--arm", "arm-0", "low"], "belongs to arm 'low'. There are: arm-0, arm-1."),
        (["--state", "finished"], "--state 'finished' is none of pending, running, recovering, succeeded,"),
        (["--last", "0"], "--last 0: at least 1"),
    ],
)
def test_what_does_not_exist_is_an_error_that_names_what_does(project, filters, said):
    assert said in " ".join(project.command("status", *filters, code=2).stderr.split())


def test_a_notebook_is_made_over_an_experiment_or_an_arm(project):
    for job in jobs_of(project):
        offline_run(project.state / "runs", job.run_name).write(run(job.run_name))
    project.run("over", "--runs", "experiment=first arm=arm-1")
    assert {(ref.arm, ref.seed) for ref in read_jobs(project.notebook("over"))} == {("arm-1", 0), ("arm-1", 1)}
    failed = project.run("over", "--runs", "experiment=first arm=nothing", code=2).stderr
    assert "no job of first belongs to arm 'nothing'. There are: arm-0, arm-1." in " ".join(failed.split())


def test_diff_takes_experiments_and_arms_of_experiments(project):
    document = json.loads(project.command("diff", "first/arm-0", "second/arm-0", "--json").stdout)
    assert [len(document[side]["runs"]) for side in "ab"] == [2, 1]
    text = project.command("diff", "first", "second").stdout
    assert "a  first (4 runs)\nb  second (1 run)" in text
    assert "no metrics are compared: first has 2 arms" in " ".join(text.split())
    assert "first/arm-0, first/arm-1, second/arm-0" in project.command("diff", "first", "third", code=2).stderr


def test_no_job_yet_names_a_recipe_that_the_project_has_or_how_to_write_one(tmp_path):
    assert first_launch(tmp_path) == "Write a recipe to launch: uv run experiments new NAME"
    (tmp_path / "experiments" / "recipes").mkdir(parents=True)
    (tmp_path / "experiments" / "recipes" / "arena_experiment.py").touch()
    assert first_launch(tmp_path) == "Launch one: uv run experiments/recipes/arena_experiment.py"
