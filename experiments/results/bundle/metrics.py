"""The rows of a run as lines of JSON, which anybody can read, and the store that reads them back exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.project.errors import StoreError
from experiments.project.files import parse_json
from experiments.runs.store import Origin, RunInfo, RunQuery, absent_from

if TYPE_CHECKING:
    import pandas as pd

ROWS, INFO = "metrics.jsonl", "run.json"
_STEP = "_step"
# Who ran it and where is no result.
_LEFT_OUT = ("user", "url", "note")


def rows_text(frame: pd.DataFrame, origin: Origin) -> bytes:
    """Return rows as lines of JSON: of each only what was logged, a NaN where one was."""
    nan_steps = {key: set(steps) for key, steps in origin.nan_steps.items()}
    lines = []
    for row in frame.to_dict("records"):
        step = row[_STEP]
        logged = {
            str(key): value
            for key, value in row.items()
            if not (value is None or (isinstance(value, float) and math.isnan(value)))
            or step in nan_steps.get(str(key), ())
        }
        lines.append(json.dumps(logged, sort_keys=True))
    return "".join(f"{line}\n" for line in lines).encode()


def info_values(info: RunInfo) -> dict[str, Any]:
    """Return what is known of a run without its rows, as JSON values."""
    return {name: value for name, value in asdict(info).items() if name not in _LEFT_OUT}


class BundledRuns:
    """The runs of an unpacked bundle, read as `RunStore` reads runs.

    Args:
        folder: With a folder for each run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, query: RunQuery) -> list[RunInfo]:
        """Return the runs of these names that have metrics."""
        return [self._info(name) for name in query.names or () if (self._folder / name / INFO).is_file()]

    def history(self, run: str, keys: Sequence[str] | None = None) -> tuple[pd.DataFrame, Origin]:
        """Return all rows of a run; see `RunStore.history`.

        Raises:
            StoreError: The bundle has none of it, or they cannot be read.
        """
        import pandas as pd

        path = self._folder / run / ROWS
        try:
            rows = [parse_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, ValueError) as error:
            raise StoreError(f"the rows of {run!r} in the bundle cannot be read: {error}") from error
        frame = pd.DataFrame(rows, columns=None if rows else [_STEP])
        nan_steps = _nan_steps(rows)
        number = len(rows)
        as_of = path.stat().st_mtime
        shown = frame if keys is None else frame[[name for name in frame.columns if name in {_STEP, *keys}]]
        absent = absent_from(frame.columns, keys)
        return shown, Origin("bundle", number, number, complete=True, as_of=as_of, absent=absent, nan_steps=nan_steps)

    def _info(self, name: str) -> RunInfo:
        try:
            values = parse_json((self._folder / name / INFO).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StoreError(f"what the bundle says of {name!r} cannot be read: {error}") from error
        known = {field.name for field in fields(RunInfo)}
        return RunInfo(**{key: value for key, value in values.items() if key in known})


def _nan_steps(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for row in rows:
        for key, value in row.items():
            if isinstance(value, float) and math.isnan(value):
                found.setdefault(key, []).append(row[_STEP])
    return {key: tuple(steps) for key, steps in found.items()}
