from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from experiments.project import files as processes
from experiments.project.files import boot_id, holders, is_alive, is_locked, locked, read_json, start_time, try_lock


def test_this_process_is_alive_and_another_with_its_pid_is_not():
    assert is_alive(processes.this_process())
    assert not is_alive({"pid": os.getpid(), "start": "1"})
    assert not is_alive({"pid": 2**22 + 1, "start": None})
    assert not is_alive(None)


def test_a_process_that_waits_to_be_reaped_is_not_alive():
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert start_time(child.pid) is None
    child.wait()


def test_a_name_with_brackets_does_not_shift_the_start_time(tmp_path):
    program = tmp_path / "a) R 1 (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([str(program), "60"]) as child:
        assert int(start_time(child.pid)) >= int(start_time(os.getpid()))
        child.kill()


def test_the_start_time_is_found_without_proc(monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "PROC", tmp_path)
    assert start_time(os.getpid())
    assert start_time(2**22 + 1) is None
    assert boot_id() == ""


def test_a_lock_is_held_by_all_who_inherited_it_and_by_nobody_else(tmp_path):
    path = tmp_path / "lock"
    lock = try_lock(path)
    assert try_lock(path) is None
    with subprocess.Popen(["sleep", "60"], pass_fds=(lock,)) as heir, path.open():
        os.close(lock)
        assert is_locked(path)
        assert list(holders(path)) == [heir.pid]
        heir.kill()
        heir.wait()
    assert not is_locked(path)
    assert list(holders(path)) == []


def test_waiting_for_a_lock_ends(tmp_path):
    with locked(tmp_path / "lock", wait_s=0) as first, locked(tmp_path / "lock", wait_s=0.02) as second:
        assert (first, second) == (True, False)


def test_a_file_is_replaced_whole_and_is_the_users_own(tmp_path):
    path = tmp_path / "file.json"
    processes.write_json(path, {"text": "naïve"})
    processes.write_json(path, {"text": "second"})
    assert read_json(path) == {"text": "second"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.json"]


def test_what_cannot_be_written_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "file.json"
    processes.write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="nan"):
        processes.write_json(path, {"a": float("nan")})
    assert read_json(path) == {"a": 1}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_holds_no_object_is_an_error(tmp_path):
    assert read_json(tmp_path / "none") is None
    (tmp_path / "list").write_text("[]")
    with pytest.raises(ValueError, match="not an object"):
        read_json(tmp_path / "list")


def test_the_supervisor_starts_with_the_standard_library_alone():
    code = "import sys, experiments.jobs.launchers.local.supervisor; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"pydantic", "sqlite3", "experiments.types", "asyncio"} & set(loaded.split())
