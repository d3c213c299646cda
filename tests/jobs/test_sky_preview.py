"""A launch on SkyPilot before it happens: the task that is shown, and SkyPilot's own check of it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from experiments.jobs.sky_preview import check_with_skypilot, task_preview
from experiments.project.errors import LaunchError, UsageError
from tests.fakes.launching import plan_in
from tests.fakes.project import Project
from tests.fakes.skypilot import RUNNER, FakeSky, close_clients, sky_workspace


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
    arguments = ["--launcher", "skypilot", "--gpus", "0", "--yes"]
    assert "--skip-git-check" in project.run(*arguments, code=1).stderr
    assert sky.jobs() == []
    project.run(*arguments, "--skip-git-check")
    assert sky.jobs()[0]["workdir"] == str(project.root)


def test_skypilot_being_down_ends_a_launch_with_the_command_that_mends_it(project, sky):
    sky.fault(down=True)
    done = project.run("--launcher", "skypilot", "--gpus", "0", "--yes", code=1)
    assert "sky api start" in done.stderr
    sky.heal()
    project.run("--launcher", "skypilot", "--gpus", "0", "--yes")
    assert len(sky.jobs()) == 1
