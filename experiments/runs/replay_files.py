"""Replays of a run: files with the step in their name, HTML links that trainers log to W&B, and what a server stores.

What a server stores is fetched once: kept in the cache, or beside it where nothing can be written there.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from experiments.project.errors import StoreError
from experiments.project.files import write_bytes

# W&B puts a stylesheet link of its own in front, so only anchors count.
_ANCHOR = re.compile(r"""<a\s[^<>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
# A longer number is no step, and Python reads none of thousands of digits.
_STORED = re.compile(r"(?:^|/)step_([0-9]{1,18})\.json(?:\.z|\.gz)?\Z")
_FILE = re.compile(r"(?:^|/)link_([0-9]{1,18})_[0-9a-f]+\.html\Z")


def replay_url(html: str) -> str | None:
    """Return the replay that a logged page links to, directly or through a viewer; None without one."""
    for quoted, single in _ANCHOR.findall(html):
        address = unescape(quoted or single)
        try:
            query = parse_qs(urlsplit(address).query)
        except ValueError:  # no address: its brackets enclose no IPv6 address, or it has too many parts
            continue
        replay = (query.get("replayUrl") or query.get("replay") or [address])[0]
        if re.fullmatch(r"(https?|s3)://[^\s\"'<>]+", replay):
            return replay
    return None


def stored_step(path: str) -> int | None:
    """Return the agent steps in the name of a stored replay (`step_<n>.json.z`)."""
    match = _STORED.search(path)
    return int(match[1]) if match else None


def step_of(path: str) -> int | None:
    """Return the W&B step in the name that W&B gives a logged page (`link_<step>_<hash>.html`)."""
    match = _FILE.search(path)
    return int(match[1]) if match else None


_unkept: dict[str, Path] = {}
"""Of this process, by name."""


def stored_replay(folder: Path, place: Sequence[str], file_name: str, fetch: Callable[[], bytes]) -> Path:
    """Return the file of a replay, which never changes; fetched where it is not there yet.

    Who only reads needs no disk of the project's: what cannot be kept in `folder` is kept until this process ends.

    Args:
        folder: The cache.
        place: What tells this replay from every other one on the server.
        file_name: Its name there, `step_<n>.json.z`.
        fetch: Gets its bytes.

    Raises:
        StoreError: It cannot be fetched, or this machine has no place for it.
    """
    # Entities, projects and runs may have names that no file can, and a dash in one is no border between two.
    known = sha256(json.dumps([*place, file_name]).encode()).hexdigest()[:32]
    name = f"{known}-{Path(file_name).name}"
    kept = folder / name
    if kept.is_file():
        return kept
    if name in _unkept:
        return _unkept[name]
    data = fetch()
    with contextlib.suppress(OSError):
        return _written(kept, data)
    try:
        _unkept[name] = _written(_beside() / name, data)
    except OSError as error:
        raise StoreError(
            f"replay {file_name!r} has no place on this machine: {error}. Make room, or name a folder that has some: "
            "export TMPDIR=DIR"
        ) from None
    return _unkept[name]


def _written(target: Path, data: bytes) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, data, mode=0o666, lasting=False)
    return target


@functools.cache
def _beside() -> Path:
    """Return a folder that ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="experiments-replays-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
