"""Replays of a run: files with the step in their name, and HTML links that trainers log to W&B."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

# W&B puts a stylesheet link of its own in front, so only anchors count.
_ANCHOR = re.compile(r"""<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_STORED = re.compile(r"(?:^|/)step_(\d+)\.json(?:\.z|\.gz)?$")
_FILE = re.compile(r"(?:^|/)link_(\d+)_[0-9a-f]+\.html$")


def replay_url(html: str) -> str | None:
    """Return the replay that a logged page links to, directly or through a viewer; None without one."""
    for quoted, single in _ANCHOR.findall(html):
        address = unescape(quoted or single)
        query = parse_qs(urlsplit(address).query)
        replay = (query.get("replayUrl") or query.get("replay") or [address])[0]
        if re.match(r"(https?|s3)://[^\s\"'<>]+$", replay):
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
