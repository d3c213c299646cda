"""What is shown of a launch before it: how long it may take, what it costs, the task, and SkyPilot's own check."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from experiments.jobs.events import NO_COST, UNKNOWN
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.jobs.preview import check_with_skypilot, estimate, plan_cost, task_preview, time_words
from experiments.project.errors import LaunchError, UsageError
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.project import Project
from tests.fakes.skypilot import RUNNER, FakeSky, close_clients, sky_workspace
from tests.fakes.waiting import wait_until

STEPS = "trainer.total_timesteps=1000"


@pytest.fixture
def workspace(tmp_path):
    return workspace_at(tmp_path)


def ended(workspace, seconds, *, word="SUCCEEDED", **options):
    """Leave the jobs of a plan as ended after so many seconds."""
    plan = plan_in(workspace, **{"launcher": "skypilot", "seeds": [0, 1, 2], **options})
    names = [job.run_name for job in plan.jobs]
    outcome = {"word": word, "started_at": 100.0, "ended_at": 100.0 + seconds}
    with open_ledger(workspace) as ledger, tenure() as owner:
        ledger.record_plan(plan)
        ledger.intend({name: {} for name in names}, plan.target, owner)
        ledger.conclude(owner, accepted={name: name for name in names})
        ledger.settle(dict.fromkeys(names, outcome))


def plan(workspace, **options):
    return plan_in(workspace, **{"launcher": "skypilot", "repeat": 2, "seeds": [0, 1], **options})


def test_nothing_is_guessed_before_a_job_like_it_has_succeeded(workspace):
    assert estimate(plan(workspace), workspace) == "cost unknown, time unknown"
    ended(workspace, 600, word="FAILED", additional_args=(STEPS,))
    assert time_words(plan(workspace, additional_args=(STEPS,)), workspace) == "time unknown"


def test_equal_jobs_give_their_time_and_say_how_many_they_were(workspace):
    ended(workspace, 600)
    assert time_words(plan(workspace), workspace) == "about 10 m a job (estimate from 3 ended jobs like them)"


def test_more_steps_take_longer_at_the_same_speed(workspace):
    ended(workspace, 600, additional_args=(STEPS,))
    more = plan(workspace, additional_args=("trainer.total_timesteps=3000",))
    assert time_words(more, workspace).startswith("about 30 m a job")
    assert time_words(plan(workspace), workspace) == "time unknown"


def test_another_arm_with_other_settings_tells_nothing(workspace):
    ended(workspace, 600, additional_args=(STEPS,))
    other = plan(workspace, arms=("base", "wide"), additional_args=(STEPS,))
    assert time_words(other, workspace).startswith("about 10 m a job (estimate from 3 ended jobs")
    wide = plan(workspace, arms=("wide",), additional_args=(STEPS, "trainer.hidden_size=512"))
    assert time_words(wide, workspace) == "time unknown"


def test_a_run_that_goes_on_from_another_has_no_estimate_and_gives_none(workspace):
    ended(workspace, 600, additional_args=(STEPS, "trainer.resume_from=x"))
    assert time_words(plan(workspace, additional_args=(STEPS,)), workspace) == "time unknown"


def test_a_dry_run_tells_what_this_machine_would_need_with_its_slots(workspace):
    ended(workspace, 600, launcher="local")
    dry = plan(workspace, launcher="dry-run", seeds=range(4))
    assert estimate(dry, workspace) == "no cost, about 10 m a job, 20 m in all (estimate from 3 ended jobs like them)"


def test_a_plan_costs_what_its_limits_allow_and_nothing_here(tmp_path):
    workspace = workspace_at(tmp_path)
    limited = plan_in(workspace, seeds=[0, 1], nodes=2, max_hourly_cost=3.0, max_runtime_hours=2.0)
    assert plan_cost(limited) == NO_COST
    away = limited.model_copy(update={"launcher": "skypilot"})
    assert plan_cost(away).text.startswith("at most $24.00 without recoveries")
    unlimited = plan_in(workspace, max_hourly_cost=3.0).model_copy(update={"launcher": "skypilot"})
    assert plan_cost(unlimited) == UNKNOWN


@pytest.fixture
def sky(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_SKY_DIR", str(tmp_path / "sky"))
    monkeypatch.setenv("SKYPILOT_API_SERVER_ENDPOINT", "http://fake:1")
    monkeypatch.setenv("EXPERIMENTS_SKY_PYTHON", f"{sys.executable} {RUNNER}")
    yield FakeSky(tmp_path / "sky")
    close_clients()


@pytest.fixture
def project(sky, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPERIMENTS_RUN_ROOT", "/shared/runs")
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project")


def test_the_task_of_the_first_job_is_shown_without_asking_anybody(sky, tmp_path):
    workspace = sky_workspace(tmp_path)
    plan = plan_in(workspace, launcher="skypilot", seeds=[0, 1])
    shown = yaml.safe_load(task_preview(plan, workspace))
    assert (shown["name"], shown["resources"]) == (plan.jobs[0].run_name, {"accelerators": "H100:1"})
    assert sky.calls() == {}


def test_a_job_that_could_not_run_there_is_refused_in_the_preview(sky, tmp_path):
    workspace = sky_workspace(tmp_path, sky_accelerator=None)
    with pytest.raises(UsageError, match="SkyPilot wants one"):
        task_preview(plan_in(workspace, launcher="skypilot"), workspace)


def test_skypilot_checks_each_kind_of_job_once_and_launches_none(sky, tmp_path):
    workspace = sky_workspace(tmp_path)
    assert check_with_skypilot(plan_in(workspace, launcher="skypilot", arms=("a", "b")), workspace) == 1
    assert (sky.calls()["launch"], sky.jobs()) == (1, [])
    sky.fault(refuse="Partition 'x' not found")
    with pytest.raises(LaunchError, match=r"SkyPilot refuses job 'ada\.exp\.base\.s0\..*Partition 'x' not found"):
        check_with_skypilot(plan_in(workspace, launcher="skypilot"), workspace)


def test_a_dry_run_shows_the_task_and_has_skypilot_check_it(project, sky):
    done = project.run("--launcher", "skypilot", "--dry-run", "--gpus", "0")
    assert "SkyPilot task of the job" in done.stdout
    assert "SkyPilot accepts it." in done.stdout
    assert "Dry run: nothing was launched" in done.stdout
    assert (sky.calls()["launch"], sky.jobs(), project.notebook().exists()) == (1, [], False)


def test_a_launch_without_a_terminal_needs_yes_and_happens_once(project, sky):
    arguments = ["--launcher", "skypilot", "--gpus", "0"]
    refused = project.run(*arguments, code=1)
    assert "add --yes" in refused.stderr
    assert sky.jobs() == []
    for _ in range(2):
        project.run(*arguments, "--yes")
    assert len(sky.jobs()) == 1


def test_a_changed_tree_is_refused_unless_somebody_says_so(project, sky):
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=project.root, check=True)
    project.recipe.write_text(project.recipe.read_text() + "\n")
    arguments = ["--launcher", "skypilot", "--gpus", "0", "--yes", "--wait"]
    assert "--skip-git-check" in project.run(*arguments, code=1).stderr
    assert sky.jobs() == []
    project.run(*arguments, "--skip-git-check")
    [copy] = (project.state / "code").glob("*/tree")
    assert sky.jobs()[0]["workdir"] == str(copy)
    assert (copy / project.recipe.relative_to(project.root)).read_text() == project.recipe.read_text()


def test_a_launch_while_skypilot_is_down_waits_for_it_and_says_the_command_that_mends_it(project, sky):
    sky.fault(down=True)
    project.run("--launcher", "skypilot", "--gpus", "0", "--yes")
    wait_until(lambda: "sky api start" in project.command("status").stdout, timeout_s=60)
    assert sky.jobs() == []
    sky.heal()
    wait_until(lambda: len(sky.jobs()) == 1, timeout_s=90)
