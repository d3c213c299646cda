"""Failed runs grouped by what ended them: their last error line, without the numbers, addresses and paths in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.project.errors import ExperimentsError
from experiments.project.look import plain_text
from experiments.project.redaction import mask_text
from experiments.types import JobRef, JobStatus

if TYPE_CHECKING:
    from experiments.runs.store import RunStore

_TAIL = 400
_LONGEST = 300
_ERROR = re.compile(
    r"^\s*(?:[\w.]+\.)*\w*(?:Error|Exception|Interrupt|Exit|Warning|Fault)\b(?::|$)"  # the last line of a traceback
    r"|\b(?:error|fatal|killed|out of memory|segmentation fault|core dumped|panic|assertion)\b",
    re.IGNORECASE,
)
_NOT_ERROR = re.compile(r"warning\b(?::|$)", re.IGNORECASE)
_PATH = re.compile(r"(?<!<)(?:\b[A-Za-z]:)?[\w.@+~-]*(?:[\\/][\w.@+~-]+)+")
_NORMAL: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "ID"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "ADDRESS"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?Z?\b"), "TIME"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b"), "HASH"),
    (re.compile(r"[-+]?\d+(?:[.,:_]\d+)*(?:e[-+]?\d+)?", re.IGNORECASE), "N"),
)


@dataclass(frozen=True)
class Failures:
    """Failed runs that ended in the same way.

    Attributes:
        line: What they have in common, with what differs taken out.
        example: The line of the first of them, as it was printed (secrets masked).
        runs: Run names, in the order of the jobs.
        exit_codes: Different exit codes, where known; negative for a signal.
    """

    line: str
    example: str
    runs: tuple[str, ...]
    exit_codes: tuple[int, ...] = ()

    @property
    def retry_command(self) -> str:
        """What launches exactly these once more."""
        return shlex.join(["uv", "run", "experiments", "retry", *self.runs])

    @property
    def words(self) -> str:
        """How many, and how they ended."""
        number = f"{len(self.runs)} run{'' if len(self.runs) == 1 else 's'} failed"
        codes = [f"signal {-code}" if code < 0 else f"exit code {code}" for code in self.exit_codes]
        return f"{number} ({', '.join(codes)})" if codes else number


def failures_of(
    jobs: Sequence[JobRef], statuses: Mapping[str, JobStatus], store: RunStore, *, retried: Collection[str] = ()
) -> list[Failures]:
    """Return the failed runs in groups, the largest first.

    Args:
        retried: Runs that were tried again already: the newer attempt speaks for them.
        statuses: What is known of each job, by run name.
        store: Where the lines that runs printed are read.
    """
    groups: dict[str, list[tuple[str, str, int | None]]] = {}
    for job in jobs:
        status = statuses.get(job.run)
        if status is None or status.verdict != "failed" or job.run in retried:
            continue
        example = _cause(_lines(store, job.run), status)
        line = example if example == status.reason else normalised(example, job.run)
        groups.setdefault(line, []).append((job.run, mask_text(example), status.exit_code))
    found = [
        Failures(
            line,
            members[0][1],
            tuple(run for run, _, _ in members),
            tuple(sorted({code for _, _, code in members if code is not None})),
        )
        for line, members in groups.items()
    ]
    return sorted(found, key=lambda group: -len(group.runs))


def last_error(lines: Sequence[str], *, or_last: bool = True) -> str:
    """Return the last line that names an error, else the last line that says anything; empty where none does.

    Args:
        or_last: Take the last line where none names an error; what W&B's client tells of itself is no such line.
    """
    said = [line for line in (plain_text(line).strip() for line in lines) if line and not line.startswith("wandb: ")]
    found = next((line for line in reversed(said) if _ERROR.search(line) and not _NOT_ERROR.search(line)), "")
    return (found or (said[-1] if said and or_last else ""))[:_LONGEST]


def _cause(lines: Sequence[str], status: JobStatus) -> str:
    """Return the line that says what ended a run.

    A run that a signal ended printed what it was at, and not what ended it.
    """
    by_signal = status.exit_code is not None and status.exit_code < 0
    return last_error(lines, or_last=not by_signal) or status.reason or _code_words(status.exit_code)


def normalised(line: str, run: str = "") -> str:
    """Return a line without what differs between runs that failed alike: names, paths, addresses, times, numbers."""
    text = mask_text(line)
    if run:
        text = text.replace(run, "RUN")
    text = _PATH.sub(lambda found: "…/" + re.split(r"[\\/]", found[0])[-1], text)
    for pattern, word in _NORMAL:
        text = pattern.sub(word, text)
    return " ".join(text.split()) or "nothing was printed"


def _lines(store: RunStore, run: str) -> list[str]:
    try:
        return store.logs(run, last=_TAIL)
    except ExperimentsError as error:
        return [f"error: the log cannot be read: {error}"]


def _code_words(code: int | None) -> str:
    if code is None:
        return "ended without a word"
    return f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
