from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from experiments.jobs.launchers.base import Absent, Found, JobSpec, Unknown
from experiments.jobs.launchers.local import launcher
from experiments.jobs.launchers.local.launcher import Evidence, LocalLauncher, ended, status_of, unended
from experiments.launch import allow_launch, cancel, launcher_for, submit
from experiments.project.errors import LaunchError
from experiments.project.files import read_json, start_time, try_lock, write_json
from experiments.types import TrainingJobConfig
from tests.fakes.launching import plan_in, shell, trainer_command, wait_for_end, words_of, workspace_at
from tests.fakes.waiting import wait_until

ALIVE = Evidence(locked=True, supervisor_alive=True, started=True, same_boot=True, same_host=True)


def launched(workspace, **options):
    with allow_launch() as permit:
        return [job.run_name for job in submit(plan_in(workspace, **options), permit, workspace)]


def cancelled(workspace, names):
    with allow_launch() as permit:
        return cancel(names, permit, workspace)


def log_of(workspace, name):
    path = workspace.runs / name / "train.log"
    return path.read_text() if path.exists() else ""


def test_a_job_runs_to_its_end_and_its_record_says_all_of_it(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("print:out", "exit:3"))
    [name] = launched(workspace, seeds=[7])
    wait_for_end(workspace, [name])
    record = read_json(workspace.runs / name / "job.json")
    assert (record["job"]["arm"], record["job"]["seed"], record["exit_code"]) == ("base", 7, 3)
    assert record["started_at"] <= record["ended_at"]
    assert {"boot_id", "host", "ledger_id", "command", "env", "supervisor", "trainer"} <= record.keys()
    assert log_of(workspace, name) == "out\n"


def test_the_trainer_gets_the_runs_names_and_the_users_key_which_is_written_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "planted-secret")
    monkeypatch.setenv("WANDB_SERVICE", "the notebook's own")
    workspace = workspace_at(tmp_path, command=trainer_command("environ"))
    [name] = launched(workspace, seeds=[0], wandb_tags=("a", "b"))
    wait_for_end(workspace, [name])
    environment = dict(line.split("=", 1) for line in log_of(workspace, name).splitlines() if "=" in line)
    assert environment["WANDB_API_KEY"] == "planted-secret"
    assert environment["WANDB_RUN_ID"] == environment["WANDB_NAME"] == name
    assert (environment["WANDB_RUN_GROUP"], environment["WANDB_TAGS"]) == ("exp", "a,b")
    assert environment["EXPERIMENTS_RUN_DIR"] == environment["WANDB_DIR"] == str(workspace.runs / name)
    assert environment["OMP_NUM_THREADS"] == "1"
    assert "WANDB_SERVICE" not in environment
    (workspace.runs / name / "train.log").unlink()
    written = [path for path in workspace.state.rglob("*") if path.is_file()]
    assert len(written) > 4
    assert [path for path in written if b"planted-secret" in path.read_bytes()] == []


def test_a_job_inherits_no_name_of_another_run_and_nothing_empty_of_wandbs(tmp_path, monkeypatch):
    foreign = ("WANDB_TAGS", "WANDB_NOTES", "WANDB_RESUME_FROM", "WANDB_FORK_FROM", "WANDB_SWEEP_ID")
    empty = ("WANDB_CONSOLE", "WANDB_HTTP_TIMEOUT", "WANDB_BASE_URL")
    for name in (*foreign, *empty):
        monkeypatch.setenv(name, "" if name in empty else "of another run")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # which says: no GPU
    workspace = workspace_at(tmp_path, command=trainer_command("environ"))
    [name] = launched(workspace, seeds=[0])
    wait_for_end(workspace, [name])
    environment = dict(line.split("=", 1) for line in log_of(workspace, name).splitlines() if "=" in line)
    assert environment.keys().isdisjoint({*foreign, *empty})
    assert environment["CUDA_VISIBLE_DEVICES"] == ""


def test_a_job_survives_the_end_of_the_process_that_launched_it(tmp_path):
    code = (
        "import sys; from pathlib import Path; from tests.fakes.launching import *; from experiments.launch import *\n"
        "workspace = workspace_at(Path(sys.argv[1]), command=trainer_command('sleep:0.5', 'print:done'))\n"
        "with allow_launch() as permit: submit(plan_in(workspace, seeds=[0]), permit, workspace)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, start_new_session=True)
    workspace = workspace_at(tmp_path)
    [run_dir] = workspace.runs.iterdir()
    assert words_of(workspace, [run_dir.name]) == {run_dir.name: "RUNNING"}
    wait_for_end(workspace, [run_dir.name])
    assert words_of(workspace, [run_dir.name]) == {run_dir.name: "SUCCEEDED"}


def test_a_command_that_does_not_exist_fails_with_its_name(tmp_path):
    workspace = workspace_at(tmp_path, command=("/no/such/program",))
    [name] = launched(workspace, seeds=[0])
    wait_for_end(workspace, [name])
    status = launcher_for("local", workspace).poll({name: name})[name]
    assert status.word == "FAILED"
    assert "'/no/such/program' cannot be started" in status.reason


def test_cancel_ends_a_running_job_with_term(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("polite", "print:up", "wait"))
    [name] = launched(workspace, seeds=[0])
    wait_until(lambda: "up" in log_of(workspace, name))
    assert cancelled(workspace, [name]) == {name: "asked to end"}
    wait_for_end(workspace, [name])
    status = launcher_for("local", workspace).poll({name: name})[name]
    assert (status.word, status.exit_code) == ("CANCELLED", 143)


def test_cancel_kills_after_the_grace_what_ignores_term(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.jobs.specs.GRACE_S", 0.3)
    workspace = workspace_at(tmp_path, command=trainer_command("stubborn", "print:up", "wait"))
    [name] = launched(workspace, seeds=[0])
    wait_until(lambda: "up" in log_of(workspace, name))
    cancelled(workspace, [name])
    wait_for_end(workspace, [name])
    status = launcher_for("local", workspace).poll({name: name})[name]
    assert (status.word, status.exit_code) == ("CANCELLED", -9)


def test_cancel_ends_the_whole_group(tmp_path):
    workspace = workspace_at(tmp_path, command=shell("sleep 600 & echo $! ; wait"))
    [name] = launched(workspace, seeds=[0])
    wait_until(lambda: log_of(workspace, name))
    cancelled(workspace, [name])
    wait_for_end(workspace, [name])
    child = int(log_of(workspace, name).split()[0])
    wait_until(lambda: start_time(child) is None)


def test_cancel_works_without_the_supervisor(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("print:up", "wait"))
    [name] = launched(workspace, seeds=[0])
    wait_until(lambda: "up" in log_of(workspace, name))
    wait_until(lambda: read_json(workspace.runs / name / "job.json").get("trainer"))
    os.kill(read_json(workspace.runs / name / "job.json")["supervisor"]["pid"], signal.SIGKILL)
    cancelled(workspace, [name])
    wait_until(lambda: words_of(workspace, [name])[name] == "CANCELLED")
    assert "supervisor had been killed" in launcher_for("local", workspace).poll({name: name})[name].reason


def test_cancel_ends_a_job_without_supervisor_also_where_its_record_is_damaged(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("print:up", "wait"))
    [name] = launched(workspace, seeds=[0])
    run_dir = workspace.runs / name
    wait_until(lambda: "up" in log_of(workspace, name))
    wait_until(lambda: read_json(run_dir / "job.json").get("trainer"))
    trainer = read_json(run_dir / "job.json")["trainer"]["pid"]
    _kill_supervisor(run_dir)
    (run_dir / "job.json").write_text("{")
    cancelled(workspace, [name])
    wait_until(lambda: start_time(trainer) is None)
    assert (run_dir / "job.json").read_text() == "{"


def test_a_cancelled_job_that_waits_never_starts(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count", "sleep:0.3"), max_parallel=1)
    names = launched(workspace, seeds=range(3))
    assert cancelled(workspace, [names[1]]) == {names[1]: "asked to end"}
    wait_for_end(workspace, names)
    assert words_of(workspace, names) == dict(zip(names, ["SUCCEEDED", "CANCELLED", "SUCCEEDED"], strict=True))
    assert (workspace.state / "started").read_text().split() == [names[0], names[2]]


def test_cancelling_what_has_ended_says_so(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command())
    [name] = launched(workspace, seeds=[0])
    wait_for_end(workspace, [name])
    assert cancelled(workspace, [name]) == {name: "had ended already (SUCCEEDED)"}
    assert words_of(workspace, [name]) == {name: "SUCCEEDED"}


def test_find_knows_what_a_process_claimed(tmp_path):
    launcher = LocalLauncher(tmp_path)
    assert launcher.find("run", "local") == Absent()
    (tmp_path / "runs" / "run").mkdir(parents=True)
    write_json(tmp_path / "runs" / "run" / "job.json", {})
    assert launcher.find("run", "local") == Found("run")
    assert isinstance(launcher.find("run", "elsewhere"), Unknown)


def test_a_run_folder_that_cannot_be_made_refuses_the_job(tmp_path):
    (tmp_path / "runs").write_text("a file")
    spec = JobSpec("run", ("x",), tmp_path / "runs" / "run", TrainingJobConfig(curriculum="x"))
    with pytest.raises(LaunchError, match="run folder"):
        LocalLauncher(tmp_path).submit(spec)


def test_one_who_only_looks_at_the_lock_does_not_turn_a_claim_away(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count"))
    with allow_launch() as permit:
        plan = plan_in(workspace, seeds=[0])
        name = plan.jobs[0].run_name
        (workspace.runs / name).mkdir()
        lock = try_lock(workspace.runs / name / "lock")
        looker = subprocess.Popen(["sleep", "0.05"], pass_fds=(lock,))
        os.close(lock)
        submit(plan, permit, workspace)
    looker.wait()
    wait_for_end(workspace, [name])
    assert words_of(workspace, [name]) == {name: "SUCCEEDED"}


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
        ({"supervisor_alive": False, "locked": False, "same_boot": False}, "RESTARTED", "machine was restarted"),
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
    assert status.word == "RESTARTED"
    assert "restarted" in status.reason


def test_a_pid_that_was_given_again_is_not_taken_for_the_supervisor(running):
    record = read_json(running / "job.json")
    _kill_supervisor(running)
    write_json(running / "job.json", {**record, "supervisor": {"pid": os.getpid(), "start": "1"}})
    assert "exit code will not be known" in status_of(running).reason


def test_a_record_is_read_again_only_once_it_is_another(running, monkeypatch):
    read, plain = [], launcher.read_json
    monkeypatch.setattr(launcher, "read_json", lambda path: read.append(path) or plain(path))
    record = read_json(running / "job.json")
    write_json(running / "job.json", {**record, "started_at": 1.0})
    assert [status_of(running).started_at for _ in range(3)] == [1.0] * 3
    assert len(read) == 1
    write_json(running / "job.json", {**record, "started_at": 2.0})
    assert status_of(running).started_at == 2.0


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
