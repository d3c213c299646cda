"""Taking snapshots of a folder, and what git says is in them."""

from __future__ import annotations

import subprocess

from experiments.project.settings import Settings
from experiments.project.snapshots import Snapshot, take
from experiments.project.snapshots.store import REFS
from tests.fakes.repositories import git

SETTINGS = Settings()


def snapshot_of(folder, settings=SETTINGS, root=None) -> Snapshot:
    return take(root or folder, folder / ".experiments", settings)


def tree_of(folder, snapshot: Snapshot) -> dict[str, str]:
    """Return mode and blob of each file in a snapshot, by name."""
    said = git(folder, "ls-tree", "-r", "-z", f"{REFS}{snapshot.id}").split("\0")
    pairs = [line.partition("\t") for line in said if line]
    return {name: f"{head.split()[0]} {head.split()[2]}" for head, _, name in pairs}


def content(folder, snapshot: Snapshot, name: str) -> bytes:
    command = ["git", "cat-file", "blob", f"{REFS}{snapshot.id}:{name}"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout
