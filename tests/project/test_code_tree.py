from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from experiments.project.code_tree import MAX_FILES, commit_alone, read_code


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "train.py").write_text("one\n")
    (folder / ".gitignore").write_text("wandb/\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_clean_tree_is_its_commit_and_nothing_else(repository):
    found = read_code(repository)
    assert (found["commit"], found["files"], found["reason"]) == (git(repository, "rev-parse", "HEAD"), {}, "")
    assert found["sha256"] == commit_alone(found["commit"])["sha256"]
    assert found["packages"]["pydantic"]


@pytest.mark.parametrize("name", ["train.py", "new.py", "with space", 'quo"te', "new\nline", "\udcff\udcfe"])
def test_every_change_of_a_file_changes_the_hash_and_to_undo_it_brings_it_back(repository, name):
    before = read_code(repository)["sha256"]
    path, content = repository / name, (repository / "train.py").read_bytes() if name == "train.py" else None
    seen = set()
    for text in ("two\n", "six\n"):
        path.write_text(text)
        found = read_code(repository)
        assert len(found["files"]) == 1
        seen.add(found["sha256"])
    assert len(seen | {before}) == 3
    path.unlink()
    if content is not None:
        assert read_code(repository)["files"] == {"train.py": "deleted"}
        path.write_bytes(content)
    assert read_code(repository)["sha256"] == before


def test_what_git_ignores_and_what_is_written_here_for_every_launch_is_no_code(repository):
    ours = ("experiments/scratch/a.py", "experiments/log/a.html", ".experiments/x", "study_nb.py")
    caches = ("__pycache__/train.cpython-311.pyc", "part/__pycache__/x.pyc", "part/__marimo__/session/x.json")
    for name in ("wandb/run", *ours, *caches):
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("anything")
    assert read_code(repository)["files"] == {}


def test_a_change_in_a_repository_within_the_repository_is_a_change(repository):
    inner = repository / "vendor"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "a.py").write_text("one")
    first = read_code(repository)
    (inner / "a.py").write_text("two")
    assert first["file_count"] == read_code(repository)["file_count"] == 1
    assert first["sha256"] != read_code(repository)["sha256"]


def test_the_changes_of_a_whole_repository_count_in_a_project_that_is_a_part_of_it(repository):
    (repository / "part").mkdir()
    (repository / "shared.py").write_text("x")
    assert list(read_code(repository / "part")["files"]) == ["shared.py"]


def test_many_files_are_all_in_the_hash_and_some_in_the_record(repository):
    for number in range(MAX_FILES + 5):
        (repository / f"f{number:04}.py").write_text("x")
    before = read_code(repository)
    assert (len(before["files"]), before["file_count"]) == (MAX_FILES, MAX_FILES + 5)
    (repository / f"f{MAX_FILES + 4:04}.py").write_text("y")
    assert read_code(repository)["sha256"] != before["sha256"]


def test_without_a_repository_a_commit_or_git_it_is_not_known_and_says_why(tmp_path, monkeypatch):
    assert "not a git repository" in read_code(tmp_path)["reason"]
    git(tmp_path, "init", "-q")
    assert read_code(tmp_path)["reason"] == "the repository has no commit yet"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_code(tmp_path)["reason"] == "the program git is not on the PATH"
    assert read_code(tmp_path)["sha256"] is None
