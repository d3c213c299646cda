"""The Monitor: one process polls for all, and everyone else reads what it published.

Each process in which somebody watches jobs runs one thread for a state folder. Whichever thread holds the lock in
`live/` polls and publishes; the others read its files, and the lock passes on when its holder dies. When nobody in a
process watches any more its thread ends, and with the last of them all polling.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from experiments.jobs.watch.poller import PACES_S, Poller, Sources
from experiments.jobs.watch.snapshots import (
    SILENT_AFTER_S,
    Snapshot,
    read_ended,
    read_status,
    read_versions,
    reason_of,
    write_live,
)
from experiments.project.files import parse_json, try_lock, write_bytes
from experiments.project.look import plain_logger
from experiments.project.values import replaced
from experiments.types import JobRef

LOCK, DEPUTY, READERS = "monitor.lock", "deputy.lock", "readers"
TICK_S = 0.25
"""How often a thread that does not poll looks for a new file or a lock that became free."""

_REWRITE_S = 2.0  # without news the files are written so often, for the age of their data
_METRICS_PAUSE_S = 2.0  # every change of the versions draws charts anew on every page
_REFS_VALID_S = 30.0
_log = plain_logger(__name__)


class Subscription:
    """Somebody who watches; ends by `close`, or by itself when `is_alive` says that nobody looks any more."""

    def __init__(
        self, callback: Callable[[Snapshot], None], refs: Sequence[JobRef], is_alive: Callable[[], bool]
    ) -> None:
        self.callback, self.refs, self._is_alive = callback, tuple(refs), is_alive
        self._is_closed = False

    @property
    def is_open(self) -> bool:
        """Whether somebody still watches."""
        return not self._is_closed and self._is_alive()

    def close(self) -> None:
        """Stop watching; may be called from any thread, and again."""
        self._is_closed = True


class Monitor:
    """Polls the jobs of one state folder, or follows the process that does.

    Args:
        sources: Where jobs, launchers and runs are found, should this process be the one that polls.
        follows_only: Whether it never polls: another process does, and only while somebody watches somewhere.
    """

    def __init__(
        self,
        state_dir: Path,
        sources: Sources,
        *,
        paces_s: Mapping[str, float] = PACES_S,
        follows_only: bool = False,
    ) -> None:
        self.live = state_dir / "live"
        self._sources, self._paces_s, self._follows_only = sources, paces_s, follows_only
        self._guard = threading.RLock()  # a callback may subscribe
        self._subscriptions: list[Subscription] = []
        self._thread: threading.Thread | None = None
        self._lock: int | None = None
        self._deputy: int | None = None
        self._poller: Poller | None = None
        self._latest: Snapshot | None = None
        self._content: object = None
        self._told = -1
        self._rests = self._owes_metrics = False
        self._news: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self._written = self._metrics_written = self._announced = float("-inf")
        self._seen: tuple[int, int] | None = None

    @property
    def is_polling(self) -> bool:
        """Whether this process is the one that asks the launchers and run stores."""
        return self._poller is not None

    def latest(self) -> Snapshot:
        """Return what was seen last, here or by the process that polls."""
        return self._latest or read_status(self.live)

    def repeat(self) -> None:
        """Tell everybody who watches the newest snapshot again: something that belongs to it has changed."""
        with self._guard:
            if self._latest is not None:
                self._show(replaced(self._latest))

    def subscribe(
        self,
        callback: Callable[[Snapshot], None],
        *,
        refs: Sequence[JobRef] = (),
        is_alive: Callable[[], bool] = lambda: True,
    ) -> Subscription:
        """Call `callback` with the newest snapshot and then, from a thread of this Monitor, with each new one.

        Args:
            refs: Jobs to watch that the ledger need not know.
            is_alive: Asked several times a second; the subscription ends when it says no.
        """
        subscription = Subscription(callback, refs, is_alive)
        with self._guard:
            self._subscriptions.append(subscription)
            if self._latest is not None:
                self._tell(subscription, self._latest)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"monitor {self.live.parent}", daemon=True)
                self._thread.start()
        return subscription

    def _run(self) -> None:
        while self._somebody_watches():
            try:
                self._tick()
                if self._latest is not None and not self._latest.damage:
                    self._sources.carry_on(self._latest)
            except Exception as error:  # noqa: BLE001 - the thread outlives whatever a folder or a source does
                _log.exception("the monitor of %s failed; it tries again", self.live)
                self._show(replaced(self.latest(), notes=(f"the monitor failed: {reason_of(error)}",)))
                time.sleep(1.0)

    def _somebody_watches(self) -> bool:
        with self._guard:
            self._subscriptions = [each for each in self._subscriptions if each.is_open]
            if self._subscriptions:
                return True
            self._let_go()
            self._thread = None
            return False

    def _tick(self) -> None:
        if not self._may_poll():
            self._poller = None
            self._announce()
            self._follow()
            time.sleep(TICK_S)
            return
        if self._poller is None:
            self._news, self._told = (read_versions(self.live), read_ended(self.live)), -1
            self._poller = Poller(
                self._sources, refs=self._all_refs, before=read_status(self.live), paces_s=self._paces_s
            )
        self._poller.step()
        self._publish(self._poller)
        if self._poller.wait(min(self._poller.next_due_s(), TICK_S)):
            self._publish(self._poller)
        if self._latest is not None and self._told >= 0:
            self._sources.look(self._latest)

    def _may_poll(self) -> bool:
        """Take or keep the lock, or stand in for a holder that is stopped: then its deputy's."""
        if self._lock is not None:
            if os.fstat(self._lock).st_nlink:
                os.utime(self._lock)
                return True
            self._let_go()  # somebody deleted the folder
        if not self.live.parent.is_dir():
            self._show(Snapshot(damage=f"the state folder {str(self.live.parent)!r} is gone"))
            return False
        if self._follows_only:
            return False
        try:
            self.live.mkdir(exist_ok=True)
            self._lock = try_lock(self.live / LOCK)
            is_silent = time.time() - (self.live / LOCK).stat().st_mtime > SILENT_AFTER_S
            if self._lock is not None or not is_silent:
                self._deputy = _close(self._deputy)
            elif self._deputy is None:
                self._deputy = try_lock(self.live / DEPUTY)
        except OSError as error:
            damage = f"{str(self.live)!r} cannot be written ({error.strerror}), so nothing is polled from here"
            self._show(replaced(self.latest(), notes=(damage,)))
            return False
        if self._lock is not None:
            os.utime(self._lock)
        return self._lock is not None or self._deputy is not None

    def _let_go(self) -> None:
        self._poller = None
        self._lock, self._deputy = _close(self._lock), _close(self._deputy)
        with contextlib.suppress(OSError):
            self._own_refs_file.unlink()

    def _publish(self, poller: Poller) -> None:
        now = time.monotonic()
        may_draw = now - self._metrics_written >= _METRICS_PAUSE_S
        is_recent = self._rests or now - self._written < _REWRITE_S
        if poller.revision == self._told and is_recent and not (self._owes_metrics and may_draw):
            return  # to put a snapshot together takes as long as a poll
        snapshot = poller.snapshot()
        content = snapshot.without_times()
        # A failed seed changes what charts count and verdicts rest on, as new rows do.
        news = (snapshot.versions, snapshot.ended)
        charts = news != self._news and may_draw
        self._told, self._rests, self._owes_metrics = poller.revision, snapshot.is_settled, news != self._news
        if content == self._content and is_recent and not charts:
            return
        if not charts:
            # Who is told of a version must find it in `metrics.json`: else its rows are looked for too early.
            snapshot = snapshot.with_versions(self._news[0])
        try:
            write_live(self.live, snapshot, with_metrics=charts)
            self._content = content
            if charts:
                self._news, self._metrics_written, self._owes_metrics = news, now, False
        except OSError as error:
            note = f"{str(self.live)!r} cannot be written ({error.strerror}), so other pages do not see this"
            snapshot = replaced(snapshot, notes=(*snapshot.notes, note))
        self._written = now
        self._show(snapshot)

    def _follow(self) -> None:
        with contextlib.suppress(OSError):
            found = (self.live / "status.json").stat()
            key = (found.st_ino, found.st_mtime_ns)
            if key != self._seen:
                self._seen = key
                self._show(read_status(self.live))

    def _show(self, snapshot: Snapshot) -> None:
        with self._guard:
            if snapshot.damage and self._latest is not None:
                snapshot = replaced(self._latest, damage=snapshot.damage)
            self._latest = snapshot
            for subscription in self._subscriptions:
                self._tell(subscription, snapshot)

    @staticmethod
    def _tell(subscription: Subscription, snapshot: Snapshot) -> None:
        try:
            subscription.callback(snapshot)
        except Exception:  # noqa: BLE001 - one page that fails must not stop the others
            _log.exception("a reader of the monitor failed and gets no more snapshots")
            subscription.close()

    @property
    def _own_refs_file(self) -> Path:
        return self.live / READERS / f"{os.getpid()}.json"

    def _own_refs(self) -> list[JobRef]:
        with self._guard:
            return list({ref.run: ref for each in self._subscriptions for ref in each.refs}.values())

    def _announce(self) -> None:
        """Tell the process that polls which jobs are watched here, in case only a notebook names them."""
        refs = self._own_refs()
        if (refs or self._follows_only) and time.monotonic() - self._announced > _REFS_VALID_S / 3:
            self._announced = time.monotonic()
            with contextlib.suppress(OSError):
                self._own_refs_file.parent.mkdir(exist_ok=True)
                text = json.dumps([ref.model_dump() for ref in refs])
                write_bytes(self._own_refs_file, text.encode(), mode=0o666, lasting=False)

    def _all_refs(self) -> Iterator[JobRef]:
        yield from self._own_refs()
        for path in (self.live / READERS).glob("*.json"):
            with contextlib.suppress(OSError, ValueError, TypeError):
                if time.time() - path.stat().st_mtime < _REFS_VALID_S:
                    yield from [JobRef.model_validate(item) for item in parse_json(path.read_bytes())]
                else:
                    path.unlink()


_monitors: dict[Path, Monitor] = {}
_monitors_guard = threading.Lock()


def monitor_of(state_dir: Path, sources: Callable[[Path], Sources], *, follows_only: bool = False) -> Monitor:
    """Return this process's one Monitor of a state folder; it does nothing until somebody subscribes."""
    key = state_dir.absolute()
    with _monitors_guard:
        if key not in _monitors:
            _monitors[key] = Monitor(key, sources(key), follows_only=follows_only)
        return _monitors[key]


def _close(descriptor: int | None) -> int | None:
    if descriptor is not None:
        os.close(descriptor)
    return None
