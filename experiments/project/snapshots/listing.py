"""Which files of a working tree are its code: all that git tracks or would track, and no more.

The names come from git itself, which knows `.gitignore` and a user's own excludes. A repository inside the repository
(a submodule, a clone) is one name to git; its files are listed by its own rules and stand in the tree like any others.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import stat
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from experiments.project.code_tree import is_no_code
from experiments.project.git import GitError, ask
from experiments.project.look import counted
from experiments.project.snapshots.store import Git, Repository, Store, repository_around

_ASKED_ABOUT = (b"_nb.py", b"_nb.py.bak", b".bundle.tar.gz")
DEADLINE_S = 120.0
Entry = tuple[str, str]
"""Mode and blob of a file in a tree, as git writes them."""
# ls-tree says mode, type and hash; ls-files mode, hash and stage.
_ENTRY = re.compile(rb"([0-7]{6}) (?:[a-z]+ )?([0-9a-f]{40,64})(?: [0-3])?\t([^\0]+)\0")
GITLINK = "160000"
_EXTENSIONS = tuple(map(os.fsencode, EXTENSION_SUFFIXES))
_IN_PROGRESS = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}


@dataclass
class Listing:
    """The files of a working tree, by name from its top.

    Attributes:
        files: Size in bytes of each.
        tracked: Those that git tracks.
        inner: What the commits of submodules have, by name from the top.
        absent: Files of the base that a sparse checkout keeps away.
        without_files: How many submodules are not checked out.
        unknown: Submodules of whose commit git said nothing, and why: all their files count as changed.
        others: How many sockets, pipes and devices were left out.
        unmerged: Whether a merge left conflicts.
        latest: Unix seconds at which the last of the files was changed.
    """

    files: dict[bytes, int] = field(default_factory=dict)
    tracked: set[bytes] = field(default_factory=set)
    inner: dict[bytes, Entry] = field(default_factory=dict)
    absent: set[bytes] = field(default_factory=set)
    without_files: int = 0
    unknown: dict[bytes, str] = field(default_factory=dict)
    others: int = 0
    unmerged: bool = False
    latest: float = 0.0

    def notes(self, repository: Repository | None) -> tuple[str, ...]:
        """Return in sentences what is unusual."""
        said = []
        marks = [word for name, word in _IN_PROGRESS.items() if repository and (repository.own / name).exists()]
        if marks or self.unmerged:
            conflicts = "with conflict markers where it has conflicts" if self.unmerged else "as far as it has come"
            said.append(
                f"A {marks[0] if marks else 'merge'} is in progress: the files are as it left them, {conflicts}."
            )
        if self.absent:
            said.append(f"The checkout is sparse: without {counted(len(self.absent), 'file')} of the commit.")
        if self.without_files:
            said.append(
                f"Without the files of submodules that are not checked out: {counted(self.without_files, 'submodule')}."
            )
        for name, reason in self.unknown.items():
            said.append(
                f"What changed in submodule {shown(name)!r} is not known, and all its files count as changed: {reason}."
            )
        if self.others:
            said.append(f"Left out, for it is a socket, pipe or device: {counted(self.others, 'file')}.")
        return tuple(said)


def leaves_out(top: Path, root: Path, state: Path, links: tuple[str, ...]) -> Callable[[bytes], bool]:
    """Return what says of a name from the top whether it is no code: written by Experiments, a cache, or linked in."""
    away = [os.fsencode(root / link) for link in links] + [os.fsencode(state)]
    folders = tuple(os.path.relpath(path, os.fsencode(top)).rstrip(b"/") + b"/" for path in away)

    @functools.cache  # of a whole folder it is asked once: a launch waits for it
    def is_away(folder: bytes) -> bool:
        return folder.startswith(folders) or is_no_code(os.fsdecode(folder), top)

    def is_left_out(name: bytes) -> bool:
        parent, _, base = name.rpartition(b"/")
        if is_away(parent + b"/") or name + b"/" in folders:
            return True
        if parent.endswith(b"experiments/controls"):
            return is_no_code(os.fsdecode(name), top)
        # Few files are of a kind that is asked about by its own name: the others cost a launch nothing.
        return base.endswith(_ASKED_ABOUT) and is_no_code(os.fsdecode(base), top / os.fsdecode(parent))

    return is_left_out


def list_files(
    top: Path, private: Store, is_left_out: Callable[[bytes], bool], *, has_git: bool, base: str | None
) -> Listing:
    """Return the files of a working tree.

    Args:
        top: Its folder.
        has_git: Whether it is the top of a repository of the user's.
        base: The commit that it is on, if any.
        private: A repository of ours, which lists the files where the user has none.
        is_left_out: Whether a name is no code.

    Raises:
        GitError: git could not say.
    """
    found = Listing()
    _list(found, _Place(top, b"", has_git, base), private, is_left_out)
    environments = [name.removesuffix(b"pyvenv.cfg") for name in found.files if name.endswith(b"/pyvenv.cfg")]
    # A tracked one would be code; one that nobody told git to ignore is not.
    if away := tuple(folder for folder in environments if folder + b"pyvenv.cfg" not in found.tracked):
        found.files = {name: size for name, size in found.files.items() if not name.startswith(away)}
    return found


@dataclass(frozen=True)
class _Place:
    """A folder whose files are listed by one set of rules.

    Attributes:
        folder: Where it is.
        prefix: Its name from the top, with a slash at the end.
        has_git: Whether it is the top of a repository.
        base: The commit that the top's commit says it is on; None where it says nothing of it.
    """

    folder: Path
    prefix: bytes
    has_git: bool
    base: str | None


def _list(found: Listing, place: _Place, private: Store, is_left_out: Callable[[bytes], bool]) -> None:
    """Add the files of one place, and of those inside it."""
    folders, names = _Folders(os.fsencode(place.folder)), _by_folder(_names(place, private))
    inside: list[bytes] = []
    if place.prefix and place.base and place.has_git:
        _add_commit(found, place, place.base)
    for folder, listed in names.items():
        there = folders.entries(folder)
        prefix = folder + b"/" if folder else b""
        for base, tag in (*listed.items(), *_built_in_place(prefix, listed, there)):
            name = prefix + base
            if is_left_out(place.prefix + name):
                continue
            found.unmerged |= tag == b"M"
            if _add(found, place.prefix + name, tag, there.get(base)):
                inside.append(name)
    for name in inside:
        # A file that became a folder: its files are listed beside it.
        if any(folder == name or folder.startswith(name + b"/") for folder in names):
            continue
        # Else a repository inside this one.
        inner, before = place.folder / os.fsdecode(name), len(found.files)
        commit = _submodule_commit(place, name)
        _list(found, _Place(inner, place.prefix + name + b"/", _is_top(inner), commit), private, is_left_out)
        found.without_files += commit is not None and len(found.files) == before


def _add(found: Listing, path: bytes, tag: bytes, entry: os.DirEntry[bytes] | None) -> bool:
    """Add one file under git's tag of it; say whether it is a folder, which is not added."""
    try:
        status = entry.stat(follow_symlinks=False) if entry is not None else None
    except FileNotFoundError:
        status = None
    if status is None:
        if tag == b"S":
            found.absent.add(path)
    elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
        found.files[path] = status.st_size
        found.latest = max(found.latest, status.st_mtime)
        if tag != b"?":
            found.tracked.add(path)
    elif stat.S_ISDIR(status.st_mode):
        return True
    else:
        found.others += 1
    return False


def _by_folder(names: Iterable[tuple[bytes, bytes]]) -> dict[bytes, dict[bytes, bytes]]:
    """Return git's tag of each file, by its own name, by the name of its folder."""
    found: dict[bytes, dict[bytes, bytes]] = {}
    for tag, name in names:
        folder, _, base = name.rpartition(b"/")
        found.setdefault(folder, {})[base] = tag
    return found


def _is_top(folder: Path) -> bool:
    """Say whether a folder is the top of a repository that git can read; a submodule need not be checked out."""
    around = repository_around(folder) if (folder / ".git").exists() else None
    return around is not None and around.top == folder.resolve()


def _names(place: _Place, private: Store) -> Iterator[tuple[bytes, bytes]]:
    """Yield git's tag and the name of each file; a folder is a repository inside this one."""
    listing = ("ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard")
    if place.has_git:
        said = ask(place.folder, DEADLINE_S, *listing)
    else:
        said = Git(private.folder, top=place.folder, index=private.folder / "no-index").run(*listing)
    for entry in said.split(b"\0"):
        if entry:
            yield entry[:1], entry[2:].rstrip(b"/")


def _built_in_place(prefix: bytes, listed: Container[bytes], there: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield what git ignores and Python imports from beside sources: compiled extensions, a version that was written.

    A package that is installed in place does not run without them. Whatever git does not list there, it ignores: each
    comes with git's tag of a file that it does not track.
    """
    if any(base in listed for base in there if base.endswith(b".py")):
        yield from ((base, b"?") for base in there if base not in listed and is_built(prefix + base))


def is_built(name: bytes) -> bool:
    """Say of a file that git ignores whether a build makes one of this name beside a package's sources."""
    return name.endswith((*_EXTENSIONS, b"/_version.py"))


def _submodule_commit(place: _Place, name: bytes) -> str | None:
    """Return the commit that a submodule should be on; None where the place's commit has no such submodule."""
    if place.base is None or not place.has_git:
        return None
    said = ask(place.folder, DEADLINE_S, "ls-tree", "-z", "--full-tree", place.base, "--", os.fsdecode(name))
    entry = parse_tree(said).get(name)
    return entry[1] if entry and entry[0] == GITLINK else None


def _add_commit(found: Listing, place: _Place, commit: str) -> None:
    """Add what a commit of a submodule has; it may be one that was not fetched."""
    try:
        said = ask(place.folder, DEADLINE_S, "ls-tree", "-r", "-z", "--full-tree", commit)
    except GitError as error:
        found.unknown[place.prefix.rstrip(b"/")] = f"git cannot read its commit {commit[:12]} ({error})"
        return
    found.inner |= {place.prefix + name: entry for name, entry in parse_tree(said).items() if entry[0] != GITLINK}


def parse_tree(said: bytes) -> dict[bytes, Entry]:
    """Return the entries that `git ls-tree -r -z` or `git ls-files -s -z` printed."""
    return {name: (mode.decode(), blob.decode()) for mode, blob, name in _ENTRY.findall(said)}


class _Folders:
    """Looks into the folders of one place, and into none behind a link: git would track the link alone."""

    def __init__(self, top: bytes) -> None:
        self._top = top
        self._seen: dict[bytes, dict[bytes, os.DirEntry[bytes]]] = {}

    def entries(self, folder: bytes) -> dict[bytes, os.DirEntry[bytes]]:
        """Return what lies in a folder, by its own name; nothing where it is not there, or a link."""
        if folder not in self._seen:
            self._seen[folder] = {}
            if self._is_folder(folder):
                with contextlib.suppress(FileNotFoundError), os.scandir(self._top + b"/" + folder) as entries:
                    self._seen[folder] = {entry.name: entry for entry in entries}
        return self._seen[folder]

    def _is_folder(self, name: bytes) -> bool:
        parent, _, base = name.rpartition(b"/")
        entry = self.entries(parent).get(base) if name else None
        return not name or (entry is not None and entry.is_dir(follow_symlinks=False))


def shown(name: bytes) -> str:
    """Return a name as it is recorded: as text, with undecodable bytes escaped."""
    return name.decode("utf-8", "backslashreplace")
