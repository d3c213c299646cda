"""How many local jobs run at once, and with how many threads, where nobody says it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from experiments.jobs.launchers.local import capacity, cgroups, device_locks, memory
from experiments.jobs.preview import waiting_words
from experiments.launch import allow_launch, launcher_for, submit
from experiments.project.files import read_json
from tests.fakes.launching import plan_in, wait_for_end, workspace_at
from tests.fakes.waiting import wait_until

FOUR = ("GPU-a", "GPU-b", "GPU-c", "GPU-d")


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of 16 cores whose locks are the test's own."""
    monkeypatch.setenv(device_locks.PLACE, str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(capacity, "cores", lambda: 16)
    monkeypatch.setattr(memory, "of_machine", lambda: 64e9)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def jobs_of(workspace, count=20, **config):
    return plan_in(workspace, seeds=range(count), **config).jobs


def groups(monkeypatch, folder, text, **files):
    """Pretend control groups: `text` is what the kernel says of this process, files are by their path with `__`."""
    (folder / "ours").write_text(text)
    for name, value in files.items():
        path = folder / "mounted" / name.replace("__", "/").replace("_max", ".max").replace("_quota", ".cfs_quota_us")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)
    monkeypatch.setattr(cgroups, "_OURS", folder / "ours")
    monkeypatch.setattr(cgroups, "_MOUNTED", folder / "mounted")


def test_cores_are_those_that_this_process_may_use_not_all_of_the_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)))
    groups(monkeypatch, tmp_path, "0::/a/b\n", a__cpu_max="max 100000", a__b__cpu_max="250000 100000")
    (tmp_path / "mounted" / "cgroup.controllers").touch()
    assert capacity.cores() == 3
    groups(monkeypatch, tmp_path, "0::/a/b\n", a__cpu_max="150000 100000")  # the group above sets less
    assert capacity.cores() == 2
    groups(monkeypatch, tmp_path, "0::/not/mounted/here\n", cpu_max="20000 100000")
    assert capacity.cores() == 1
    groups(monkeypatch, tmp_path, "no groups at all")
    assert capacity.cores() == 6


def test_quotas_and_limits_of_version_1_count_too(monkeypatch, tmp_path):
    groups(monkeypatch, tmp_path, "1:cpu,cpuacct:/x\n2:memory:/x\n0::/\n", cpu__x__cpu_quota="400000")
    (tmp_path / "mounted/cpu/x/cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "mounted/memory/x").mkdir(parents=True)
    (tmp_path / "mounted/memory/x/memory.limit_in_bytes").write_text("2000000000\n")
    assert cgroups.most_cores() == 4
    assert cgroups.most_memory() == 2e9
    assert memory.of_machine() <= 2e9


def test_a_job_a_gpu_runs_at_once_else_one_a_core_and_a_gb(machine, tmp_path):
    workspace = workspace_at(tmp_path, gpus=FOUR, max_parallel=None)
    settings = workspace.settings
    assert capacity.at_once(jobs_of(workspace), settings) == 4
    assert capacity.at_once(jobs_of(workspace, gpus=2), settings) == 2
    assert capacity.at_once(jobs_of(workspace, gpus=0), settings) == 16
    halves = workspace_at(tmp_path, gpus=FOUR, max_parallel=None, gpus_per_job=0.5).settings
    assert capacity.at_once(jobs_of(workspace), halves) == 8
    few = workspace_at(tmp_path, gpus=FOUR, max_parallel=3).settings
    assert capacity.at_once(jobs_of(workspace), few) == 3
    assert waiting_words(plan_in(workspace), workspace).startswith("4 jobs at once; the rest wait")
    assert waiting_words(plan_in(workspace, seeds=range(4)), workspace) == ""
    machine.setattr(memory, "of_machine", lambda: 5.9e9)
    assert capacity.at_once(jobs_of(workspace, gpus=0), settings) == 5


def test_the_cores_are_divided_by_what_runs_at_once(machine, tmp_path):
    workspace = workspace_at(tmp_path, gpus=FOUR, max_parallel=None)
    mixed = [*jobs_of(workspace, 1), *jobs_of(workspace, 1, gpus=2), *jobs_of(workspace, 1, gpus=0)]
    assert capacity.threads(mixed, workspace.settings) == [4, 8, 1]
    assert capacity.threads(mixed, workspace_at(tmp_path, gpus=FOUR, max_parallel=2).settings) == [8, 8, 8]
    assert capacity.threads(mixed, workspace_at(tmp_path, gpus=FOUR, threads_per_job=3).settings) == [3, 3, 3]


def test_threads_are_in_the_record_of_the_run_and_the_setting_counts_more_than_the_shell(machine, tmp_path):
    script = f"import time, os\nwhile not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.02)"
    workspace = workspace_at(
        tmp_path, command=(sys.executable, "-S", "-c", script), gpus=FOUR, max_parallel=None, in_place=True
    )
    machine.setenv("OMP_NUM_THREADS", "7")
    machine.setattr(capacity, "cores", lambda: 1)
    with allow_launch() as permit:
        first = [job.run_name for job in submit(plan_in(workspace, seeds=range(4)), permit, workspace)]
        more = [job.run_name for job in submit(plan_in(workspace, seeds=range(2), gpus=0), permit, workspace)]
        chosen = workspace_at(
            tmp_path, command=(sys.executable, "-c", ""), gpus=FOUR, max_parallel=None, in_place=True, threads_per_job=5
        )
        [last] = [job.run_name for job in submit(plan_in(chosen, seeds=[9], arms=("b",)), permit, chosen)]
    # One core, and four devices: a job of a device needs no core that is free, and one without a device does.
    found = launcher_for("local", workspace).poll(dict.fromkeys([*first, *more], ""))
    assert [found[name].word for name in more] != ["PENDING", "PENDING"]
    assert {name: found[name].reason for name in found if found[name].word == "PENDING"} == {
        more[1]: "waits for a free slot"
    }
    (tmp_path / "go").touch()
    wait_for_end(workspace, [*first, *more, last])
    assert _threads(workspace, first[0]) == {"7", "1"}
    assert _threads(workspace, last) == {"5"}


def _threads(workspace, name):
    record = read_json(workspace.runs / name / "job.json")
    return {value for key, value in record["env"].items() if key.endswith("_NUM_THREADS")}


def test_no_group_is_made_where_nobody_lets_this_user_make_one(monkeypatch, tmp_path):
    groups(monkeypatch, tmp_path, "0::/user/app/this\n", user__app__this__memory_max="max")
    (tmp_path / "mounted" / "cgroup.controllers").touch()
    assert cgroups.group_of("run", 10) is None
    (tmp_path / "mounted/user/app/cgroup.subtree_control").write_text("memory pids\n")
    assert cgroups.group_of("run", 10) is None  # nothing can be moved there
    assert sorted(path.name for path in (tmp_path / "mounted/user/app").iterdir()) == [
        "cgroup.subtree_control",
        "this",
    ]


def test_the_kernel_holds_a_job_to_its_memory_also_what_left_its_session(tmp_path):
    if (group := cgroups.group_of("probe", 10**9)) is None:
        pytest.skip("no control group of version 2 to make one in")
    group.rmdir()
    hold = "held = bytearray(300 * 10**6); held[::4096] = b'x' * len(held[::4096])"
    script = f"import os, time\nif os.fork() == 0:\n os.setsid()\n {hold}\n time.sleep(60)\ntime.sleep(60)"
    workspace = workspace_at(tmp_path, command=(sys.executable, "-S", "-c", script), in_place=True)
    with allow_launch() as permit:
        [job] = submit(plan_in(workspace, seeds=[0], memory="0.2"), permit, workspace)
    wait_for_end(workspace, [job.run_name])
    record = read_json(workspace.runs / job.run_name / "job.json")
    status = launcher_for("local", workspace).poll({job.run_name: ""})[job.run_name]
    assert status.word == "OUT_OF_MEMORY"
    assert status.reason == "ended when it was about to hold more than its memory of 0.2 GB"
    wait_until(lambda: not Path(record["memory_group"]).exists())
