"""Snapshots: the code of a project as it was at a launch, kept so that it can run again.

What is promised here. A snapshot is the whole working tree around the project, byte for byte as it lay on the disk,
known by git's hash of it. It is whole or not there, and nothing of the user's is touched to take it: one ref below
`refs/experiments/` comes beside the branches. Nothing secret goes in, and nothing is pushed.

What one may import: what stands in `__all__`.
"""

from experiments.project.snapshots.checkouts import (
    Checkout,
    checkout,
    checkout_path,
    checkouts,
    keep_within,
    remove_unneeded,
    unneeded,
    written_into,
)
from experiments.project.snapshots.differing import differing_now, ignored_folders, top_of
from experiments.project.snapshots.reading import changed_between, diff_text, files
from experiments.project.snapshots.record import Snapshot
from experiments.project.snapshots.sharing import fetch, restore
from experiments.project.snapshots.store import expect, is_there
from experiments.project.snapshots.taking import take

__all__ = [
    "Checkout",
    "Snapshot",
    "changed_between",
    "checkout",
    "checkout_path",
    "checkouts",
    "diff_text",
    "differing_now",
    "expect",
    "fetch",
    "files",
    "ignored_folders",
    "is_there",
    "keep_within",
    "remove_unneeded",
    "restore",
    "take",
    "top_of",
    "unneeded",
    "written_into",
]
