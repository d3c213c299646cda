"""What a launch on SkyPilot takes: USD an hour, as far as its catalogs say, and the bytes of an upload.

The queue names machines in words, `2x[spot](gpus=L4:1, cpus=4, mem=16, g6.xlarge, disk=256)`, and has no price. Slurm
and Kubernetes have none at all, so nobody is asked there.

SkyPilot packs the folder with everything in it, `.git` too, but for what `.skyignore` names; and only where there is no
such file, for what git ignores. Links are packed as links.

Source: https://docs.skypilot.co/en/latest/examples/syncing-code-artifacts.html
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import stat
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from experiments.project.errors import ExperimentsError, LaunchError

_WORDS = re.compile(r"(?P<nodes>\d+)x(?P<spot>\[spot\])?\((?P<parts>.*)\)", re.IGNORECASE)
_WITHOUT_PRICES = frozenset({"slurm", "kubernetes", "ssh", "-", ""})
_GLANCE_S = 2.0


@dataclass(frozen=True)
class Machines:
    """Machines of one kind that a job holds.

    Attributes:
        infra: `cloud/region/zone`, as far as it is known.
        instance: The cloud's word for the machine.
        accelerators: `L4:1`, or None.
    """

    nodes: int
    infra: str
    instance: str
    accelerators: str | None
    spot: bool


def machines_of(record: Mapping[str, Any]) -> Machines | None:
    """Return the machines of a record of SkyPilot's queue; None where they have no price, or are not known (yet)."""
    cloud = str(record.get("cloud") or "")
    found = _WORDS.fullmatch(str(record.get("cluster_resources_full") or ""))
    if found is None or cloud.lower() in _WITHOUT_PRICES:
        return None
    parts = [part.strip() for part in found["parts"].split(",")]
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    plain = [part for part in parts if part and "=" not in part and part != "..."]
    if len(plain) != 1:
        return None
    place = [cloud.lower(), *(str(record.get(part) or "-") for part in ("region", "zone"))]
    infra = "/".join(place[: place.index("-")] if "-" in place else place)
    return Machines(int(found["nodes"]), infra, plain[0], named.get("gpus"), spot=found["spot"] is not None)


class Prices:
    """Remembers prices, and asks once for each kind of machine; a poll never waits long for an answer.

    Args:
        ask: Returns USD an hour of machines (as JSON values), None where there is no price; it may take long or fail.
    """

    def __init__(self, ask: Callable[[Sequence[Mapping[str, Any]]], Sequence[float | None]]) -> None:
        self._ask = ask
        self._known: dict[Machines, float | None] = {}
        self._asking: threading.Thread | None = None

    def of(self, records: Sequence[Mapping[str, Any]]) -> dict[int, float]:
        """Return USD an hour by job id, for the jobs whose price is known by now."""
        machines = {record["job_id"]: kind for record in records if (kind := machines_of(record)) is not None}
        wanted = list(dict.fromkeys(kind for kind in machines.values() if kind not in self._known))
        if wanted and (self._asking is None or not self._asking.is_alive()):
            self._asking = threading.Thread(target=self._learn, args=(wanted,), name="sky prices", daemon=True)
            self._asking.start()
            self._asking.join(_GLANCE_S)
        known = {job_id: self._known.get(kind) for job_id, kind in machines.items()}
        return {job_id: price for job_id, price in known.items() if price is not None}

    def _learn(self, wanted: Sequence[Machines]) -> None:
        try:
            self._known |= dict(zip(wanted, self._ask([asdict(kind) for kind in wanted]), strict=True))
        except (ExperimentsError, ValueError):
            return  # asked again by the next poll; the jobs themselves matter more


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
