"""How jobs are, for pages, commands and scripts: live through the Monitor, or from one poll."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.jobs.finding import Runs, here, refs_of
from experiments.jobs.launchers.base import SchedulerStatus
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.sweeps.going_on import last_step, marked_command
from experiments.jobs.watch.ending import Ender
from experiments.jobs.watch.monitor import Monitor, monitor_of
from experiments.jobs.watch.ongoing import ongoing
from experiments.jobs.watch.poller import Poller, Sources
from experiments.jobs.watch.publishing import WATCHED, publish, publish_polled, published_of, unpolled
from experiments.jobs.watch.snapshots import Ongoing, Snapshot, read_status
from experiments.jobs.watch.stepping import Stepper
from experiments.project.errors import LedgerError
from experiments.project.files import stamp_of
from experiments.project.settings import load_settings
from experiments.project.workspace import Workspace
from experiments.runs.opening import RoutedStore, default_store, offline_store
from experiments.runs.relay import RelayStore, reader_socket
from experiments.types import JobRef, JobStatus, TrainingJob

if TYPE_CHECKING:
    import pandas as pd

    from experiments.jobs.launchers.base import Launcher
    from experiments.runs.server.store import OnlineStore
    from experiments.runs.store import RunStore

__all__ = [
    "Monitor",
    "Snapshot",
    "Sources",
    "end_hopeless",
    "following",
    "job_statuses",
    "monitor_for",
    "monitor_training_statuses",
    "poll_once",
    "publish_once",
    "snapshot",
    "sources_of",
]


def monitor_for(state_dir: Path) -> Monitor:
    """Return this process's Monitor of a state folder; see `Monitor.subscribe`."""
    return monitor_of(
        state_dir, lambda place: sources_of(place, newest=WATCHED), follows_only=reader_socket() is not None
    )


def snapshot(state_dir: Path) -> Snapshot:
    """Return what was published last, without polling; see its `written_at`."""
    return read_status(state_dir / "live")


def poll_once(
    state_dir: Path,
    *,
    sources: Sources | None = None,
    refs: Sequence[JobRef] = (),
    before: Snapshot | None = None,
    deadline_s: float = 20.0,
) -> Snapshot:
    """Ask every source now and return what they say; for scripts, exports and commands.

    Args:
        refs: Jobs to look up that the ledger need not know.
        before: What is known: of jobs that had ended for good nobody is asked again. What was published where None.
        deadline_s: A source that has not answered by then becomes a problem of the snapshot.
    """
    poller = Poller(sources or sources_of(state_dir), refs=lambda: refs, before=before or snapshot(state_dir))
    poller.step_all(deadline_s)
    return poller.snapshot()


def publish_once(state_dir: Path) -> None:
    """Ask every source now and publish what they say, as the Monitor does, where nobody does: for what reads that.

    Nothing is published where the state folder cannot be written, and nothing where somebody polls anyway.
    """
    with unpolled(state_dir) as live:
        if live is not None:
            publish(live, poll_once(state_dir, sources=sources_of(state_dir, newest=WATCHED)))


def job_statuses(
    state_dir: Path, runs: Sequence[str] | None = None, *, sources: Sources | None = None, keep_ends: bool = False
) -> list[JobStatus]:
    """Return the status of every job of the ledger, or of `runs` in their order, from one poll; nobody asks of others.

    A job whose row cannot be read is among them, with what is wrong as its reason.

    Args:
        keep_ends: Whether to publish how jobs ended that nobody had asked of, so that nobody asks of them again; see
            `publish_polled`.

    Raises:
        LedgerError: The ledger cannot be read, so nobody knows which jobs there are.
    """
    asked, known_before = sources or sources_of(state_dir), snapshot(state_dir)
    if runs is not None:
        rows = asked.named(runs)
        asked = replace(asked, jobs=lambda: rows)
        known_before = published_of(state_dir, rows)
    found = poll_once(state_dir, sources=asked, before=known_before)
    if problem := found.ledger_problem:
        raise LedgerError(problem)
    if keep_ends and found.settled.items() - known_before.settled.items():
        publish_polled(_workspace_of(state_dir), found)
    if runs is None:
        return list(found.jobs)
    known = {status.run_name: status for status in found.jobs}
    return [known.get(run) or _unknown(run) for run in runs]


def _workspace_of(state_dir: Path) -> Workspace:
    return Workspace(root=state_dir.parent, state=state_dir, settings=load_settings(state_dir.parent))


def _unknown(run: str) -> JobStatus:
    return JobStatus(run_name=run, reason="the ledger has not told of it yet")


@contextlib.contextmanager
def following(
    state_dir: Path, runs: Sequence[str] | None = None, *, sources: Sources | None = None
) -> Iterator[Callable[[], list[JobStatus]]]:
    """Watch jobs for as long as the block lasts; what it is given returns their newest statuses, at no cost.

    A job of `runs` that nobody has told of yet is `unknown`, which is no end.

    Raises:
        LedgerError: The ledger cannot be read, so nobody knows which jobs there are.
    """
    known = {status.run_name: status for status in job_statuses(state_dir, sources=sources)}

    def take(new: Snapshot) -> None:
        # A job that another process has not polled yet keeps what is known of it here.
        known.update({job.run_name: job for job in new.jobs if job.as_of >= known.get(job.run_name, job).as_of})

    def statuses() -> list[JobStatus]:
        return list(known.values()) if runs is None else [known.get(run) or _unknown(run) for run in runs]

    monitor = monitor_of(state_dir, lambda place: sources or sources_of(place))
    subscription = monitor.subscribe(take)
    try:
        yield statuses
    finally:
        subscription.close()


def monitor_training_statuses(
    names: Runs,
    show_metrics: str | Sequence[str] | None = ("_step", "overview/reward"),
    *,
    entity: str | None = None,
    project: str | None = None,
    state_dir: Path | None = None,
    sources: Sources | None = None,
) -> pd.DataFrame:
    """Return how runs are, one row a name in the order given, from one poll.

    Args:
        names: One run or several: names, or jobs as `launch_training` returns them.
        show_metrics: Summary keys; each becomes a column.
        entity: W&B entity; with it or `project`, runs that the ledger does not know are looked up on the server.
        project: W&B project.
        state_dir: State folder; that of the working folder's project where None.

    Returns:
        Columns `run_name`; `state` (the tracker's word, `NOT FOUND` where it has no run of the name, `NOT READ` where
        it did not answer); `created` (datetime, UTC); one column a metric (missing where it was not logged); `url`
        (missing offline); `verdict` (see `experiments.jobs.watch.verdicts`); `sky_job_id`, `sky_status` (SkyPilot's
        word) and `sky_duration` (seconds), missing for jobs that SkyPilot does not run. `attrs["problems"]` says in
        sentences what could not be read.

    Raises:
        LedgerError: The ledger cannot be read, so that nobody knows where to ask.

    Example:
        >>> from experiments import monitor_training_statuses
        >>> monitor_training_statuses("ada.study.a.s0.abcdefgh")[["state", "overview/reward"]].values.tolist()
        [['finished', 1.0]]
    """
    import pandas as pd

    place = state_dir or here().state
    refs, metrics = refs_of(names), [show_metrics] if isinstance(show_metrics, str) else list(show_metrics or ())
    strangers = _with_trackers(refs, place, f"{entity or ''}/{project or ''}" if entity or project else None)
    poller = Poller(sources or sources_of(place), refs=lambda: strangers)
    poller.step_all(20.0)
    seen = poller.snapshot()
    if problem := seen.ledger_problem:
        raise LedgerError(problem)
    silent = {source.name for source in seen.sources if source.problem and source.kind == "store"}
    rows = [_status_row(poller, ref.run, metrics, silent) for ref in refs]
    columns = ["run_name", "state", "created", *metrics, "url", "verdict", "sky_job_id", "sky_status"]
    frame = pd.DataFrame(rows, columns=[*columns, "sky_duration"])
    frame.attrs["problems"] = seen.problems(time.time())
    return frame


def _with_trackers(refs: Sequence[JobRef], state_dir: Path, tracker: str | None) -> list[JobRef]:
    """Return references that say where a run is looked up that the ledger does not know.

    Args:
        tracker: That place; None for the run's files here, else the project's server where somebody is logged in.
    """
    workspace = _workspace_of(state_dir)
    files = offline_store(workspace)
    server = f"{workspace.settings.wandb_entity or ''}/{workspace.settings.wandb_project}"
    online = workspace.wandb_mode() == "online"

    def place_of(ref: JobRef) -> str:
        return tracker or (server if online and ref.tracker == "offline" and not files.has(ref.run) else ref.tracker)

    return [JobRef.model_validate({**ref.model_dump(), "tracker": place_of(ref)}) for ref in refs]


def _status_row(poller: Poller, name: str, metrics: Sequence[str], silent: Collection[str]) -> dict[str, Any]:
    from datetime import UTC, datetime

    job, status, run = poller.known(name)
    summary = run.summary if run else {}
    ours = job.launcher == "skypilot"
    end = status.ended_at or status.as_of
    return {
        "run_name": name,
        "state": run.state if run else "NOT READ" if job.tracker in silent else "NOT FOUND",
        "created": datetime.fromtimestamp(run.created_at, UTC) if run and run.created_at else None,
        **{key: summary.get(key) for key in metrics},
        "url": run.url if run else None,
        "verdict": status.verdict,
        "sky_job_id": job.id if ours else None,
        "sky_status": status.scheduler if ours else None,
        "sky_duration": end - status.started_at if ours and status.started_at else None,
    }


def sources_of(state_dir: Path, *, newest: int | None = None) -> Sources:
    """Return where the jobs of a state folder, their launchers and their runs are found.

    Args:
        newest: How many jobs there are at most beside those that go on, the newest ones; all where None.
    """
    workspace = _workspace_of(state_dir)

    @functools.cache
    def launcher(name: str) -> Launcher:
        from experiments.jobs.handover import launcher_for

        return launcher_for(name, workspace)

    @functools.cache
    def store(tracker: str) -> RunStore:
        if tracker == "offline":
            return offline_store(workspace)
        # A script may log to another project than it was told, or to files alone: what lies here says so.
        return RoutedStore(offline_store(workspace), lambda: server(tracker))

    def server(tracker: str) -> OnlineStore | RelayStore:
        if (socket := reader_socket()) is not None:
            return RelayStore(socket, tracker)
        from experiments.runs.server.store import OnlineStore

        entity, _, project = tracker.partition("/")
        return OnlineStore(entity or None, project or None)

    def spared() -> frozenset[str]:
        from experiments.jobs.sparing import spared_runs

        return spared_runs(workspace)

    def start_waiting() -> None:
        from experiments.jobs.submission import start_next

        start_next(workspace)

    def keep(name: str, statuses: dict[str, SchedulerStatus]) -> dict[str, SchedulerStatus]:
        from experiments.jobs import events as job_events

        # A local job's folder says all that there is to say of it.
        return job_events.keep(workspace.runs, statuses) if name == "skypilot" else statuses

    jobs = _LedgerFile(workspace, newest)
    ender = Ender(workspace, jobs, launcher, lambda: default_store(workspace.root))
    stepper = Stepper(workspace.state, workspace.root)
    return Sources(
        jobs,
        launcher,
        store,
        jobs.outcomes,
        start_waiting,
        keep,
        look=ender.take,
        carry_on=stepper.take,
        ongoing=jobs.ongoing,
        spared=spared,
        earlier=lambda: jobs.earlier,
        named=jobs.named,
    )


def end_hopeless(state_dir: Path, seen: Snapshot) -> dict[str, str]:
    """Have jobs of clusters ended that are hopeless by their `stop_when`; return why, by run name.

    Where a Monitor runs it does so every minute; a local job's supervisor does in any case.

    Raises:
        LaunchError: Their launcher cannot be asked.
        LedgerError: It cannot be recorded; then nothing was ended.
    """
    workspace = _workspace_of(state_dir)
    sources = sources_of(state_dir)
    return Ender(workspace, sources.jobs, sources.launcher, lambda: default_store(workspace.root)).look(seen)


_CLOCK_S = 20.0


class _LedgerFile:
    """Reads the jobs again only when a file of the ledger has changed, so that asking every second costs nothing.

    Attributes:
        earlier: How many that have ended it leaves out.
    """

    def __init__(self, workspace: Workspace, newest: int | None = None) -> None:
        self._workspace, self._newest, self.earlier = workspace, newest, 0
        self._seen: object = None
        self._jobs: list[TrainingJob | UnreadableJob] = []
        self._ongoing_seen: object = None
        self._ongoing: tuple[Ongoing, ...] = ()

    def __call__(self) -> list[TrainingJob | UnreadableJob]:
        seen = [stamp_of(self._workspace.state / name) for name in ("ledger.sqlite", "ledger.sqlite-wal")]
        if seen != self._seen:
            with open_ledger(self._workspace, read_only=True) as ledger:
                self._jobs, self.earlier = (
                    ledger.recent(self._newest) if self._newest is not None else (ledger.rows(), 0)
                )
            self._seen = seen
        return self._jobs

    def named(self, runs: Sequence[str]) -> list[TrainingJob | UnreadableJob]:
        """Return the jobs with these run names, were they left out or not."""
        with open_ledger(self._workspace, read_only=True) as ledger:
            return ledger.rows(run_names=runs)

    def outcomes(self, runs: Sequence[str]) -> dict[str, SchedulerStatus]:
        """Return how jobs ended whose end was noted."""
        with open_ledger(self._workspace, read_only=True) as ledger:
            return {run: SchedulerStatus(**values) for run, values in ledger.outcomes(runs).items()}

    def ongoing(self) -> tuple[Ongoing, ...]:
        """Return what goes on by itself; a budget ends by the clock alone, so that is looked at now and then."""
        # Without a mark only jobs are handed over, of which the ledger's file alone tells.
        is_marked = marked_command(self._workspace.state) is not None
        seen = (self._seen, *((last_step(self._workspace.state), int(time.time() / _CLOCK_S)) if is_marked else ()))
        if seen != self._ongoing_seen:
            with open_ledger(self._workspace, read_only=True) as ledger:
                self._ongoing = ongoing(ledger, self._workspace.state)
            self._ongoing_seen = seen
        return self._ongoing
