"""`experiments status` of some jobs, and the other commands that take experiments and arms, over real local jobs."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from experiments.cli.__main__ import run as run_command
from experiments.cli.status import follow, plain_line, progress_table
from experiments.jobs.called import first_launch
from experiments.notebooks.data_cells import read_jobs
from experiments.types import JobStatus
from tests.fakes.answers import data_in, envelope_in
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
    found = data_in(project.command("status", *filters, "--json").stdout)["jobs"]
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


def test_the_jobs_that_go_on_and_the_newest_are_shown_and_how_many_are_not(project, monkeypatch, capsys):
    monkeypatch.setattr("experiments.cli.status._RECENT", 2)
    monkeypatch.chdir(project.root)
    assert run_command(["status", "--json"]) == 0
    told = envelope_in(capsys.readouterr().out)
    assert [job["experiment"] for job in told["data"]["jobs"]] == ["first", "second"]
    assert told["data"]["earlier"] == 3
    assert told["problems"] == [
        {"message": "3 earlier jobs that have ended are not shown.", "next": "experiments status --all"}
    ]
    assert run_command(["status"]) == 0
    assert "3 earlier jobs that have ended are not shown: experiments status --all" in capsys.readouterr().err
    assert run_command(["status", "--all", "--json"]) == 0
    told = capsys.readouterr()
    assert (len(data_in(told.out)["jobs"]), told.err) == (5, "")


def test_a_notebook_is_made_over_an_experiment_or_an_arm(project):
    for job in jobs_of(project):
        offline_run(project.state / "runs", job.run_name).write(run(job.run_name))
    project.run("over", "--runs", "experiment=first arm=arm-1")
    assert {(ref.arm, ref.seed) for ref in read_jobs(project.notebook("over"))} == {("arm-1", 0), ("arm-1", 1)}
    failed = project.run("over", "--runs", "experiment=first arm=nothing", code=2).stderr
    assert "no job of first belongs to arm 'nothing'. There are: arm-0, arm-1." in " ".join(failed.split())


def test_diff_takes_experiments_and_arms_of_experiments(project):
    document = data_in(project.command("diff", "first/arm-0", "second/arm-0", "--json").stdout)
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


def status(verdict="running", **values):
    return JobStatus(run_name="ada.exp.base.s0.abcdefgh", verdict=verdict, **values)


def text_of(table, width=140):
    out = Console(file=io.StringIO(), width=width)
    out.print(table)
    return out.file.getvalue()


def test_following_ends_when_every_job_has_ended_and_tells_success():
    polls = iter([[status("pending")], [status("succeeded")]])
    out = Console(file=io.StringIO())
    assert follow(lambda: next(polls), out) is True
    assert "succeeded" in out.file.getvalue()


def test_following_a_failed_job_tells_failure_and_its_reason():
    out = Console(file=io.StringIO(), width=200)
    assert follow(lambda: [status("failed", reason="exit code 1")], out) is False
    assert "exit code 1" in out.file.getvalue()


def test_a_row_shows_steps_speed_reward_and_time_left():
    running = status(step=50_000, total_steps=100_000, sps=1000.0, reward=3.25, started_at=0.0, as_of=50.0)
    shown = text_of(progress_table([running]))
    assert all(part in shown for part in ("● running", "50k of 100k", "1k", "3.25", "50 s"))


def test_a_long_run_name_keeps_its_end_visible():
    name = "ada." + "x" * 40 + ".a-long-arm.s3.abcdefgh"
    assert "a-long-arm.s3.abcdefgh" in text_of(progress_table([JobStatus(run_name=name, verdict="running")]))


def test_what_nobody_knows_of_a_job_is_left_out_of_its_line():
    assert plain_line(status("running", total_steps=None, step=10)) == "ada.exp.base.s0.abcdefgh  running  10 steps"
    assert plain_line(status("pending", total_steps=100)) == "ada.exp.base.s0.abcdefgh  pending"
