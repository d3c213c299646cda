"""Jobs on Slurm, Kubernetes and clouds, as SkyPilot's managed jobs; SkyPilot itself runs behind `client`.

A job's name is no lock there: SkyPilot takes the same name twice. So the ledger holds, in this order, the intent, who
asks which server, the request's id and the job's id; and a job in doubt is looked for under all of them before it is
said to be absent.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.jobs.launchers.base import Absent, Found, JobSpec, SchedulerStatus, Unknown, UnreachableError
from experiments.jobs.launchers.local.hopeless import STOPPED
from experiments.jobs.launchers.local.supervisor import CODE
from experiments.jobs.launchers.sky import words as sky_words
from experiments.jobs.launchers.sky.client import BridgeClient, SkyError, client_for
from experiments.jobs.launchers.sky.estimate import Prices
from experiments.jobs.launchers.sky.sending import Codes, code_sent, refuse_unfetchable, secrets_of
from experiments.jobs.launchers.sky.task import task_of, task_yaml, with_secrets
from experiments.jobs.launchers.sky.words import ASKING, INCIDENT, LAUNCH_S, QUEUE_S, QUICK_S, REQUEST, find_job
from experiments.jobs.ledger import open_ledger
from experiments.project.errors import ExperimentsError, LaunchError, LedgerError, UsageError
from experiments.project.files import write_text
from experiments.project.state_words import SCHEDULER_ENDS
from experiments.project.workspace import Workspace

TASK_FILE = "task.yaml"
_TASK, _POOL = "task", "pool"
_REFUSED = frozenset({"invalid", "login", "version", "no pools"})
"""Kinds of errors with which nothing was sent, unless a request was noted."""
_PASSING = frozenset({"down", "died", "slow"})
"""Kinds of errors that say nothing of the job: the next try may succeed."""
_SERVER_VALID_S = 10.0
_GLANCE_S = 3.0
_FOLLOW_PAUSE_S = 10.0
_EVENTS_PER_POLL = 10


@dataclasses.dataclass(frozen=True)
class _History:
    """What happened to a job, and the status and recoveries for which that was asked."""

    state: tuple[str, int]
    events: sky_words.History


_NOT_IN_USE = (
    "SkyPilot is not used here, so its jobs are not asked for. To ask: export EXPERIMENTS_LAUNCHER=skypilot (jobs are "
    "then launched there), or EXPERIMENTS_SKY_PYTHON=/path/to/an/interpreter/that/has/it"
)
_NO_HISTORY = _History(("", 0), ())


class InDoubt(ExperimentsError):  # noqa: N818 - a state that the next look resolves, not a fault
    """Nobody can tell yet whether SkyPilot has the job; launching again looks for it first."""


class SkyPilotLauncher:
    """Where jobs are SkyPilot's managed jobs.

    Attributes:
        batch: How many jobs may be in doubt after a crash; each of them costs money.
        at_once: How many launches SkyPilot is asked for at the same time.
    """

    name = "skypilot"
    batch = 1
    at_once = 8

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._used = False
        self._histories: dict[int, _History] = {}
        self._prices = Prices(lambda kinds: self.client.call("prices", machines=kinds, deadline_s=QUEUE_S).result)
        self._incidents: dict[str, str] = {}
        self._codes = Codes(workspace)
        self._asking = threading.Lock()
        self._answered: tuple[float, dict[str, Any]] | None = None

    @property
    def client(self) -> BridgeClient:
        """The child that talks to SkyPilot.

        Raises:
            SkyError: Nothing here can start it.
        """
        return client_for(self._workspace.settings)

    def is_in_use(self) -> bool:
        """Say whether somebody here uses SkyPilot, so that asking it is no surprise: uv would install it first."""
        settings = self._workspace.settings
        if self._used or settings.launcher == self.name or settings.sky_python:
            return True
        if sky_words.is_configured():
            return True
        with open_ledger(self._workspace, read_only=True) as ledger:
            self._used = any(job.state != "planned" for job in ledger.rows(launcher=self.name))
        return self._used

    def target(self) -> str:
        """Return the API server's address, and the pool or else the infra that jobs go to unless they say otherwise."""
        settings = self._workspace.settings
        where = f"pool:{settings.sky_pool}" if settings.sky_pool else settings.sky_infra or ""
        return f"{sky_words.endpoint()} {where}".strip()

    def reaches(self, target: str) -> bool:
        """Tell whether a place is at the same API server: all else of it is in what was prepared for its jobs."""
        return target.partition(" ")[0] == self.target().partition(" ")[0]

    def task(self, job: JobSpec) -> dict[str, Any]:
        """Return what SkyPilot would be asked to run, without secrets; needs no network.

        Raises:
            UsageError: It could not run there.
        """
        return task_of(job, self._workspace.settings, self._codes.of(job))

    def prepared(self, job: JobSpec) -> dict[str, Any]:
        """Return the task of a job, which is then the one that is launched, whatever settings whoever launches it has.

        Raises:
            UsageError: It could not run there.
            LaunchError: It needs a key that is not to be found here.
        """
        secrets_of(job)
        task, pool = self.task(job), self._workspace.settings.sky_pool
        if pool:
            refuse_unfetchable(self._codes.of(job))
        return {_TASK: task, _POOL: pool}

    def check(self, job: JobSpec) -> None:
        """Have SkyPilot itself check a job and find machines for it; nothing is launched.

        Raises:
            UsageError: It cannot be a task.
            SkyError: SkyPilot refuses it, or cannot be asked.
        """
        task, pool = self.task(job), self._workspace.settings.sky_pool
        if pool is None:
            self.client.call("dryrun", task=task, deadline_s=QUEUE_S)
            return
        there = [each["name"] for each in self.client.call("pools", deadline_s=QUEUE_S).result]
        if pool not in there:
            raise SkyError("no such pool", f"SkyPilot has no pool {pool!r}. Make it: experiments pool apply {pool}")

    def submit(self, job: JobSpec) -> str:
        """Launch a managed job and return its id.

        Raises:
            UnreachableError: SkyPilot does not answer now, and no job exists.
            LaunchError: It was refused; no job exists.
            InDoubt: The answer was lost.
        """
        try:
            return self._submit(job)
        except SkyError as error:
            if error.kind in _PASSING:
                raise UnreachableError(str(error)) from error
            raise

    def _submit(self, job: JobSpec) -> str:
        try:
            prepared = job.prepared or self.prepared(job)
            task, pool = prepared[_TASK], prepared[_POOL]
            code = self._codes.of(job) if pool else self._codes.ready(job)
        except UsageError as error:
            raise LaunchError(str(error)) from error
        secrets = secrets_of(job)
        self._keep(job, task)
        server = self._server()
        self._note(ASKING, job.run_name, server=server["endpoint"], user=server["user"], client=server["client"])
        self._note(CODE, job.run_name, **code_sent(code, job.snapshot))
        noted: list[str] = []

        def keep_request(note: Mapping[str, Any]) -> None:
            noted.append(str(note["request"]))
            self._note(REQUEST, job.run_name, id=noted[-1])

        try:
            answer = self.client.call(
                "submit",
                task=with_secrets(task, secrets),
                pool=pool,
                deadline_s=LAUNCH_S,
                on_note=keep_request,
                is_fatal=True,
            )
        except SkyError as error:
            if error.kind in _REFUSED and not noted:
                raise
            return self._after_failure(job.run_name, error)
        return str(min(answer.result["ids"]))

    def find(self, run_name: str, target: str) -> Found | Absent | Unknown:
        """Say whether SkyPilot has a job of this name: by its request, among open requests, then by its name."""
        if not self.reaches(target):
            return Unknown(f"it was launched at {target!r}, and SkyPilot here is at {self.target()!r}")
        try:
            return find_job(self.client, self._workspace, run_name)
        except SkyError as error:
            return Unknown(str(error))

    def poll(self, jobs: Mapping[str, str]) -> dict[str, SchedulerStatus]:
        """Return the status of each job that SkyPilot knows, from one request for all of them.

        Raises:
            LaunchError: SkyPilot cannot be asked.
        """
        ids = {run: int(job_id) for run, job_id in jobs.items() if job_id.isdigit()}
        if not ids:
            return {}
        if not self.is_in_use():
            raise SkyError("not installed", _NOT_IN_USE)
        records = self.client.call("poll", ids=sorted(set(ids.values())), deadline_s=QUEUE_S).result
        by_id = {record["job_id"]: record for record in records}
        self._ask_for_history([by_id[job_id] for job_id in ids.values() if job_id in by_id])
        prices = self._prices.of(records)
        found = {}
        for run, job_id in ids.items():
            if (record := by_id.get(job_id)) is None:
                continue
            if record["job_name"] != run:
                found[run] = sky_words.another_job(job_id, run, record)
            else:
                events = self._history_of(record).events
                status = sky_words.status_of(record, events, incident=self._incident_of(run))
                found[run] = dataclasses.replace(self._or_stopped(run, status), price_per_hour=prices.get(job_id))
        self._settle(found)
        return found

    def cancel(self, jobs: Sequence[tuple[str, str]]) -> None:
        """Ask SkyPilot to end jobs; each must still have its name there, for ids begin again on another server.

        Raises:
            LaunchError: SkyPilot cannot be asked, or an id is another job's there, which was left alone.
        """
        wanted = {job_id: run for run, job_id in jobs}
        answer = self.client.call("cancel", jobs=wanted, deadline_s=2 * QUEUE_S).result
        if answer["others"]:
            told = "; ".join(
                f"job {job_id} is {f'called {name!r}' if name else 'not known'} there, not {wanted[job_id]!r}"
                for job_id, name in answer["others"].items()
            )
            raise LaunchError(f"not cancelled, for SkyPilot at {sky_words.endpoint()} has other jobs: {told}.")

    def logs(self, run_name: str, job_id: str, *, follow: bool = False, last: int | None = None) -> Iterator[str]:
        """Yield what the job's newest attempt printed; with `follow`, until it has ended.

        Raises:
            LaunchError: SkyPilot cannot be asked.
        """
        seen: int | None = None
        while True:
            status = self.poll({run_name: job_id}).get(run_name) if follow else None
            lines = self.read_log(job_id)
            if seen is None:
                seen = 0 if last is None else max(0, len(lines) - last)
            # A job that was started again shows its newest attempt only.
            yield from lines[seen if len(lines) >= seen else 0 :]
            seen = len(lines)
            if not follow or status is None or status.word in SCHEDULER_ENDS:
                return
            time.sleep(_FOLLOW_PAUSE_S)

    def read_log(self, job_id: str, *, deadline_s: float = QUEUE_S) -> list[str]:
        """Return the lines of the newest attempt, without SkyPilot's own words, prefixes and colours.

        Raises:
            SkyError: There was no answer by the deadline, or SkyPilot cannot be asked.
        """
        return sky_words.printed(self.client.call("logs", job=job_id, deadline_s=deadline_s).result)

    def named(self, job_ids: Sequence[str]) -> dict[str, str]:
        """Return the names of jobs in SkyPilot's queue, whoever launched them, by id.

        Raises:
            SkyError: SkyPilot cannot be asked.
        """
        records = self.client.call("poll", ids=[int(job_id) for job_id in job_ids], deadline_s=QUEUE_S).result
        return {str(record["job_id"]): record["job_name"] for record in records}

    def _server(self) -> dict[str, Any]:
        """Return who answers, and as whom it knows us; of several jobs handed over at once one asks for all."""
        with self._asking:
            if self._answered is None or time.monotonic() - self._answered[0] > _SERVER_VALID_S:
                found = self.client.call("health", deadline_s=QUICK_S).result
                self._answered = time.monotonic(), found
            return self._answered[1]

    def _keep(self, job: JobSpec, task: Mapping[str, Any]) -> None:
        try:
            job.run_dir.mkdir(parents=True, exist_ok=True)
            write_text(job.run_dir / TASK_FILE, task_yaml(task))
        except OSError as error:
            raise LaunchError(f"run folder {str(job.run_dir)!r} cannot be written: {error.strerror}.") from error

    def _after_failure(self, run_name: str, error: SkyError) -> str:
        """Find out whether a launch that failed left a job behind."""
        try:
            answer = find_job(self.client, self._workspace, run_name)
        except SkyError as other:
            answer = Unknown(str(other))
        if isinstance(answer, Found):
            return answer.id
        if isinstance(answer, Absent):
            raise error
        raise InDoubt(f"{error} Whether the job exists is not known: {answer.reason}") from error

    def _ask_for_history(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Ask what happened to jobs that were started again, once for each of their states.

        The queue has no history, and each job costs a question: a running job's is awaited for a moment only, and
        shown by the next poll; that of a job that has ended is awaited, because nobody polls it again.
        """
        wanted = [record for record in records if sky_words.needs_history(record)]
        changed = [record for record in wanted if self._history_of(record).state != _state_of(record)]
        asked = [
            threading.Thread(target=self._learn, args=(record, self._history_of(record)), daemon=True)
            for record in changed[:_EVENTS_PER_POLL]
        ]
        for record, thread in zip(changed, asked, strict=False):
            self._histories[record["job_id"]] = _History(_state_of(record), self._history_of(record).events)
            thread.start()
        ended = any(str(record["status"]) in SCHEDULER_ENDS for record in changed)
        end = time.monotonic() + (QUICK_S if ended else _GLANCE_S)
        for thread in asked:
            thread.join(max(0.0, end - time.monotonic()))

    def _history_of(self, record: Mapping[str, Any]) -> _History:
        return self._histories.get(record["job_id"], _NO_HISTORY)

    def _learn(self, record: Mapping[str, Any], before: _History) -> None:
        try:
            rows = self.client.call("events", job=record["job_id"], deadline_s=QUICK_S).result
        except SkyError:
            self._histories[record["job_id"]] = before  # asked again by the next poll; the status itself matters more
            return
        events = sky_words.history(rows, record["submitted_at"])
        self._histories[record["job_id"]] = _History(_state_of(record), events)

    def _incident_of(self, run: str) -> str:
        if run not in self._incidents:
            with open_ledger(self._workspace, read_only=True) as ledger:
                told = [
                    str(event.data.get("what") or event.data) for event in ledger.events(run_name=run, kind=INCIDENT)
                ]
            self._incidents[run] = told[-1] if told else ""
        return self._incidents[run]

    def _or_stopped(self, run: str, status: SchedulerStatus) -> SchedulerStatus:
        """Return a status as it is, but for a job that was cancelled as hopeless: only the ledger knows that."""
        if status.word != "CANCELLED":
            return status
        with open_ledger(self._workspace, read_only=True) as ledger:
            told = ledger.latest_events(STOPPED, [run]).get(run)
        if told is None:
            return status
        return dataclasses.replace(status, word="STOPPED", reason=f"stopped by its stop_when: {told['reason']}")

    def _settle(self, found: Mapping[str, SchedulerStatus]) -> None:
        """Record how jobs ended, so that nobody has to ask SkyPilot again."""
        ended = {run: status for run, status in found.items() if status.word in SCHEDULER_ENDS}
        if not ended:
            return
        # A read-only page, a full disk: then the next one who polls records it.
        with contextlib.suppress(LedgerError, UsageError), open_ledger(self._workspace) as ledger:
            ledger.settle({run: dataclasses.asdict(status) for run, status in ended.items()})

    def _note(self, kind: str, run_name: str, **data: object) -> None:
        with open_ledger(self._workspace) as ledger:
            ledger.add_event(kind, run_name=run_name, plan_key=None, **data)


def _state_of(record: Mapping[str, Any]) -> tuple[str, int]:
    return str(record["status"]), int(record["recovery_count"] or 0)
