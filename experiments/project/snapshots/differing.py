"""What is not as in a snapshot, or in none: asked before a launch, so that it must not read the whole tree."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from experiments.project.code_tree import read_code
from experiments.project.errors import LaunchError
from experiments.project.git import DEADLINE_S, GitError, ask, changed_files
from experiments.project.snapshots.listing import leaves_out
from experiments.project.snapshots.reading import blob_names
from experiments.project.snapshots.record import Snapshot

_SHOWN_OF_HASH = 16
_MADE_BY_TOOLS = re.compile(r"\..*|.*\.egg-info|__\w+__|node_modules|build|dist|target|venv|env|wandb|htmlcov|site")


def top_of(root: Path, snapshot: Snapshot) -> Path:
    """Return the folder whose files a snapshot holds: the repository's top, of which the project may be a part."""
    return root if snapshot.prefix == "." else root.parents[len(Path(snapshot.prefix).parts) - 1]


def differing_now(snapshot: Snapshot, root: Path, state: Path, links: tuple[str, ...] = ()) -> list[str]:
    """Return the files that are not now as in the snapshot, as far as git's status and the record's names tell it.

    Where the record names only the first of the files that differed from the commit, all of the snapshot are looked at.

    Args:
        root: Folder of the project that it was taken of.
        state: Its state folder.
        links: Folders that are linked into jobs, and so in no snapshot.
    """
    top, now = top_of(root, snapshot), read_code(root, most=None)
    known = snapshot.changed if snapshot.changed_count <= len(snapshot.changed) else _all_of(state, snapshot)
    # What git shows as differing from the commit of today is not the base's, and the record names what was not then.
    suspects = set(now["files"]) - set(known)
    if snapshot.base is not None and now["commit"] not in (None, snapshot.base):
        with suppress(GitError):  # one of the commits is gone: then only the files on top of them are compared
            suspects |= set(changed_files(root, snapshot.base, now["commit"])) - set(known)
    is_left_out = leaves_out(top, root, state, links)
    suspects = {name for name in suspects if not is_left_out(os.fsencode(name)) and not _is_of_environment(top, name)}
    plain = {name: blob for name, blob in known.items() if "\\x" not in name}
    return sorted(suspects | {name for name, blob in plain.items() if _blob(top / name, len(snapshot.id)) != blob})


def _all_of(state: Path, snapshot: Snapshot) -> dict[str, str]:
    try:
        return {name: blob[:_SHOWN_OF_HASH] for name, blob in blob_names(state, snapshot).items()}
    except LaunchError:  # it is gone, which whoever starts a job of it is told
        return snapshot.changed


def _is_of_environment(top: Path, name: str) -> bool:
    """Say whether a file lies in a virtual environment, which no snapshot has."""
    return any((top / folder / "pyvenv.cfg").exists() for folder in Path(name).parents[:-1])


def ignored_folders(root: Path) -> list[str]:
    """Return the folders right in a project that git ignores, which no snapshot has; not those that tools make.

    A trainer that reads data there by a relative path finds none.
    """
    try:
        said = ask(root, DEADLINE_S, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    except (GitError, FileNotFoundError):
        return []  # without a repository, or without git: that is said where the code is asked for
    names = [os.fsdecode(entry[:-1]) for entry in said.split(b"\0") if entry.endswith(b"/") and entry.count(b"/") == 1]
    return sorted(name for name in names if not _MADE_BY_TOOLS.fullmatch(name) and not _holds_ours(root / name))


def _holds_ours(folder: Path) -> bool:
    """Say whether a folder has nothing but what Experiments writes: git shows it as ignored as a whole then."""
    return folder.name == "experiments" and {path.name for path in folder.iterdir()} <= {"scratch", "log"}


def _blob(path: Path, hash_length: int) -> str:
    """Return the start of git's hash of a file's content, or `deleted`."""
    try:
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return "deleted"
    digest = hashlib.sha1 if hash_length == 40 else hashlib.sha256
    return digest(b"blob %d\0" % len(content) + content).hexdigest()[:_SHOWN_OF_HASH]
