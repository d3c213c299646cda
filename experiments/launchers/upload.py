"""How large the upload of a folder to SkyPilot would be: what it takes, what it leaves out, and what is large in it.

SkyPilot packs the folder with everything in it, `.git` too, but for what `.skyignore` names; and only where there is no
such file, for what git ignores. Links are packed as links.

Source: https://docs.skypilot.co/en/latest/examples/syncing-code-artifacts.html
"""

from __future__ import annotations

import glob
import os
import shlex
import stat
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import LaunchError

SKYIGNORE = ".skyignore"
LIMIT_MB = 500
_GIT_S = 20.0
_NAMED = 3


@dataclass(frozen=True)
class Upload:
    """What would be sent.

    Attributes:
        size: Bytes, before they are packed.
        files: Number of files.
        parts: Bytes of each entry of the folder, the largest first.
        excluded_by: What decides about exclusions: `.skyignore`, `.gitignore`, or nothing (empty).
    """

    size: int
    files: int
    parts: tuple[tuple[str, int], ...]
    excluded_by: str


def upload_of(folder: Path) -> Upload:
    """Return what an upload of `folder` would send, without sending anything."""
    excluded, why = _excluded(folder)
    sizes: Counter[str] = Counter()
    files = 0
    for place, folders, names in os.walk(folder):
        within = os.path.relpath(place, folder)
        folders[:] = [name for name in folders if _joined(within, name) not in excluded]
        for name in names:
            path = _joined(within, name)
            if path not in excluded:
                files += 1
                sizes[path.partition(os.sep)[0]] += _size(os.path.join(place, name))  # noqa: PTH118 - a million times
    return Upload(sum(sizes.values()), files, tuple(sizes.most_common()), why)


def check_upload(folder: Path, *, limit_mb: int = LIMIT_MB) -> None:
    """Refuse an upload that is larger than anybody means a folder of code to be.

    Raises:
        LaunchError: Says how large it is, what is large in it, and how to leave that out.
    """
    found = upload_of(folder)
    if found.size <= limit_mb * 1_000_000:
        return
    large = [(name, size) for name, size in found.parts if size * 20 >= found.size][:_NAMED]
    told = ", ".join(f"{name} {_mb(size)}" for name, size in large)
    raise LaunchError(
        f"{str(folder)!r} would be uploaded to SkyPilot: {_mb(found.size)} in {found.files:,} files; at most "
        f"{limit_mb} MB are allowed. Largest: {told}. {_how_to_exclude(folder, [name for name, _ in large], found)} "
        "Or commit and push, and nodes fetch the commit: export EXPERIMENTS_SKY_WORKDIR=git"
    )


def _how_to_exclude(folder: Path, names: list[str], found: Upload) -> str:
    lines = " ".join(shlex.quote(f"/{name}") for name in names)
    if found.excluded_by == SKYIGNORE:
        return f"Leave out what no node needs: printf '%s\\n' {lines} >> {SKYIGNORE}"
    # What git follows is sent whatever .gitignore says, and .git itself always is.
    tracked = [name for name in names if name == ".git" or _is_tracked(folder, name)]
    if found.excluded_by and not tracked:
        return f"Leave out what no node needs: printf '%s\\n' {lines} >> .gitignore"
    ignored = "cat .gitignore; " if (folder / ".gitignore").exists() else ""
    why = ", which then decides in place of .gitignore" if ignored else ""
    add = f"printf '%s\\n' {lines}"
    return f"Leave out what no node needs by a {SKYIGNORE}{why}: ({ignored}{add}) > {SKYIGNORE}"


def _excluded(folder: Path) -> tuple[set[str], str]:
    if (folder / SKYIGNORE).is_file():
        return _by_skyignore(folder), SKYIGNORE
    listed = _git(folder, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    if listed is None:
        return set(), ""
    names = {name.rstrip("/") for name in listed.split("\0") if name}
    # A folder that git ignores as a whole is sent as a whole.
    return (set(), "") if "." in names else (names, ".gitignore")


def _by_skyignore(folder: Path) -> set[str]:
    found: set[str] = set()
    for line in (folder / SKYIGNORE).read_text(encoding="utf-8", errors="replace").splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            pattern = f".{pattern}" if pattern.startswith("/") else f"**/{pattern}"
            found |= {os.path.normpath(name) for name in _matching(folder, pattern)}
    return found


def _matching(folder: Path, pattern: str) -> list[str]:
    return glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 - with SkyPilot's own rules for dots


def _is_tracked(folder: Path, name: str) -> bool:
    return bool(_git(folder, "ls-files", "-z", "--", name))


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-c", "safe.directory=*", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=_GIT_S)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "surrogateescape")


def _joined(within: str, name: str) -> str:
    return name if within == "." else f"{within}{os.sep}{name}"


def _size(path: str) -> int:
    try:
        found = os.lstat(path)
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
