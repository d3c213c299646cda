"""What a job on a cluster printed: read under a deadline, and kept as read.

To ask a scheduler for a log may take long, or for ever while the job waits; and after a recovery it shows only the
newest attempt. So a thread reads, what it reads is kept in the run's folder as `job.log`, attempts one after the other,
and whoever looks gets what there is. Where the trainer's own `train.log` is seen from here (`run_root`), it is shown
instead: it has every attempt, live.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.jobs.launchers.base import Launcher
from experiments.jobs.permits import read_only
from experiments.project.errors import ExperimentsError
from experiments.project.files import locked, write_bytes
from experiments.project.look import plain_text
from experiments.project.redaction import mask_text, mask_texts
from experiments.project.run_root import visible_root
from experiments.project.workspace import Workspace
from experiments.runs.textlog import read_lines
from experiments.types import JobRef, TrainingJob

FILE, LOCK = "job.log", ".job.log.lock"
DEADLINE_S = 90.0
"""A command waits so long for a scheduler's answer; a page far less."""

_SEPARATOR = re.compile(r"--- started again \(seen [^()]*\) ---")


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
    pause_s: float = 2.0,
    sleep: Callable[[float], None] = time.sleep,
    on_note: Callable[[str], None] = lambda _: None,
) -> Iterator[str]:
    """Yield the lines of a log as they come, until the job has ended and all of them were yielded.

    Args:
        view: Returns all lines there are.
        has_ended: Tells whether the job prints no more.
        pause_s: Seconds between two looks.
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
        sleep(pause_s)


def _what_is_shown(kept: Sequence[str]) -> str:
    return "shown is what was read before" if kept else "nothing was read before"
