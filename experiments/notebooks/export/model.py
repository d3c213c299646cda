"""What the running of a notebook hands to the rendering: its cells with what they showed, and the head of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
class JobRow:
    """One job in the head of a log; numbers are None where they are not known.

    Attributes:
        state: A verdict: pending, running, recovering, succeeded, failed, cancelled, unknown.
        words: What scheduler and tracker say.
        step: Agent steps done.
        total: Agent steps asked for.
        reward: Latest return per agent.
        duration_s: Seconds since the start, or from start to end.
    """

    run: str
    arm: str
    seed: int
    state: str
    words: str = ""
    step: float | None = None
    total: float | None = None
    reward: float | None = None
    duration_s: float | None = None


@dataclass(frozen=True)
class Head:
    """The head of a log. All but the title may be missing.

    Attributes:
        hypothesis: Markdown.
        verdict: Markdown.
        key_metric: Name and value of the number that decides, such as ("return per agent", "8.1 [7.2, 9.0]").
        who: Who exported it.
        created: When it was exported, as it is to be read (`2026-11-22 14:05 UTC`); the only time of the file's own.
        commit: Git commit.
        dirty: The working tree held changes that are in no commit.
        command: What makes this log again.
        config: Rows (name, value), differences from the defaults first.
        jobs: The experiment's jobs.
        versions: Rows (package, version).
        data_digest: Hash of the data that was read.
        sources: Rows (source, how old its data is and whether it is whole).
        changes: Sentences on what changed since the last log; None for the first log.
        previous: File name of the last log, beside this one.
        deadline: Why the notebook did not run to its end; empty where it did.
    """

    title: str
    experiment: str = ""
    hypothesis: str = ""
    verdict: str = ""
    key_metric: tuple[str, str] | None = None
    who: str = ""
    created: str = ""
    commit: str = ""
    dirty: bool | None = None
    command: str = ""
    config: tuple[tuple[str, str], ...] = ()
    jobs: tuple[JobRow, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    data_digest: str = ""
    sources: tuple[tuple[str, str], ...] = ()
    changes: tuple[str, ...] | None = None
    previous: str = ""
    deadline: str = ""


@dataclass(frozen=True)
class RenderedPage:
    """A log, whole.

    Attributes:
        html: UTF-8.
        dropped: What the size budget left out, each as a sentence.
        notes: What could not be shown, each as a sentence with the cell's name.
    """

    html: bytes
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
