"""A disk that fills up while a snapshot is taken or checked out: it is said, and the next one is whole."""

from __future__ import annotations

import os

import pytest

from experiments.project.errors import LaunchError
from experiments.project.settings import Settings
from experiments.project.snapshots import checkout, is_there, take
from experiments.project.snapshots.store import REFS
from tests.fakes.repositories import git, repository, write
from tests.faults.small_disk import full, small_disk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def disk(tmp_path):
    if os.geteuid():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("a small disk wants root, to mount it")
    with small_disk(tmp_path / "disk", 16) as disk:
        yield disk


# So many bytes are free: from none, through some objects or some files, to all but the last ones.
@pytest.mark.parametrize("free", [0, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 19, 1 << 20, 3 << 19, 1 << 21])
def test_a_disk_that_fills_up_leaves_a_whole_snapshot_or_none(disk, free):
    folder = repository(disk / "p")
    state = folder / ".experiments"
    for number in range(40):
        (folder / f"n{number}.bin").write_bytes(os.urandom(20_000))
    (disk / "reserve").write_bytes(bytes(free))
    with full(disk):
        (disk / "reserve").unlink()
        try:
            snapshot = take(folder, state, Settings())
        except LaunchError as error:
            assert "--in-place" in str(error)  # noqa: PT017 - either is right, by how much was free
            assert git(folder, "for-each-ref", REFS) == ""
        else:
            git(folder, "rev-list", "--objects", "--quiet", f"{REFS}{snapshot.id}")
            try:
                checkout(state, snapshot)
            except LaunchError as error:
                assert "cannot be checked out" in str(error)  # noqa: PT017
                assert not (state / "code" / snapshot.id).exists()
    write(folder, later="one\n")
    snapshot = take(folder, state, Settings())
    assert is_there(state, snapshot)
    git(folder, "rev-list", "--objects", "--quiet", f"{REFS}{snapshot.id}")
    assert (checkout(state, snapshot) / "later.py").read_text() == "one\n"
    assert list((folder / ".git" / "objects").glob("tmp*")) == []
    assert list((state / "code").glob("making-*")) == []
