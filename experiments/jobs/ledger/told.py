"""What people and launchers told the ledger, once more in a file: hypotheses, notes, who launched, what a node got.

A ledger that is lost is made again from files; of these things there is no other trace. A line of JSON each, the
oldest first: `[at, kind, run name, plan key, data]`, as the table of events has them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from experiments.project.files import parse_json

FILE = "events.jsonl"
Row: TypeAlias = tuple[float, str, str | None, str | None, str]
"""Unix seconds, kind, run name, plan key and data as JSON."""


def append(state_dir: Path, rows: Sequence[Row]) -> None:
    """Add rows at the end, on the disk before this returns; what a killed process left half written ends its line."""
    text = "".join(json.dumps([*row[:4], parse_json(row[4])], separators=(",", ":")) + "\n" for row in rows)
    descriptor = os.open(state_dir / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            text = "\n" + text
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(state_dir: Path) -> tuple[list[Row], list[str]]:
    """Return the rows, and what could not be read, in words; nothing where no ledger has written any."""
    path, rows, problems = state_dir / FILE, list[Row](), list[str]()
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return rows, problems
    except OSError as error:
        return rows, [f"{path}: {error.strerror}"]
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                rows.append(_row(parse_json(line)))
            except ValueError as error:
                problems.append(f"{path}, line {number}: {error}")
    return rows, problems


def _row(content: Any) -> Row:  # noqa: ANN401 - whatever JSON stands there
    match content:
        case [int() | float() as at, str() as kind, str() | None as run, str() | None as plan, dict() as data]:
            return float(at), kind, run, plan, json.dumps(data)
    raise ValueError("it is no event")
