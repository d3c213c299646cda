"""Where a run is kept that moves between machines, and the script that writes its log."""

from __future__ import annotations

import os
import subprocess

import pytest

from experiments.jobs.specs import job_environment
from experiments.project.errors import LaunchError, UsageError
from experiments.project.settings import Settings, load_settings
from experiments.project.workspace import files_of, node_script, storage_notes, visible_root
from tests.fakes.launching import plan_in, workspace_at


def plan_for(folder, launcher="skypilot", mode="offline"):
    plan = plan_in(workspace_at(folder), seeds=[0])
    return plan.model_copy(update={"launcher": launcher, "wandb_mode": mode})


def folders(plan, settings, here):
    environment = job_environment(plan, plan.jobs[0], settings, here)
    return environment.get("EXPERIMENTS_RUN_DIR"), environment.get("WANDB_DIR")


def test_a_cluster_keeps_runs_under_run_root_and_this_machine_under_its_own(tmp_path):
    name = plan_for(tmp_path).jobs[0].run_name
    shared = Settings(run_root="/shared/runs/")
    assert folders(plan_for(tmp_path), shared, tmp_path) == (f"/shared/runs/{name}",) * 2
    assert folders(plan_for(tmp_path, "local"), shared, tmp_path) == (str(tmp_path),) * 2
    assert folders(plan_for(tmp_path), Settings(), tmp_path) == (None, None)


def test_a_cluster_without_run_root_needs_wandb_online_and_starts_again_at_zero(tmp_path):
    with pytest.raises(LaunchError, match=r"without run_root .* W&B is offline\. .*EXPERIMENTS_RUN_ROOT.*wandb login"):
        storage_notes(plan_for(tmp_path), Settings())
    [note] = storage_notes(plan_for(tmp_path, mode="online"), Settings())
    assert "a preempted job starts again at agent-step 0" in note
    assert storage_notes(plan_for(tmp_path, "local"), Settings()) == []


def test_the_preview_says_whether_run_root_is_seen_from_here(tmp_path):
    [near] = storage_notes(plan_for(tmp_path), Settings(run_root=str(tmp_path)))
    [far] = storage_notes(plan_for(tmp_path), Settings(run_root="/nowhere/runs"))
    assert "read live from here" in near
    assert "experiments pull" in far
    assert (visible_root(Settings()), visible_root(Settings(run_root=str(tmp_path)))) == (None, tmp_path)


@pytest.mark.parametrize("path", ["runs", "/", "/a/../b", "s3://bucket", "~/runs", "/a\nb"])
def test_a_run_root_that_is_no_plain_absolute_path_is_refused(tmp_path, monkeypatch, path):
    monkeypatch.setenv("EXPERIMENTS_RUN_ROOT", path)
    with pytest.raises(UsageError, match=r"setting 'run_root' = .*must be an absolute path"):
        load_settings(tmp_path)


def on_a_node(script, run_dir):
    environment = {**os.environ, "EXPERIMENTS_RUN_DIR": str(run_dir)}
    return subprocess.run(
        ["bash", "-c", node_script(script)], env=environment, capture_output=True, text=True, check=False
    )


def test_what_a_node_prints_is_kept_over_two_starts_and_its_exit_code_is_the_trainers(tmp_path):
    first = on_a_node("echo one\necho 'it'\"'\"'s $((1 + 1))' >&2\nexit 3", tmp_path / "new" / "r")
    assert (first.returncode, first.stdout.splitlines()) == (3, ["one", "it's $((1 + 1))"])
    assert on_a_node("echo three", tmp_path / "new" / "r").returncode == 0
    lines = (tmp_path / "new" / "r" / "train.log").read_text().splitlines()
    assert [line[:17] for line in lines] == ["one", "it's $((1 + 1))", "--- started again", "three"]


def test_each_node_of_a_job_has_its_own_log(tmp_path, monkeypatch):
    for rank in ("0", "1"):
        monkeypatch.setenv("SKYPILOT_NODE_RANK", rank)
        on_a_node(f"echo rank {rank}", tmp_path)
    assert (tmp_path / "train.log").read_text() == "rank 0\n"
    assert (tmp_path / "train.rank1.log").read_text() == "rank 1\n"


def test_a_node_that_cannot_write_the_share_fails_before_it_trains():
    done = on_a_node("echo trained", "/dev/null/r")
    assert (done.returncode, done.stdout) == (1, "")
    assert "run_root cannot be written on this node: /dev/null/r" in done.stderr


def test_the_place_of_the_files_is_named_where_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shared = tmp_path / "shared"
    shared.mkdir()
    seen, unseen = workspace_at(tmp_path, run_root=str(shared)), workspace_at(tmp_path, run_root="/not/here")
    assert files_of("local", seen, "r", "/wandb") == ".experiments/runs/r/wandb"
    assert files_of("skypilot", seen, "r", "/wandb") == f"{shared}/r/wandb"
    assert files_of("skypilot", unseen) == "/not/here/<run> (not seen from here: uv run experiments pull)"
    assert files_of("skypilot", workspace_at(tmp_path)).startswith("not kept: no run_root is set")
