from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from experiments.project.errors import LaunchError
from experiments.project.settings import Settings
from experiments.project.snapshots import Snapshot, checkout, fetch, files, is_there, restore, take
from experiments.project.snapshots.sharing import _import
from experiments.project.snapshots.store import REFS
from tests.fakes.repositories import all_of, commit_all, git, hooks_that_tell, repository, write

STATE = ".experiments"


def taken(folder: Path, settings: Settings | None = None) -> Snapshot:
    return take(folder, folder / STATE, settings or Settings())


@pytest.fixture
def first(tmp_path):
    """A repository with an untracked file, as recipes are, and a name that is not UTF-8."""
    folder = repository(tmp_path / "first")
    write(folder, recipe="untracked\n")
    (folder / "\udcff").write_bytes(b"\0")
    (folder / 'a "quoted"\\\nname').symlink_to("a.py")
    (folder / "run.sh").write_bytes(b"#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    return folder


@pytest.fixture
def clone(first, tmp_path):
    git(tmp_path, "clone", str(first), "clone")
    return tmp_path / "clone"


def plain(tmp_path: Path) -> Path:
    folder = tmp_path / "plain"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("within", [".", STATE, ".git"])
def test_a_clone_gets_a_snapshot_from_the_first_folder_its_state_or_its_repository(first, clone, within):
    snapshot = taken(first)
    assert not is_there(clone / STATE, snapshot)
    fetch(clone / STATE, snapshot, first / within)
    assert git(clone, "rev-parse", f"{REFS}{snapshot.id}") == snapshot.commit
    git(clone, "fsck", "--strict", "--no-dangling")
    assert list(files(clone / STATE, snapshot)) == list(files(first / STATE, snapshot))
    assert (checkout(clone / STATE, snapshot) / "recipe.py").read_text() == "untracked\n"


def test_a_snapshot_goes_between_projects_with_and_without_a_repository(first, tmp_path):
    snapshot = taken(first)
    without, again = plain(tmp_path), repository(tmp_path / "again")
    fetch(without / STATE, snapshot, first)
    assert list(files(without / STATE, snapshot)) == list(files(first / STATE, snapshot))
    fetch(again / STATE, snapshot, without)
    shutil.rmtree(first)
    shutil.rmtree(without)
    assert (checkout(again / STATE, snapshot) / "recipe.py").read_text() == "untracked\n"


def test_nothing_of_either_repository_is_touched_and_no_program_of_theirs_is_started(first, clone):
    snapshot = taken(first)
    (clone / STATE).mkdir()
    told = [hooks_that_tell(folder) for folder in (first, clone)]
    git(first, "config", "uploadpack.packObjectsHook", f"touch {told[0]}; exec")
    before = all_of(first), all_of(clone)
    fetch(clone / STATE, snapshot, first)
    assert (all_of(first), all_of(clone)) == before
    assert not any(path.exists() for path in told)


def test_a_folder_that_does_not_have_it_is_named(first, clone, tmp_path):
    snapshot = taken(first)
    for other in (plain(tmp_path), tmp_path / "missing", repository(tmp_path / "other")):
        with pytest.raises(LaunchError, match=f"'{other}' does not have snapshot {snapshot.id[:12]}"):
            fetch(clone / STATE, snapshot, other)


def test_a_repository_that_lost_or_changed_an_object_gives_nothing(first, clone):
    snapshot = taken(first)
    blob = git(first, "rev-parse", f"{REFS}{snapshot.id}:recipe.py")
    path = first / ".git" / "objects" / blob[:2] / blob[2:]
    other = git(first, "rev-parse", f"{REFS}{snapshot.id}:run.sh")
    path.chmod(0o600)
    path.write_bytes((first / ".git" / "objects" / other[:2] / other[2:]).read_bytes())
    with pytest.raises(LaunchError, match="cannot be had from"):
        fetch(clone / STATE, snapshot, first)
    path.unlink()
    with pytest.raises(LaunchError, match="cannot be had from"):
        fetch(clone / STATE, snapshot, first)
    assert not is_there(clone / STATE, snapshot)
    assert git(clone, "for-each-ref", REFS) == ""


@pytest.mark.parametrize("has_repository", [True, False])
def test_an_archives_files_become_the_snapshot_again(first, tmp_path, has_repository):
    snapshot = taken(first)
    target = repository(tmp_path / "again") if has_repository else plain(tmp_path)
    archived = list(files(first / STATE, snapshot))
    shutil.rmtree(first)
    restore(target / STATE, snapshot, archived)
    assert list(files(target / STATE, snapshot)) == archived
    assert is_there(target / STATE, snapshot)
    assert (checkout(target / STATE, snapshot) / "recipe.py").read_text() == "untracked\n"


@pytest.mark.parametrize("damage", ["content", "mode", "name", "missing", "added", "order"])
def test_an_archive_that_was_changed_is_refused_by_its_hash(first, tmp_path, damage):
    snapshot = taken(first)
    archived = list(files(first / STATE, snapshot))
    name, mode, content = archived[-1]
    if damage == "order":
        archived.reverse()
        restore(plain(tmp_path) / STATE, snapshot, archived)
        return
    archived[-1:] = {
        "content": [(name, mode, content + b"x")],
        "mode": [(name, "100755", content)],
        "name": [(name + b"x", mode, content)],
        "missing": [],
        "added": [archived[-1], (b"z", "100644", b"")],
    }[damage]
    target = plain(tmp_path)
    with pytest.raises(LaunchError, match=f"not those of snapshot {snapshot.id[:12]}: they are "):
        restore(target / STATE, snapshot, archived)
    assert not is_there(target / STATE, snapshot)
    restore(target / STATE, snapshot, files(first / STATE, snapshot))


@pytest.mark.parametrize("name", [b"../out", b"/tmp/out", b".git/config", b"a/../../out", b"a/.git/hooks/x"])
def test_a_path_that_climbs_out_is_refused_though_the_tree_has_an_id(tmp_path, name):
    target = plain(tmp_path)
    archived = [(name, "100644", b"evil"), (b"z.py", "100644", b"")]
    with pytest.raises(LaunchError):
        restore(target / STATE, "0" * 40, archived)
    maker = repository(tmp_path / "maker")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=maker, input=b"".join(_import(archived)), check=False)
    if not (id_ := git(maker, "rev-parse", "-q", "--verify", "restored^{tree}", check=False)):
        return  # a later git makes no such tree
    git(maker, "update-ref", f"{REFS}{id_}", "restored")
    for get in (lambda: restore(target / STATE, id_, archived), lambda: fetch(target / STATE, id_, maker)):
        with pytest.raises(LaunchError):
            get()
    assert not is_there(target / STATE, id_)
    assert not (tmp_path / "out").exists()


def test_nothing_is_pushed_unless_the_user_asked_for_it(first, tmp_path):
    git(tmp_path, "init", "--bare", "remote.git")
    git(first, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(first, "config", "push.default", "matching")
    commit_all(first)
    told = hooks_that_tell(first)
    snapshot = taken(first)
    assert git(tmp_path / "remote.git", "for-each-ref") == ""
    write(first, recipe="edited\n")
    snapshot = taken(first, Settings(snapshot_push="origin"))
    assert git(tmp_path / "remote.git", "for-each-ref", "--format=%(refname)") == f"{REFS}{snapshot.id}"
    assert snapshot.notes == ()
    assert not told.exists()


def test_a_push_that_failed_is_said_without_its_password(first, tmp_path):
    url = f"https://ada:planted-secret@localhost:1{tmp_path}/missing.git"
    snapshot = taken(first, Settings(snapshot_push=url))
    assert "was not pushed to" in snapshot.notes[0]
    assert "planted-secret" not in snapshot.notes[0]
    assert is_there(first / STATE, snapshot)
