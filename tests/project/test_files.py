from __future__ import annotations

import ast
import json
import math
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.project import files as processes
from experiments.project.files import (
    boot_id,
    holders,
    is_alive,
    is_locked,
    locked,
    parse_json,
    read_json,
    real_number,
    second_name,
    start_time,
    try_lock,
)

ROOT = Path(__file__).parents[2]
# What they read our own processes wrote; the bridge is a program of its own, without our package.
OWN = {
    "experiments/notebooks/forms/kinds.py",
    "experiments/project/files.py",
    "experiments/project/environment/probe.py",
    "experiments/jobs/launchers/sky/bridge.py",
    "experiments/jobs/launchers/sky/bridge_answers.py",
    "experiments/notebooks/export/run/child.py",
    "experiments/notebooks/export/run/process.py",
    "experiments/notebooks/charts/figures.py",
}
NO_JSON = ["", "[" * 100_000, '{"a":' * 100_000, b"\xff", b"\x00", "9" * 5000, "{", "nan", '"\x1b"']


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


def test_a_second_name_takes_no_room_and_where_there_are_no_links_is_a_copy(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("content")
    second_name(path, tmp_path / "second")
    assert (tmp_path / "second").samefile(path)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    second_name(path, tmp_path / "copy")
    assert not (tmp_path / "copy").samefile(path)
    assert (tmp_path / "copy").read_text() == "content"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["copy", "file", "second"]


def test_a_second_name_that_was_another_files_is_this_ones(tmp_path):
    path, name = tmp_path / "file", tmp_path / "name"
    path.write_text("new")
    name.write_text("old")
    second_name(path, name)
    assert name.read_text() == "new"


def test_a_file_that_holds_no_object_is_an_error(tmp_path):
    assert read_json(tmp_path / "none") is None
    (tmp_path / "list").write_text("[]")
    with pytest.raises(ValueError, match="not an object"):
        read_json(tmp_path / "list")


def test_the_supervisor_starts_with_the_standard_library_alone():
    code = "import sys, experiments.jobs.launchers.local.supervisor; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"pydantic", "sqlite3", "experiments.types", "asyncio"} & set(loaded.split())


@pytest.mark.parametrize("text", NO_JSON, ids=range(len(NO_JSON)))
def test_what_is_no_json_or_too_deep_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_a_half_of_a_character_is_a_replacement_sign():
    found = parse_json(r'{"\ud800": ["a\udfffb", "\ud83d\ude00"], "c": NaN}')
    assert found.pop("c") != 0
    assert found == {"\ufffd": ["a\ufffdb", "\U0001f600"]}
    json.dumps(found, ensure_ascii=False).encode()


def test_a_number_beyond_all_floats_is_infinite():
    assert real_number(10**5000) == parse_json("1e999") == math.inf
    assert real_number(-(10**400)) == -math.inf
    assert real_number(2**53) == 2.0**53


def test_json_of_others_is_read_by_this_one_function():
    found = set()
    for path in [*(ROOT / "experiments").rglob("*.py"), *(ROOT / "apps").rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(("experiments/scratch/", "experiments/log/")):
            calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
            found |= {name for call in calls if ast.unparse(call.func) in {"json.loads", "json.load"}}
    assert found <= OWN
