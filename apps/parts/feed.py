"""The fleet table kept up to date: one reading of each snapshot for all viewers, and to each only what changed."""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from experiments.jobs.permits import on_a_page
from experiments.jobs.shelf import archived_runs
from experiments.jobs.watch.alerting import held_alerts, watch_of
from experiments.jobs.watch.alerts import Alert
from experiments.jobs.watch.snapshots import read_status
from experiments.monitoring import Monitor, Snapshot, monitor_for, poll_once
from experiments.notebooks.monitoring import job_row
from experiments.project.look import counted
from experiments.project.workspace import Workspace
from experiments.runs.relay import reader_socket
from widgets.fleet import FleetTable
from widgets.page import stays_open

SAME_DATA_S = 5.0
"""Without news a page hears so often how old its data is."""

_PATCHES_KEPT = 16
_FIRST_WAIT_S = 3.0
Row = dict[str, Any]


@dataclass(frozen=True)
class FleetState:
    """All that a fleet table shows.

    Attributes:
        version: Grows with every change of the rows.
        patch: The change that led to this version.
        snapshot: What was made into rows.
    """

    version: int
    rows: list[Row]
    patch: dict[str, Any]
    alerts: list[dict[str, Any]]
    snapshot: Snapshot


class FleetFeed:
    """Turns snapshots into rows, once for all viewers of a process.

    Args:
        alerts: Returns the alerts that hold.
        watch: Told of each snapshot once.
        archived: Returns the runs that have no row.
    """

    def __init__(
        self,
        alerts: Callable[[], Sequence[Alert]] = tuple,
        watch: Callable[[Snapshot], object] = lambda _: None,
        archived: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._alerts, self._watch, self._archived = alerts, watch, archived
        self._guard = threading.Lock()
        self._state: FleetState | None = None
        self._known: dict[str, Row] = {}
        self._patches: OrderedDict[int, dict[str, Any]] = OrderedDict()

    def state(self, snapshot: Snapshot) -> FleetState:
        """Return what viewers see of `snapshot`; the same object for the same snapshot."""
        with self._guard:
            if self._state is None or self._state.snapshot is not snapshot:
                self._state = self._next(snapshot)
            return self._state

    def patch_to(self, version: int) -> dict[str, Any] | None:
        """Return what leads to `version` from the one before; None where that is no longer known."""
        return self._patches.get(version)

    def _next(self, snapshot: Snapshot) -> FleetState:
        self._watch(snapshot)
        alerts = [alert.model_dump() for alert in self._alerts()]
        put_away = set(self._archived())
        fresh = {row["run"]: row for row in fleet_rows(snapshot, alerts) if row["run"] not in put_away}
        changed = [row for run, row in fresh.items() if self._known.get(run) != row]
        gone = [run for run in self._known if run not in fresh]
        version = self._state.version if self._state else 0
        if changed or gone or self._state is None:
            version += 1
            self._patches[version] = {"at": version, "rows": changed, "gone": gone}
            while len(self._patches) > _PATCHES_KEPT:
                self._patches.popitem(last=False)
        # Unchanged rows stay the very objects that every page holds already.
        news = {row["run"] for row in changed}
        self._known = {run: row if run in news else self._known[run] for run, row in fresh.items()}
        return FleetState(version, list(self._known.values()), self._patches[version], alerts, snapshot)


def fleet_rows(snapshot: Snapshot, alerts: list[dict[str, Any]]) -> list[Row]:
    """Return every job of a snapshot as a row of the fleet table."""
    said: dict[str, list[str]] = {}
    for alert in alerts:
        said.setdefault(alert["run"], []).append(alert["text"])
    return [
        {
            **job_row(status),
            "experiment": status.experiment,
            "cost": None if status.cost_usd is None else round(status.cost_usd, 2),
            "data": snapshot.versions.get(status.run_name, "")[:12],
            "alerts": said.get(status.run_name, []),
        }
        for status in snapshot.jobs
    ]


_feeds: dict[Path, FleetFeed] = {}
_feeds_guard = threading.Lock()


def feed_of(workspace: Workspace) -> FleetFeed:
    """Return this process's one feed of a project."""
    with _feeds_guard:
        if workspace.state not in _feeds:
            live, put_away = workspace.state / "live", partial(archived_runs, workspace)
            if reader_socket() is not None:
                _feeds[workspace.state] = FleetFeed(lambda: held_alerts(live), archived=put_away)
            else:
                watch = watch_of(workspace, lambda: monitor_for(workspace.state).repeat())
                _feeds[workspace.state] = FleetFeed(lambda: held_alerts(live), watch.take, put_away)
        return _feeds[workspace.state]


def fleet_table(workspace: Workspace, *, experiment: str = "", run: str = "", all_open: bool = False) -> FleetTable:
    """Return a table of all jobs that stays up to date for as long as its page is open and in sight.

    Args:
        experiment: What is selected at first; a name that nobody knows selects nothing.
        run: The same; its experiment follows from it.
        all_open: Whether every experiment shows its jobs at first.
    """
    feed = feed_of(workspace)
    if not on_a_page():
        return FleetTable(**_whole(feed.state(poll_once(workspace.state)), 0.0), all_open=all_open)
    monitor = monitor_for(workspace.state)
    state = feed.state(_first_snapshot(monitor))
    chosen = _selection(state, experiment, run)
    table = FleetTable(**_whole(state, time.time()), all_open=all_open, selected=chosen)
    link = _Link(table, feed, monitor, state.version)
    table.observe(link.look, names=["visible"])
    table.observe(link.send_whole, names=["wanted"])
    link.look()
    return table


def known_choice(workspace: Workspace, experiment: str, run: str) -> dict[str, str]:
    """Return what an address asks for as the table's `selected`, of that only what is known."""
    return _selection(feed_of(workspace).state(_latest(workspace)), experiment, run)


def _latest(workspace: Workspace) -> Snapshot:
    return monitor_for(workspace.state).latest() if on_a_page() else read_status(workspace.state / "live")


class _Link:
    """What keeps one page's table up to date; the page keeps the link, the link does not keep the page."""

    def __init__(self, table: FleetTable, feed: FleetFeed, monitor: Monitor, version: int) -> None:
        self._table, self._is_open = weakref.ref(table), stays_open(table)
        self._feed, self._monitor, self._version = feed, monitor, version
        self._last: dict[str, Any] = {}
        self._sent_at = 0.0
        self._watching = 0

    def look(self, _change: object = None) -> None:
        """Watch while the page is in sight."""
        table = self._table()
        if table is None:
            return
        self._watching += 1
        if table.visible:
            turn = self._watching
            self._monitor.subscribe(self._show, is_alive=lambda: self._watching == turn and self._is_open())

    def send_whole(self, _change: object = None) -> None:
        """Send everything: the page missed something."""
        table = self._table()
        if table is not None:
            state = self._feed.state(self._monitor.latest())
            if table.update(**_whole(state, time.time())):
                self._version = state.version

    def _show(self, snapshot: Snapshot) -> None:
        table = self._table()
        if table is None:
            return
        state, now = self._feed.state(snapshot), time.time()
        signs = _signs(state, now)
        news: dict[str, Any] = {name: value for name, value in signs.items() if self._last.get(name) != value}
        if state.version != self._version:
            patch = self._feed.patch_to(state.version) if state.version == self._version + 1 else None
            news |= {"patch": patch} if patch else {"rows": state.rows, "version": state.version}
        if not news and now - self._sent_at < SAME_DATA_S:
            return
        if table.update(**news, as_of=snapshot.as_of or 0.0, sent_at=now):
            self._last, self._sent_at, self._version = signs, now, state.version


def _signs(state: FleetState, now: float) -> dict[str, Any]:
    return {
        "alerts": state.alerts,
        "stale_after": state.snapshot.stale_after_s if state.rows else 0.0,
        "ongoing": [*state.snapshot.ongoing_lines(), *_left_out(state.snapshot)],
        "problems": [*state.snapshot.problems(now), *state.snapshot.ongoing_problems()],
    }


def _left_out(snapshot: Snapshot) -> list[str]:
    if not snapshot.earlier:
        return []
    are = "is" if snapshot.earlier == 1 else "are"
    return [f"{counted(snapshot.earlier, 'earlier job')} ended long ago and {are} not shown: experiments status --all"]


def _whole(state: FleetState, sent_at: float) -> dict[str, Any]:
    return {
        **_signs(state, time.time()),
        "rows": state.rows,
        "version": state.version,
        "as_of": state.snapshot.as_of or 0.0,
        "sent_at": sent_at,
    }


def _selection(state: FleetState, experiment: str, run: str) -> dict[str, str]:
    known = {row["run"]: row["experiment"] for row in state.rows}
    if run in known:
        return {"experiment": known[run], "run": run}
    return {"experiment": experiment if experiment in known.values() else "", "run": ""}


def _first_snapshot(monitor: Monitor) -> Snapshot:
    """Return what is known, however old, since the page says how old it is; wait a moment only where nothing is."""
    latest, written = monitor.latest(), read_status(monitor.live)
    newest = latest if latest.written_at >= written.written_at else written
    if newest.written_at:
        return newest
    found = threading.Event()
    subscription = monitor.subscribe(lambda snapshot: found.set() if snapshot.as_of is not None else None)
    found.wait(_FIRST_WAIT_S)
    subscription.close()
    return monitor.latest()
