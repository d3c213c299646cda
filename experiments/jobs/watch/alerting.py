"""Alerts told once: recorded where several processes agree on who was first, shown on the fleet page, handed on.

Whoever records an event first hands it to the command of the user's own settings; a record is never taken back, so a
restart, a second Monitor or a crash right after cannot tell it again.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from experiments.jobs.tokens import without_token
from experiments.jobs.watch.alerts import (
    EVALUATION_KEYS,
    Alert,
    Limits,
    Progress,
    below_baseline,
    failed,
    not_a_number,
    one_line,
    stalled,
    too_dear,
)
from experiments.jobs.watch.snapshots import Snapshot, reason_of
from experiments.project.errors import ExperimentsError
from experiments.project.files import write_bytes
from experiments.project.look import plain_logger
from experiments.project.values import replaced
from experiments.runs.axes import axes_of, counters_of, logged_over
from experiments.runs.store import RunQuery, RunStore
from experiments.types import JobStatus

if TYPE_CHECKING:
    from experiments.project.settings import Settings
    from experiments.project.workspace import Workspace

HELD_FILE = "alerts.json"
_HELD = TypeAdapter(list[Alert])
COMMAND_S = 30.0
"""A command that takes longer is ended."""

_READ_AGAIN_S = 20.0  # curves and summaries cost more than states
_SHOWN = 200
_log = plain_logger(__name__)


def limits_of(settings: Settings) -> Limits:
    """Return when the rules speak in a project."""
    return Limits(
        stalled_s=60 * settings.alert_stalled_minutes,
        evaluations=settings.alert_evaluations,
        cost=settings.alert_cost,
    )


def held_alerts(live: Path) -> list[Alert]:
    """Return the alerts that held when somebody last looked; none where nobody did.

    Where their file cannot be read, that is the alert.
    """
    try:
        return _HELD.validate_json((live / HELD_FILE).read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        text = f"alerts cannot be read from {str(live / HELD_FILE)!r}: {reason_of(error)}"
        return [Alert(key="unreadable", rule="unreadable", experiment="", text=text, at=time.time())]


class Records:
    """The events that were told, one file each in the state folder.

    A file appears whole or not at all, and only once: it is written under another name and then linked.
    """

    def __init__(self, state: Path) -> None:
        self._folder = state / "alerts"
        self._known: dict[str, float] = {}

    def first(self, alert: Alert) -> bool:
        """Record an event; say whether this call was the first anywhere.

        Raises:
            OSError: The folder cannot be written; nobody may be told then.
        """
        if alert.key in self._known:
            return False
        path = self._folder / f"{alert.key}.json"
        self._folder.mkdir(exist_ok=True)
        draft = path.with_name(f".{alert.key}.{os.getpid()}.{time.monotonic_ns()}")
        try:
            with draft.open("x", encoding="utf-8") as file:
                file.write(alert.model_dump_json())
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        return True

    def told_at(self, alert: Alert) -> float:
        """Return when an event that was recorded was first seen."""
        if alert.key not in self._known:
            try:
                told = Alert.model_validate_json((self._folder / f"{alert.key}.json").read_bytes())
            except (OSError, ValidationError):
                return alert.at
            self._known[alert.key] = told.at
        return self._known[alert.key]


def watch_of(workspace: Workspace, changed: Callable[[], object] = lambda: None) -> AlertWatch:
    """Return what watches a project by its own settings.

    Args:
        changed: Called when other alerts hold than before.
    """
    from experiments.runs.opening import default_store

    return AlertWatch(
        workspace.state,
        limits_of(workspace.settings),
        store=lambda: default_store(workspace.root),
        command=workspace.settings.alert_command,
        changed=changed,
    )


class AlertWatch:
    """Looks at each new snapshot in a thread of its own, keeps what holds in `live/`, and tells each event once.

    Args:
        store: Where summaries and evaluations are read; None for the rules on states alone.
        command: Program for alerts, as an argument list; empty for none.
        changed: Called when other alerts hold than before.
    """

    def __init__(
        self,
        state: Path,
        limits: Limits,
        *,
        store: Callable[[], RunStore] | None = None,
        command: Sequence[str] = (),
        changed: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._live, self._records, self._limits = state / "live", Records(state), limits
        self._store, self._command, self._changed, self._clock = store, tuple(command), changed, clock
        self._progress = Progress()
        self._versions: dict[str, str] = {}
        self._read: dict[str, list[Alert]] = {}
        self._read_at = float("-inf")
        self._held: list[Alert] | None = None
        self._newest: Snapshot | None = None
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()

    def take(self, snapshot: Snapshot) -> None:
        """Look at a snapshot soon; one that comes while another is looked at takes the place of those between."""
        self._newest = snapshot
        self._wake.set()
        with self._guard:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
                self._thread.start()

    def look(self, snapshot: Snapshot) -> list[Alert]:
        """Return the alerts that hold in a snapshot, record them, and hand on those that nobody has told yet."""
        now, jobs = self._clock(), list(snapshot.jobs)
        found = [
            *failed(jobs, now),
            *stalled(jobs, self._progress.update(jobs, now), self._limits, now),
            *too_dear(jobs, self._limits, now),
            *self._from_data(snapshot, now),
        ]
        for alert in found:
            self._tell(alert)
        alerts = [replaced(alert, at=self._records.told_at(alert)) for alert in found]
        self._keep(sorted(alerts, key=lambda alert: -alert.at)[:_SHOWN])
        return alerts

    def _run(self) -> None:
        while self._wake.wait(60.0):
            self._wake.clear()
            if (snapshot := self._newest) is not None and not snapshot.damage:
                try:
                    self.look(snapshot)
                except Exception:  # noqa: BLE001 - the next snapshot is looked at all the same
                    _log.exception("alerts cannot be worked out")

    def _from_data(self, snapshot: Snapshot, now: float) -> list[Alert]:
        """Return the alerts that need metrics, read again at most every 20 s and only for runs with new rows."""
        if self._store is None:
            return []
        present = {job.run_name for job in snapshot.jobs}
        if now - self._read_at >= _READ_AGAIN_S:
            self._read_at = now
            news = {run for run, version in snapshot.versions.items() if self._versions.get(run) != version}
            self._versions = dict(snapshot.versions)
            try:
                self._read.update(self._read_news(snapshot, news, now))
            except ExperimentsError as error:
                _log.warning("metrics for alerts cannot be read: %s", error)
        self._read = {run: alerts for run, alerts in self._read.items() if run in present}
        return [alert for alerts in self._read.values() for alert in alerts]

    def _read_news(self, snapshot: Snapshot, news: set[str], now: float) -> dict[str, list[Alert]]:
        store = self._store() if self._store else None
        alive = [job for job in snapshot.jobs if job.run_name in news and job.verdict in {"running", "recovering"}]
        found: dict[str, list[Alert]] = {run: [] for run in news}
        if store is None or not alive:
            return found
        infos = store.find(RunQuery(names=[job.run_name for job in alive], limit=None))
        summaries = {info.name: info.summary for info in infos}
        for alert in not_a_number(alive, summaries, now):
            found[alert.run].append(alert)
        for name in {job.experiment for job in alive}:
            jobs = [job for job in snapshot.jobs if job.experiment == name]
            if len({job.arm for job in jobs}) > 1:
                for alert in below_baseline(jobs, evaluations_of(store, jobs), self._limits, now):
                    found.setdefault(alert.run, []).append(alert)
        return found

    def _tell(self, alert: Alert) -> None:
        try:
            is_first = self._records.first(alert)
        except OSError as error:
            _log.warning("the alert %r cannot be recorded (%s), so nobody is told", alert.text, error.strerror)
            return
        if is_first and self._command:
            threading.Thread(target=hand_on, args=(alert, self._command), name="alert command", daemon=True).start()

    def _keep(self, alerts: list[Alert]) -> None:
        if alerts == self._held:
            return
        with contextlib.suppress(OSError):
            write_bytes(self._live / HELD_FILE, _HELD.dump_json(alerts), mode=0o666, lasting=False)
            self._held = alerts
            self._changed()


def hand_on(alert: Alert, command: Sequence[str]) -> int | None:
    """Run the user's command for one alert; return its exit code, None where it could not be run or took too long.

    The command gets its words as they are, and what happened in its environment alone: `EXPERIMENTS_ALERT_TEXT`,
    `_RULE`, `_EXPERIMENT`, `_RUN`.
    """
    values = {"TEXT": _told(alert), "RULE": alert.rule, "EXPERIMENT": alert.experiment, "RUN": alert.run}
    environment = without_token(os.environ)
    environment |= {f"EXPERIMENTS_ALERT_{name}": one_line(text) for name, text in values.items()}
    try:
        done = subprocess.run(
            list(command),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        _log.warning("the alert command %r failed: %s", command[0], error)
        return None
    if done.returncode:
        _log.warning("the alert command %r ended with exit code %s", command[0], done.returncode)
    return done.returncode


def _told(alert: Alert) -> str:
    return f"{alert.run or alert.experiment}: {alert.text}"


def evaluations_of(store: RunStore, jobs: Iterable[JobStatus]) -> dict[str, tuple[list[float], list[float]]]:
    """Return steps and returns of the evaluations of each run that has any."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for job in jobs:
        try:
            frame, _ = store.history(job.run_name, [*counters_of(_named(job, "step")), *_evaluation_keys(job)])
        except ExperimentsError:
            continue
        points = _points(frame, job)
        if points is not None:
            found[job.run_name] = points
    return found


def _named(job: JobStatus, role: str) -> str | None:
    """Return the key that a job's trainer names for a role; None where it was only found."""
    return job.keys.get(role) if role not in job.found else None


def _evaluation_keys(job: JobStatus) -> list[str]:
    """Return what a job may log when it is evaluated, what its trainer names first."""
    named = (_named(job, role) for role in ("evaluation", "reward"))
    return [*(key for key in named if key is not None), *EVALUATION_KEYS]


def _points(frame: Any, job: JobStatus) -> tuple[list[float], list[float]] | None:  # noqa: ANN401 - a pandas frame
    key = next((key for key in _evaluation_keys(job) if key in frame and frame[key].notna().any()), None)
    if key is None:
        return None
    axes = axes_of(frame, key, step=_named(job, "step"))
    if not axes:
        return None  # texts, not numbers
    steps, values = logged_over(frame, key, axes[0])
    return steps.tolist(), values.tolist()
