"""The monitor section: every job of the experiment, live, without any cell running again.

A table's rows are set from the Monitor's thread. However many pages there are, one process polls for all of them.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import marimo as mo

from experiments.jobs.events import NO_COST, history
from experiments.jobs.journal import add_tag, remove_tag, write_note
from experiments.jobs.permits import asked_by_a_person, is_edited, notebook_permit, on_a_page
from experiments.jobs.watch.monitor import Subscription
from experiments.jobs.watch.snapshots import METRICS_FILE, time_left_s
from experiments.monitoring import Monitor, Snapshot, monitor_for, poll_once
from experiments.monitoring import monitor_training_statuses as monitor_training_statuses  # noqa: PLC0414 - looked for here, too
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.page import Section, Subject, stacked
from experiments.notebooks.styles import heading
from experiments.notebooks.training import code_note, jobs_note
from experiments.project.errors import ExperimentsError
from experiments.project.look import counted
from experiments.project.standing import standing
from experiments.runs.roles import roles_sentence
from experiments.types import JobRef, JobStatus
from experiments.wandb_utils import find_training_jobs as find_training_jobs  # noqa: PLC0414 - looked for here, too
from widgets.jobs import JobTable
from widgets.page import stays_open

Handler = Callable[[str, list[str], str], str]
_FIRST_WAIT_S = 2.0
_WRITTEN: dict[str, tuple[Callable[..., object], str]] = {
    "note": (write_note, "note kept with"),
    "tag": (add_tag, "tag kept with"),
    "untag": (remove_tag, "tag taken from"),
}
_SAME_DATA_S = 5.0  # without news a page hears so often how old its data is
_COUNTS, _DATES = {"step", "sps", "reward", "left_s"}, {"as_of", "sent_at"}
_PACE_A_ROW_S, _SLOWEST_S = 0.05, 5.0  # numbers that only count on are shown less often, the more of them there are
_kept_alive: weakref.WeakKeyDictionary[threading.Thread, set[Path]] = weakref.WeakKeyDictionary()


def job_monitor(experiment: NotebookContext, jobs: Sequence[JobRef]) -> Any:
    """Return the live table of `jobs` as an element; for notebooks of version 0.1."""
    table = job_table(experiment)
    watch(table, experiment.workspace.state, jobs)
    return mo.ui.anywidget(table)


def job_actions(experiment: NotebookContext) -> Handler | None:
    """Return what carries out a confirmed request of the table; None where nobody may launch."""
    from experiments.jobs.submission import cancel, retry

    if not is_edited():
        return None

    def carry_out(action: str, runs: list[str], text: str) -> str:
        permit = notebook_permit()
        if action == "cancel":
            return _told(cancel(runs, permit, experiment.workspace))
        if action in _WRITTEN:
            keep, told = _WRITTEN[action]
            keep(runs, text, permit, experiment.workspace)
            return f"{told} {counted(len(runs), 'job')}"
        done = {}
        for run in runs:
            try:
                done[run] = f"is tried again as {retry(run, permit, experiment.workspace).run_name}"
            except ExperimentsError as error:
                done[run] = str(error)
        return _told(done)

    return carry_out


def job_table(experiment: NotebookContext) -> JobTable:
    """Return a table without jobs, which `watch` gives it; in an open editor it also acts on those selected."""
    handler = job_actions(experiment)
    table = JobTable(actions=["cancel", "retry", *_WRITTEN] if handler else [])
    if handler is not None and on_a_page():
        table.on_request(handler)
    return table


def watch(table: JobTable, state_dir: Path, jobs: Sequence[JobRef]) -> Subscription | None:
    """Show `jobs`, which the ledger need not know, in a table, and keep them up to date as long as its page is open.

    In a script or a test, where there is no page, the table holds what one poll says and never changes.

    Returns:
        What is closed when the table is to show other jobs; None where there is no page, and one poll has to do.
    """
    refs = list(jobs)
    if not on_a_page():
        table.update(**table_traits(poll_once(state_dir, refs=refs), refs))
        return None
    monitor = monitor_for(state_dir)
    # What marimo exports stays as it is; on a page that a cell's re-run made, the first update says that it is live.
    sent_at = time.time() if asked_by_a_person() else 0.0
    table.update(**table_traits(_first_snapshot(monitor, refs), refs, sent_at=sent_at))
    return monitor.subscribe(_binding(table, refs), refs=refs, is_alive=stays_open(table))


def watched_metrics(experiment: NotebookContext) -> Any:
    """Return the Monitor's file of news, which runs the cells again that read it; for notebooks of version 0.1."""
    live = experiment.workspace.state / "live" / METRICS_FILE
    if not live.exists():
        # A file that cannot be made now is watched all the same: it may come.
        with contextlib.suppress(OSError):
            live.parent.mkdir(parents=True, exist_ok=True)
            live.write_text('{"runs": {}}', encoding="utf-8")
    if on_a_page():
        _keep_alive(experiment.workspace.state)
    return mo.watch.file(live)


def table_traits(snapshot: Snapshot, refs: Sequence[JobRef], *, sent_at: float = 0.0) -> dict[str, Any]:
    """Return a snapshot as the traits of a `JobTable`, one row a reference, in their order."""
    shown, rows = _shown.of(snapshot, refs)
    experiments = {status.experiment for status in shown}
    return {
        "rows": rows,
        "as_of": snapshot.as_of or 0.0,
        "sent_at": sent_at,
        "stale_after": snapshot.stale_after_s if shown else 0.0,
        "ongoing": snapshot.ongoing_lines(experiments),
        "problems": [*snapshot.problems(time.time()), *snapshot.ongoing_problems(experiments)],
    }


def job_row(status: JobStatus) -> dict[str, Any]:
    """Return a status as a row of the `JobTable`."""
    words = [
        status.role_words,
        f"scheduler {status.scheduler}" if status.scheduler else "",
        f"tracker {status.tracker or 'has no run'}",
        roles_sentence(status.keys, status.found),
    ]
    return {
        "run": status.run_name,
        "arm": status.arm,
        "seed": status.seed,
        "launcher": status.launcher,
        "state": status.verdict,
        "words": ", ".join(filter(None, words)),
        "reason": status.reason,
        "step": status.step,
        "total": status.total_steps,
        "sps": status.sps,
        "reward": None if status.reward is None else float(f"{status.reward:.6g}"),
        "left_s": None if (left := time_left_s(status)) is None else round(left),
        "started_at": status.started_at,
        "ended_at": status.ended_at,
        "history": "; ".join(history(status.events, time.time())),
        "cost": "" if status.cost in {"", NO_COST.text} else f"cost: {status.cost}",
    }


class _Shown:
    """The rows of the newest snapshot, made once for all pages that show the same jobs."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._rows: dict[tuple[str, ...], tuple[list[JobStatus], list[dict[str, Any]]]] = {}

    def of(self, snapshot: Snapshot, refs: Sequence[JobRef]) -> tuple[list[JobStatus], list[dict[str, Any]]]:
        """Return the statuses of some jobs, in their order, and their rows."""
        with self._guard:
            if snapshot is not self._snapshot:
                self._snapshot = snapshot
                self._rows.clear()
            if (runs := tuple(ref.run for ref in refs)) not in self._rows:
                known = {status.run_name: status for status in snapshot.jobs}
                shown = [known.get(ref.run) or _not_read(ref) for ref in refs]
                self._rows[runs] = (shown, [job_row(status) for status in shown])
            return self._rows[runs]


_shown = _Shown()


class Jobs(Section):
    """Every job, live; in an open editor jobs can also be cancelled, retried, noted and tagged.

    Attributes:
        table: `table.value["selected"]` names the runs that are selected.
    """

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self._widget = job_table(study.experiment)
        self.table = mo.ui.anywidget(self._widget)
        self._shown: tuple[JobRef, ...] | None = None
        self._watching: Subscription | None = None

    def offer(self, jobs: Sequence[JobRef]) -> None:
        """Have the table show these jobs."""
        if self._shown == (wanted := tuple(jobs)):
            return
        if self._watching is not None:
            self._watching.close()
        self._shown = wanted
        self._watching = watch(self._widget, self.study.experiment.workspace.state, wanted)

    def page(self) -> mo.Html:
        """Return what there is to say of the jobs, and their table."""
        study = self.study
        code = code_note(study.experiment, study.jobs)
        return stacked([heading("Jobs"), None if self._says_of_ledger() else self._note(), self.table, code])

    def _note(self) -> mo.Html | None:
        return jobs_note(self.study.experiment, self.study.recorded)

    def _says_of_ledger(self) -> bool:
        """Tell whether the table says already why there may be more jobs."""
        unread = self.study.experiment.launched().unread
        return bool(unread) and any(unread in said for said in self._widget.problems)


def _first_snapshot(monitor: Monitor, refs: Sequence[JobRef]) -> Snapshot:
    """Return a snapshot that knows all of `refs`, or what there is after a moment: a page should not begin empty."""
    wanted, found = {ref.run for ref in refs}, threading.Event()

    def look(snapshot: Snapshot) -> None:
        if wanted <= {job.run_name for job in snapshot.jobs} and snapshot.as_of is not None:
            found.set()

    subscription = monitor.subscribe(look, refs=refs)
    found.wait(_FIRST_WAIT_S)
    subscription.close()
    return monitor.latest()


def _binding(table: JobTable, refs: Sequence[JobRef]) -> Callable[[Snapshot], None]:
    """Return what writes snapshots into a table for as long as somebody else keeps the table alive."""
    target = weakref.ref(table)
    last: dict[str, Any] = {"sent_at": 0.0, "rows": []}

    def show(snapshot: Snapshot) -> None:
        traits = table_traits(snapshot, refs, sent_at=time.time())
        passed = traits["sent_at"] - last["sent_at"]
        news = [name for name, value in traits.items() if name not in _DATES and value != last.get(name)]
        if news == ["rows"] and passed < _pace_s(last["rows"], traits["rows"]):
            return
        if (table := target()) is not None and (news or passed >= _SAME_DATA_S) and table.update(**traits):
            last.update(traits)

    return show


def _pace_s(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> float:
    """Return after how long other rows are shown: the more count on, the later; at once where more changed."""
    pairs = [pair for pair in zip(old, new, strict=False) if pair[0] != pair[1]]
    if len(old) != len(new) or any(_without_counts(first) != _without_counts(second) for first, second in pairs):
        return 0.0
    return min(_SLOWEST_S, _PACE_A_ROW_S * len(pairs))


def _without_counts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _COUNTS}


def _keep_alive(state_dir: Path) -> None:
    """Have somebody poll for as long as this session lasts, whatever of it is on the page."""
    session = threading.current_thread()
    if state_dir not in _kept_alive.setdefault(session, set()):
        _kept_alive[session].add(state_dir)
        monitor_for(state_dir).subscribe(lambda _: None, is_alive=session.is_alive)


def _not_read(ref: JobRef) -> JobStatus:
    return JobStatus(
        run_name=ref.run,
        arm=ref.arm,
        seed=ref.seed,
        **standing(ref),
        launcher=ref.launcher,
        verdict="unknown",
        reason="not read yet",
    )


def _told(done: dict[str, str]) -> str:
    return "; ".join(f"{run}: {what}" for run, what in done.items())
