"""Who may resolve a job in doubt: one process at a time, as long as it lives.

A lease also has an expiry, but a process that is known to live keeps its lease beyond it: a laptop that slept in the
middle of a launch must not find, when it wakes, that another process launched the same job. A ledger never leaves its
machine, so nearly always it can be told whether the owner lives; the expiry is for the rest (another container).
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from experiments.project.files import boot_id, is_alive, parse_json, this_process

EXPIRY_S = 600.0

_live: set[str] = set()


@contextmanager
def tenure() -> Iterator[str]:
    """Yield a name under which this process holds leases until the block ends, and under which nobody else does."""
    token = uuid.uuid4().hex
    _live.add(token)
    try:
        yield json.dumps({**this_process(), "boot": boot_id(), "namespace": _namespace(), "token": token})
    finally:
        _live.discard(token)


def take(connection: sqlite3.Connection, name: str, owner: str) -> str | None:
    """Take the lease `name` inside an open transaction; return None, or who holds it, in words."""
    if held_by := holder(connection, name, but=owner):
        return held_by
    connection.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?)", (name, owner, time.time() + EXPIRY_S))
    return None


def holder(connection: sqlite3.Connection, name: str, *, but: str = "") -> str:
    """Return who other than `but` holds a lease, in words; an empty string where it is free."""
    row = connection.execute("SELECT owner, expires_at FROM leases WHERE name = ?", (name,)).fetchone()
    return "" if row is None or row["owner"] == but else _holder(row["owner"], row["expires_at"])


def _holder(owner_json: str, expires_at: float) -> str:
    """Return who holds a lease, or an empty string where it is free."""
    owner: dict[str, Any] = parse_json(owner_json)
    words = f"process {owner['pid']}"
    if owner["namespace"] != _namespace():
        return words if time.time() < expires_at else ""
    if owner["boot"] != boot_id() or not is_alive(owner):
        return ""
    # Within this process the block that held it may have ended without its last transaction.
    return "" if owner["pid"] == os.getpid() and owner["token"] not in _live else words


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
