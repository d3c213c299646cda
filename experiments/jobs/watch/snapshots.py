"""What is known of all jobs at one moment, and the files in `live/` through which one process tells the others."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from experiments.project.files import ReadOnce, parse_json, write_bytes
from experiments.project.look import counted, shortened
from experiments.project.redaction import mask_text
from experiments.project.values import Frozen, replaced
from experiments.types import TERMINAL_VERDICTS, JobStatus

STATUS_FILE = "status.json"
METRICS_FILE = "metrics.json"
ENDED_FILE = "ended.json"
"""Jobs that have ended for good: written once in a while, so that the others hold what is alive."""

_AT_A_TIME = 50
_NAMED = 3
SILENT_AFTER_S = 15.0
"""A monitor that has not written for this long is taken for dead or stopped."""


class SourceState(Frozen):
    """How one launcher or run store answered last.

    Attributes:
        name: `local`, `skypilot`, `offline`, `entity/project`, or `ledger`.
        as_of: Unix seconds of the last good answer; None where there was none.
        problem: Why the last try failed; empty where it did not.
        interval_s: Seconds between two polls at present.
        active: Whether it is still asked; it is not once all of its jobs have ended.
    """

    name: str
    kind: Literal["ledger", "launcher", "store"]
    as_of: float | None = None
    problem: str = ""
    interval_s: float = 1.0
    active: bool = True


class Ongoing(Frozen):
    """Something that goes on by itself.

    Attributes:
        words: What it is, and how far.
        budget: What is granted, drawn and left of its budget, and until when; empty where none is drawn on.
        problems: What the last step could not do of it.
        is_handing: Whether it is the hand-over of jobs that were launched.
    """

    experiment: str
    words: str
    budget: str = ""
    problems: tuple[str, ...] = ()
    is_handing: bool = False

    @property
    def sentence(self) -> str:
        """All of it but its problems."""
        return f"{self.experiment} goes on by itself: {'; '.join(filter(None, [self.words, self.budget]))}"


class Snapshot(Frozen):
    """All jobs as the sources described them last.

    Attributes:
        jobs: One status a job, in the order of the ledger; then those that only a notebook names.
        versions: Data version of each run, by run name; changes with every new row.
        settled: Jobs that have ended for good, with the key of their row in the ledger.
        unreadable: Jobs whose rows in the ledger cannot be read, each with what is wrong and the command that mends it.
        ongoing: What goes on by itself.
        earlier: How many jobs of the ledger are not in it: they have ended, and many came after them.
        rest: Of a file: the number of `ended.json`, which holds the jobs that are not in it; 0 where it holds all.
        places: Of a file: where in the ledger each of `jobs` stands.
        gone: Of a file: jobs of `ended.json` that there are no more.
        written_at: Unix seconds at which this was put together.
        monitor_pid: Process that polled.
        notes: What else is wrong, in sentences.
        damage: Why nothing could be read; empty where it could.
    """

    jobs: tuple[JobStatus, ...] = ()
    sources: tuple[SourceState, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    settled: dict[str, str] = Field(default_factory=dict)
    unreadable: dict[str, str] = Field(default_factory=dict)
    ongoing: tuple[Ongoing, ...] = Field(default=(), exclude_if=lambda found: not found)
    earlier: int = Field(default=0, exclude_if=lambda found: not found)
    rest: int = Field(default=0, exclude_if=lambda found: not found)
    places: tuple[int, ...] = Field(default=(), exclude_if=lambda found: not found)
    gone: tuple[str, ...] = Field(default=(), exclude_if=lambda found: not found)
    written_at: float = 0.0
    monitor_pid: int = 0
    notes: tuple[str, ...] = ()
    damage: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether every job has ended, so that nothing is polled and nothing can grow old."""
        return not self.damage and not any(source.active or source.problem for source in self.sources)

    @property
    def as_of(self) -> float | None:
        """Unix seconds of the oldest answer that is still shown; None before the first."""
        times = [source.as_of for source in self.sources if source.kind != "ledger" and source.active]
        if not times:
            return self.written_at or None
        return None if None in times else min(known for known in times if known is not None)

    @property
    def ended(self) -> dict[str, str]:
        """What became of each job that has ended, by run name."""
        return {job.run_name: job.verdict for job in self.jobs if job.verdict in TERMINAL_VERDICTS}

    @property
    def stale_after_s(self) -> float:
        """Seconds after which the data is older than the pace of its sources explains; 0 where it never is."""
        if self.is_settled:
            return 0.0
        return max([10.0, *(3 * source.interval_s for source in self.sources if source.active)])

    def problems(self, now: float) -> list[str]:
        """Return what went wrong in the last polls, one sentence each, with the age of the data shown instead."""
        if self.damage:
            return [self.damage]
        found = [*self.notes, *self._unreadable_rows()]
        found += [_sentence(source, now) for source in self.sources if source.problem]
        silence = now - self.written_at
        if not self.is_settled and silence > SILENT_AFTER_S:
            found.append(f"nobody has polled for {age_in_words(silence)} (last: process {self.monitor_pid})")
        return found

    @property
    def ledger_problem(self) -> str:
        """Why the ledger could not be read, so that there may be jobs that are not here; empty where it could."""
        return next((source.problem for source in self.sources if source.kind == "ledger"), "")

    def _unreadable_rows(self) -> list[str]:
        more = len(self.unreadable) - _NAMED
        rows = list(self.unreadable.values())[:_NAMED]
        return [*rows, f"{counted(more, 'more row')} of the ledger cannot be read"] if more > 0 else rows

    def without_times(self) -> tuple[object, ...]:
        """Return what must be equal for two snapshots to say the same."""
        jobs = [tuple(value for name, value in job if name != "as_of") for job in self.alive]
        return (
            jobs,
            [(source.name, source.problem, source.active) for source in self.sources],
            self.versions,
            self.settled,
            self.notes,
            self.unreadable,
            self.ongoing,
        )

    @property
    def alive(self) -> list[JobStatus]:
        """The jobs that have not ended for good."""
        return [job for job in self.jobs if job.run_name not in self.settled]

    def ongoing_lines(self, experiments: Collection[str] | None = None) -> list[str]:
        """Return what goes on by itself, one sentence each, of some experiments or of all."""
        return [each.sentence for each in self.ongoing if experiments is None or each.experiment in experiments]

    def ongoing_problems(self, experiments: Collection[str] | None = None) -> list[str]:
        """Return what keeps from going on what would by itself, of some experiments or of all."""
        found = [each for each in self.ongoing if experiments is None or each.experiment in experiments]
        return list(dict.fromkeys(problem for each in found for problem in each.problems))

    def with_versions(self, versions: Mapping[str, str]) -> Snapshot:
        """Return this with other data versions; a run whose version is not this one's is not settled yet."""
        settled = {run: key for run, key in self.settled.items() if self.versions.get(run) == versions.get(run)}
        return replaced(self, versions=dict(versions), settled=settled)

    def heard(self, kind: str, name: str) -> float | None:
        """Return when a source answered last, in Unix seconds; None where it never did."""
        return next((source.as_of for source in self.sources if (source.kind, source.name) == (kind, name)), None)

    def of(self, run_name: str) -> JobStatus | None:
        """Return the status of one run; None where nobody knows it."""
        return next((job for job in self.jobs if job.run_name == run_name), None)


def time_left_s(status: JobStatus) -> float | None:
    """Return the seconds that a running job still needs at its latest speed; None where nobody can tell yet.

    The speed is that of the newest row, and where the trainer logs none, the mean since its start.
    """
    if status.verdict in TERMINAL_VERDICTS or not status.step or not status.total_steps:
        return None
    speed = status.sps
    if not speed and status.started_at and status.as_of > status.started_at:
        speed = status.step / (status.as_of - status.started_at)
    return max(0, status.total_steps - status.step) / speed if speed and speed > 0 else None


def age_in_words(seconds: float) -> str:
    """Return an age as people say it: `12 s`, `3 m`, `2 h 14 m`, `5 d`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m"
    return f"{whole // 3600} h {whole % 3600 // 60} m" if whole < 86_400 else f"{whole // 86_400} d"


def reason_of(error: BaseException) -> str:
    """Return the first line of an error, short enough for a page and without secrets."""
    return shortened(mask_text(str(error).strip() or type(error).__name__).splitlines()[0], 300)


class Ended(Frozen):
    """Jobs that have ended for good, as `ended.json` has them.

    Attributes:
        number: Grows with each writing; 0 where there is no such file.
        places: Where in the ledger each of `jobs` stands.
    """

    number: int = 0
    jobs: tuple[JobStatus, ...] = ()
    places: tuple[int, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    settled: dict[str, str] = Field(default_factory=dict)


def write_live(live: Path, snapshot: Snapshot, *, with_metrics: bool) -> None:
    """Publish a snapshot: `status.json` always, `metrics.json` where a run has new data or has ended.

    Both leave out what `ended.json` holds, which is written where many more jobs have ended since.

    Raises:
        OSError: The folder is gone, full or read-only.
    """
    held = _held(live, snapshot)
    rest = {run for run, key in held.settled.items() if _is_of(held, run, key, snapshot)}
    places = [snapshot.earlier + at for at, job in enumerate(snapshot.jobs) if job.run_name not in rest]
    known = {job.run_name for job in snapshot.jobs} if held.number else set()
    part = replaced(
        snapshot,
        jobs=tuple(job for job in snapshot.jobs if job.run_name not in rest),
        versions={run: version for run, version in snapshot.versions.items() if run not in rest},
        settled={run: key for run, key in snapshot.settled.items() if run not in rest},
        rest=held.number,
        places=tuple(places) if held.number else (),
        gone=tuple(run for run in held.settled if run not in known),
    )
    if with_metrics:
        # First: whoever sees a new status reads the versions that belong to it.
        _publish(live / METRICS_FILE, _news_json(part))
    _publish(live / STATUS_FILE, part.model_dump_json(exclude={"damage"}).encode())


def _is_of(held: Ended, run: str, key: str, snapshot: Snapshot) -> bool:
    return snapshot.settled.get(run) == key and snapshot.versions.get(run) == held.versions.get(run)


def _held(live: Path, snapshot: Snapshot) -> Ended:
    """Return which ended jobs `ended.json` holds, written anew where it has become too different from a snapshot."""
    held = _read_ended_file(live) or Ended()
    kept = sum(_is_of(held, run, key, snapshot) for run, key in held.settled.items())
    if max(len(snapshot.settled), len(held.settled)) - kept < _AT_A_TIME:
        return held
    pairs = [(snapshot.earlier + at, job) for at, job in enumerate(snapshot.jobs) if job.run_name in snapshot.settled]
    new = Ended(
        number=max(time.time_ns(), held.number + 1),
        jobs=tuple(job for _, job in pairs),
        places=tuple(place for place, _ in pairs),
        versions={run: version for run, version in snapshot.versions.items() if run in snapshot.settled},
        settled=snapshot.settled,
    )
    # Before the others: whoever reads one of them finds here what it leaves out.
    _publish(live / ENDED_FILE, new.model_dump_json().encode())
    return new


def read_status(live: Path) -> Snapshot:
    """Return what the monitor published last; where it cannot be read, an empty snapshot that says why.

    The same object as before where nothing was published since.
    """
    return _status_files.read(live)


def _read_status(live: Path) -> Snapshot:
    path = live / STATUS_FILE
    try:
        found = Snapshot.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Snapshot(damage="nothing has polled the jobs of this folder yet: experiments status --all")
    except OSError as error:
        return Snapshot(damage=f"{str(path)!r} cannot be read ({error.strerror})")
    except ValidationError:
        return _damaged(path)
    if not found.rest:
        return found
    held = _read_ended_file(live)
    # A newer one holds what the older held, and more.
    if held is None or held.number < found.rest or len(found.places) != len(found.jobs):
        return _damaged(live / ENDED_FILE)
    return _whole(found, held)


def _damaged(path: Path) -> Snapshot:
    return Snapshot(damage=f"{str(path)!r} is damaged; the next poll replaces it: experiments status --all")


def _whole(found: Snapshot, held: Ended) -> Snapshot:
    """Return a snapshot of all jobs, in the order of the ledger; what is alive says more than how it ended once."""
    left_out = {job.run_name for job in found.jobs} | set(found.gone)
    pairs = [*zip(found.places, found.jobs, strict=True), *zip(held.places, held.jobs, strict=True)]
    jobs = [pair for at, pair in enumerate(pairs) if at < len(found.jobs) or pair[1].run_name not in left_out]
    ended = {job.run_name for job in held.jobs} - left_out
    return replaced(
        found,
        jobs=tuple(job for _, job in sorted(jobs, key=lambda pair: pair[0])),
        versions={run: version for run, version in held.versions.items() if run in ended} | found.versions,
        settled={run: key for run, key in held.settled.items() if run in ended} | found.settled,
        rest=0,
        places=(),
        gone=(),
    )


def _read_ended_file(live: Path) -> Ended | None:
    """Return what `ended.json` holds; None where it is missing or damaged."""
    return _ended_files.read(live)


def _read_ended(live: Path) -> Ended | None:
    try:
        found = Ended.model_validate_json((live / ENDED_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if len(found.places) == len(found.jobs) else None


def read_versions(live: Path) -> dict[str, str]:
    """Return the data version of each run from what was published; empty where that is missing or damaged."""
    held = _read_ended_file(live)
    return {**(held.versions if held else {}), **_news_files.read(live)[0]}


def read_ended(live: Path) -> dict[str, str]:
    """Return what became of each ended job from what was published; empty where that is missing or damaged."""
    held = _read_ended_file(live)
    return {**({job.run_name: job.verdict for job in held.jobs} if held else {}), **_news_files.read(live)[1]}


def _read_news(live: Path) -> tuple[dict[str, str], dict[str, str]]:
    try:
        found = parse_json((live / METRICS_FILE).read_bytes())
        runs, ended = ({str(run): str(word) for run, word in found.get(part, {}).items()} for part in ("runs", "ended"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}, {}
    return runs, ended


_status_files = ReadOnce(_read_status, STATUS_FILE, ENDED_FILE)
_ended_files = ReadOnce(_read_ended, ENDED_FILE)
_news_files = ReadOnce(_read_news, METRICS_FILE)
_publish = partial(write_bytes, mode=0o666, lasting=False)  # old news is of no use after a power cut


def _news_json(snapshot: Snapshot) -> bytes:
    return json.dumps({"runs": snapshot.versions, "ended": snapshot.ended}, sort_keys=True).encode()


def _sentence(source: SourceState, now: float) -> str:
    names_itself = source.problem.startswith(f"{source.name} ")
    said = source.problem if names_itself else f"{source.name}: {source.problem}"
    if source.as_of is None:
        return said if names_itself else f"{said} (no answer yet)"
    return f"{said} (data {age_in_words(now - source.as_of)} old)"
