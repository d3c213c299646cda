from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.project.errors import LaunchError
from experiments.project.settings import Settings
from experiments.project.snapshots import checkout, keep_within, remove_unneeded, take, unneeded
from experiments.project.snapshots.checkouts import checkouts
from experiments.project.snapshots.store import REFS
from tests.fakes.repositories import STATES, all_of, git, hooks_that_tell, repository, write


def taken(folder: Path) -> str:
    return take(folder, folder / ".experiments", Settings()).id


def checked_out(folder: Path, snapshot: str) -> Path:
    return checkout(folder / ".experiments", snapshot)


def files_in(folder: Path) -> dict[str, object]:
    """Return content, or the target of a link, and whether it can be run, of each file but git's."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.startswith(".experiments") or ".git" in path.relative_to(folder).parts:
            continue
        if path.is_symlink():
            found[name] = path.readlink()
        elif path.is_file():
            found[name] = (path.read_bytes(), bool(path.stat().st_mode & 0o100))
    return found


@pytest.fixture
def folder(tmp_path):
    return repository(tmp_path / "p")


@pytest.fixture(params=STATES.values(), ids=STATES.keys())
def working_tree(request, tmp_path):
    return request.param(tmp_path / "work tree")


def test_a_checkout_has_the_files_as_they_lay_there_and_nothing_of_the_users_is_touched(working_tree):
    told = hooks_that_tell(working_tree) if (working_tree / ".git").is_dir() else None
    (working_tree / ".experiments").mkdir()
    snapshot = taken(working_tree)
    before = all_of(working_tree)
    found = checked_out(working_tree, snapshot)
    assert files_in(found) == files_in(working_tree)
    assert all_of(working_tree) == before
    assert "code" not in git(working_tree, "worktree", "list")
    assert told is None or not told.exists()


@pytest.mark.parametrize("name", ["new\nline", 'quo"te', "tab\t", " space ", "-rf", "déjà", "\udcff\udcfe", "d e/x"])
def test_hostile_names_modes_and_links_come_back(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"a\r\n\0")
    (folder / name).chmod(0o755)
    (folder / "link").symlink_to("a.py")
    (folder / ".gitattributes").write_text("* text eol=lf\na.py export-ignore\n", encoding="utf-8")
    snapshot = taken(folder)
    assert files_in(checked_out(folder, snapshot)) == files_in(folder)
    assert checked_out(folder, snapshot).is_dir()


def test_git_asked_inside_says_snapshot_and_clean(folder):
    snapshot = taken(folder)
    found = checked_out(folder, snapshot)
    (found / "__pycache__").mkdir()
    (found / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"x")
    assert git(found, "branch", "--show-current") == "snapshot"
    assert git(found, "rev-parse", "HEAD") == git(folder, "rev-parse", f"{REFS}{snapshot}")
    assert git(found, "rev-parse", "--show-toplevel") == str(found)
    assert git(found, "status", "--porcelain") == ""
    assert "snapshot" not in git(folder, "branch", "--list")


def test_its_files_can_be_written_by_nobody_and_caches_can_lie_beside_them(folder):
    (folder / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "run.sh").chmod(0o755)
    found = checked_out(folder, taken(folder))
    assert {path.name: f"{path.stat().st_mode & 0o777:o}" for path in found.glob("*.*")} == {
        "a.py": "444",
        "b.py": "444",
        "run.sh": "555",
        ".git": "600",
    }
    assert found.stat().st_mode & 0o200


def test_what_is_not_edited_is_not_written_again(folder):
    snapshot = taken(folder)
    first = checked_out(folder, snapshot)
    inode = (first / "a.py").stat().st_ino
    write(folder, a="edited\n")
    assert checked_out(folder, snapshot) == first
    assert (first / "a.py").stat().st_ino == inode
    assert (first / "a.py").read_text() == "one\n"


def edit(found: Path) -> None:
    (found / "a.py").chmod(0o644)
    (found / "a.py").write_text("two\n", encoding="utf-8")


def edit_and_set_back_its_time(found: Path) -> None:
    before = (found / "a.py").stat()
    edit(found)
    os.utime(found / "a.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    (found / "a.py").chmod(0o444)


def edit_and_commit(found: Path) -> None:
    edit(found)
    git(found, "commit", "--all", "-m", "mine")


def replace_by_a_link(found: Path) -> None:
    (found / "a.py").unlink()
    (found / "a.py").symlink_to("b.py")


EDITS = {
    edit: "a.py (changed)",
    edit_and_set_back_its_time: "a.py (changed)",
    edit_and_commit: "a.py (changed)",
    replace_by_a_link: "a.py (changed)",
    lambda found: (found / "a.py").chmod(0o755): "a.py (changed)",
    lambda found: (found / "b.py").unlink(): "b.py (missing)",
    shutil.rmtree: "tree is missing",
    lambda found: (found.parent / "stamp").unlink(): "stamp is missing",
    lambda found: write(found, json="evil\n"): "json.py (added)",
    lambda found: (found / "numpy.so").write_bytes(b""): "numpy.so (added)",
}


@pytest.mark.parametrize(("spoil", "said"), EDITS.items(), ids=map(str, range(len(EDITS))))
def test_a_checkout_that_was_edited_is_named_and_never_used(folder, spoil, said):
    snapshot = taken(folder)
    found = checked_out(folder, snapshot)
    spoil(found)
    for _ in range(2):
        with pytest.raises(LaunchError, match="edited by hand") as error:
            checked_out(folder, snapshot)
        assert said in str(error.value)
        assert str(error.value).endswith(f"rm -r {found.parent}")
    shutil.rmtree(found.parent)
    assert (checked_out(folder, snapshot) / "a.py").read_text() == "one\n"


def test_what_a_program_wrote_beside_its_source_is_left_where_it_is(folder):
    snapshot = taken(folder)
    found = checked_out(folder, snapshot)
    (found / "left.json").write_text("{}", encoding="utf-8")
    subprocess.run([sys.executable, "-c", "import a_module"], cwd=found, check=False)
    assert (checked_out(folder, snapshot) / "left.json").read_text() == "{}"


def test_a_project_that_was_copied_keeps_its_checkouts(folder, tmp_path):
    snapshot = taken(folder)
    checked_out(folder, snapshot)
    copied = Path(shutil.copytree(folder, tmp_path / "copy", symlinks=True))
    shutil.rmtree(folder)
    found = checked_out(copied, snapshot)
    assert files_in(found) == {"a.py": (b"one\n", False), "b.py": (b"two\n", False)}
    assert git(found, "status", "--porcelain") == ""


def test_many_processes_at_once_make_one_checkout(folder):
    snapshot = taken(folder)
    code = (
        "import sys; from pathlib import Path; from experiments.project.snapshots import checkout; "
        "path = checkout(Path(sys.argv[1]), sys.argv[2]); print((path / 'a.py').stat().st_ino)"
    )
    command = [sys.executable, "-c", code, str(folder / ".experiments"), snapshot]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(5)]
    assert len({process.communicate()[0] for process in started}) == 1
    assert [process.returncode for process in started] == [0] * 5
    assert [path.name for path in (folder / ".experiments" / "code").glob("making*")] == []


def test_a_snapshot_whose_ref_was_pruned_is_said_to_be_gone(folder):
    write(folder, new="untracked\n")
    snapshot = taken(folder)
    git(folder, "update-ref", "-d", f"{REFS}{snapshot}")
    with pytest.raises(LaunchError, match=rf"no repository of this project has the ref {REFS}{snapshot}.*--code now"):
        checked_out(folder, snapshot)
    assert checkouts(folder / ".experiments") == []


def test_a_checkout_that_outlived_its_snapshot_is_not_used(folder):
    snapshot = taken(folder)
    checked_out(folder, snapshot)
    git(folder, "update-ref", "-d", f"{REFS}{snapshot}")
    with pytest.raises(LaunchError, match=f"snapshot {snapshot[:12]} is gone"):
        checked_out(folder, snapshot)


def test_a_damaged_repository_makes_no_checkout(folder):
    write(folder, new="untracked\n")
    snapshot = taken(folder)
    blob = git(folder, "rev-parse", f"{REFS}{snapshot}:new.py")
    (folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(LaunchError, match="cannot be checked out"):
        checked_out(folder, snapshot)
    assert checkouts(folder / ".experiments") == []


def test_what_no_job_needs_can_go_and_is_made_again(folder):
    state = folder / ".experiments"
    ids = []
    for number in range(3):
        write(folder, a=f"{number}\n" * 100)
        ids.append(taken(folder))
        checked_out(folder, ids[-1])
        time.sleep(0.01)
    checked_out(folder, ids[0])
    assert [one.snapshot for one in checkouts(state)] == [ids[1], ids[2], ids[0]]
    assert [one.snapshot for one in unneeded(state, [ids[2]])] == [ids[1], ids[0]]
    assert remove_unneeded(state, [ids[2]]) == 2 * 204
    assert [one.snapshot for one in checkouts(state)] == [ids[2]]
    assert (checked_out(folder, ids[1]) / "a.py").read_text() == "1\n" * 100


def test_a_budget_takes_the_ones_that_were_used_longest_ago_and_none_that_is_needed(folder):
    state = folder / ".experiments"
    ids = []
    for number in range(4):
        (folder / "big.bin").write_bytes(bytes([number]) * 1_000_000)
        ids.append(taken(folder))
        checked_out(folder, ids[-1])
        time.sleep(0.01)
    assert keep_within(state, 2.5, [ids[0]]) == 2 * 1_000_008
    assert {one.snapshot for one in checkouts(state)} == {ids[0], ids[3]}
    assert keep_within(state, 0.1, ids) == 0
    assert len(checkouts(state)) == 2
