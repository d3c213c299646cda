"""Ask every launcher once for all its jobs and every run store once for all its runs, at the pace that each can use.

A poll runs in a thread of its own, so a source that hangs delays nobody else. Answers are put together only in the
thread that calls `Poller.step`, which therefore needs no locks.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.jobs.launchers.base import Launcher, SchedulerStatus
from experiments.jobs.launchers.local.launcher import needs_a_look
from experiments.jobs.ledger import UnreadableJob
from experiments.jobs.watch.polled import PolledJob, PolledSource
from experiments.jobs.watch.snapshots import Ongoing, Snapshot, SourceState, age_in_words, reason_of
from experiments.jobs.watch.verdicts import job_status
from experiments.project.state_words import TRACKER_ENDS
from experiments.project.values import replaced
from experiments.runs.store import RunInfo, RunStore, RunUpdate
from experiments.types import TERMINAL_VERDICTS, JobRef, JobStatus, TrainingJob

PACES_S = {"ledger": 1.0, "local": 1.0, "offline": 1.0, "skypilot": 15.0, "dry-run": 15.0, "online": 10.0}
"""Seconds between polls of a young job: what changes slower is not asked faster."""

_GRACE_S = 60.0  # a run that was not closed gets this long after its job's end to deliver its last rows
_MAX_BACKOFF_S = 60.0
_PATIENCE_S = {"skypilot": 90.0}  # each of its answers is a new process on the server
_KINDS: tuple[Literal["launcher", "store"], ...] = ("launcher", "store")
_FORMAT = 2  # raise it when a verdict changes its meaning: ended jobs are then judged again
Answers = Mapping[str, SchedulerStatus] | Mapping[str, RunUpdate]


@dataclass(frozen=True)
class Sources:
    """Where the jobs, their launchers and their runs come from.

    Attributes:
        jobs: Returns the jobs of the ledger, also those whose rows cannot be read; see `earlier`.
        launcher: Returns a launcher by its name.
        store: Returns a run store by its tracker: `offline` or `entity/project`.
        outcomes: Returns how jobs ended that their launcher no longer knows.
        start_next: Starts local jobs that wait for a slot; does nothing in a process that may start none.
        keep: Takes what a launcher (by its name) said and returns it with all that was ever said.
        look: Takes what the Monitor knows, many times a second, and returns at once; see `watch.ending`.
        carry_on: The same of every process that watches, also of those that do not poll; see `watch.stepping`.
        ongoing: Returns what goes on by itself.
        spared: Returns the runs that a look of their design made needless; see `jobs.sparing`.
        earlier: Returns how many jobs that have ended `jobs` leaves out.
        named: Returns the jobs of the ledger with these run names, were they left out or not.
    """

    jobs: Callable[[], Sequence[TrainingJob | UnreadableJob]]
    launcher: Callable[[str], Launcher]
    store: Callable[[str], RunStore]
    outcomes: Callable[[Sequence[str]], Mapping[str, SchedulerStatus]] = lambda _: {}
    start_next: Callable[[], object] = lambda: None
    keep: Callable[[str, dict[str, SchedulerStatus]], dict[str, SchedulerStatus]] = lambda _, statuses: statuses
    look: Callable[[Snapshot], object] = lambda _: None
    carry_on: Callable[[Snapshot], object] = lambda _: None
    ongoing: Callable[[], tuple[Ongoing, ...]] = tuple
    spared: Callable[[], frozenset[str]] = frozenset
    earlier: Callable[[], int] = int
    named: Callable[[Sequence[str]], Sequence[TrainingJob | UnreadableJob]] = lambda _: ()


class Poller:
    """Remembers the last answer of every source and asks again what is due.

    Args:
        refs: Returns jobs that the ledger need not know, such as those of a notebook from another machine.
        before: What was published last: jobs that had ended for good by then are not asked about again.
        clock: Unix seconds.
        ticks: Seconds that never jump.

    Attributes:
        revision: Grows whenever a new snapshot may say something else than the last one, but for the age of its data.
    """

    def __init__(
        self,
        sources: Sources,
        *,
        refs: Callable[[], Iterable[JobRef]] = tuple,
        before: Snapshot | None = None,
        paces_s: Mapping[str, float] = PACES_S,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources, self._refs, self._paces_s = sources, refs, paces_s
        self._clock, self._ticks = clock, ticks
        self._before = before or Snapshot()
        self._ended = {job.run_name: job for job in self._before.jobs}
        self.revision = 0
        self._jobs: dict[str, PolledJob] = {}
        self._named: dict[str, dict[str, PolledJob]] = {}  # the jobs whose scripts gave their run an id, by it
        self._rows: object = None
        self._ongoing: tuple[Ongoing, ...] = ()
        self._spared = frozenset[str]()
        self._asked: dict[tuple[str, str], PolledSource] = {}
        self._ledger = PolledSource("ledger", "ledger", paces_s["ledger"], paces_s["ledger"])
        self._answers: queue.SimpleQueue[tuple[PolledSource, list[str], Answers | Exception, str]] = queue.SimpleQueue()

    def step(self) -> bool:
        """Start the polls that are due and take in the answers that have come; return whether anything is new."""
        changed = self._ticks() >= self._ledger.due and self._read_ledger()
        self.revision += changed
        for source in self._with_work():
            if source.is_active and not source.is_busy and self._ticks() >= source.due:
                self._start(source)
        return self.wait(0.0) or changed

    def wait(self, timeout_s: float) -> bool:
        """Wait for the next answer for at most `timeout_s`; return whether one came."""
        came = False
        with contextlib.suppress(queue.Empty):
            while True:
                self._take_in(*self._answers.get(timeout=0.0 if came else timeout_s))
                came = True
        return came

    def step_all(self, deadline_s: float) -> None:
        """Ask every source now, whatever its pace, and wait for the answers; a late one becomes a problem."""
        for source in [self._ledger, *self._asked.values()]:
            source.due = 0.0
        self.step()
        began = time.monotonic()

        def patience_s(source: PolledSource) -> float:
            return max(deadline_s, _PATIENCE_S.get(source.name, 0.0))

        while busy := [source for source in self._asked.values() if source.is_busy]:
            if (left := began + max(map(patience_s, busy)) - time.monotonic()) <= 0:
                break
            self.wait(left)
        for source in self._asked.values():
            if source.is_busy:
                source.problem = f"no answer within {patience_s(source):g} s"

    def next_due_s(self) -> float:
        """Return the seconds until something has to be asked."""
        idle = [source for source in self._asked.values() if source.is_active and not source.is_busy]
        return max(0.0, min(source.due for source in [self._ledger, *idle]) - self._ticks())

    def snapshot(self) -> Snapshot:
        """Return all that is known now."""
        return Snapshot(
            jobs=tuple(job.final or self._status(job) for job in self._jobs.values()),
            sources=tuple(
                SourceState(
                    name=source.name,
                    kind=source.kind,
                    as_of=source.as_of,
                    problem=source.problem,
                    interval_s=source.interval_s,
                    active=source.is_active and source.kind != "ledger",
                )
                for source in [self._ledger, *self._asked.values()]
            ),
            versions={name: job.version for name, job in self._jobs.items() if job.version},
            settled={name: job.key for name, job in self._jobs.items() if job.final is not None},
            unreadable={name: job.unreadable for name, job in self._jobs.items() if job.unreadable},
            earlier=self._sources.earlier(),
            ongoing=self._ongoing,
            written_at=self._clock(),
            monitor_pid=os.getpid(),
        )

    def known(self, run_name: str) -> tuple[JobRef, JobStatus, RunInfo | None]:
        """Return a job of the ledger or of the references, its status, and its run where there is one."""
        job = self._jobs[run_name]
        return job.ref, job.final or self._status(job), job.run

    def _read_ledger(self) -> bool:
        ledger, problem = self._ledger, self._ledger.problem
        ledger.due = self._ticks() + ledger.pace_s
        try:
            jobs, before = self._sources.jobs(), self._ongoing
            self._ongoing = self._sources.ongoing()
            self._spared = self._sources.spared() if jobs is not self._rows else self._spared
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the ledger, what was seen stays on the page
            ledger.problem = reason_of(error)
            return ledger.problem != problem
        is_other = self._ongoing != before
        ledger.as_of, ledger.problem = self._clock(), ""
        # Of a row that cannot be read, the plain columns still say whom to ask.
        unreadable = {row.run_name: row.sentence() for row in jobs if isinstance(row, UnreadableJob)}
        wanted: dict[str, TrainingJob | JobRef] = {
            job.run_name: job.ref() if isinstance(job, UnreadableJob) else job for job in jobs
        }
        strangers = {ref.run: ref for ref in self._refs() if ref.run not in wanted}
        wanted |= strangers
        wanted |= self._older(list(strangers))
        known, self._jobs = self._jobs, {}
        for name, job in wanted.items():
            same = known.get(name)
            self._jobs[name] = same if same is not None and same.is_of(job) else self._new(name, job)
            self._jobs[name].unreadable = unreadable.get(name, "")
        if is_new := jobs is not self._rows:
            self._rows = jobs
            self._recall_ends()
        return is_new or is_other or bool(problem) or list(self._jobs.values()) != list(known.values())

    def _older(self, runs: Sequence[str]) -> dict[str, TrainingJob]:
        """Return those of some runs that are jobs of the ledger all the same, too old to be among those asked for."""
        if not runs or not self._sources.earlier():
            return {}
        try:
            return {row.run_name: row for row in self._sources.named(runs) if isinstance(row, TrainingJob)}
        except Exception as error:  # noqa: BLE001 - they are known by their references, then
            self._ledger.problem = reason_of(error)
            return {}

    def _recall_ends(self) -> None:
        """Take ends that the ledger holds from there, so that they stay known while their scheduler is slow or down.

        A local job's folder says more than the ledger and is as near.
        """
        open_jobs = [job for job in self._jobs.values() if job.wants("launcher") and job.ref.launcher != "local"]
        try:
            ends = dict(self._sources.outcomes([job.ref.run for job in open_jobs])) if open_jobs else {}
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the ledger, the schedulers are asked
            self._ledger.problem = reason_of(error)
            return
        for job in (job for job in open_jobs if job.ref.run in ends):
            kept, _ = self._kept(job.ref.launcher, {job.ref.run: ends[job.ref.run]})
            job.scheduler = kept[job.ref.run]
            job.asked.add("launcher")
            job.answered.add("launcher")

    def _new(self, name: str, job: TrainingJob | JobRef) -> PolledJob:
        """Return a job as unknown, or as it ended, where that was published for this very row of the ledger."""
        new = PolledJob(job, hashlib.sha256(f"{_FORMAT}{job.model_dump_json()}".encode()).hexdigest()[:12])
        if self._before.settled.get(name) == new.key:
            new.final, new.version = self._ended.get(name), self._before.versions.get(name, "")
        return new

    def _with_work(self) -> list[PolledSource]:
        """Return all sources, marked with whether they may still have news."""
        wanted = [(kind, job) for job in self._jobs.values() for kind in _KINDS if job.wants(kind)]
        busy = {(kind, job.source_name(kind)) for kind, job in wanted}
        for kind, name in sorted(busy - self._asked.keys()):
            pace = self._paces_s.get(name, self._paces_s["online"])
            self._asked[kind, name] = PolledSource(kind, name, pace, pace)
            self.revision += 1
        for key, source in self._asked.items():
            self.revision += source.is_active != (key in busy)
            source.is_active = key in busy
            source.problem = source.problem if source.is_active else ""
        for kind, job in wanted:
            source = self._asked[kind, job.source_name(kind)]
            if kind not in job.asked and not source.failures:
                source.due, source.said = 0.0, None
        return list(self._asked.values())

    def _start(self, source: PolledSource) -> None:
        jobs = [
            job for job in self._jobs.values() if job.source_name(source.kind) == source.name and job.wants(source.kind)
        ]
        youngest = self._clock() - max(job.born() for job in jobs)
        source.interval_s = source.pace_s * (1 if youngest < 600 else 2 if youngest < 3600 else 4)
        source.is_busy = True
        for job in jobs:
            job.asked.add(source.kind)
        asked = {job.ref.run: job.launcher_id or "" for job in jobs}
        arguments = (source, asked, dict(source.cursors))
        threading.Thread(target=self._ask, args=arguments, name=f"poll {source.name}", daemon=True).start()

    def _ask(self, source: PolledSource, asked: dict[str, str], cursors: dict[str, int]) -> None:
        answers: Answers | Exception
        problem = ""
        try:
            if source.kind == "store":
                answers = self._sources.store(source.name).poll(list(asked), (), cursors)
            else:
                statuses = self._sources.launcher(source.name).poll(asked)
                forgotten = [run for run in asked if run not in statuses]
                known = {**(self._sources.outcomes(forgotten) if forgotten else {}), **statuses}
                answers, problem = self._kept(source.name, known)
                if source.name == "local" and any(map(needs_a_look, statuses.values())):
                    problem = self._start_waiting()
        except Exception as error:  # noqa: BLE001 - a source may fail in any way; the page keeps its data and says so
            answers = error
        self._answers.put((source, list(asked), answers, problem))

    def _kept(self, name: str, statuses: dict[str, SchedulerStatus]) -> tuple[dict[str, SchedulerStatus], str]:
        """Return statuses with all that was ever said of their jobs, and why that cannot be kept; empty where it is."""
        try:
            return self._sources.keep(name, statuses), ""
        except Exception as error:  # noqa: BLE001 - what was polled is shown all the same
            return statuses, f"what happened to its jobs cannot be kept: {reason_of(error)}"

    def _start_waiting(self) -> str:
        """Start local jobs that wait for a slot; return why none could be, empty where all went well."""
        try:
            self._sources.start_next()
        except Exception as error:  # noqa: BLE001 - what was polled is shown all the same
            return f"waiting jobs cannot be started: {reason_of(error)}"
        return ""

    def _take_in(self, source: PolledSource, asked: Sequence[str], answers: Answers | Exception, problem: str) -> None:
        source.is_busy = False
        said = (asked, answers, problem)
        self.revision += said != source.said
        source.said = said
        if isinstance(answers, Exception):
            source.failures += 1
            source.problem = reason_of(answers)
            source.due = self._ticks() + min(_MAX_BACKOFF_S, max(1.0, source.interval_s) * 2.0**source.failures)
            return
        source.as_of, source.problem, source.failures = self._clock(), problem, 0
        source.due = self._ticks() + source.interval_s
        for job in (self._jobs[name] for name in asked if name in self._jobs):
            answer = answers.get(job.ref.run)
            job.answered.add(source.kind)
            if source.kind == "launcher":
                job.scheduler = answer if isinstance(answer, SchedulerStatus) else None
            else:
                self._take_run(job, source, answer if isinstance(answer, RunUpdate) else None)
            self._settle(job)

    def _take_run(self, job: PolledJob, source: PolledSource, update: RunUpdate | None) -> None:
        job.run, job.version, job.damage = (update.info, update.version, update.damage) if update else (None, "", "")
        if update:
            source.cursors[job.ref.run] = update.cursor
            if update.info.run_id:
                self._named.setdefault(update.info.run_id, {})[job.ref.run] = job

    def _settle(self, job: PolledJob) -> None:
        """Stop asking about a job that has ended, once its tracker has said so too or had time to."""
        if job.run is None and self._is_on_its_way("store", job):
            return  # its tracker is about to say more
        status = self._status(job)
        if status.verdict not in TERMINAL_VERDICTS:
            job.ended_tick = None
            return
        job.ended_tick = self._ticks() if job.ended_tick is None else job.ended_tick
        closed = status.tracker in TRACKER_ENDS
        # A scheduler that has not spoken yet may be starting the job again; without one, a crashed run may come back:
        # the server only lost contact.
        silent = job.launcher_id is not None and "launcher" not in job.answered
        certain = status.scheduler is not None or not (silent or status.tracker == "crashed")
        if certain and (closed or self._ticks() - job.ended_tick > _GRACE_S):
            job.final = status

    def _is_on_its_way(self, kind: str, job: PolledJob) -> bool:
        source = self._asked.get((kind, job.source_name(kind)))
        return source is not None and source.is_busy and kind in job.asked and kind not in job.answered

    def _status(self, job: PolledJob) -> JobStatus:
        as_of = [
            source.as_of or 0.0
            for kind in _KINDS
            if (source := self._asked.get((kind, job.source_name(kind)))) and (kind == "store" or job.launcher_id)
        ]
        status = job_status(job.job, job.scheduler, job.run, as_of=min(as_of, default=0.0))
        waiting = [kind for kind in _KINDS if job.wants(kind) and kind not in job.answered]
        reason, silence = status.reason, self._silence(job)
        if status.verdict == "unknown" and waiting:
            reason = silence or f"no answer from {' and '.join(job.source_name(kind) for kind in waiting)} yet"
        elif job.unreadable and status.verdict == "unknown":
            reason = ""  # that neither its launcher nor its tracker knows it is no news of a row like that
        else:
            reason = "; ".join(filter(None, [reason, job.damage, silence]))
        if job.unreadable:
            reason = "; ".join(filter(None, [reason, job.unreadable]))
        reason = "; ".join(filter(None, [reason, self._shared_id(job)]))
        spared = status.verdict == "cancelled" and job.ref.run in self._spared
        reason = "; ".join(filter(None, [reason, "a look had decided without it"])) if spared else reason
        if (reason, spared) == (status.reason, status.spared):
            return status
        return replaced(status, reason=reason, spared=spared)

    def _shared_id(self, job: PolledJob) -> str:
        """Return which other job has given W&B the same run id; empty where none has."""
        own = job.run.run_id if job.run is not None else ""
        others = (other for other in self._named.get(own, {}).values() if other is not job and other.run is not None)
        twin = next((other.ref.run for other in others if other.run and other.run.run_id == own), None)
        if twin is None:
            return ""
        return (
            f"its script gave W&B the run id {own!r}, and so did that of {twin}: on a server the two are one run. "
            "Leave the id out of wandb.init, where each then has its own name"
        )

    def _silence(self, job: PolledJob) -> str:
        """Return for how long the scheduler of a job has not answered, where the last try failed; else nothing."""
        source = self._asked.get(("launcher", job.source_name("launcher")))
        if source is None or not source.problem or not source.failures or not job.wants("launcher"):
            return ""
        heard = source.as_of or self._before.heard("launcher", source.name)
        return f"{source.name} has not answered {f'for {age_in_words(self._clock() - heard)}' if heard else 'yet'}"
