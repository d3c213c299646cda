from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from experiments.trainer.checkpoint import Checkpoint, save
from tests.fakes.answers import data_in
from tests.fakes.project import COUNTED, Project, jobs_of

pytestmark = pytest.mark.slow

FAILS = 'echo {run} >> "$EXPERIMENTS_RUN_DIR/../../started"; exit 3'
NOTES = 'echo {run} >> "$EXPERIMENTS_RUN_DIR/../../started"'


def noting(folder: Path, script: str = NOTES) -> Project:
    """Return a project whose command line is our trainer's by name, and only notes that it was started."""
    return Project(folder, train_command=["/bin/sh", "-c", script, "experiments.trainer", "run={run}"])


def in_git(project: Project) -> Project:
    (project.root / ".gitignore").write_text(".experiments/\n")
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first")
    return project


def git(project: Project, *arguments: str) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=project.root, check=True, capture_output=True)


@pytest.fixture
def failing(tmp_path):
    project = in_git(Project(tmp_path, script=FAILS))
    project.run("--follow", code=1)
    return project


def line(printed: str, name: str) -> str:
    found = re.search(rf"^{name}  +(.*)$", printed, re.MULTILINE)
    assert found, printed
    return found[1]


def retried(project: Project, run: str, *options: str) -> subprocess.CompletedProcess[str]:
    done = project.command("retry", run, *options)
    project.command("logs", "-f", jobs_of(project)[-1].run_name)
    return done


def test_a_retry_after_a_failed_retry_is_a_third_attempt_and_names_what_it_retries(failing):
    [first] = jobs_of(failing)
    retried(failing, first.run_name)
    said = retried(failing, first.run_name).stdout
    _, second, third = jobs_of(failing)
    assert (third.attempt, third.retry_of) == (3, second.run_name)
    assert said == f"{first.run_name}: attempt 3 is {third.run_name}, once more after {second.run_name}\n"
    assert failing.started() == [first.run_name, second.run_name, third.run_name]


def test_a_retry_with_the_same_code_says_nothing_of_it(failing):
    [first] = jobs_of(failing)
    assert retried(failing, first.run_name).stderr == ""
    told = failing.command("show", jobs_of(failing)[-1].run_name).stdout
    assert line(told, "code that ran") == "as recorded for its plan"


@pytest.mark.parametrize("name", ["study.py", "new_recipe.py"])
def test_a_retry_with_other_code_says_so_and_its_record_names_the_code_that_ran(failing, name):
    [first] = jobs_of(failing)
    with (failing.root / name).open("a") as file:
        file.write("# edited\n")
    warned = retried(failing, first.run_name, "--code", "now").stderr
    assert warned == f"WARNING: THE CODE IS NOT THAT OF {first.run_name}: 1 file differs: {name}\n"
    second = jobs_of(failing)[-1].run_name
    said = line(failing.command("show", second).stdout, "code that ran")
    assert said == f"its code differed from the plan's record: changes on top of the commit differ: 1 file: {name}"
    assert line(failing.command("show", first.run_name).stdout, "code that ran") == "as recorded for its plan"
    [compared] = re.findall(r"(?s)\ncode\n(.*?)\n\n", failing.command("diff", first.run_name, second).stdout)
    assert "the first: clean; the second: 1 changed file not committed" in compared
    assert "another code than the plan's record" in compared


@pytest.mark.parametrize("in_place", [False, True])
def test_a_job_that_waited_while_the_code_changed_ran_the_code_of_its_launch_or_says_that_it_differed(
    tmp_path, in_place
):
    wait = 'while [ ! -e "$EXPERIMENTS_RUN_DIR/../../go" ]; do sleep 0.05; done'
    project = in_git(Project(tmp_path, script=f"{COUNTED}; {wait}", max_parallel=1))
    project.run("--no-follow", "--seeds", "2", *(["--in-place"] if in_place else []))
    first, second = [job.run_name for job in jobs_of(project)]
    project.wait_until_started(1)
    assert line(project.command("show", second).stdout, "code that ran") == (
        "not known which code ran: it was not started yet"
    )
    (project.root / "helper.py").write_text("x = 1\n")
    (project.state / "go").touch()
    project.command("logs", "-f", second)
    ran = [line(project.command("show", run).stdout, "code that ran") for run in (first, second)]
    if not in_place:
        assert ran == ["as recorded for its plan"] * 2
    else:
        assert ran[0].startswith("as recorded for its plan; code not fixed: it ran in the working tree")
        assert "1 file: helper.py; code not fixed" in ran[1]


def test_without_a_repository_it_is_known_which_code_ran_but_in_place(tmp_path):
    project = Project(tmp_path)
    project.run("--follow")
    project.run("--follow", "--again", "--in-place")
    ran = [line(project.command("show", job.run_name).stdout, "code that ran") for job in jobs_of(project)]
    assert ran[0] == "as recorded for its plan"
    assert ran[1].startswith("not known which code ran: fatal: not a git repository")


def test_show_says_what_status_says_with_reward_steps_and_folder_and_the_command_once_as_it_ran(failing):
    [job] = jobs_of(failing)
    told = failing.command("show", job.run_name).stdout
    [status] = data_in(failing.command("status", "--json").stdout)["jobs"]
    assert (line(told, "state"), line(told, "because")) == (status["verdict"], status["reason"])
    assert line(told, "scheduler says") == status["scheduler"] == "FAILED"
    assert re.search(r"^steps +", told, re.MULTILINE)
    assert re.search(r"^reward +", told, re.MULTILINE)
    assert line(told, "files") == f".experiments/runs/{job.run_name}"
    assert re.findall(r"^command ", told, re.MULTILINE) == ["command "]
    assert job.run_name in line(told, "command")
    assert "{" not in line(told, "command")
    document = data_in(failing.command("show", job.run_name, "--json").stdout)
    assert document["status"]["verdict"] == status["verdict"]


@pytest.fixture
def trained(tmp_path):
    """A run of a `--vary` arm that has ended with a checkpoint at agent-step 2,000, in a project with a W&B place."""
    project = noting(tmp_path)
    project.run("--follow", "--vary", "gpus=1,2", "--wandb-project", "elsewhere", "--seeds", "7..7")
    job = jobs_of(project)[1]
    checkpoint = Checkpoint({}, {"agent_step": 2000})
    save(project.state / "runs" / job.run_name / "checkpoints", checkpoint, keep=3)
    return project, job


def test_a_run_of_a_vary_arm_goes_on_with_its_own_arm_config_and_command(trained):
    project, job = trained
    project.recipe.write_text("raise SystemExit('the recipe has gone')")
    said = project.command("resume", job.run_name, "--steps", "90000").stdout
    new = jobs_of(project)[-1]
    assert f"{job.run_name} goes on as {new.run_name}" in said
    assert "goes on from its checkpoint" in said
    assert "the baseline" not in said
    assert (new.arm, new.seed, new.config.gpus, new.experiment) == ("gpus-2", 7, 2, "study")
    assert new.config.additional_args == (
        "trainer.total_timesteps=90000",
        f"trainer.resume_from={job.run_name}",
    )
    assert new.command[:5] == tuple(word.replace(job.run_name, new.run_name) for word in job.command)
    project.command("logs", "-f", new.run_name)
    record = json.loads((project.state / "runs" / new.run_name / "job.json").read_text())
    assert record["env"]["WANDB_PROJECT"] == "elsewhere"
    assert project.started().count(new.run_name) == 1


def test_a_run_that_goes_on_from_an_earlier_checkpoint_is_a_fork_with_its_parent_in_the_record(trained):
    project, job = trained
    save(project.state / "runs" / job.run_name / "checkpoints", Checkpoint({}, {"agent_step": 5000}), keep=3)
    refused = project.command("resume", job.run_name, "--from", "3000", code=2).stderr
    assert "no checkpoint at agent-step 3,000. It has: 2,000, 5,000. Name one of these: --from 2000" in refused
    said = project.command("resume", job.run_name, "--from", "2000", "--steps", "90000").stdout
    fork = jobs_of(project)[-1]
    assert f"{job.run_name} goes on from agent-step 2,000 as {fork.run_name}" in said
    assert (fork.role, fork.parent, fork.counts) == ("fork", job.run_name, False)
    assert fork.config.get_arg_value("trainer.resume_step") == "2000"
    project.command("logs", "-f", fork.run_name)


def test_a_retry_runs_its_own_code_and_with_code_now_todays(trained):
    project, job = trained
    (project.root / "new.py").write_text("x = 1\n")
    assert "WARNING" not in project.command("retry", job.run_name).stderr
    project.command("logs", "-f", jobs_of(project)[-1].run_name)
    assert "THE CODE IS NOT THAT OF" in project.command("retry", job.run_name, "--code", "now").stderr
    project.command("logs", "-f", jobs_of(project)[-1].run_name)


def test_a_resumed_replicate_stays_one(trained):
    project, _ = trained
    project.run("--follow", "--same-seed", "2", "--seeds", "7..7")
    replicate = jobs_of(project)[-1]
    save(project.state / "runs" / replicate.run_name / "checkpoints", Checkpoint({}, {"agent_step": 2000}), keep=3)
    project.command("resume", replicate.run_name, "--steps", "90000")
    new = jobs_of(project)[-1]
    assert (new.role, new.replicate, new.seed) == ("replicate", 1, 7)
    project.command("logs", "-f", new.run_name)


def test_a_resume_is_launched_once_while_it_has_not_ended(trained):
    project, job = trained
    document = data_in(project.command("resume", job.run_name, "--dry-run", "--json").stdout)
    assert len(jobs_of(project)) == 2
    project.state.joinpath("runs", document["plan"]["jobs"][0]["run_name"]).mkdir()
    launched = data_in(project.command("resume", job.run_name, "--json").stdout)
    assert launched["resumed"] == job.run_name
    assert launched["launched"][0]["run_name"] == document["plan"]["jobs"][0]["run_name"]


def test_a_recipe_resumes_a_run_of_an_arm_that_it_does_not_have(trained):
    project, job = trained
    refused = project.run("--resume", job.run_name, "--gpus", "4", code=2).stderr
    assert "goes on with its own settings. Leave --gpus out" in refused
    project.run("--resume", job.run_name, "--follow")
    new = jobs_of(project)[-1]
    assert (new.arm, new.seed, new.config.gpus) == ("gpus-2", 7, 2)


def test_what_cannot_be_resumed_is_refused_in_one_sentence_and_nothing_is_launched(trained, tmp_path):
    project, job = trained
    without = jobs_of(project)[0].run_name
    assert "has no checkpoint in" in project.command("resume", without, code=2).stderr
    said = project.command("resume", job.run_name, "--steps", "2000", code=2).stderr
    assert "at agent-step 2,000, and 2,000 are asked for in all, so no step is left" in said
    assert len(jobs_of(project)) == 2
    (tmp_path / "other").mkdir()
    other = Project(tmp_path / "other")
    other.run("--follow")
    foreign = other.command("resume", jobs_of(other)[0].run_name, code=2).stderr
    assert "was trained by another trainer (/bin/sh -c" in foreign


def test_a_run_that_has_not_ended_is_not_resumed(tmp_path):
    project = noting(tmp_path, f'{NOTES}\nwhile [ ! -e "$EXPERIMENTS_RUN_DIR/../../go" ]; do sleep 0.05; done')
    project.run("--no-follow")
    [job] = jobs_of(project)
    project.wait_until_started(1)
    assert "has not ended (RUNNING)" in project.command("resume", job.run_name, code=2).stderr
    (project.state / "go").touch()
    project.command("logs", "-f", job.run_name)
