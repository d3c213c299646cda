from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from experiments.project.errors import LaunchError
from experiments.project.snapshots import Snapshot, is_there, take
from experiments.project.snapshots.store import REFS
from tests.fakes.repositories import (
    STATES,
    all_of,
    commit_all,
    git,
    hooks_that_tell,
    repository,
    sparse,
    with_missing_filter,
    with_submodule,
    without_commits,
    write,
)
from tests.fakes.snapshots import SETTINGS, content, snapshot_of, tree_of


@pytest.fixture(params=STATES.values(), ids=STATES.keys())
def working_tree(request, tmp_path):
    return request.param(tmp_path / "work tree")


def test_nothing_of_the_users_is_touched(working_tree):
    told = hooks_that_tell(working_tree) if (working_tree / ".git").is_dir() else None
    git(working_tree, "config", "core.logAllRefUpdates", "always")
    (working_tree / ".experiments").mkdir()
    before = all_of(working_tree)
    taken = snapshot_of(working_tree)
    assert is_there(working_tree / ".experiments", taken.id)
    assert all_of(working_tree) == before
    assert told is None or not told.exists()


def test_the_ref_names_a_commit_of_exactly_this_tree_and_nothing_else_is_left(working_tree):
    taken = snapshot_of(working_tree)
    assert git(working_tree, "rev-parse", f"{REFS}{taken.id}") == taken.commit
    assert git(working_tree, "rev-parse", f"{taken.commit}^{{tree}}") == taken.id
    objects = Path(git(working_tree, "rev-parse", "--path-format=absolute", "--git-path", "objects"))
    assert list(objects.glob("tmp*")) == []


def test_the_same_files_are_one_snapshot_wherever_and_whenever(tmp_path):
    one, other = repository(tmp_path / "one"), without_commits(tmp_path / "other")
    write(other, a="one\n", b="two\n")
    assert snapshot_of(one).id == snapshot_of(one).id == snapshot_of(other).id
    assert snapshot_of(one).commit == snapshot_of(other).commit
    assert snapshot_of(other).base is None
    assert snapshot_of(one).base == git(one, "rev-parse", "HEAD")


def test_every_change_is_seen_though_the_last_index_is_used_again(tmp_path):
    folder = repository(tmp_path / "p")
    ids = []
    for text in ("x\n", "y\n", "x\n", "z\n"):  # of one size, at nearly one time
        write(folder, a=text)
        taken = snapshot_of(folder)
        assert content(folder, taken, "a.py").decode() == text
        ids.append(taken.id)
    assert len(set(ids)) == 3
    (folder / "a.py").unlink()
    (folder / "a.py").mkdir()
    write(folder / "a.py", inner="now a folder\n")
    assert set(tree_of(folder, snapshot_of(folder))) == {"a.py/inner.py", "b.py"}


def test_what_git_would_lose_or_change_is_kept_as_it_lies_on_the_disk(tmp_path):
    folder = repository(tmp_path / "p")
    (folder / ".gitignore").write_text("*.log\n", encoding="utf-8")
    (folder / ".gitattributes").write_text("* text=auto eol=lf ident\n", encoding="utf-8")
    (folder / "run.log").write_text("tracked though ignored\n", encoding="utf-8")
    (folder / "ends.txt").write_bytes(b"$Id$ one\r\ntwo\r\n")
    git(folder, "add", "--force", "run.log")
    commit_all(folder)
    git(folder, "update-index", "--assume-unchanged", "a.py")
    write(folder, a="edited unseen\n")
    (folder / "b.py").chmod(0o755)
    (folder / "link").symlink_to("nowhere")
    (folder / "other.log").write_text("ignored\n", encoding="utf-8")
    taken = snapshot_of(folder)
    assert content(folder, taken, "a.py") == b"edited unseen\n"
    assert content(folder, taken, "ends.txt") == b"$Id$ one\r\ntwo\r\n"
    found = tree_of(folder, taken)
    assert found["b.py"].startswith("100755")
    assert found["link"].startswith("120000")
    assert content(folder, taken, "link") == b"nowhere"
    assert "run.log" in found
    assert "other.log" not in found
    assert set(taken.changed) == {"a.py", "b.py", "link", "ends.txt"}


def test_no_program_of_a_filter_is_needed_and_a_pointer_stays_one(tmp_path):
    folder = with_missing_filter(tmp_path / "p")
    taken = snapshot_of(folder)
    assert content(folder, taken, "pointer.bin").startswith(b"version https://git-lfs")
    assert content(folder, taken, "full.bin") == bytes(range(256))


@pytest.mark.parametrize("name", ["new\nline", 'quo"te', "tab\t", " space ", "-rf", "déjà", "a:b", "\udcff\udcfe"])
def test_a_hostile_file_name_is_one_file(tmp_path, name):
    folder = repository(tmp_path / "p")
    (folder / name).write_text("one\n", encoding="utf-8")
    taken = snapshot_of(folder)
    assert set(tree_of(folder, taken)) == {"a.py", "b.py", name}
    assert taken.changed_count == len(taken.changed) == 1
    assert Snapshot.model_validate_json(taken.model_dump_json()) == taken


def test_the_whole_repository_is_kept_with_the_projects_place_in_it(tmp_path):
    folder = repository(tmp_path / "p")
    root = folder / "deep" / "project"
    root.mkdir(parents=True)
    write(root, recipe="mine\n")
    taken = take(root, root / ".experiments", SETTINGS)
    assert taken.prefix == "deep/project"
    assert set(tree_of(folder, taken)) == {"a.py", "b.py", "deep/project/recipe.py"}


def test_without_a_repository_the_same_files_are_the_same_snapshot(tmp_path):
    plain = tmp_path / "plain"
    plain.mkdir()
    write(plain, a="one\n", b="two\n", ignored="no\n")
    (plain / ".gitignore").write_text("ignored.py\n", encoding="utf-8")
    other = repository(tmp_path / "other")
    (other / ".gitignore").write_text("ignored.py\n", encoding="utf-8")
    taken = snapshot_of(plain)
    assert taken.id == snapshot_of(other).id
    assert (taken.base, taken.pushed) == (None, "no remote")
    assert is_there(plain / ".experiments", taken.id)
    assert not (plain / ".git").exists()


def test_a_repository_of_longer_hashes_works_too(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    git(folder, "init", "--object-format=sha256")
    write(folder, a="one\n")
    commit_all(folder)
    taken = snapshot_of(folder)
    assert len(taken.id) == 64
    assert taken.changed == {}
    assert is_there(folder / ".experiments", taken.id)


def test_a_snapshot_outlives_git_gc_and_is_gone_with_its_ref(tmp_path):
    folder = repository(tmp_path / "p")
    write(folder, new="untracked\n")
    taken = snapshot_of(folder)
    git(folder, "gc", "--prune=now")
    assert content(folder, taken, "new.py") == b"untracked\n"
    git(folder, "update-ref", "-d", f"{REFS}{taken.id}")
    assert not is_there(folder / ".experiments", taken.id)
    git(folder, "gc", "--prune=now")
    again = snapshot_of(folder)  # with an index that counts on objects which are gone
    assert again.id == taken.id
    assert content(folder, again, "new.py") == b"untracked\n"


def test_a_snapshot_is_found_in_a_project_that_was_moved_or_lost_its_state(tmp_path):
    folder = repository(tmp_path / "p")
    taken = snapshot_of(folder)
    moved = folder.rename(tmp_path / "q")
    assert is_there(moved / ".experiments", taken.id)
    (moved / ".experiments").rename(tmp_path / "lost")
    (moved / ".experiments").mkdir()
    assert is_there(moved / ".experiments", taken.id)


def test_snapshots_of_one_project_at_once_are_all_whole(tmp_path):
    folder = repository(tmp_path / "p")
    found, failed = [], []

    def one(number: int) -> None:
        try:
            write(folder, **{f"n{number}": f"{number}\n"})
            found.append(snapshot_of(folder))
        except LaunchError as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for taken in found:
        git(folder, "fsck", "--strict", "--no-dangling", taken.commit)
    assert set(tree_of(folder, snapshot_of(folder))) == {"a.py", "b.py", *(f"n{number}.py" for number in range(8))}


def test_linked_working_trees_that_take_the_same_files_at_once_both_get_them(tmp_path):
    main = repository(tmp_path / "main")
    folders = [main]
    for number in range(3):
        git(main, "worktree", "add", "--detach", str(tmp_path / f"side{number}"))
        folders.append(tmp_path / f"side{number}")
    found, failed = [], []

    def one(folder) -> None:
        try:
            found.append(snapshot_of(folder).id)
        except LaunchError as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_lock_of_the_ref_that_a_killed_git_left_behind_stops_no_launch(tmp_path):
    folder = repository(tmp_path / "p")
    taken = snapshot_of(folder)
    git(folder, "update-ref", "-d", f"{REFS}{taken.id}")
    lock = folder / ".git" / f"{REFS}{taken.id}.lock"
    lock.parent.mkdir(exist_ok=True)
    lock.touch()
    os.utime(lock, (0, 0))
    assert snapshot_of(folder).id == taken.id
    assert is_there(folder / ".experiments", taken.id)


def test_a_project_in_a_submodule_is_kept_in_the_submodules_repository(tmp_path):
    folder = with_submodule(tmp_path / "p")
    inner = folder / "sub"
    taken = snapshot_of(inner)
    assert set(tree_of(inner, taken)) == {"a.py", "b.py", "extra.py"}
    assert set(taken.changed) == {"a.py", "extra.py"}
    assert taken.base == git(inner, "rev-parse", "HEAD")
    assert git(folder, "for-each-ref", REFS) == ""


@pytest.mark.parametrize("how", ["--depth=1", "--filter=blob:none", "--filter=tree:0", "--shared", "--sparse"])
def test_clones_that_lack_some_objects_ask_nobody_for_them(tmp_path, how):
    first = repository(tmp_path / "first")
    git(first, "config", "uploadpack.allowFilter", "true")
    (first / "deep").mkdir()
    write(first / "deep", c="three\n")
    commit_all(first)
    git(tmp_path, "clone", how, first.as_uri() if how != "--shared" else str(first), "clone")
    if how != "--shared":
        first.rename(tmp_path / "away")
    clone = tmp_path / "clone"
    write(clone, a="edited\n")
    taken = snapshot_of(clone)
    assert set(taken.changed) == {"a.py"}
    assert content(clone, taken, "a.py") == b"edited\n"


@pytest.mark.parametrize("setting", ["core.splitIndex", "core.untrackedCache", "index.sparse", "core.fsmonitor"])
def test_an_index_of_another_kind_is_read_all_the_same(tmp_path, setting):
    folder = sparse(tmp_path / "p")
    git(folder, "sparse-checkout", "set", "--cone", "kept")
    git(folder, "config", setting, "true")
    git(folder, "update-index", "--force-write-index", check=False)
    write(folder / "kept", c="edited\n")
    taken = snapshot_of(folder)
    assert set(tree_of(folder, taken)) == {"a.py", "b.py", "kept/c.py"}
    assert set(taken.changed) == {"kept/c.py"}


@pytest.mark.parametrize("wrong", ["", "abc", "../../etc", "--all", "g" * 40])
def test_what_is_no_id_is_refused(tmp_path, wrong):
    with pytest.raises(LaunchError, match="is no snapshot"):
        is_there(tmp_path, wrong)


def test_without_git_the_next_step_is_named(tmp_path, monkeypatch):
    folder = repository(tmp_path / "p")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match=r"Install git, or run .*--in-place"):
        snapshot_of(folder)


def test_variables_of_a_hook_point_at_no_other_repository(tmp_path, monkeypatch):
    folder, other = repository(tmp_path / "p"), repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    write(folder, a="edited\n")
    taken = snapshot_of(folder)
    monkeypatch.undo()
    assert content(folder, taken, "a.py") == b"edited\n"


def test_a_head_that_cannot_be_read_is_not_called_no_commit(tmp_path):
    folder = repository(tmp_path / "p")
    (folder / ".git" / "refs" / "heads" / "main").write_text("no hash\n")
    with pytest.raises(LaunchError, match="HEAD of the repository names no commit that git can read"):
        snapshot_of(folder)
    assert snapshot_of(without_commits(tmp_path / "new")).base is None


def test_a_file_that_is_being_saved_while_it_is_read_is_whole(tmp_path):
    """Editors empty a file and write it anew; here the writing takes longer than a snapshot does."""
    folder = repository(tmp_path / "p")
    whole = b"x = 1\n" * 1000

    def save():
        with (folder / "a.py").open("wb", buffering=0) as file:
            for at in range(0, len(whole), 600):
                file.write(whole[at : at + 600])
                time.sleep(0.03)

    for _ in range(3):
        editor = threading.Thread(target=save)
        editor.start()
        taken = snapshot_of(folder)
        editor.join()
        assert content(folder, taken, "a.py") == whole
