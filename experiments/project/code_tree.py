"""Which code lies in a project at one moment: its commit, and every file that differs from it; standard library only.

Two equal records mean the same code. Files that git ignores are not looked at, nor what Experiments itself writes into
a project (notebooks, logs, its state), nor the caches of Python and marimo. A supervisor makes one right before each
trainer starts, so it must be quick.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PACKAGES = (
    *("experiments", "mettagrid", "numpy", "torch", "pufferlib", "gymnasium"),
    *("marimo", "anywidget", "altair", "wandb", "pydantic", "pandas", "pyarrow", "scipy"),
)
"""Packages whose version can change a result."""

DEADLINE_S = 5.0
MAX_FILES = 200
# Larger files are known by size and time of change: reading them would hold the trainer up.
_MOST_BYTES = 8_000_000
_OURS = re.compile(
    r"(^|/)(\.experiments|experiments/log|experiments/scratch)/|\.bundle\.tar\.gz$|(^|/)experiments/controls/[^/]+\.json$"
)
_NOTEBOOK = re.compile(r"_nb\.py(\.bak)?$")
# What Python and marimo keep beside a source follows from it; a repository without a .gitignore would have new code
# each time that a module is imported or a notebook is opened.
_MADE_OF_CODE = re.compile(r"(^|/)(__pycache__|__marimo__)/")
_STATUS = ("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames")
# A repository's settings must start no program.
_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.quotepath=true")
# Set while git runs a hook; they would name another repository than the folder's own.
_MISLEADING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")


def read_code(folder: Path, *, most: int | None = MAX_FILES) -> dict[str, Any]:
    """Return the code in `folder` as JSON values; what git cannot tell is a reason, never an exception.

    Args:
        most: How many files are named; None for all.

    Returns:
        `commit`; `files`, the start of the sha256 of each file that differs from it, by path from the top of the
        repository (at most `most` of `file_count`); `sha256` over commit and all of these files, None where they are
        not known, for which `reason` says why; `python` and `packages` of this interpreter; `at` in Unix seconds.
    """
    found: dict[str, Any] = {"commit": None, "files": {}, "file_count": 0, "sha256": None, "reason": ""}
    try:
        commit, files = _differences(folder)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        found["reason"] = _reason(folder, error)
    else:
        found |= {"commit": commit, "file_count": len(files), "sha256": _sha256(commit, files)}
        found["files"] = dict(list(files.items())[:most])
        if commit is None:
            found |= {"sha256": None, "reason": "the repository has no commit yet"}
    return found | {"python": platform.python_version(), "packages": installed(PACKAGES), "at": time.time()}


def commit_alone(commit: str | None) -> dict[str, Any]:
    """Return the record of code that is a commit and nothing else, as a node has it that cloned it."""
    return {"commit": commit, "sha256": _sha256(commit, {}), "at": time.time()}


def installed(names: Sequence[str]) -> dict[str, str]:
    """Return the version of each package that this interpreter has."""
    from importlib import metadata  # a third of what a job's supervisor would load, and most of them ask for none

    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _differences(folder: Path) -> tuple[str | None, dict[str, str]]:
    """Return the commit, and what tells the content of each file that differs from it, by name."""
    commit, names = _parsed(_git_status(folder))
    top = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)
    shown = {raw.decode("utf-8", "backslashreplace"): top / os.fsdecode(raw) for raw in sorted(names)}
    return commit, {name: _digest(path) for name, path in shown.items() if not is_no_code(name, path.parent)}


def is_no_code(name: str, folder: str | os.PathLike[str]) -> bool:
    """Say whether a file is one that Experiments writes itself, or a cache of Python or marimo.

    A notebook changes with each launch from it; one inside a package is a module that somebody imports.

    Args:
        name: From the top of the repository, or as much of it as is to be looked at.
        folder: Where it lies.
    """
    if _OURS.search(name) or _MADE_OF_CODE.search(name):
        return True
    return bool(_NOTEBOOK.search(name)) and not os.path.exists(os.path.join(folder, "__init__.py"))  # noqa: PTH110, PTH118 - of thousands


def _sha256(commit: str | None, files: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps([commit, files], sort_keys=True).encode()).hexdigest()


def git_command(*arguments: str) -> list[str]:
    """Return a command line of git that depends on nobody's settings, for `git_environment`."""
    return ["git", *_QUIET, *arguments]


def git_environment() -> dict[str, str]:
    """Return the environment in which git looks at a folder: in English, asking nobody, and without taking locks."""
    environment = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    return environment | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


def _git_status(folder: Path) -> bytes:
    return subprocess.run(
        git_command(*_STATUS),
        cwd=folder,
        env=git_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=DEADLINE_S,
    ).stdout


def _parsed(status: bytes) -> tuple[str | None, list[bytes]]:
    commit, names = None, []
    for entry in status.split(b"\0"):
        kind, _, rest = entry.partition(b" ")
        if entry.startswith(b"# branch.oid "):
            commit = rest.partition(b" ")[2].decode()
        elif kind == b"?":
            names.append(rest)
        elif kind in {b"1", b"u"}:
            # The path is the last field and may hold spaces.
            names.append(entry.split(b" ", {b"1": 8, b"u": 10}[kind])[-1])
    return None if commit == "(initial)" else commit, names


def _digest(path: Path) -> str:
    """Return what tells one content of a file from another."""
    try:
        found = path.lstat()
        if path.is_symlink():
            return f"link to {path.readlink()}"
        if path.is_dir():  # a repository inside the repository
            return _sha256(*_differences(path))[:16]
        if found.st_size > _MOST_BYTES:
            return f"{found.st_size} bytes of {found.st_mtime_ns}"
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except FileNotFoundError:
        return "deleted"


def _reason(folder: Path, error: Exception) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"git gave no answer within {DEADLINE_S:g} s"
    if isinstance(error, subprocess.CalledProcessError):
        said = error.stderr.decode("utf-8", "backslashreplace").strip().splitlines()
        return said[0] if said else f"git status ended with exit code {error.returncode}"
    if isinstance(error, FileNotFoundError) and folder.is_dir():
        return "the program git is not on the PATH"
    return str(error) or type(error).__name__
