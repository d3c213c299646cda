"""What jobs printed: of a job on a cluster read under a deadline, and kept as read; failed runs grouped by it.

To ask a scheduler for a log may take long, or for ever while the job waits; and after a recovery it shows only the
newest attempt. So a thread reads, what it reads is kept in the run's folder as `job.log`, attempts one after the other,
and whoever looks gets what there is. Where the trainer's own `train.log` is seen from here (`run_root`), it is shown
instead: it has every attempt, live. Runs failed alike whose last error line is the same, but for numbers, addresses and
paths.
"""

from __future__ import annotations

import re
import shlex
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.jobs.launchers.base import Launcher
from experiments.jobs.permits import read_only
from experiments.project.errors import ExperimentsError
from experiments.project.files import locked, write_bytes
from experiments.project.look import plain_text
from experiments.project.redaction import mask_text, mask_texts
from experiments.project.workspace import Workspace, visible_root
from experiments.runs.textlog import read_lines
from experiments.types import JobRef, JobStatus, TrainingJob

if TYPE_CHECKING:
    from experiments.runs.store import RunStore

FILE, LOCK = "job.log", ".job.log.lock"
DEADLINE_S = 90.0
"""A command waits so long for a scheduler's answer; a page far less."""

_PAUSE_S = 2.0  # between two looks at a log that is followed
_SEPARATOR = re.compile(r"--- started again \(seen [^()]*\) ---")
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
class LogView:
    """Lines of a log and how far they can be trusted.

    Attributes:
        lines: Oldest first, all attempts.
        note: Why there may be more, in a sentence; empty where all that was printed is here.
        is_late: Whether the scheduler has not answered yet: the next look may show more.
    """

    lines: list[str]
    note: str = ""
    is_late: bool = False


def merged(kept: Sequence[str], read: Sequence[str], *, seen: str) -> list[str]:
    """Return what is kept with what was read now: more of the same attempt, or a further one.

    Args:
        kept: Lines kept so far.
        read: Lines of the newest attempt, from its first.
        seen: When it was read, in words.
    """
    start = next((at + 1 for at in reversed(range(len(kept))) if _SEPARATOR.fullmatch(kept[at])), 0)
    before = kept[start:]
    if _continues(before, read):
        return [*kept[:start], *(read if len(read) >= len(before) else before)]
    return [*kept, f"--- started again (seen {seen}) ---", *read]


def _continues(before: Sequence[str], read: Sequence[str]) -> bool:
    """Say whether two readings are of the same attempt; the last line of either may have been half written."""
    common = min(len(before), len(read))
    if not common:
        return True
    if list(before[: common - 1]) != list(read[: common - 1]):
        return False
    one, other = before[common - 1], read[common - 1]
    return one.startswith(other) or other.startswith(one)


def keep_log(run_dir: Path, read: Sequence[str], *, now: float | None = None) -> list[str]:
    """Add what was read to what is kept in a run's folder, without secrets, and return all of it.

    Raises:
        OSError: The folder cannot be written.
    """
    cleaned = mask_texts([plain_text(line.rstrip("\n")) for line in read]) if read else []
    run_dir.mkdir(parents=True, exist_ok=True)
    with locked(run_dir / LOCK, wait_s=10.0):
        kept = read_lines(run_dir / FILE) or []
        seen = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
        lines = merged(kept, cleaned, seen=seen) if cleaned else kept
        if lines != kept:
            text = "".join(f"{line}\n" for line in lines)
            write_bytes(run_dir / FILE, text.encode(errors="replace"), lasting=False)
    return lines


class LogReader:
    """Reads the logs of jobs on clusters; each log by one thread at a time, whoever asks for it."""

    def __init__(self, workspace: Workspace, launcher: Callable[[str], Launcher]) -> None:
        self._workspace, self._launcher = workspace, launcher
        self._guard = threading.Lock()
        self._reading: dict[str, threading.Thread] = {}
        self._problems: dict[str, str] = {}

    def view(self, job: JobRef | TrainingJob, *, deadline_s: float = DEADLINE_S) -> LogView:
        """Return what the job printed: the trainer's own file where it is seen from here, else what its scheduler says.

        A scheduler that has not answered by the deadline is still listened to: what it says is there at the next look.
        A read-only process, which has no credentials for one, shows what others read.
        """
        ref = job.ref() if isinstance(job, TrainingJob) else job
        root = visible_root(self._workspace.settings)
        lines = read_lines(root / ref.run / "train.log") if root is not None else None
        if lines is not None:
            return LogView(lines)
        thread = None if read_only() else self._read(ref)
        if thread is not None:
            thread.join(deadline_s)
        folder = self._workspace.runs / ref.run
        kept = read_lines(folder / FILE) or read_lines(folder / "train.log") or []
        if thread is not None and thread.is_alive():
            note = f"{ref.launcher} has not answered for {deadline_s:g} s; {_what_is_shown(kept)}"
            return LogView(kept, note, is_late=True)
        problem = self._problems.get(ref.run, "")
        return LogView(kept, f"{problem} ({_what_is_shown(kept)})" if problem else "")

    def _read(self, ref: JobRef) -> threading.Thread:
        with self._guard:
            thread = self._reading.get(ref.run)
            if thread is None or not thread.is_alive():
                thread = threading.Thread(target=self._take, args=(ref,), name=f"log {ref.run}", daemon=True)
                self._reading[ref.run] = thread
                thread.start()
        return thread

    def _take(self, ref: JobRef) -> None:
        problem = ""
        try:
            read = list(self._launcher(ref.launcher).logs(ref.run, ref.id or ref.run))
            keep_log(self._workspace.runs / ref.run, read)
        except ExperimentsError as error:
            problem = mask_text(str(error))
        except Exception as error:  # noqa: BLE001 - a thread's error would be lost
            problem = mask_text(f"{type(error).__name__}: {error}")
        self._problems[ref.run] = problem


def follow(
    view: Callable[[], LogView],
    has_ended: Callable[[], bool],
    *,
    sleep: Callable[[float], None] = time.sleep,
    on_note: Callable[[str], None] = lambda _: None,
) -> Iterator[str]:
    """Yield the lines of a log as they come, until the job has ended and all of them were yielded.

    Args:
        view: Returns all lines there are.
        has_ended: Tells whether the job prints no more.
        sleep: Waits.
        on_note: Told once of each thing that keeps lines from coming.
    """
    shown, noted = 0, ""
    while True:
        ended = has_ended()
        seen = view()
        # The last line may be half written as long as the program runs.
        whole = len(seen.lines) if ended else max(shown, len(seen.lines) - 1)
        yield from seen.lines[shown:whole]
        shown = max(shown, whole)
        if seen.note and seen.note != noted:
            on_note(seen.note)
        noted = seen.note
        if ended:
            return
        sleep(_PAUSE_S)


def _what_is_shown(kept: Sequence[str]) -> str:
    return "shown is what was read before" if kept else "nothing was read before"


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
