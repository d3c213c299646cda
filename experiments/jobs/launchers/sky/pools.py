"""Jobs of a pool: its workers are there already, so SkyPilot brings no code to them and sets nothing up for a job.

A job fetches its code itself, by hash: the pushed commit of an https repository, or an archive of its snapshot in
`run_root`, which every node sees. What `sky_setup` makes of it is made once on each worker and lent to its jobs as
links; each job runs in files of its own, so that what one writes beside its source no other one reads.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from experiments.project.errors import LaunchError
from experiments.project.settings import Settings
from experiments.project.snapshots import Snapshot, files

FOLDER = ".experiments-code"
"""Beside the runs in `run_root`, and in the home of a worker."""
UNKNOWN_ARCHIVE = "<the hash of its snapshot>"
"""In the place of an archive's hash before there is a snapshot: in a preview."""
_TIME = 946_684_800  # 2000-01-01: the same files give the same archive


@dataclass(frozen=True)
class Source:
    """Where a job of a pool gets its code.

    Attributes:
        key: The commit, or the SHA-256 of the archive: what is fetched has this hash, or the job fails.
        place: The repository's address, or the path of the archive on the nodes.
        is_git: Which of the two.
        within: The project's folder inside, `.` for its top.
    """

    key: str
    place: str
    is_git: bool
    within: str = "."


def archive_path(run_root: str, digest: str) -> str:
    """Return where the archive of this hash lies."""
    return f"{run_root.rstrip('/')}/{FOLDER}/{digest}.tar"


def put_archive(state: Path, snapshot: Snapshot, run_root: str) -> str:
    """Put the files of a snapshot into `run_root`, once and whole, and return the SHA-256 of the archive.

    Raises:
        LaunchError: The folder cannot be written from here, or the snapshot is gone.
    """
    folder = Path(run_root) / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="making-", delete=False) as file:
            try:
                digest = _write_archive(file, state, snapshot)
                os.fchmod(file.fileno(), 0o644)  # nodes may be of another user
                file.flush()
                os.fsync(file.fileno())
                there = Path(archive_path(run_root, digest))
                if not there.exists() or _sha256(there) != digest:
                    Path(file.name).rename(there)
            finally:
                Path(file.name).unlink(missing_ok=True)
    except OSError as error:
        raise LaunchError(
            f"the code of a pool's jobs goes to {str(folder)!r}, which cannot be written from here ({error.strerror}). "
            "Set run_root to a folder that this machine and every node see, or commit and push, and the pool's workers "
            "fetch the commit from an https remote."
        ) from error
    return digest


def _write_archive(file: IO[bytes], state: Path, snapshot: Snapshot) -> str:
    hashed = _Hashed(file)
    with tarfile.open(mode="w|", fileobj=hashed, format=tarfile.GNU_FORMAT) as tar:
        for name, mode, content in files(state, snapshot):
            member = tarfile.TarInfo(os.fsdecode(name))
            member.mtime = _TIME
            if mode == "120000":
                member.type, member.linkname = tarfile.SYMTYPE, os.fsdecode(content)
                tar.addfile(member)
            else:
                member.mode, member.size = (0o755 if mode == "100755" else 0o644), len(content)
                tar.addfile(member, BytesIO(content))
    return hashed.digest.hexdigest()


class _Hashed(BytesIO):
    """Writes on to a file, and hashes what goes through."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file, self.digest = file, hashlib.sha256()

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        self.digest.update(data)
        return self._file.write(data)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def arrival(source: Source, setup: str) -> str:
    """Return the bash lines with which a job of a pool gets its code and goes into the project's folder there.

    They end the shell where the code cannot be had, is not what was launched, or cannot be set up.
    """
    within = "" if source.within == "." else shlex.quote(f"/{source.within}")
    return f"""\
home="$HOME/{FOLDER}"
shared="$home/{source.key}"
{_fetching(source)}
set_up_code() {{
{setup.strip() or "true"}
}}
mkdir -p "$home" && (
  flock 9
  [ -e "$shared.done" ] && exit 0
  rm -rf "$shared" "$shared.code" && fetch_code "$shared.code" || exit 1
  cp -a "$shared.code" "$shared" && cd "$shared"{within} || exit 1
  (set_up_code) || {{ echo "experiments: the set-up of this worker failed (sky_setup)" >&2; exit 1; }}
  touch "$shared.done"
) 9> "$shared.lock" || exit 1
here="$(mktemp -d "$home/job.XXXXXX")" || exit 1
trap 'cd /; rm -rf "$here"' EXIT
cp -a "$shared.code/." "$here" && cd "$here"{within} || exit 1
for made in "$shared"{within}/* "$shared"{within}/.[a-zA-Z0-9_]*; do
  [ ! -e "$made" ] || [ -e "./${{made##*/}}" ] || ln -s "$made" .
done
"""


def _fetching(source: Source) -> str:
    place, key = shlex.quote(source.place), shlex.quote(source.key)
    if source.is_git:
        return f"""\
fetch_code() {{
  git init --quiet "$1" && git -C "$1" fetch --quiet --depth 1 {place} {key} &&
    git -C "$1" checkout --quiet --detach {key} && return 0
  echo "experiments: commit" {key} "of" {place} "cannot be fetched on this worker" >&2
  return 1
}}"""
    return f"""\
fetch_code() {{
  if [ ! -r {place} ]; then
    echo "experiments: this worker does not see" {place}", the code of the job; does it see run_root?" >&2
    return 1
  fi
  mkdir "$1" && cp {place} "$1.tar" || return 1
  if ! printf '%s  %s\\n' {key} "$1.tar" | sha256sum --check --status; then
    echo "experiments:" {place} "has another SHA-256 than the code that was launched. Launch again: that mends it" >&2
    return 1
  fi
  tar -xf "$1.tar" -C "$1" && rm "$1.tar"
}}"""


def pool_task(
    settings: Settings, name: str, workers: int, resources: Mapping[str, Any], source: Source
) -> dict[str, Any]:
    """Return what SkyPilot is asked for as a pool: its workers, their resources, and a set-up that warms them.

    That set-up fetches the code as a job does, so that workers which do not see `run_root` are found out at once.
    """
    return {
        "name": name,
        "pool": {"workers": workers},
        "resources": dict(resources),
        "setup": f"({arrival(source, settings.sky_setup).rstrip()}\n)",
    }
