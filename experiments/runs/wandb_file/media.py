"""Files that a run logged, from the columns that W&B makes of each: its type, its path, its size."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from experiments.runs.wandb_file.table import HistoryTable


@dataclass(frozen=True)
class Media:
    """One file that the run logged.

    Attributes:
        step: W&B's step of the row.
        key: Metric name, `replays/link`.
        kind: W&B's type, `html-file`.
        path: The file on this machine; it may not exist.
        row: Number of the history row.
    """

    step: int
    key: str
    kind: str
    path: Path
    row: int
    value: dict[str, Any]


def is_media_part(key: str, known: Container[str]) -> bool:
    """Say whether a key is what W&B notes of a file that was logged (its size, its hash), and no metric.

    Args:
        known: All keys of the run's summary or history.
    """
    return f"{key.rpartition('.')[0]}._type" in known


def _is_inside(path: str) -> bool:
    """Say whether a path leads nowhere but below the folder it is taken from."""
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and "\0" not in path


def media_of(table: HistoryTable, files: Path, kind: str | None) -> list[Media]:
    """Return the files that the rows of a table name, below the folder `files`, all or those of one W&B type."""
    steps = table.steps_since(0)
    columns = table.columns
    found: list[Media] = []
    for name in [name for name in columns if name.endswith("._type")]:
        key = name.removesuffix("_type")
        parts = {other.removeprefix(key): dict(columns[other].since(0)) for other in columns if other.startswith(key)}
        for row, word in parts["_type"].items():
            path = parts.get("path", {}).get(row)
            if isinstance(path, str) and _is_inside(path) and kind in (None, word):
                value = {part: held[row] for part, held in parts.items() if row in held}
                found.append(Media(steps[row], key.removesuffix("."), str(word), files / path, row, value))
    return sorted(found, key=lambda media: (media.row, media.key))
