"""What the running of a notebook hands to the rendering: its cells with what they showed, and the head of the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.notebooks.export.record import LogRecord

MAX_BYTES = 25_000_000
"""Size of a log above which its replays are left out, oldest first."""


@dataclass(frozen=True)
class CellRecord:
    """One cell of a notebook that was run.

    Attributes:
        name: The cell's function name; `_` for one without a name.
        code: Its source.
        output: What its last expression gave, as it is in the process that ran it; None for nothing.
        error: What it raised; None where it ran.
        stdout: What it printed.
        stderr: What it printed to stderr.
        skipped: Why it did not run (a cell it needs failed, or the time was over); empty where it ran.
    """

    name: str
    code: str = ""
    output: Any = None
    error: BaseException | None = None
    stdout: str = ""
    stderr: str = ""
    skipped: str = ""


@dataclass(frozen=True)
class Head:
    """What a page says of its log beside what its cells show. All but the record may be missing.

    Attributes:
        record: What is also kept in the file in numbers.
        code: What must be said of the code that the jobs ran, such as that an arm ran two; empty where nothing.
        command: What makes this log again.
        config: Rows (name, value), differences from the defaults first.
        jobs: Rows of a `JobTable`.
        as_of: Unix seconds of what is known of the jobs.
        sources: Rows (source, how old its data is and whether it is whole).
        deadline: Why the notebook did not run to its end; empty where it did.
    """

    record: LogRecord
    code: str = ""
    command: str = ""
    config: tuple[tuple[str, str], ...] = ()
    jobs: tuple[Mapping[str, Any], ...] = ()
    as_of: float = 0.0
    sources: tuple[tuple[str, str], ...] = ()
    deadline: str = ""


@dataclass(frozen=True)
class RenderedPage:
    """A log, whole.

    Attributes:
        html: UTF-8.
        shown: Hash of all that the cells show.
        dropped: What the size budget left out, each as a sentence.
        notes: What could not be shown, each as a sentence with the cell's name.
    """

    html: bytes
    shown: str = ""
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
