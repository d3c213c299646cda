"""Ending what is hopeless on a cluster: whoever polls its jobs looks, for no supervisor of ours is beside them.

That a job is to be ended, and why, is recorded first and once, whoever looks and is killed when; then its launcher is
asked, again by each look until the job has ended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from experiments.jobs.launchers.base import Launcher
from experiments.jobs.launchers.local.hopeless import STOPPED
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.permits import read_only
from experiments.jobs.watch.snapshots import Snapshot
from experiments.jobs.watch.stopping import hopeless
from experiments.project.errors import StoreError
from experiments.project.files import locked, read_json, write_json
from experiments.project.look import plain_logger
from experiments.project.workspace import Workspace
from experiments.runs.store import RunStore
from experiments.types import JobStatus, TrainingJob

EVERY_S, SOON_S = 60.0, 1.0
_LOCK, _SEEN = "ending.lock", "standing.json"
_log = plain_logger(__name__)


class Ender:
    """Ends the hopeless jobs of a project's clusters.

    Args:
        jobs: Returns every job of the ledger.
        launcher: Returns a launcher by its name.
        store: Returns where metrics are read.
        clock: Unix seconds.
    """

    def __init__(
        self,
        workspace: Workspace,
        jobs: Callable[[], Sequence[TrainingJob | UnreadableJob]],
        launcher: Callable[[str], Launcher],
        store: Callable[[], RunStore],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._workspace, self._jobs, self._launcher, self._store = workspace, jobs, launcher, store
        self._clock = clock
        self._due = 0.0
        self._busy = threading.Lock()

    def take(self, snapshot: Snapshot) -> None:
        """Look at a snapshot in the background, at most once a minute."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + SOON_S
        if not any(map(may_be_ended, snapshot.jobs)) or not self._busy.acquire(blocking=False):
            return
        self._due = time.monotonic() + EVERY_S
        threading.Thread(target=self._look, args=(snapshot,), name="stop_when", daemon=True).start()

    def _look(self, snapshot: Snapshot) -> None:
        try:
            self.look(snapshot)
        except Exception:  # noqa: BLE001 - the next snapshot is looked at all the same
            _log.exception("whether jobs are hopeless cannot be worked out")
        finally:
            self._busy.release()

    def look(self, snapshot: Snapshot) -> dict[str, str]:
        """Have the hopeless jobs ended that run in a snapshot; return why, by run name.

        Raises:
            LaunchError: Their launcher cannot be asked; the next look asks it again.
            LedgerError: It cannot be recorded; then nothing was ended.
        """
        if not any(map(may_be_ended, snapshot.jobs)):
            return {}
        silent = {source.name for source in snapshot.sources if source.problem}
        rows = {row.run_name: row for row in self._jobs() if isinstance(row, TrainingJob)}
        # Of a launcher that does not answer nobody knows which jobs still run.
        alive = [
            (job, rows[job.run_name])
            for job in snapshot.jobs
            if may_be_ended(job) and job.launcher not in silent and _has_rules(rows.get(job.run_name))
        ]
        if not alive or read_only() or snapshot.ledger_problem:
            return {}
        with locked(self._workspace.state / _LOCK, wait_s=0.0) as mine:
            return self._end(snapshot, alive, rows, silent) if mine else {}

    def _end(
        self,
        snapshot: Snapshot,
        alive: Sequence[tuple[JobStatus, TrainingJob]],
        rows: Mapping[str, TrainingJob],
        silent: set[str],
    ) -> dict[str, str]:
        with open_ledger(self._workspace) as ledger:
            told = ledger.latest_events(STOPPED, [job.run_name for job, _ in alive])
            reasons = {run: str(data.get("reason", "")) for run, data in told.items()}
            # Of a run that no tracker has, nobody knows whether it makes steps.
            silence = self._silence([job for job, row in alive if job.tracker and row.tracker not in silent])
            for job, row in alive:
                if job.run_name in told or not (reason := self._why(job, row, snapshot, rows, silence)):
                    continue
                ledger.add_event(STOPPED, run_name=job.run_name, reason=reason)
                reasons[job.run_name] = reason
        for name in dict.fromkeys(row.launcher for _, row in alive):
            mine = [(job.run_name, row.launcher_id or "") for job, row in alive if row.launcher == name]
            if pairs := [pair for pair in mine if pair[0] in reasons]:
                self._launcher(name).cancel(pairs)
        return reasons

    def _why(
        self,
        job: JobStatus,
        row: TrainingJob,
        snapshot: Snapshot,
        rows: Mapping[str, TrainingJob],
        silence: Mapping[str, float],
    ) -> str:
        rules = row.config.stop_when
        if rules is None:
            return ""
        jobs = [each for each in snapshot.jobs if each.experiment == job.experiment]
        silent_s = silence.get(job.run_name, 0.0)
        try:
            return hopeless(job.run_name, jobs, rows, self._store(), rules, self._clock(), silent_s=silent_s)
        except StoreError as error:
            _log.warning("whether %s is hopeless cannot be told: %s", job.run_name, error)
            return ""

    def _silence(self, jobs: Sequence[JobStatus]) -> dict[str, float]:
        """Return for how many seconds each job has stood at its step, as those see it who look now and then."""
        path, now = self._workspace.state / "live" / _SEEN, self._clock()
        try:
            before = read_json(path) or {}
            seen = {str(run): (str(at), float(since)) for run, (at, since) in before.items()}
        except (OSError, ValueError, TypeError):
            seen = {}  # it is measured from now on
        stand = {job.run_name: f"{job.step} {job.recoveries} {job.started_at}" for job in jobs}
        since = {run: seen[run][1] if run in seen and seen[run][0] == at else now for run, at in stand.items()}
        try:
            write_json(path, {run: [at, since[run]] for run, at in stand.items()})
        except OSError as error:
            _log.warning("%s cannot be written: %s", path, error.strerror)
        return {run: now - at for run, at in since.items()}


def may_be_ended(job: JobStatus) -> bool:
    """Tell whether a job runs that nobody but who polls it can end."""
    return job.launcher == "skypilot" and job.verdict == "running" and job.scheduler != "CANCELLING"


def _has_rules(row: TrainingJob | None) -> bool:
    return row is not None and row.config.stop_when is not None
