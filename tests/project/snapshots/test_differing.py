"""What is not as in a snapshot is said of what a snapshot would have, and of all of it."""

from __future__ import annotations

import pytest

from experiments.project.settings import Settings
from experiments.project.snapshots import differing_now, take
from tests.fakes.repositories import repository


@pytest.fixture
def root(tmp_path):
    return repository(tmp_path / "p")


def differing(root, snapshot, **settings):
    return differing_now(snapshot, root, root / ".experiments", Settings(**settings).snapshot_links)


def taken(root, **settings):
    return take(root, root / ".experiments", Settings(**settings))


def test_an_unchanged_tree_differs_in_nothing_and_a_changed_one_in_what_changed(root):
    (root / "new.py").write_text("x = 1\n")
    snapshot = taken(root)
    assert differing(root, snapshot) == []
    (root / "new.py").write_text("x = 2\n")
    (root / "other.py").write_text("x = 1\n")
    assert differing(root, snapshot) == ["new.py", "other.py"]


def test_what_no_snapshot_has_is_no_difference(root):
    for name in ("venv/pyvenv.cfg", "venv/lib/package.py", "data/a.csv"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n")
    snapshot = taken(root, snapshot_links=("data",))
    assert differing(root, snapshot, snapshot_links=("data",)) == []


def test_a_change_is_seen_though_the_record_names_only_the_first_files(root):
    for number in range(230):
        (root / f"file_{number:03}.py").write_text("x = 1\n")
    snapshot = taken(root)
    assert len(snapshot.changed) < snapshot.changed_count
    assert differing(root, snapshot) == []
    (root / "file_229.py").write_text("x = 2\n")
    (root / "zz_new.py").write_text("x = 1\n")
    assert differing(root, snapshot) == ["file_229.py", "zz_new.py"]
