"""The table of what is said of a job, and the same words from real processes that were killed."""

from __future__ import annotations

import os
import signal

import pytest

from experiments.jobs.launchers.local.records import Evidence, ended, status_of, unended
from experiments.launch import allow_launch, cancel, launcher_for, submit
from experiments.project.files import read_json, start_time, try_lock, write_json
from tests.fakes.launching import plan_in, trainer_command, wait_until, workspace_at

ALIVE = Evidence(locked=True, supervisor_alive=True, started=True, same_boot=True, same_host=True)


@pytest.mark.parametrize(
    ("record", "word", "reason"),
    [
        ({"exit_code": 0}, "SUCCEEDED", ""),
        ({"exit_code": 3}, "FAILED", "exit code 3"),
        ({"exit_code": -9}, "KILLED", "SIGKILL"),
        ({"exit_code": -15}, "KILLED", "SIGTERM"),
        ({"error": "'x' cannot be started: no such file"}, "FAILED", "cannot be started"),
        ({"cancelled": True}, "CANCELLED", "before it started"),
        ({"cancelled": True, "exit_code": -15, "supervisor": {"pid": 1}, "started_at": 1.0}, "CANCELLED", ""),
        ({"cancelled": True, "supervisor": {"pid": 1}, "started_at": 1.0}, "CANCELLED", "exit code is not known"),
    ],
)
def test_a_recorded_end_is_told_in_one_word(record, word, reason):
    status = ended({"ended_at": 2.0, **record})
    assert (status.word, status.ended_at) == (word, 2.0)
    assert reason in status.reason
    assert bool(reason) == bool(status.reason)


@pytest.mark.parametrize(
    ("changes", "word", "reason"),
    [
        ({}, "RUNNING", ""),
        ({"started": False}, "STARTING", ""),
        ({"started": False, "locked": False, "supervisor_alive": False}, "PENDING", "before it started the trainer"),
        ({"supervisor_alive": False}, "RUNNING", "exit code will not be known"),
        ({"supervisor_alive": False, "locked": False}, "LOST", "both were killed"),
        (
            {"supervisor_alive": False, "locked": False, "supervisor_seen_at": 100.0, "output_at": 160.0},
            *("LOST", "the trainer went on and ended unseen"),
        ),
        ({"supervisor_alive": False, "locked": False, "same_boot": False}, "LOST", "machine was restarted"),
        ({"locked": False, "same_boot": False, "same_host": False}, "UNKNOWN", "only that machine"),
    ],
)
def test_a_job_without_a_recorded_end_is_told_by_what_can_be_observed(changes, word, reason):
    seen = Evidence(**{**vars(ALIVE), **changes})
    status = unended({"trainer": {"pid": 1}, "host": "elsewhere"}, seen)
    assert status.word == word
    assert reason in status.reason
    assert status.exit_code is None


@pytest.fixture
def running(tmp_path):
    """Return the folder of a job that runs until it is killed."""
    workspace = workspace_at(tmp_path, command=trainer_command("print:up", "wait"))
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=[0]), permit, workspace)
        run_dir = workspace.runs / job.run_name
        wait_until(lambda: "up" in _text(run_dir / "train.log"))
        yield run_dir
        cancel([job.run_name], permit, workspace)
        wait_until(lambda: status_of(run_dir).word not in {"RUNNING", "STARTING"})


def test_a_killed_trainer_is_told_with_its_signal(running):
    os.kill(read_json(running / "job.json")["trainer"]["pid"], signal.SIGKILL)
    wait_until(lambda: status_of(running).word != "RUNNING")
    assert status_of(running).word == "KILLED"
    assert status_of(running).exit_code == -9


def test_a_killed_supervisor_leaves_the_job_running_with_a_warning(running):
    _kill_supervisor(running)
    assert status_of(running).word == "RUNNING"
    assert "exit code will not be known" in status_of(running).reason


def test_a_killed_supervisor_and_trainer_are_lost_not_finished(running):
    record = read_json(running / "job.json")
    _kill_supervisor(running)
    os.kill(record["trainer"]["pid"], signal.SIGKILL)
    wait_until(lambda: status_of(running).word != "RUNNING")
    assert status_of(running).word == "LOST"
    assert "both were killed" in status_of(running).reason


def test_a_trainer_that_outlives_its_supervisor_is_told_apart(running):
    record = read_json(running / "job.json")
    _kill_supervisor(running)
    os.utime(running / "lock", (1.0, 1.0))
    os.kill(record["trainer"]["pid"], signal.SIGKILL)
    wait_until(lambda: status_of(running).word != "RUNNING")
    assert "the trainer went on and ended unseen" in status_of(running).reason


def test_a_job_of_an_earlier_boot_is_lost_even_where_its_pids_are_in_use(tmp_path):
    me = {"pid": os.getpid(), "start": "1"}
    record = {"boot_id": "another", "host": os.uname().nodename, "supervisor": me, "trainer": me}
    write_json(tmp_path / "job.json", record)
    status = status_of(tmp_path)
    assert status.word == "LOST"
    assert "restarted" in status.reason


def test_a_pid_that_was_given_again_is_not_taken_for_the_supervisor(running):
    record = read_json(running / "job.json")
    _kill_supervisor(running)
    write_json(running / "job.json", {**record, "supervisor": {"pid": os.getpid(), "start": "1"}})
    assert "exit code will not be known" in status_of(running).reason


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": NaN', "\x00\x00"])
def test_of_a_damaged_record_only_the_lock_is_believed(tmp_path, text):
    (tmp_path / "job.json").write_text(text)
    assert status_of(tmp_path).word == "LOST"
    lock = try_lock(tmp_path / "lock")
    status = status_of(tmp_path)
    os.close(lock)
    assert status.word == "RUNNING"
    assert "is damaged" in status.reason


def test_a_record_that_may_not_be_read_says_nothing_of_an_end(tmp_path):
    (tmp_path / "job.json").mkdir()
    status = status_of(tmp_path)
    assert status.word == "UNKNOWN"
    assert "cannot be read" in status.reason


def test_a_folder_without_a_record_waits_unless_something_ran_in_it(tmp_path):
    assert status_of(tmp_path / "none") is None
    assert status_of(tmp_path).word == "PENDING"
    (tmp_path / "train.log").touch()
    assert status_of(tmp_path).word == "LOST"


def test_a_child_that_the_trainer_left_behind_does_not_hide_its_end(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("fork:600", "exit:0"))
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=[0]), permit, workspace)
    wait_until(lambda: status_of(workspace.runs / job.run_name).word == "SUCCEEDED")
    group = read_json(workspace.runs / job.run_name / "job.json")["trainer"]["pid"]
    os.killpg(group, signal.SIGKILL)


def test_the_log_of_a_running_job_can_be_followed_to_its_end(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("print:one", "sleep:0.3", "print:two"))
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=[0]), permit, workspace)
    launcher = launcher_for("local", workspace)
    assert list(launcher.logs(job.run_name, job.run_name, follow=True)) == ["one", "two"]


def _kill_supervisor(run_dir):
    pid = read_json(run_dir / "job.json")["supervisor"]["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: start_time(pid) is None)


def _text(path):
    return path.read_text() if path.exists() else ""
