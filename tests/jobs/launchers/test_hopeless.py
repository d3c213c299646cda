"""`stop_when` of local jobs: real supervisors, the real W&B SDK, and looks that fail."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from experiments.jobs.handover import launcher_for
from experiments.jobs.launchers.local.hopeless import CHECK, CHECK_EVERY_S, STOP_WHEN, Hope
from experiments.jobs.launchers.local.launcher import status_of
from experiments.jobs.preparation import launch_notes
from experiments.jobs.watch.verdicts import verdict
from experiments.launch import allow_launch, submit
from experiments.monitoring import poll_once
from experiments.project.provenance import capture
from experiments.results.scores import cause_of_end
from experiments.types import StopWhen
from tests.fakes.launching import plan_in, wait_for_end, words_of, workspace_at
from tests.fakes.waiting import wait_until

LOGS = """
import os, sys, time, wandb
run = wandb.init(settings=wandb.Settings(console="off", x_disable_stats=True))
value, ends = sys.argv[1:3]
for step in range(6):
    run.log({"metric/agent_step": step, "eval/reward": float(value) + 0.1 * (int(os.environ["SEED"]) + step)})
while not int(ends):
    time.sleep(0.1)
"""


@pytest.fixture(autouse=True)
def _look_often(monkeypatch):
    monkeypatch.setattr("experiments.jobs.specs.CHECKED_EVERY_S", 0.2)


def launched(folder, value, *, ends, seeds=(0,), arm="base", **config):
    words = ("/usr/bin/env", "SEED={seed}", sys.executable, "-c", LOGS, value, str(int(ends)))
    workspace = workspace_at(folder, command=words, in_place=True, wandb_mode="offline", max_parallel=4)
    (folder / "pyproject.toml").write_text("[tool.experiments]\n")
    with allow_launch() as permit:
        jobs = submit(plan_in(workspace, seeds=seeds, arms=(arm,), **config), permit, workspace)
    return workspace, [job.run_name for job in jobs]


def test_a_run_whose_reward_is_no_number_is_stopped_and_not_called_failed(tmp_path):
    workspace, [name] = launched(tmp_path, "nan", ends=False, stop_when=StopWhen(not_finite=True))
    wait_for_end(workspace, [name])
    status = status_of(workspace.runs / name)
    assert (status.word, status.reason) == (
        "STOPPED",
        "stopped by its stop_when: eval/reward is not a finite number",
    )
    assert verdict(status.word, "crashed", detail=status.reason)[0] == "cancelled"
    # As one that a person ended: its seed is lost, and no retry takes its place.
    assert cause_of_end(status.word, "crashed") == ("person", "stopped by its stop_when")
    [shown] = [job for job in poll_once(workspace.state).jobs if job.run_name == name]
    assert shown.reason == status.reason


@pytest.mark.slow
def test_a_run_below_the_first_arm_for_some_evaluations_is_stopped_and_one_within_is_not(tmp_path):
    workspace, first = launched(tmp_path, "10", ends=True, seeds=(0, 1, 2))
    wait_for_end(workspace, first)
    rules = StopWhen(below_baseline=3)
    _, [worse] = launched(tmp_path, "1", ends=False, arm="worse", stop_when=rules)
    _, [alike] = launched(tmp_path, "10", ends=True, arm="alike", stop_when=rules)
    wait_for_end(workspace, [worse, alike])
    assert status_of(workspace.runs / worse).reason.startswith(
        "stopped by its stop_when: 3 evaluations below the band of base"
    )
    assert words_of(workspace, [alike]) == {alike: "SUCCEEDED"}


def test_a_run_that_makes_no_step_is_stopped_after_its_time(tmp_path):
    workspace, [name] = launched(tmp_path, "1", ends=False, stop_when=StopWhen(idle_minutes=0.05))
    wait_for_end(workspace, [name])
    assert status_of(workspace.runs / name).reason == "stopped by its stop_when: no step for 0.05 minutes"


def test_a_run_is_stopped_once_its_experiment_has_spent_what_it_may(tmp_path):
    workspace, [name] = launched(tmp_path, "1", ends=False, stop_when=StopWhen(hours=0.0005))
    wait_for_end(workspace, [name])
    assert "stopped by its stop_when: its experiment's runs took" in status_of(workspace.runs / name).reason


def looking(says, minutes=1.0):
    spec = {STOP_WHEN: {"idle_minutes": minutes}, CHECK: [sys.executable, "-c", says], CHECK_EVERY_S: 0.0}
    return Hope(spec, 0.0)


def answers(hope, times):
    """Return what is said at each time, when the look that began before it has ended."""
    found = []
    for at in times:
        hope.lost(at)
        wait_until(lambda: hope._asked is None or hope._asked.poll() is not None)
        found.append(hope.lost(at))
    return found


def test_standing_still_is_measured_from_the_last_step_and_a_look_that_fails_is_no_standing_still():
    same = 'print(\'{"step": 5, "is_told": true, "reason": ""}\')'
    assert answers(looking(same), [0.0, 30.0, 59.0, 61.0]) == ["", "", "", "no step for 1 minutes"]
    assert answers(looking("raise SystemExit(1)"), [0.0, 30.0, 61.0, 200.0]) == ["", "", "", ""]
    assert answers(looking("print('no JSON')"), [0.0, 100.0]) == ["", ""]
    moving = 'import time; print(\'{"step": %d, "is_told": true, "reason": ""}\' % time.monotonic_ns())'
    assert answers(looking(moving), [0.0, 61.0, 130.0]) == ["", "", ""]


def test_a_tracker_that_does_not_answer_is_no_standing_still():
    silent = 'print(\'{"step": null, "is_told": false, "reason": ""}\')'
    assert answers(looking(silent), [0.0, 61.0, 200.0]) == ["", "", ""]


LEAVES = """
import json, subprocess
left = subprocess.Popen(["sleep", "60"])
print(json.dumps({"step": left.pid, "is_told": True, "reason": "over"}))
"""


def test_nobody_waits_for_what_a_look_left_behind():
    hope = looking(LEAVES)
    assert answers(hope, [0.0]) == ["over"]
    os.kill(hope._step, signal.SIGKILL)  # it was still there


def test_the_memory_of_a_look_is_not_its_jobs(tmp_path):
    idle = (sys.executable, "-S", "-c", "import time; time.sleep(5)")
    workspace = workspace_at(tmp_path, command=idle, in_place=True)
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    with allow_launch() as permit:
        plan = plan_in(workspace, seeds=(0,), memory="0.03", stop_when=StopWhen(hours=100))
        [name] = [job.run_name for job in submit(plan, permit, workspace)]
    wait_for_end(workspace, [name])
    assert words_of(workspace, [name]) == {name: "SUCCEEDED"}


def test_without_a_rule_nobody_looks():
    assert Hope({}, 0.0).lost(1e9) == ""
    assert not Hope({}, 0.0).is_watched


def test_where_nobody_would_hold_it_that_is_said_before_the_launch(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.jobs.preparation.refuse_if_unreproducible", lambda *_, **__: [])
    workspace = workspace_at(tmp_path, run_root="/share", sky_infra="slurm/a")
    monkeypatch.setattr("tests.fakes.launching.launcher_for", lambda *_: launcher_for("dry-run", workspace))
    plan = plan_in(workspace, launcher="skypilot", stop_when=StopWhen(not_finite=True))
    assert "stop_when holds on skypilot while somebody looks" in " ".join(
        launch_notes(plan, capture(tmp_path), workspace)
    )
