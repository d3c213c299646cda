"""How large an upload would be, and what the refusal says to do about it."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from experiments.errors import LaunchError
from experiments.launchers.upload import check_upload, upload_of


@pytest.fixture
def folder(tmp_path):
    """2 MB of data, 1 kB of code and a link to a large file elsewhere."""
    place = tmp_path / "project"
    (place / "data" / "deep").mkdir(parents=True)
    (place / "data" / "deep" / "big.bin").write_bytes(bytes(2_000_000))
    (place / "code.py").write_bytes(bytes(1_000))
    (tmp_path / "elsewhere").write_bytes(bytes(5_000_000))
    (place / "link").symlink_to(tmp_path / "elsewhere")
    return place


def git(folder, *words):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def refusal(folder):
    with pytest.raises(LaunchError) as caught:
        check_upload(folder, limit_mb=1)
    return str(caught.value)


def follow_advice(folder, text):
    """Run the command that the refusal gives, in a shell as a person would."""
    command = re.search(r"(?:needs|SKYIGNORE|\.skyignore[^:]*|in place of \.gitignore): (.*?) Or commit", text)[1]
    subprocess.run(["sh", "-c", command], cwd=folder, check=True)


def test_everything_counts_but_what_links_point_to(folder):
    found = upload_of(folder)
    assert (found.size, found.files, found.excluded_by) == (2_001_000, 3, "")
    assert found.parts[0] == ("data", 2_000_000)


def test_a_folder_of_code_passes(folder):
    check_upload(folder, limit_mb=3)


def test_a_large_upload_is_refused_with_its_size_and_its_largest_folders(folder):
    text = refusal(folder)
    assert "2.0 MB in 3 files; at most 1 MB are allowed. Largest: data 2.0 MB." in text
    assert "EXPERIMENTS_SKY_WORKDIR=git" in text


@pytest.mark.parametrize("setup", ["plain", "git", "tracked", "skyignore"])
def test_what_the_refusal_says_mends_it(folder, setup):
    if setup in {"git", "tracked"}:
        git(folder, "init", "-q")
        (folder / ".gitignore").write_text("*.tmp\n")
        (folder / "x.tmp").write_bytes(bytes(1_000))
    if setup == "tracked":
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "all")
    if setup == "skyignore":
        (folder / ".skyignore").write_text("*.tmp\n")
    text = refusal(folder)
    assert (".gitignore: " in text or ">> .gitignore" in text) == (setup in {"git", "tracked"})
    follow_advice(folder, text)
    check_upload(folder, limit_mb=1)
    assert "x.tmp" not in dict(upload_of(folder).parts)


def test_what_git_ignores_is_left_out_unless_a_skyignore_decides(folder):
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text("data/\n")
    assert "data" not in dict(upload_of(folder).parts)
    (folder / ".skyignore").write_text("# only this\n\ncode.py\n")
    found = upload_of(folder)
    assert ("data" in dict(found.parts), "code.py" in dict(found.parts)) == (True, False)


def test_a_large_history_counts(folder):
    git(folder, "init", "-q")
    (folder / "data" / "deep" / "big.bin").write_bytes(os.urandom(2_000_000))
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "all")
    git(folder, "rm", "-rq", "data")
    assert upload_of(folder).parts[0][0] == ".git"
    follow_advice(folder, refusal(folder))
    check_upload(folder, limit_mb=1)


def test_odd_names_are_quoted(folder):
    odd = "a b'c"
    (folder / "data").rename(folder / odd)
    follow_advice(folder, refusal(folder))
    check_upload(folder, limit_mb=1)
