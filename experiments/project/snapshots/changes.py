"""What a snapshot has that the commit beneath has not, asked of git, which compares whole folders by their hash."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from experiments.project.snapshots.listing import GITLINK, Entry, Listing
from experiments.project.snapshots.store import Git

_RAW = re.compile(rb":([0-7]{6}) ([0-7]{6}) ([0-9a-f]+) ([0-9a-f]+) [A-Z]\0([^\0]+)\0")


@dataclass(frozen=True)
class Change:
    """How a file differs from the commit.

    Attributes:
        old: Mode and blob at the commit; None where it has no such file.
        new: Those of the snapshot; None where the file is gone.
    """

    old: Entry | None
    new: Entry | None

    @property
    def shown(self) -> str:
        """What is recorded of it: the start of the blob's hash, or `deleted`."""
        return self.new[1][:16] if self.new else "deleted"


def changes(git: Git, base: str | None, found: Listing, is_left_out: Callable[[bytes], bool]) -> dict[bytes, Change]:
    """Return what differs between an index and a commit, by name; of a submodule from the commit that it should be on.

    Args:
        git: With the index of the snapshot.
        base: The commit; None where there is none, so that every file is new.
        found: What was listed.
        is_left_out: Whether a name is no code, and so not gone where the snapshot does not have it.

    Raises:
        GitError: git could not say.
    """
    beneath = base or git.run("hash-object", "-t", "tree", "--stdin").decode().strip()
    said = git.run("diff-index", "--cached", "-r", "-z", "--no-renames", beneath)
    differing = {}
    for old_mode, mode, old_blob, blob, name in _RAW.findall(said):
        old = (old_mode.decode(), old_blob.decode()) if old_mode.strip(b"0") else found.inner.get(name)
        new = (mode.decode(), blob.decode()) if mode.strip(b"0") else None
        # Of a submodule the commit has the name alone, and a sparse checkout keeps files away that are not gone.
        if old != new and (new or not (old_mode.decode() == GITLINK or name in found.absent or is_left_out(name))):
            differing[name] = Change(old, new)
    for name in found.inner.keys() - found.files.keys() - found.absent:
        if not is_left_out(name):
            differing[name] = Change(found.inner[name], None)
    return dict(sorted(differing.items()))
