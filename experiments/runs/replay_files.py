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
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from experiments.project.errors import StoreError
from experiments.project.files import write_bytes
from experiments.runs.store import ReplayFile

# W&B puts a stylesheet link of its own in front, so only anchors count.
_ANCHOR = re.compile(r"""<a\s[^<>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
# A longer number is no step, and Python reads none of thousands of digits.
_STORED = re.compile(r"(?:^|/)step_([0-9]{1,18})\.json(?:\.z|\.gz)?\Z")
_FILE = re.compile(r"(?:^|/)(?:link|replays/[^/]+)_([0-9]{1,18})_[0-9a-f]+\.html\Z")
_PAGE = re.compile(r"media/html/(.+)_([0-9]{1,18})_[0-9a-f]+\.html")
# Of what stands between the tags, so much is looked for the end of it: a page may be anything.
_TEXT = re.compile(r"[^<]{0,200}")
_LINKS = 200
_MAX_PAGE = 1 << 20  # characters; W&B's page of a link has a few hundred


@dataclass(frozen=True)
class Link:
    """One replay that a logged page links to.

    Attributes:
        url: Where it lies.
        name: What the page calls it; empty where it says nothing.
    """

    url: str
    name: str = ""


def replay_links(html: str, forms: Sequence[str] = ()) -> list[Link]:
    """Return the replays that a logged page links to, directly or through a viewer, each once and in its order.

    Args:
        forms: How its trainer writes them, with `{url}` for the replay; without any, as viewers are known to be told.
    """
    found: dict[str, Link] = {}
    for anchor in _ANCHOR.finditer(html):
        address = unescape(anchor[1] or anchor[2] or "")
        replay = _written_as(address, forms) if forms else _told_to_a_viewer(address)
        if replay is not None and re.fullmatch(r"(https?|s3)://[^\s\"'<>]+", replay) and len(found) < _LINKS:
            found.setdefault(replay, Link(replay, _name_of(html, anchor.end())))
    return list(found.values())


def _told_to_a_viewer(address: str) -> str | None:
    try:
        query = parse_qs(urlsplit(address).query)
    except ValueError:  # no address: its brackets enclose no IPv6 address, or it has too many parts
        return None
    return (query.get("replayUrl") or query.get("replay") or [address])[0]


def _written_as(address: str, forms: Sequence[str]) -> str | None:
    """Return the replay in a link of one of these forms; None where it has none of them."""
    for form in forms:
        before, after = form.split("{url}")
        inside = "[^&#]*" if "?" in before else ".*"
        if match := re.fullmatch(f"{re.escape(before)}({inside}){re.escape(after)}(?:[&#].*)?", address, re.DOTALL):
            return match[1] if "://" in match[1] else unquote(match[1])
    return None


def links_in(path: Path, key: str, keys: Sequence[str], forms: Sequence[str]) -> list[Link]:
    """Return the replays that a logged page links to; none where it is no page, which a pipe or a device is not.

    A page of replays may link to several; of any other page only the first link is taken for one.

    Args:
        key: Under which it was logged.
        keys: Under which its trainer logs pages of replays; none where it names none.
        forms: As for `replay_links`.
    """
    if keys and not is_page(key, keys):
        return []
    has_several = bool(keys) or key.startswith("replays/")
    try:
        if not path.is_file():
            return []
        with path.open(encoding="utf-8", errors="replace") as file:
            return replay_links(file.read(_MAX_PAGE), forms)[: None if has_several else 1]
    except (OSError, ValueError):
        return []


def replay_url(html: str) -> str | None:
    """Return the first replay that a logged page links to; None without one."""
    return next((link.url for link in replay_links(html)), None)


def replays_at(step: int, links: Sequence[Link]) -> list[ReplayFile]:
    """Return the replays of one step, of which a page may name several."""
    return [
        ReplayFile(step, None, link.url, f"step {step:,}", part, link.name if len(links) > 1 else "")
        for part, link in enumerate(links)
    ]


def _name_of(html: str, start: int) -> str:
    """Return what an anchor says, given the end of its address."""
    close = html.find(">", start, start + 1000)
    text = _TEXT.match(html, close + 1) if close >= 0 else None
    return " ".join(unescape(text[0]).split()) if text else ""


def stored_step(path: str) -> int | None:
    """Return the agent steps in the name of a stored replay (`step_<n>.json.z`)."""
    match = _STORED.search(path)
    return int(match[1]) if match else None


def step_of(path: str, keys: Sequence[str] = ()) -> int | None:
    """Return the W&B step in the name that W&B gives a logged page (`link_<step>_<hash>.html`); None for any other.

    Args:
        keys: Under which its trainer logs pages of replays; without any, as such are known to be called.
    """
    if not keys:
        match = _FILE.search(path)
        return int(match[1]) if match else None
    page = _PAGE.fullmatch(path)
    return int(page[2]) if page and is_page(page[1], keys) else None


def is_page(key: str, keys: Sequence[str]) -> bool:
    """Tell whether a key is one of those that a trainer names; `*` in them stands for anything."""
    return any(fnmatchcase(key, pattern.replace("[", "[[]").replace("?", "[?]")) for pattern in keys)


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
