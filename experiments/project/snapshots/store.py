"""Where snapshots lie: in the objects of the user's repository, or in a store of our own where there is none.

All of git's work on snapshots is done under a GIT_DIR of our own in `.experiments/code/`, whose settings depend on
nobody's: no hook, no filter, no conversion of line ends runs, and the user's index, HEAD and branches are not even
opened. Of the user's repository only the objects are shared, and one ref for each snapshot is written.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.project.code_tree import git_command
from experiments.project.errors import LaunchError
from experiments.project.files import read_json, write_json, write_text
from experiments.project.git import DEADLINE_S, GitError, ask
from experiments.project.snapshots.record import ID, Snapshot

REFS = "refs/experiments/"
DEADLINE_OF_MANY_FILES_S = 600.0
_LOCK_IS_LEFT_S = 10.0
_LOOK_AGAIN_S = 0.05
_KNOWN = "repositories.json"
_CONFIG = """\
[core]
\trepositoryformatversion = 1
\tbare = false
\thooksPath = /dev/null
\tfileMode = true
\tsymlinks = true
\tignoreCase = false
\tautocrlf = false
\tprotectHFS = false
\tprotectNTFS = false
\tlogAllRefUpdates = false
[extensions]
\tobjectFormat = {}
[gc]
\tauto = 0
"""
# Files are kept byte for byte: what an attribute of the tree asks for would change them, or need programs.
_ATTRIBUTES = "* -text -eol -crlf -filter -ident -working-tree-encoding\n"
# Over the settings of a repository that is not ours; its hooks are the user's.
_ONLY_REFS = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.logAllRefUpdates=false", "-c", "gc.auto=0"),
    *("-c", "core.filesRefLockTimeout=2000"),
)


@dataclass(frozen=True)
class Git:
    """git under one GIT_DIR, deaf to the settings of the user and the machine.

    Attributes:
        folder: The GIT_DIR.
        objects: Where it writes objects; its own where None.
        alternates: Further folders of objects, which it only reads.
        index: The index that it uses; its own where None.
        top: The working tree, in which it is started; the GIT_DIR where None.
    """

    folder: Path
    objects: Path | None = None
    alternates: tuple[Path, ...] = ()
    index: Path | None = None
    top: Path | None = None

    def run(self, *arguments: str, stdin: bytes = b"", umask: int = -1) -> bytes:
        """Return what git prints.

        Raises:
            GitError: It failed, or gave no answer in ten minutes.
        """
        try:
            done = subprocess.run(
                git_command(*_ONLY_REFS, *arguments),
                cwd=self.top or self.folder,
                env=self._environment(),
                input=stdin,
                capture_output=True,
                check=False,
                timeout=DEADLINE_OF_MANY_FILES_S,
                umask=umask,
            )
        except subprocess.TimeoutExpired:
            raise GitError(
                f"git {arguments[0]} gave no answer within {DEADLINE_OF_MANY_FILES_S / 60:g} minutes"
            ) from None
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "backslashreplace").strip().splitlines()
            raise GitError("; ".join(said[:2]) or f"git {arguments[0]} ended with exit code {done.returncode}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment |= {
            "LC_ALL": "C",
            "GIT_DIR": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
        }
        if self.objects is not None:
            environment["GIT_OBJECT_DIRECTORY"] = str(self.objects)
        if self.alternates:
            environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = ":".join(map(quoted, self.alternates))
        if self.index is not None:
            environment["GIT_INDEX_FILE"] = str(self.index)
        if self.top is not None:
            environment["GIT_WORK_TREE"] = str(self.top)
        return environment


@dataclass(frozen=True)
class Store:
    """A repository that holds snapshots.

    Attributes:
        folder: Its GIT_DIR; of a linked working tree the one that all of them share.
        objects: Its objects.
        hash: What its objects are named by, `sha1` or `sha256`.
    """

    folder: Path
    objects: Path
    hash: str

    def commit_of(self, snapshot: str) -> str | None:
        """Return the commit that the snapshot's ref names; None where there is no such ref, or it lost its tree.

        Raises:
            GitError: Nobody can tell.
        """
        ref = f"{REFS}{snapshot}"
        try:
            said = Git(self.folder).run("rev-parse", *(f"{ref}^{{{kind}}}" for kind in ("commit", "tree")))
        except GitError:
            # It fails as well where it cannot read the repository, and this one only then.
            Git(self.folder).run("for-each-ref", "--format=%(refname)", ref)
            return None
        commit, tree = said.decode().split()
        return commit if tree == snapshot else None

    def keep(self, snapshot: str, commit: str) -> None:
        """Write the snapshot's ref.

        Raises:
            GitError: It could not be written.
        """
        # git holds it for an instant, and leaves it behind where it is killed in that instant.
        lock = self.folder / f"{REFS}{snapshot}.lock"
        with contextlib.suppress(FileNotFoundError):
            while time.time() - lock.stat().st_mtime <= _LOCK_IS_LEFT_S:
                time.sleep(_LOOK_AGAIN_S)
            lock.unlink()
        Git(self.folder).run("update-ref", f"{REFS}{snapshot}", commit)


@dataclass(frozen=True)
class Repository:
    """The user's repository around a folder.

    Attributes:
        top: Folder of the working tree.
        own: The GIT_DIR of this working tree, where a merge in progress leaves its marks.
        store: The repository as a place for snapshots.
    """

    top: Path
    own: Path
    store: Store


def repository_around(folder: Path) -> Repository | None:
    """Return the repository that holds `folder`; None where there is none.

    Raises:
        GitError: There is one that git refuses to read.
    """
    wanted = ("--show-toplevel", "--absolute-git-dir", "--git-common-dir", "--git-path", "objects")
    try:
        said = ask(folder, DEADLINE_S, "rev-parse", "--path-format=absolute", *wanted, "--show-object-format")
    except GitError as error:
        if "not a git repository" in str(error):
            return None
        raise
    lines = [os.fsdecode(line) for line in said.splitlines()]
    if len(lines) != 5:
        raise GitError(f"the path of the repository around {str(folder)!r} holds a line break")
    top, own, common, objects = map(Path, lines[:4])
    return Repository(top, own, Store(common, objects, lines[4]))


def code_folder(state: Path) -> Path:
    """Return the folder `code` of a project's state, made where it is missing; it is the user's alone."""
    folder = state / "code"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A project need not ignore its state; its checkouts would be taken for repositories inside the repository.
    if not (folder / ".gitignore").exists():
        write_text(folder / ".gitignore", "*\n")
    return folder


def private_store(state: Path, hash_: str = "sha1") -> Store:
    """Return our own repository of a project, made where it is missing.

    It holds snapshots where the user has no repository, and lends its settings to all work on snapshots.
    """
    folder = code_folder(state) / f"git-{hash_}"
    make_git_dir(folder, hash_)
    return Store(folder, folder / "objects", hash_)


def make_git_dir(folder: Path, hash_: str, alternates: Sequence[Path] = (), *, tree: str = "") -> None:
    """Make an empty repository; one that is there is left as it is. `git init` would take over templates of the user.

    Its HEAD is written last: who sees it sees all.

    Args:
        tree: Path of its working tree from there; empty where it has none.
    """
    if (folder / "HEAD").exists():
        return
    for name in ("objects/info", "refs/heads", "info"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_text(folder / "config", _CONFIG.format(hash_) + (f"[core]\n\tworktree = {tree}\n" if tree else ""))
    write_text(folder / "info" / "attributes", _ATTRIBUTES)
    if alternates:
        write_text(folder / "objects" / "info" / "alternates", "".join(f"{quoted(path)}\n" for path in alternates))
    write_text(folder / "HEAD", "ref: refs/heads/snapshot\n")


def remember(state: Path, store: Store) -> None:
    """Note that the store holds snapshots of this state folder, so that it is found from there alone."""
    path = code_folder(state) / _KNOWN
    known = _known(path)
    if known.get(str(store.folder)) != (now := {"objects": str(store.objects), "hash": store.hash}):
        write_json(path, known | {str(store.folder): now})


def stores(state: Path, hash_: str) -> Iterator[Store]:
    """Yield every place that may hold a snapshot of this state folder, of repositories with that kind of names."""
    seen = set()
    for folder, about in _known(state / "code" / _KNOWN).items():
        store = Store(Path(folder), Path(about["objects"]), about["hash"])
        if store.hash == hash_ and store.folder.is_dir():
            seen.add(store.folder)
            yield store
    private = state / "code" / f"git-{hash_}"
    if private not in seen and (private / "HEAD").exists():
        yield Store(private, private / "objects", hash_)
    # A project that was moved, or whose state was lost: its repository lies around it.
    around = repository_around(state) if state.is_dir() else None
    if around is not None and around.store.hash == hash_ and around.store.folder not in seen:
        yield around.store


def holder(state: Path, snapshot: str) -> Store | None:
    """Return the place that holds the snapshot of an id, or None where it is gone.

    Raises:
        GitError: Nobody can tell.
    """
    return next((store for store in stores(state, hash_of(snapshot)) if store.commit_of(snapshot) is not None), None)


def expect(state: Path, snapshot: Snapshot | str) -> Store:
    """Return the place that holds a snapshot, or the one of an id.

    Raises:
        LaunchError: It is gone, nobody can tell, there is no git, or it is no id.
    """
    need_git()
    name = id_of(snapshot)
    store = _told(state, name)
    if store is None:
        raise LaunchError(
            f"snapshot {name[:12]} is gone: no repository of this project has the ref {REFS}{name} any more. "
            "Its code can be had again only from another folder or bundle that has it. The code as it is now runs with "
            "--code now (of a retry or resume) or --again (of a launch)."
        )
    return store


def is_there(state: Path, snapshot: Snapshot | str) -> bool:
    """Say whether the code of a snapshot can still be had: its ref is there, and names its tree.

    Args:
        state: The project's state folder.
        snapshot: It, or its id.

    Raises:
        LaunchError: Nobody can tell, there is no git, or it is no id.
    """
    need_git()
    return _told(state, id_of(snapshot)) is not None


def _told(state: Path, snapshot: str) -> Store | None:
    try:
        return holder(state, snapshot)
    except GitError as error:
        raise LaunchError(
            f"whether snapshot {snapshot[:12]} is still there cannot be told: {error}. Mend that, and run the command "
            "again."
        ) from error


def id_of(snapshot: Snapshot | str) -> str:
    """Return the id of a snapshot, of which only that may be known.

    Raises:
        LaunchError: It is no hash of a tree.
    """
    if isinstance(snapshot, Snapshot):
        return snapshot.id
    # An id may come from a file that someone else wrote, and becomes a path and an argument of git.
    if not ID.fullmatch(snapshot):
        raise LaunchError(f"{snapshot!r} is no snapshot: the id of one has 40 or 64 of 0-9 and a-f.")
    return snapshot


def hash_of(snapshot: str) -> str:
    """Return what the objects of a snapshot are named by."""
    return "sha1" if len(snapshot) == 40 else "sha256"


def need_git() -> None:
    """Check that the program git is there.

    Raises:
        LaunchError: It is not.
    """
    if shutil.which("git") is None:
        raise LaunchError(
            "the program git is not on the PATH, and snapshots of the code are kept with it, also where there is no "
            "repository. Install git, or run the working tree itself, which nobody can reproduce: --in-place."
        )


def quoted(path: Path) -> str:
    """Return a path as git reads it in a list of folders of objects."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _known(path: Path) -> dict[str, dict[str, str]]:
    return read_json(path) or {}
