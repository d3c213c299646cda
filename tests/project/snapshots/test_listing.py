from __future__ import annotations

import os
import socket

from experiments.project.settings import Settings
from experiments.project.snapshots import is_there, take
from experiments.project.snapshots.store import REFS
from tests.fakes.repositories import (
    commit_all,
    git,
    in_a_merge,
    linked,
    repository,
    sparse,
    with_embedded,
    with_submodule,
    write,
)
from tests.fakes.snapshots import SETTINGS, content, snapshot_of, tree_of


def test_a_merge_in_progress_is_said_and_its_markers_are_in(tmp_path):
    folder = in_a_merge(tmp_path / "p")
    taken = snapshot_of(folder)
    assert content(folder, taken, "a.py").startswith(b"<<<<<<<")
    assert "merge is in progress" in taken.notes[0]
    assert "conflict markers" in taken.notes[0]
    assert set(taken.changed) == {"a.py"}


def test_a_sparse_checkout_is_said_and_what_it_keeps_away_is_not_called_deleted(tmp_path):
    folder = sparse(tmp_path / "p")
    taken = snapshot_of(folder)
    assert set(tree_of(folder, taken)) == {"a.py", "b.py", "kept/c.py"}
    assert taken.changed == {}
    assert "sparse: without 1 file" in taken.notes[0]


def test_a_submodules_files_are_in_and_compared_with_its_own_commit(tmp_path):
    folder = with_submodule(tmp_path / "p")
    taken = snapshot_of(folder)
    assert set(tree_of(folder, taken)) == {".gitmodules", "a.py", "b.py", "sub/a.py", "sub/b.py", "sub/extra.py"}
    assert set(taken.changed) == {"sub/a.py", "sub/extra.py"}


def test_a_submodule_that_is_not_checked_out_is_said(tmp_path):
    folder = with_submodule(tmp_path / "p")
    git(folder, "submodule", "deinit", "--force", "sub")
    taken = snapshot_of(folder)
    assert set(tree_of(folder, taken)) == {".gitmodules", "a.py", "b.py"}
    assert "1 submodule" in taken.notes[0]
    assert taken.changed == {}


def test_a_clone_in_the_repository_is_code_that_the_commit_has_not(tmp_path):
    folder = with_embedded(tmp_path / "p")
    taken = snapshot_of(folder)
    assert set(taken.changed) == {"clone/a.py", "clone/b.py", "bare start/c.py"}
    assert set(taken.changed) < set(tree_of(folder, taken))


def test_of_linked_working_trees_each_has_its_own_files_and_all_share_the_refs(tmp_path):
    folder = linked(tmp_path / "side")
    taken = snapshot_of(folder)
    assert set(taken.changed) == {"a.py"}
    assert git(tmp_path / "side main", "rev-parse", f"{REFS}{taken.id}") == taken.commit


def test_pipes_and_sockets_are_left_out_and_said(tmp_path, monkeypatch):
    folder = repository(tmp_path / "p")
    os.mkfifo(folder / "pipe")
    monkeypatch.chdir(folder)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        taken = snapshot_of(folder)
    assert set(tree_of(folder, taken)) == {"a.py", "b.py"}


def test_files_behind_a_link_are_not_read(tmp_path):
    folder = repository(tmp_path / "p")
    (folder / "d").mkdir()
    write(folder / "d", c="inside\n")
    commit_all(folder)
    (folder / "d").rename(tmp_path / "elsewhere")
    (folder / "d").symlink_to(tmp_path / "elsewhere")
    taken = snapshot_of(folder)
    assert set(tree_of(folder, taken)) == {"a.py", "b.py", "d"}
    assert taken.changed["d/c.py"] == "deleted"


def test_what_experiments_and_python_write_is_no_code_nor_is_what_is_linked_or_an_environment(tmp_path):
    folder = repository(tmp_path / "p")
    for name in (
        "__pycache__/a.pyc",
        "experiments/log/x_nb.py",
        "study_nb.py",
        "data/big.bin",
        "env/pyvenv.cfg",
        "env/x",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x\n", encoding="utf-8")
    taken = snapshot_of(folder, Settings(snapshot_links=("data",)))
    assert set(tree_of(folder, taken)) == {"a.py", "b.py"}
    assert taken.changed == {}


def test_a_notebook_inside_a_package_is_a_module_and_is_kept(tmp_path):
    folder = repository(tmp_path / "p")
    (folder / "package").mkdir()
    write(folder / "package", template_nb="x = 1\n", __init__="")
    module = "package/template_nb.py"
    assert set(tree_of(folder, snapshot_of(folder))) == {"a.py", "b.py", "package/__init__.py", module}


def test_a_project_that_its_repository_ignores_is_kept_by_itself(tmp_path):
    folder = repository(tmp_path / "home")
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    root = folder / "project"
    root.mkdir()
    write(root, recipe="mine\n")
    taken = take(root, root / ".experiments", SETTINGS)
    assert (taken.prefix, taken.base, taken.file_count) == (".", None, 1)
    assert git(folder, "for-each-ref", REFS) == ""
    assert is_there(root / ".experiments", taken.id)


def test_of_a_submodule_whose_commit_was_not_fetched_it_is_said_that_nobody_knows_what_changed(tmp_path):
    folder = with_submodule(tmp_path / "p")
    git(folder, "update-index", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(folder, "commit", "-m", "another commit of the submodule")
    taken = snapshot_of(folder)
    assert "What changed in submodule 'sub' is not known" in taken.notes[0]
    assert "1" * 12 in taken.notes[0]
    assert "sub/b.py" in taken.changed
