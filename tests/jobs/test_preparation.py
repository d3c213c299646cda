from __future__ import annotations

import subprocess

import pytest

from experiments.jobs.journal import add_tag, write_note
from experiments.jobs.ledger import Ledger, open_ledger
from experiments.jobs.preparation import launch_notes, launch_plan
from experiments.launch import allow_launch
from experiments.project.errors import LaunchError, LaunchRefused, UsageError
from experiments.project.provenance import capture
from experiments.types import Plan
from tests.fakes.launching import plan_in, workspace_at


@pytest.fixture
def repository(tmp_path):
    def git(*words):
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "code.py").write_text("x = 1\n")
    git("add", "code.py")
    git("commit", "-qm", "first")
    return tmp_path


def skypilot(plan: Plan, **config) -> Plan:
    jobs = tuple(job.model_copy(update={"config": job.config.model_copy(update=config)}) for job in plan.jobs)
    return plan.model_copy(update={"launcher": "skypilot", "jobs": jobs, "wandb_mode": "online"})


def test_a_dirty_tree_is_a_note_locally_and_refused_on_skypilot_unless_asked_for(repository):
    (repository / "code.py").write_text("x = 2\n")
    workspace = workspace_at(repository)
    plan, code = plan_in(workspace, seeds=[0]), capture(repository)
    assert any("code.py" in note for note in launch_notes(plan, code, workspace))
    with pytest.raises(LaunchError, match="--skip-git-check"):
        launch_notes(skypilot(plan), code, workspace)
    assert launch_notes(skypilot(plan, skip_git_check=True), code, workspace)


def test_code_that_changed_since_the_repeats_first_launch_is_said(repository):
    workspace = workspace_at(repository)
    plan = plan_in(workspace, seeds=[0])
    with allow_launch() as permit:
        launch_plan(plan, permit, workspace)
    (repository / "code.py").write_text("x = 3\n")
    notes = launch_notes(plan, capture(repository), workspace)
    assert any(note.startswith("changed since this repeat was first launched") for note in notes)


def test_a_run_name_that_another_job_has_is_said_before_anything_is_launched(tmp_path):
    workspace = workspace_at(tmp_path)
    plan = plan_in(workspace, seeds=[0])
    with allow_launch() as permit:
        launch_plan(plan, permit, workspace)
    with pytest.raises(LaunchError, match="is that of another job, of experiment 'exp'"):
        launch_notes(plan.model_copy(update={"key": "0" * 64}), capture(tmp_path), workspace)


def test_the_changes_are_kept_in_the_run_folder_only_and_only_for_its_owner(repository):
    (repository / "code.py").write_text("secret_line = 1\n")
    workspace = workspace_at(repository)
    plan = plan_in(workspace, seeds=[0])
    with allow_launch() as permit:
        launch_plan(plan, permit, workspace)
    kept = workspace.runs / plan.jobs[0].run_name / "changes.diff"
    assert "secret_line" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    with Ledger.open(workspace.state, read_only=True) as ledger:
        recorded = ledger.provenance(plan.key)
    assert recorded["files"] == ["code.py"]
    assert "secret_line" not in str(recorded)


def test_a_run_that_was_launched_before_keeps_the_record_of_its_own_day(repository):
    workspace = workspace_at(repository)
    plan = plan_in(workspace, seeds=[0])
    with allow_launch() as permit:
        launch_plan(plan, permit, workspace)
        (repository / "code.py").write_text("x = 9\n")
        launch_plan(plan, permit, workspace)
    assert not (workspace.runs / plan.jobs[0].run_name / "changes.diff").exists()


def test_notes_and_tags_need_leave_and_a_tag_is_kept_once(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "hunter2-hunter2")
    workspace = workspace_at(tmp_path)
    plan = plan_in(workspace, seeds=[0])
    run = plan.jobs[0].run_name
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan)
    with pytest.raises(LaunchRefused):
        write_note([run], "text", None, workspace)
    with allow_launch() as permit:
        add_tag([run], "keep", permit, workspace)
        add_tag([run], " keep ", permit, workspace)
        with pytest.raises(UsageError, match="1 to 4,000"):
            write_note([run], "  ", permit, workspace)
        with pytest.raises(UsageError, match=r"tag 'by \*\*\*' holds a secret"):
            add_tag([run], "by hunter2-hunter2", permit, workspace)
    with open_ledger(workspace) as ledger:
        assert ledger.annotations([run])[run].tags == ("keep",)
