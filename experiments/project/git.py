"""What git says of a working tree: asked of the program itself, quickly, and never trusted to answer.

Nothing is fetched: whether a commit is pushed is judged by what this clone last saw of its remotes.
"""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from experiments.project.code_tree import git_command, git_environment

DEADLINE_S = 10.0
MAX_DIFF = 1_000_000
"""Bytes of a diff that are kept; its hash covers all of it."""

State = Literal["clean", "dirty", "no commits", "no repository", "no git", "unknown"]
Pushed = Literal["yes", "no", "no remote", "unknown"]

# A diff must not start programs that a repository's settings name, nor depend on how a user likes to read diffs.
_DIFF = (
    "diff",
    "HEAD",
    "--binary",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)


class GitError(Exception):
    """git gave no answer; the text says why."""


@dataclass(frozen=True)
class Tree:
    """A working tree and its commit.

    Attributes:
        state: `clean` and `dirty` speak of tracked files only; `unknown` is a repository that git could not read.
        reason: Why, in git's words, where the state is not plain.
        commit: Full hash; None before the first commit.
        branch: None where the commit was checked out by itself.
        pushed: Whether the upstream (or, without one, any branch of a remote) contains the commit.
        files: Tracked files that differ from the commit, relative to the top of the repository; undecodable bytes of a
            name are escaped.
        untracked: How many files and folders git does not know.
        diff: The differences, at most `MAX_DIFF` bytes.
        diff_sha256: Of the whole diff; None without one, and where it was not read to its end.
        diff_bytes: Length of the whole diff, as far as it was read.
    """

    state: State
    reason: str = ""
    commit: str | None = None
    branch: str | None = None
    pushed: Pushed = "unknown"
    files: tuple[str, ...] = ()
    untracked: int = 0
    diff: bytes = b""
    diff_sha256: str | None = None
    diff_bytes: int = 0


def read_tree(folder: Path, *, deadline_s: float = DEADLINE_S) -> Tree:
    """Return what git says of the working tree that holds `folder`; every failure is a state, none is an exception.

    Args:
        folder: A folder inside the working tree.
        deadline_s: Seconds that each call of git may take.
    """
    try:
        status = ask(folder, deadline_s, "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal")
    except FileNotFoundError:
        state: State = "no git" if folder.is_dir() else "no repository"
        return Tree(state, "the program git is not on the PATH" if folder.is_dir() else f"{str(folder)!r} is no folder")
    except GitError as error:
        return Tree("no repository" if "not a git repository" in str(error) else "unknown", str(error))
    head, files, untracked = _parse_status(status)
    commit, branch = head.get("oid"), head.get("head")
    tree = Tree(
        "dirty" if files else "clean",
        branch=None if branch == "(detached)" else branch,
        files=files,
        untracked=untracked,
    )
    if commit is None or commit == "(initial)":
        return replace(tree, state="no commits", reason="the repository has no commit yet", pushed="no")
    try:
        pushed = _pushed(folder, deadline_s, head)
        kept, digest, size = _diff(folder, deadline_s) if files else (b"", None, 0)
    except (GitError, FileNotFoundError) as error:
        return replace(tree, state="unknown", reason=str(error), commit=commit)
    return replace(tree, commit=commit, pushed=pushed, diff=kept, diff_sha256=digest, diff_bytes=size)


def origin(folder: Path) -> tuple[str | None, str]:
    """Return the address that the branch is pushed to, and the folder's place in its repository (`.` for the top).

    The address is that of the branch's own remote, else of `origin`; None where there is none.
    """
    try:
        within = _text(ask(folder, DEADLINE_S, "rev-parse", "--show-prefix")).strip().rstrip("/") or "."
    except (GitError, FileNotFoundError):
        return None, "."
    name = "origin"
    with contextlib.suppress(GitError):
        branch = _text(ask(folder, DEADLINE_S, "rev-parse", "--abbrev-ref", "HEAD")).strip()
        name = _text(ask(folder, DEADLINE_S, "config", "--get", f"branch.{branch}.remote")).strip() or name
    try:
        return _text(ask(folder, DEADLINE_S, "remote", "get-url", name)).strip() or None, within
    except GitError:
        return None, within


def changed_files(folder: Path, old: str, new: str) -> list[str]:
    """Return the files that differ between two commits.

    Raises:
        GitError: git does not know one of them, or gave no answer.
    """
    _refuse_options(old, new)
    return _listed(folder, "diff", "--name-only", "-z", old, new, "--")


def is_ignored(folder: Path, name: str) -> bool:
    """Say whether git would not take a file; of what nobody can ask it, no."""
    try:
        ask(folder, DEADLINE_S, "check-ignore", "-q", "--", name)
    except (GitError, FileNotFoundError):
        return False
    return True


def commits_between(folder: Path, old: str, new: str) -> list[str]:
    """Return hash and subject of each commit that `new` has and `old` has not, newest first.

    Raises:
        GitError: git does not know one of them, or gave no answer.
    """
    _refuse_options(old, new)
    return [line.strip() for line in _listed(folder, "log", "-z", "--format=%h %s", f"{old}..{new}", "--")]


def _refuse_options(*commits: str) -> None:
    # A commit may come from a file that someone else wrote: it must not be read as an option.
    if not all(commit.isalnum() for commit in commits):
        raise GitError(f"{' and '.join(map(repr, commits))} are not both commits")


def _listed(folder: Path, *arguments: str) -> list[str]:
    try:
        entries = ask(folder, DEADLINE_S, *arguments).split(b"\0")
    except FileNotFoundError:
        raise GitError("the program git is not on the PATH") from None
    return [_text(entry) for entry in entries if entry.strip()]


def _parse_status(status: bytes) -> tuple[dict[str, str], tuple[str, ...], int]:
    """Return the branch headers, the tracked files that differ, and how many untracked ones there are."""
    head: dict[str, str] = {}
    files: list[str] = []
    untracked = 0
    entries = iter(status.split(b"\0"))
    for entry in entries:
        kind = entry[:1]
        if kind == b"#":
            name, _, value = _text(entry).removeprefix("# branch.").partition(" ")
            head[name] = value
        elif kind == b"?":
            untracked += 1
        elif kind in {b"1", b"2", b"u"}:
            # The path is the last field and may hold spaces; a rename is followed by its old path.
            files.append(_text(entry.split(b" ", {b"1": 8, b"2": 9, b"u": 10}[kind])[-1]))
            if kind == b"2":
                next(entries, None)
    return head, tuple(sorted(files)), untracked


def _pushed(folder: Path, deadline_s: float, head: dict[str, str]) -> Pushed:
    ahead = head.get("ab", "").partition(" ")[0]
    if ahead == "+0":
        return "yes"
    found = pushed(folder, head["oid"], deadline_s=deadline_s)
    return "no" if ahead and found == "no remote" else found


def pushed(folder: Path, commit: str, *, deadline_s: float = DEADLINE_S) -> Pushed:
    """Return whether any branch of a remote contains a commit, as far as this clone last heard of them.

    Raises:
        GitError: git gave no answer.
        FileNotFoundError: There is no git, or no such folder.
    """
    _refuse_options(commit)
    containing = ("for-each-ref", "--count=1", f"--contains={commit}", "--format=%(refname)", "refs/remotes")
    if ask(folder, deadline_s, *containing).strip():
        return "yes"
    return "no" if ask(folder, deadline_s, "remote").strip() else "no remote"


def _diff(folder: Path, deadline_s: float) -> tuple[bytes, str | None, int]:
    """Return the start of the diff against the commit, and the hash and length of all of it."""
    kept, digest, size = bytearray(), hashlib.sha256(), 0
    with _running(folder, deadline_s, *_DIFF) as process:
        assert process.stdout is not None
        while chunk := process.stdout.read(1 << 16):
            digest.update(chunk)
            size += len(chunk)
            kept += chunk[: max(0, MAX_DIFF - len(kept))]
    return bytes(kept), digest.hexdigest(), size


def ask(folder: Path, deadline_s: float, *arguments: str) -> bytes:
    """Return what git prints when it is started in `folder`.

    Raises:
        GitError: It failed, or was ended at the deadline.
        FileNotFoundError: There is no git, or no such folder.
    """
    try:
        done = subprocess.run(
            git_command(*arguments),
            cwd=folder,
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=deadline_s,
        )
    except subprocess.TimeoutExpired:
        raise _no_answer(deadline_s, *arguments) from None
    if done.returncode != 0:
        raise _failed(done.returncode, done.stderr, *arguments)
    return done.stdout


@contextlib.contextmanager
def _running(folder: Path, deadline_s: float, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run git; on leaving, wait for it.

    Raises:
        GitError: It failed, or was ended at the deadline.
        FileNotFoundError: There is no git, or no such folder.
    """
    process = subprocess.Popen(
        git_command(*arguments),
        cwd=folder,
        env=git_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(deadline_s, end)
    timer.start()
    errors: list[bytes] = []
    assert process.stderr is not None
    drain = threading.Thread(target=lambda stream=process.stderr: errors.append(stream.read()))
    drain.start()
    try:
        yield process
        process.wait()
        drain.join()
    finally:
        timer.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()
        drain.join()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    if late.is_set():
        raise _no_answer(deadline_s, *arguments)
    if process.returncode != 0:
        raise _failed(process.returncode, b"".join(errors), *arguments)


def _no_answer(deadline_s: float, *arguments: str) -> GitError:
    return GitError(f"git {arguments[0]} gave no answer within {deadline_s:g} s")


def _failed(code: int, errors: bytes, *arguments: str) -> GitError:
    said = _text(errors).strip().splitlines()
    return GitError(said[0] if said else f"git {arguments[0]} ended with exit code {code}")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
