"""What is recorded of a snapshot."""

from __future__ import annotations

import re

from pydantic import Field

from experiments.project.git import Pushed
from experiments.project.values import Frozen

ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Snapshot(Frozen):
    """A working tree as it was at one moment, kept as a commit.

    Attributes:
        id: git's hash of the tree: the same files are one snapshot, wherever and whenever it is taken.
        commit: The commit that holds the tree. It has no parent, so it follows from the tree; the ref
            `refs/experiments/<id>` keeps it.
        base: Full hash of the commit that the working tree was on; None before the first one and without a repository.
        pushed: Whether a remote had the base when this clone last heard of it.
        prefix: Folder of the project inside the tree; `.` where it is the top.
        changed: Start of the blob's hash, or `deleted`, for each file that differs from the base; at most 200 of
            `changed_count`. Undecodable bytes of a name are escaped.
        size_bytes: Of all files together.
        notes: Sentences on what is unusual, such as conflict markers of a merge in progress.
        at: Unix seconds.
    """

    id: str = Field(pattern=f"^{ID.pattern}$")
    commit: str = Field(pattern=f"^{ID.pattern}$")
    base: str | None = None
    pushed: Pushed = "unknown"
    prefix: str = "."
    changed: dict[str, str] = Field(default_factory=dict)
    changed_count: int = 0
    file_count: int = 0
    size_bytes: int = 0
    notes: tuple[str, ...] = ()
    at: float = 0.0
