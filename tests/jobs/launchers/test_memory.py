"""Memory and precedence of local jobs: real supervisors and trainers that take what they say."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from experiments.jobs.launchers.local import memory, supervisor
from experiments.jobs.launchers.local.launcher import status_of
from experiments.jobs.watch.verdicts import verdict
from experiments.launch import allow_launch, launcher_for, submit
from experiments.project.errors import LaunchError
from experiments.project.files import read_json, start_time
from tests.fakes.launching import plan_in, wait_for_end, words_of, workspace_at
from tests.fakes.waiting import wait_until

HOLD = "import sys, time; held = bytearray(int(sys.argv[1]) * 10**6); held[::4096] = b'x' * len(held[::4096])"
FORKED = f"{HOLD}; import os; os.fork(); os.fork(); time.sleep(float(sys.argv[2]))"


def launched(workspace, count=1, **config):
    with allow_launch() as permit:
        return [job.run_name for job in submit(plan_in(workspace, seeds=range(count), **config), permit, workspace)]


def machine_of(folder, script, *arguments, **settings):
    return workspace_at(folder, command=(sys.executable, "-c", script, *arguments), in_place=True, **settings)


def test_a_job_that_holds_more_than_its_memory_is_ended_and_says_so(tmp_path):
    workspace = machine_of(tmp_path, f"{HOLD}; time.sleep(60)", "300")
    [name] = launched(workspace, memory="0.2")
    wait_for_end(workspace, [name])
    status = status_of(workspace.runs / name)
    assert status.word == "OUT_OF_MEMORY"
    # Of what the kernel refused nobody knows how much it was.
    how = r"held 0\.3\d* GB, over|was about to hold more than"
    assert re.fullmatch(f"ended when it ({how}) its memory of 0.2 GB", status.reason)
    assert verdict(status.word, "crashed", detail=status.reason)[0] == "failed"


# As torchrun does: a worker for each rank, each in a session of its own.
RANK = f"import os; open(os.environ['EXPERIMENTS_RUN_DIR'] + f'/rank{{os.getpid()}}', 'w'); {HOLD}; time.sleep(60)"
RANKS = f"""
import subprocess, sys
ranks = [subprocess.Popen([sys.executable, "-c", {RANK!r}, "150"], start_new_session=True) for _ in range(2)]
sys.exit(max(each.wait() for each in ranks))
"""


def test_what_ranks_in_sessions_of_their_own_hold_counts_and_they_end_with_their_job(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.jobs.specs.GRACE_S", 1.0)
    workspace = machine_of(tmp_path, RANKS)
    [name] = launched(workspace, memory="0.2")
    wait_for_end(workspace, [name])
    assert status_of(workspace.runs / name).word == "OUT_OF_MEMORY"
    pids = [int(path.name.removeprefix("rank")) for path in (workspace.runs / name).glob("rank*")]
    assert len(pids) == 2
    assert [start_time(pid) for pid in pids] == [None, None]


def test_ranks_in_sessions_of_their_own_end_with_their_job_also_without_its_supervisor(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.jobs.specs.GRACE_S", 1.0)
    workspace = machine_of(tmp_path, RANKS)
    [name] = launched(workspace)
    run_dir = workspace.runs / name
    wait_until(lambda: len([*run_dir.glob("rank*")]) == 2)
    supervisor = read_json(run_dir / "job.json")["supervisor"]["pid"]
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: start_time(supervisor) is None)
    launcher_for("local", workspace).cancel([(name, name)])
    pids = [int(path.name.removeprefix("rank")) for path in run_dir.glob("rank*")]
    wait_until(lambda: [start_time(pid) for pid in pids] == [None, None])
    assert words_of(workspace, [name])[name] == "CANCELLED"


def test_what_processes_of_a_job_share_is_counted_once(tmp_path):
    """Four processes that share 100 MB hold little more than that."""
    workspace = machine_of(tmp_path, FORKED, "100", "2.5")
    [name] = launched(workspace, memory="0.25")
    wait_for_end(workspace, [name])
    assert words_of(workspace, [name])[name] == "SUCCEEDED"


def test_at_least_so_much_is_no_limit(tmp_path):
    workspace = machine_of(tmp_path, f"{HOLD}; time.sleep(1.5)", "200")
    [name] = launched(workspace, memory="0.1+")
    wait_for_end(workspace, [name])
    assert words_of(workspace, [name])[name] == "SUCCEEDED"


def test_jobs_run_at_once_only_as_far_as_the_machine_has_what_they_ask_for(tmp_path):
    has = memory.of_machine() / memory.GB
    script = f"import os, time\nwhile not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.02)"
    workspace = machine_of(tmp_path, script, max_parallel=8)
    names = launched(workspace, 3, memory=f"{0.4 * has:.2f}+")
    [small] = launched(workspace, 1, arms=("small",), memory=f"{0.1 * has:.2f}")
    waiting = launcher_for("local", workspace).poll(dict.fromkeys(names, ""))[names[2]]
    assert waiting.word == "PENDING"
    assert re.fullmatch(r"waits for [\d.]+ GB of memory; [\d.]+ GB are not asked for by others", waiting.reason)
    assert words_of(workspace, [small])[small] != "PENDING"
    with pytest.raises(LaunchError, match=r"it asks for .* GB of memory, and this machine has .* GB\. Ask for less"):
        launched(workspace, 1, arms=("large",), memory=f"{2 * has:.2f}")
    (tmp_path / "go").touch()
    wait_for_end(workspace, [*names, small])
    assert set(words_of(workspace, names).values()) == {"SUCCEEDED"}


def test_trainers_stand_back_as_far_as_is_asked(tmp_path):
    workspace = machine_of(tmp_path, "import os; print('nice', os.nice(0))", nice=7)
    [name] = launched(workspace)
    wait_for_end(workspace, [name])
    assert "nice 7" in (workspace.runs / name / "train.log").read_text()


def test_the_memory_of_this_machine_is_known():
    assert 10**8 < memory.of_machine() < 10**14


def test_of_a_session_that_is_gone_no_memory_is_held():
    ended = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    ended.wait()
    assert memory.over(ended.pid, 0) == 0
    assert memory.over(os.getpid(), 10**15) == 0


def test_a_trainer_that_cannot_start_leaves_no_group_behind(tmp_path, monkeypatch):
    group = tmp_path / "group"
    monkeypatch.setattr(supervisor.cgroups, "group_of", lambda _name, _memory: group.mkdir() or group)
    monkeypatch.setattr(supervisor.cgroups, "enter", lambda _group: None)
    (tmp_path / "run").mkdir()
    spec = {"command": ["/no/such/program"], "cwd": str(tmp_path), "unset": [], "env": {}}
    record = {supervisor.MEMORY: 1_000_000, supervisor.CODE: {}}
    ended = supervisor._run(tmp_path / "run", spec, record, [], 0)
    assert "'/no/such/program' cannot be started" in ended["error"]
    assert not group.exists()
