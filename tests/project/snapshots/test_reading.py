from __future__ import annotations

import shutil

import pytest

from experiments.project.errors import LaunchError
from experiments.project.settings import Settings
from experiments.project.snapshots import changed_between, diff_text, files, is_there, take
from experiments.project.snapshots.store import REFS
from tests.fakes.repositories import git, repository, write


@pytest.fixture
def folder(tmp_path):
    return repository(tmp_path / "p")


def taken(folder, root=None):
    return take(root or folder, folder / ".experiments", Settings())


def test_every_file_comes_with_mode_and_content_in_the_order_of_names(folder):
    (folder / "run.sh").write_bytes(b"#!/bin/sh\r\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("a.py")
    (folder / "\udcff\n").write_bytes(b"")
    snapshot = taken(folder)
    assert list(files(folder / ".experiments", snapshot)) == [
        (b"a.py", "100644", b"one\n"),
        (b"b.py", "100644", b"two\n"),
        (b"link", "120000", b"a.py"),
        (b"run.sh", "100755", b"#!/bin/sh\r\n"),
        (b"\xff\n", "100644", b""),
    ]


def test_many_files_all_come(folder):
    for number in range(450):
        (folder / f"n{number:03}.txt").write_text(f"{number}\n" * (number % 3), encoding="utf-8")
    found = {name: content for name, _, content in files(folder / ".experiments", taken(folder))}
    assert len(found) == 452
    assert all(found[f"n{number:03}.txt".encode()].decode() == f"{number}\n" * (number % 3) for number in range(450))


def test_what_differs_is_named_and_shown(folder):
    state, old = folder / ".experiments", taken(folder)
    write(folder, a="changed\n", new="new\n")
    (folder / "b.py").unlink()
    new = taken(folder)
    assert changed_between(state, old, new) == ["a.py", "b.py", "new.py"]
    assert changed_between(state, old.id, old.id) == []
    shown = diff_text(state, old, new)
    assert "-one\n+changed" in shown
    assert "3 files changed" in shown
    assert diff_text(state, old, old) == ""
    assert "new.py" not in diff_text(state, old, new, ["a.py"])


def test_a_long_difference_is_cut_and_says_so(folder):
    old = taken(folder)
    write(folder, a="line\n" * 10_000)
    shown = diff_text(folder / ".experiments", old, taken(folder), most=1000)
    assert len(shown) < 1100
    assert "# Cut: 1,000 of 6" in shown


def test_to_show_a_difference_starts_no_program_of_the_tree_or_the_settings(folder, tmp_path):
    (folder / ".gitattributes").write_text("* diff=evil\n", encoding="utf-8")
    old = taken(folder)
    for name in ("diff.evil.command", "diff.evil.textconv", "diff.external"):
        git(folder, "config", name, f"touch {tmp_path / 'ran'} #")
    write(folder, a="changed\n")
    assert "+changed" in diff_text(folder / ".experiments", old, taken(folder))
    assert not (tmp_path / "ran").exists()


def test_two_snapshots_of_a_project_that_became_a_repository_are_compared(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    write(folder, a="one\n")
    old = taken(folder)
    git(folder, "init")
    write(folder, a="two\n")
    assert changed_between(folder / ".experiments", old, taken(folder)) == ["a.py"]


def test_a_snapshot_that_is_gone_is_said(folder):
    state, old = folder / ".experiments", taken(folder)
    write(folder, a="changed\n")
    new = taken(folder)
    git(folder, "update-ref", "-d", f"{REFS}{old.id}")
    for ask in (
        lambda: changed_between(state, old, new),
        lambda: diff_text(state, new, old),
        lambda: [*files(state, old)],
    ):
        with pytest.raises(LaunchError, match=f"snapshot {old.id[:12]} is gone"):
            ask()


def test_a_damaged_repository_is_said(folder):
    state = folder / ".experiments"
    write(folder, new="untracked\n")
    snapshot = taken(folder)
    blob = git(folder, "rev-parse", f"{REFS}{snapshot.id}:new.py")
    shutil.rmtree(folder / ".git" / "objects" / blob[:2])
    with pytest.raises(LaunchError, match=r"cannot be read: object .* is missing"):
        list(files(state, snapshot))


def test_where_git_cannot_be_asked_a_snapshot_is_not_called_gone(folder):
    snapshot = taken(folder)
    (folder / ".git" / "config").write_text("[core\n", encoding="utf-8")
    with pytest.raises(LaunchError, match=r"is still there cannot be told: .*bad config"):
        is_there(folder / ".experiments", snapshot)
