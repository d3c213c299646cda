from __future__ import annotations

import re
import subprocess

import pytest

from experiments.jobs.journal import add_tag, write_note
from experiments.jobs.ledger import Ledger, open_ledger
from experiments.jobs.preparation import check_plan, launch_notes, launch_plan
from experiments.launch import allow_launch
from experiments.project.errors import LaunchError, LaunchRefused, UsageError
from experiments.project.provenance import OwnCode, capture
from experiments.project.snapshots import take
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
    [said] = [note for note in launch_notes(plan, capture(repository), workspace) if "your tree" in note]
    clock = r"\d\d:\d\d:\d\d UTC"
    expected = rf"your tree differs \(1 file: code\.py\): this job runs the code of {clock}; --again launches today's"
    assert re.fullmatch(expected, said)
    assert "kept in the snapshot" not in " ".join(launch_notes(plan, capture(repository), workspace))


def test_an_ignored_folder_that_a_trainer_may_read_is_named_until_it_is_linked_in(repository):
    (repository / ".gitignore").write_text("data/\n.venv/\n.experiments/\nexperiments/scratch/\n")
    for name in ("data", ".venv", "experiments/scratch"):
        (repository / name).mkdir(parents=True)
        (repository / name / "x").touch()
    workspace = workspace_at(repository)
    [said] = [note for note in check_plan(plan_in(workspace), workspace).notes if "git ignores" in note]
    assert said.startswith("not in the snapshot, for git ignores it: data. ")
    assert 'snapshot_links = ["data"]' in said
    linked = workspace_at(repository, snapshot_links=("data",))
    assert not [note for note in check_plan(plan_in(linked), linked).notes if "git ignores" in note]


def test_code_that_changed_is_said_of_jobs_in_place_as_well(repository):
    workspace = workspace_at(repository, in_place=True)
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


def test_the_changes_of_a_run_in_place_are_kept_in_its_folder_only_and_only_for_its_owner(repository):
    (repository / "code.py").write_text("secret_line = 1\n")
    workspace = workspace_at(repository, in_place=True)
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
    workspace = workspace_at(repository, in_place=True)
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


def test_jobs_that_run_code_of_before_are_told_nothing_of_what_lies_here_now(repository):
    workspace = workspace_at(repository)
    own = OwnCode(snapshot=take(repository, workspace.state, workspace.settings))
    plan = plan_in(workspace, seeds=[0])
    (repository / "edited.py").write_text("x = 1\n")
    assert "edited.py" in " ".join(check_plan(plan, workspace).notes)
    assert "edited.py" not in " ".join(check_plan(plan, workspace, own=own).notes)


def test_that_a_repeat_takes_no_seeds_place_is_said_before_it_is_launched(tmp_path):
    workspace = workspace_at(tmp_path)
    code = capture(tmp_path)
    assert not any("once more" in note for note in launch_notes(plan_in(workspace), code, workspace))
    [said] = [note for note in launch_notes(plan_in(workspace, repeat=2), code, workspace) if "once more" in note]
    assert said.startswith("repeat 2 draws the same seeds once more, and the runs of before that finished stand")
