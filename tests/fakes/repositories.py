"""Repositories of git in every state that a working tree can be in."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always")


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """Return what git says in a folder, as Ada."""
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *IDENTITY, *arguments],
        cwd=folder,
        check=check,
        capture_output=True,
        text=True,
        errors="surrogateescape",
    )
    return done.stdout.strip()


def commit_all(folder: Path, text: str = "more") -> str:
    """Commit everything and return the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--allow-empty", "-m", text)
    return git(folder, "rev-parse", "HEAD")


def write(folder: Path, **files: str) -> None:
    """Write Python files by their names without the suffix."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")


def repository(folder: Path) -> Path:
    """Return a new repository with two committed files."""
    folder.mkdir(parents=True)
    git(folder, "init")
    write(folder, a="one\n", b="two\n")
    commit_all(folder, "first")
    return folder


def dirty(folder: Path) -> Path:
    repository(folder)
    write(folder, a="edited\n", new="untracked\n")
    write(folder, staged="staged\n")
    git(folder, "add", "staged.py")
    git(folder, "stash", "push", "--include-untracked")
    git(folder, "stash", "apply")
    return folder


def in_a_merge(folder: Path) -> Path:
    repository(folder)
    git(folder, "checkout", "-b", "other")
    write(folder, a="theirs\n")
    commit_all(folder)
    git(folder, "checkout", "main")
    write(folder, a="ours\n")
    commit_all(folder)
    git(folder, "merge", "other", check=False)
    return folder


def sparse(folder: Path) -> Path:
    repository(folder)
    for name in ("kept", "away"):
        (folder / name).mkdir()
        write(folder / name, c=f"{name}\n")
    commit_all(folder)
    git(folder, "sparse-checkout", "set", "kept")
    return folder


def with_submodule(folder: Path) -> Path:
    inner = repository(folder.with_name(f"{folder.name} inner"))
    repository(folder)
    git(folder, "submodule", "add", str(inner), "sub")
    commit_all(folder)
    write(folder / "sub", a="edited\n", extra="untracked\n")
    return folder


def with_embedded(folder: Path) -> Path:
    repository(folder)
    repository(folder / "clone")
    (folder / "bare start").mkdir()
    git(folder / "bare start", "init")
    write(folder / "bare start", c="no commit\n")
    return folder


def linked(folder: Path) -> Path:
    main = repository(folder.with_name(f"{folder.name} main"))
    git(main, "worktree", "add", "-b", "side", str(folder))
    write(folder, a="edited\n")
    return folder


def without_commits(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init")
    write(folder, a="one\n")
    return folder


def with_missing_filter(folder: Path) -> Path:
    """A repository that wants git-lfs, on a machine that has none; one file is a pointer, one is as large as it is."""
    repository(folder)
    (folder / "pointer.bin").write_text("version https://git-lfs.github.com/spec/v1\nsize 3\n", encoding="utf-8")
    commit_all(folder)
    (folder / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n*.txt text\n", encoding="utf-8")
    for name in ("filter.lfs.clean", "filter.lfs.smudge"):
        git(folder, "config", name, "no-such-program %f")
    git(folder, "config", "filter.lfs.required", "true")
    (folder / "full.bin").write_bytes(bytes(range(256)))
    return folder


def with_index_lock(folder: Path) -> Path:
    repository(folder)
    write(folder, a="edited\n")
    (folder / ".git" / "index.lock").write_bytes(b"")
    return folder


STATES: dict[str, Callable[[Path], Path]] = {
    "clean": repository,
    "dirty": dirty,
    "in a merge": in_a_merge,
    "sparse": sparse,
    "submodule": with_submodule,
    "embedded repositories": with_embedded,
    "linked working tree": linked,
    "no commits": without_commits,
    "missing filter": with_missing_filter,
    "index locked": with_index_lock,
}


def hooks_that_tell(folder: Path) -> Path:
    """Make every hook of a repository write into one file, and return that file."""
    told = folder / ".git" / "hooks" / "told"
    for name in (
        "reference-transaction",
        "post-index-change",
        "post-checkout",
        "pre-commit",
        "post-commit",
        "pre-push",
    ):
        hook = told.with_name(name)
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho {name} >> '{told}'\n", encoding="utf-8")
        hook.chmod(0o755)
    return told


def all_of(folder: Path) -> dict[str, str]:
    """Return what tells every file, link and folder of the working tree and of git's own from any other content.

    Left out are the objects, where a snapshot's come, its refs, and the project's state.
    """
    found = {}
    common = Path(git(folder, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    for top in {folder, common}:
        for path in sorted(top.rglob("*")):
            name = f"{top.name}/{path.relative_to(top)}"
            if any(part in name for part in ("/objects/", "/refs/experiments", "/.experiments")):
                continue
            status = path.lstat()
            content = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
            digest = hashlib.sha256(content if isinstance(content, bytes) else str(content).encode()).hexdigest()
            # A folder's time changes with what is made in it for a moment, such as the lock of a ref.
            found[name] = f"{status.st_mode:o} {digest} {'' if path.is_dir() else status.st_mtime_ns}"
    return found
