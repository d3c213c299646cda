from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from experiments.jobs.launchers.local import slots
from experiments.jobs.launchers.local.supervisor import GOES_ON
from experiments.jobs.launchers.local.watcher import AWAITED
from experiments.jobs.ledger import open_ledger
from experiments.launch import allow_launch, start_next, submit
from experiments.project.errors import LaunchError
from experiments.project.files import read_json, write_json
from tests.fakes.launching import plan_in, starts, trainer_command, wait_for_end, words_of, workspace_at
from tests.fakes.waiting import wait_until


def launched(workspace, **options):
    with allow_launch() as permit:
        return [job.run_name for job in submit(plan_in(workspace, **options), permit, workspace)]


def test_at_most_max_parallel_jobs_run_and_the_rest_start_in_order(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count", "sleep:0.2"), max_parallel=2)
    names = launched(workspace, seeds=range(5))
    most = 0
    while set(words := list(words_of(workspace, names).values())) != {"SUCCEEDED"}:
        most = max(most, sum(word in {"RUNNING", "STARTING"} for word in words))
        time.sleep(0.005)
    assert most == 2
    times = [read_json(workspace.runs / name / "job.json")["claimed_at"] for name in names]
    assert max(times[:2]) < min(times[2:4]) < times[4]


def test_slots_of_one_launch_hold_for_all_who_start_jobs(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("wait"), max_parallel=1)
    names = launched(workspace, seeds=range(3))
    assert start_next(workspace_at(tmp_path, max_parallel=8)) == []
    assert list(words_of(workspace, names).values()).count("PENDING") == 2
    with allow_launch() as permit:
        from experiments.launch import cancel

        cancel(names, permit, workspace)
    wait_for_end(workspace, names)


def test_a_folder_that_somebody_removed_does_not_start_its_job_again(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count"))
    [name] = launched(workspace, seeds=[0])
    wait_for_end(workspace, [name])
    shutil.rmtree(workspace.runs / name)
    assert start_next(workspace) == []
    with open_ledger(workspace) as ledger:
        assert ledger.outcomes([name])[name]["word"] == "LOST"
    assert starts(workspace) == [name]


def test_a_read_only_process_starts_nothing(tmp_path, monkeypatch):
    workspace = workspace_at(tmp_path, command=trainer_command("wait"), max_parallel=1)
    monkeypatch.setattr(slots, "start_next", lambda _: [])
    names = launched(workspace, seeds=range(2))
    monkeypatch.undo()
    monkeypatch.setattr("experiments.jobs.permits._latched", True)
    assert start_next(workspace) == []
    assert set(words_of(workspace, names).values()) == {"PENDING"}


def test_a_job_that_cannot_be_claimed_is_refused_with_the_reason_and_can_be_launched_again(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count"))
    plan = plan_in(workspace, seeds=[0])
    name = plan.jobs[0].run_name
    obstacle = workspace.runs / name / "lock"
    obstacle.mkdir(parents=True)
    with allow_launch() as permit:
        with pytest.raises(LaunchError, match="0 of 1 job launched, 1 failed"):
            submit(plan, permit, workspace)
        obstacle.rmdir()
        assert submit(plan, permit, workspace)[0].state == "submitted"
    wait_for_end(workspace, [name])
    assert starts(workspace) == [name]


def test_the_end_of_a_job_starts_the_next_without_anybody(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count"), max_parallel=1)
    names = launched(workspace, seeds=range(3))
    wait_for_end(workspace, names)
    assert starts(workspace) == sorted(names)


def test_two_who_start_at_once_start_each_job_once(tmp_path, monkeypatch):
    workspace = workspace_at(tmp_path, command=trainer_command("count", "sleep:0.5"), max_parallel=2)
    monkeypatch.setattr(slots, "start_next", lambda _: [])
    names = launched(workspace, seeds=range(2))
    command = [sys.executable, "-P", "-m", "experiments.jobs.launchers.local.slots", str(workspace.state)]
    for process in [subprocess.Popen(command) for _ in range(4)]:
        assert process.wait() == 0
    wait_for_end(workspace, names)
    assert starts(workspace) == sorted(names)


def test_the_last_act_of_a_supervisor_needs_no_start_where_nothing_waits(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command())
    [name] = launched(workspace, seeds=[0])
    wait_until(lambda: words_of(workspace, [name])[name] == "SUCCEEDED")
    assert not (workspace.state / "live" / "slots.log").exists()


def test_a_job_that_waits_for_a_slot_starts_when_a_job_has_ended_whose_supervisor_was_killed(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count", "sleep:6"), max_parallel=1)
    names = launched(workspace, seeds=range(2))
    first, second = workspace.runs / names[0], workspace.runs / names[1]
    wait_until(lambda: (read_json(first / "job.json") or {}).get("trainer"))
    os.kill(read_json(first / "job.json")["supervisor"]["pid"], signal.SIGKILL)
    wait_until((second / "job.json").exists, timeout_s=60)  # nobody asks meanwhile
    wait_for_end(workspace, names)
    assert starts(workspace) == sorted(names)


def test_what_goes_on_by_itself_is_carried_on_after_a_job_whose_supervisor_was_killed(tmp_path):
    workspace = workspace_at(tmp_path, command=trainer_command("count", "sleep:6"), max_parallel=1)
    taken = tmp_path / "taken"
    write_json(workspace.state / GOES_ON, {"command": ["/bin/sh", "-c", f"echo step >> {taken}"]})
    [name] = launched(workspace, seeds=[0])
    wait_until(lambda: (read_json(workspace.runs / name / "job.json") or {}).get("trainer"))
    os.kill(read_json(workspace.runs / name / "job.json")["supervisor"]["pid"], signal.SIGKILL)
    wait_until(taken.exists, timeout_s=60)
    wait_until(lambda: not (workspace.state / "live" / AWAITED).exists())  # and nobody looks any more
