from __future__ import annotations

import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from pydantic import BaseModel

from experiments.project.errors import LaunchError
from experiments.project.git import MAX_DIFF, read_tree
from experiments.project.provenance import (
    OwnCode,
    Provenance,
    capture,
    changes_since,
    config_hash,
    refuse_if_unreproducible,
)
from experiments.project.settings import Settings
from experiments.project.snapshots import take


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always"]
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *identity, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit that is pushed to a remote."""
    folder = tmp_path / "work tree"
    folder.mkdir()
    git(tmp_path, "init", "--bare", "remote.git")
    git(folder, "init")
    (folder / "a.py").write_text("one\n", encoding="utf-8")
    commit(folder, "a.py")
    git(folder, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(folder, "push", "--set-upstream", "origin", "main")
    return folder


def commit(folder: Path, *names: str) -> str:
    git(folder, "add", "--", *names)
    git(folder, "commit", "-m", "more")
    return git(folder, "rev-parse", "HEAD")


def test_a_clean_and_pushed_tree_is_recorded_and_nothing_is_warned_of(repository):
    found = capture(repository, command=["train"])
    assert (found.state, found.branch, found.pushed, found.files) == ("clean", "main", "yes", ())
    assert found.commit == git(repository, "rev-parse", "HEAD")
    assert found.packages["pydantic"]
    assert refuse_if_unreproducible(found, "skypilot") == []


def test_changed_tracked_files_are_listed_and_untracked_ones_counted(repository):
    (repository / "a.py").write_text("two\n", encoding="utf-8")
    (repository / "new.py").touch()
    found = capture(repository)
    assert (found.state, found.files, found.untracked) == ("dirty", ("a.py",), 1)
    assert found.diff_sha256
    assert b"+two" in found.diff


@pytest.mark.parametrize("name", ["new\nline", 'quo"te', "tab\t", " space ", "-rf", "déjà", "a -> b", "\udcff\udcfe"])
def test_a_hostile_file_name_is_one_file(repository, name):
    (repository / name).write_text("one\n", encoding="utf-8")
    commit(repository, name)
    (repository / name).write_text("two\n", encoding="utf-8")
    found = capture(repository)
    assert (found.file_count, len(found.files)) == (1, 1)
    assert all(text.isprintable() for text in refuse_if_unreproducible(found, "local"))
    assert Provenance.model_validate_json(found.model_dump_json()).files == found.files


def test_renamed_deleted_staged_and_conflicting_files_are_all_changes(repository):
    for name in ("b", "c", "d"):
        (repository / name).write_text(name * 99, encoding="utf-8")
    commit(repository, "b", "c", "d")
    git(repository, "mv", "b", "moved here")
    (repository / "c").unlink()
    (repository / "e").touch()
    git(repository, "add", "e")
    git(repository, "update-index", "--force-remove", "d")
    assert read_tree(repository).files == ("c", "d", "e", "moved here")


def test_a_commit_that_no_remote_has_is_not_pushed(repository):
    (repository / "a.py").write_text("two\n", encoding="utf-8")
    commit(repository, "a.py")
    assert capture(repository).pushed == "no"
    git(repository, "push")
    assert capture(repository).pushed == "yes"


def test_a_commit_on_another_branch_of_the_remote_is_pushed(repository):
    git(repository, "checkout", "-b", "topic")
    assert capture(repository).pushed == "yes"
    git(repository, "checkout", "--detach")
    assert (capture(repository).branch, capture(repository).pushed) == (None, "yes")


def test_without_a_remote_it_says_so(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "a").touch()
    commit(tmp_path, "a")
    found = capture(tmp_path)
    assert found.pushed == "no remote"
    with pytest.raises(LaunchError, match="the repository has no remote"):
        refuse_if_unreproducible(found, "skypilot")


def test_outside_a_repository_it_works_and_says_so(tmp_path):
    found = capture(tmp_path)
    assert (found.state, found.commit, found.files) == ("no repository", None, ())
    assert "not a git repository" in refuse_if_unreproducible(found, "skypilot")[0]
    assert dict(found.lines())["code"].startswith("not recorded")


def test_a_snapshot_without_a_repository_is_recorded_as_one_of_no_repository(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    own = OwnCode(snapshot=take(tmp_path, tmp_path / ".experiments", Settings()))
    running = capture(tmp_path).running(own)
    assert (running.state, running.commit) == ("no repository", None)
    assert refuse_if_unreproducible(running, "skypilot", kept=True) == [
        "there is no git repository here: the code is kept in the state folder alone"
    ]


def test_a_repository_without_commits_is_told_apart(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "a").touch()
    git(tmp_path, "add", "a")
    found = capture(tmp_path)
    assert (found.state, found.commit, found.files, found.pushed) == ("no commits", None, ("a",), "no")
    with pytest.raises(LaunchError, match="no commit yet"):
        refuse_if_unreproducible(found, "skypilot")


def test_without_the_program_git_it_works_and_says_so(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    found = capture(repository)
    assert found.state == "no git"
    assert "not on the PATH" in refuse_if_unreproducible(found, "local")[0]


def test_a_git_that_hangs_is_given_up(repository, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    threads = threading.active_count()
    tree = read_tree(repository, deadline_s=0.2)
    assert (tree.state, tree.reason) == ("unknown", "git status gave no answer within 0.2 s")
    assert threading.active_count() == threads


def test_a_damaged_repository_is_unknown_and_not_launched_from(repository):
    (repository / ".git" / "index").write_bytes(b"nonsense")
    found = capture(repository)
    assert found.state == "unknown"
    with pytest.raises(LaunchError, match="not recorded"):
        refuse_if_unreproducible(found, "skypilot")


def test_a_worktree_a_submodule_and_a_subfolder_have_a_commit_of_their_own(repository, tmp_path):
    git(repository, "worktree", "add", "-b", "other", str(tmp_path / "linked"))
    (tmp_path / "linked" / "a.py").write_text("two\n", encoding="utf-8")
    assert (capture(tmp_path / "linked").branch, capture(tmp_path / "linked").state) == ("other", "dirty")
    git(repository, "submodule", "add", str(tmp_path / "remote.git"), "sub")
    assert capture(repository / "sub").commit == git(repository / "sub", "rev-parse", "HEAD")
    assert capture(repository).files == (".gitmodules", "sub")
    (repository / "folder").mkdir()
    assert capture(repository / "folder").file_count == 2


def test_a_hook_s_environment_does_not_name_another_repository(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert capture(repository).state == "clean"


def test_programs_in_a_repository_s_settings_are_not_started(repository, tmp_path):
    trap = tmp_path / "trap"
    for setting in ("core.fsmonitor", "diff.external", "diff.odd.textconv"):
        git(repository, "config", setting, f"touch '{trap}' #")
    (repository / ".git" / "info" / "attributes").write_text("*.py diff=odd\n", encoding="utf-8")
    (repository / "a.py").write_text("two\n", encoding="utf-8")
    assert b"+two" in capture(repository).diff
    assert not trap.exists()


def test_the_diff_is_kept_for_its_owner_only_and_without_secrets(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "hunter2-hunter2")
    (repository / "a.py").write_text("two hunter2-hunter2\n", encoding="utf-8")
    path = capture(repository).write_diff(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "+two ***" in path.read_text(encoding="utf-8")
    assert not list(tmp_path.glob(".*"))


def test_the_kept_diff_applies_to_the_commit(repository, tmp_path):
    (repository / "a.py").write_bytes(b"\x00\xff binary\n")
    path = capture(repository).write_diff(tmp_path)
    git(repository, "checkout", "a.py")
    git(repository, "apply", str(path))
    assert (repository / "a.py").read_bytes() == b"\x00\xff binary\n"


def test_a_large_diff_is_cut_and_its_hash_covers_all_of_it(repository, tmp_path):
    (repository / "a.py").write_text("line\n" * MAX_DIFF, encoding="utf-8")
    first = capture(repository)
    path = first.write_diff(tmp_path)
    assert path.stat().st_size < MAX_DIFF + 200
    assert "bytes are kept" in path.read_text(encoding="utf-8")
    (repository / "a.py").write_text("line\n" * MAX_DIFF + "end\n", encoding="utf-8")
    assert capture(repository).diff_sha256 != first.diff_sha256


def test_no_record_holds_the_diff_or_a_secret(repository, monkeypatch, tmp_path):
    monkeypatch.setenv("MY_TOKEN", "hunter2-hunter2")
    (repository / "a.py").write_text("two hunter2-hunter2\n", encoding="utf-8")
    found = capture(repository, command=["train", "--api-key", "abc", "x=hunter2-hunter2"])
    record = found.model_dump_json() + repr(found) + repr(found.lines())
    assert "hunter2" not in record
    assert "+two" not in record
    assert found.command == ("train", "--api-key", "***", "x=***")
    assert Provenance.model_validate_json(found.model_dump_json()).write_diff(tmp_path) is None


def test_skypilot_refuses_what_nobody_else_can_get_and_local_warns(repository):
    (repository / "a.py").write_text("two\n", encoding="utf-8")
    found = capture(repository)
    with pytest.raises(LaunchError, match=r"1 changed file: a\.py\. .*git push\), or launch all the same: --skip-git"):
        refuse_if_unreproducible(found, "skypilot")
    assert refuse_if_unreproducible(found, "skypilot", skip_git_check=True) == ["1 changed file: a.py"]
    assert refuse_if_unreproducible(found, "local") == ["1 changed file: a.py"]


def test_what_changed_since_a_launch_is_said_in_words(repository):
    first = capture(repository)
    assert changes_since(first, capture(repository)) == []
    (repository / "a.py").write_text("two\n", encoding="utf-8")
    dirty = capture(repository)
    assert changes_since(first, dirty) == ["changes on top of the commit differ: 1 file: a.py"]
    assert changes_since(dirty, first) == ["the changes on top of the commit are gone"]
    commit(repository, "a.py")
    later = capture(repository).model_copy(update={"packages": {**first.packages, "numpy": "1.0"}})
    words = changes_since(first, later, repository)
    assert words[0] == f"commit {first.commit[:10]} is now {later.commit[:10]}: 1 file changed: a.py"
    assert words[1] == f"numpy {first.packages['numpy']} is now 1.0"
    strange = first.model_copy(update={"commit": "--output=x"})
    assert changes_since(strange, first, repository) == [f"commit --output=x is now {first.commit[:10]}"]


def test_a_config_s_hash_is_of_its_values_and_not_of_its_secrets():
    class Config(BaseModel):
        lr: float = 0.1
        api_key: str = "abc"

    assert config_hash(Config()) == config_hash({"api_key": "xyz", "lr": 0.1})
    assert config_hash(Config()) != config_hash(Config(lr=0.2))
