"""`max_runtime_hours` of local jobs: real supervisors and trainers."""

from __future__ import annotations

import os
import signal

import pytest

from experiments.jobs.launchers.local.launcher import status_of
from experiments.jobs.launchers.local.supervisor import left_s
from experiments.jobs.watch.verdicts import verdict
from experiments.launch import allow_launch, cancel, start_next, submit
from experiments.monitoring import job_statuses
from experiments.project.files import read_json
from tests.fakes.launching import plan_in, trainer_command, wait_for_end, words_of, workspace_at
from tests.fakes.waiting import wait_until

HALF_A_SECOND = 0.5 / 3600


def launched(workspace, **options):
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=[0], **options), permit, workspace)
    return job.run_name


def record_of(workspace, name):
    return read_json(workspace.runs / name / "job.json") or {}


@pytest.mark.parametrize("manner", ["wait", "polite"])
def test_a_trainer_is_ended_after_its_time_and_the_end_is_said_as_such(tmp_path, manner):
    workspace = workspace_at(tmp_path, command=trainer_command("count", manner, "wait"))
    name = launched(workspace, max_runtime_hours=HALF_A_SECOND)
    wait_for_end(workspace, [name])
    status = status_of(workspace.runs / name)
    assert (status.word, status.reason) == ("TIMED_OUT", "ended after 0.000138889 h, its max_runtime_hours")
    assert verdict(status.word, "crashed", exit_code=status.exit_code, detail=status.reason) == (
        "failed",
        status.reason,
    )
    assert 0.5 <= status.ended_at - status.started_at < 15


def test_a_trainer_that_does_not_listen_is_killed_after_the_grace(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.jobs.specs.GRACE_S", 0.5)
    workspace = workspace_at(tmp_path, command=trainer_command("stubborn", "wait"))
    name = launched(workspace, max_runtime_hours=HALF_A_SECOND)
    wait_for_end(workspace, [name])
    assert (status_of(workspace.runs / name).word, record_of(workspace, name)["exit_code"]) == ("TIMED_OUT", -9)


def test_a_job_that_ends_in_time_or_is_cancelled_is_not_called_timed_out(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("print:in time"))
    quick = launched(workspace, max_runtime_hours=1.0)
    wait_for_end(workspace, [quick])
    workspace = workspace_at(tmp_path, command=trainer_command("wait"))
    slow = launched(workspace, max_runtime_hours=1.0)
    wait_until(lambda: words_of(workspace, [slow])[slow] == "RUNNING")
    with allow_launch() as permit:
        cancel([slow], permit, workspace)
    wait_for_end(workspace, [slow])
    assert words_of(workspace, [quick, slow]) == {quick: "SUCCEEDED", slow: "CANCELLED"}


def test_where_the_supervisor_was_killed_the_next_look_ends_the_trainer(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count", "wait"))
    name = launched(workspace, max_runtime_hours=3.0 / 3600)
    wait_until(lambda: record_of(workspace, name).get("trainer"))
    record = record_of(workspace, name)
    os.kill(record["supervisor"]["pid"], signal.SIGKILL)
    assert start_next(workspace) == []
    assert words_of(workspace, [name]) == {name: "RUNNING"}
    wait_until(lambda: left_s(record) <= 0)
    start_next(workspace)
    wait_for_end(workspace, [name])
    status = status_of(workspace.runs / name)
    assert status.word == "TIMED_OUT"
    assert "its max_runtime_hours; its supervisor had been killed" in status.reason


def test_a_look_at_the_status_is_enough_to_hold_the_limit_of_an_orphan(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count", "wait"))
    name = launched(workspace, max_runtime_hours=HALF_A_SECOND)
    wait_until(lambda: record_of(workspace, name).get("trainer"))
    record = record_of(workspace, name)
    os.kill(record["supervisor"]["pid"], signal.SIGSTOP)  # it must not be the one that ends the trainer
    wait_until(lambda: left_s(record) <= 0)
    os.kill(record["supervisor"]["pid"], signal.SIGKILL)
    wait_until(lambda: "holds only while somebody looks" in status_of(workspace.runs / name).reason)
    job_statuses(workspace.state)
    wait_for_end(workspace, [name])
    assert words_of(workspace, [name]) == {name: "TIMED_OUT"}
