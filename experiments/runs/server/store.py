"""Runs on a W&B server: any number of them, with all their new rows, in one request a poll."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from experiments.project.credentials import Credentials, find_credentials
from experiments.project.errors import StoreError, UsageError
from experiments.project.state_words import TRACKER_ENDS
from experiments.runs.filters import server_filter
from experiments.runs.replay_files import Link, replay_links, replays_at, step_of, stored_replay, stored_step
from experiments.runs.server import fetching
from experiments.runs.server.fetching import NOT_METRICS, TIME_KEYS, Fetched, Fetcher, KeptHistory
from experiments.runs.server.requests import Server, scan_history
from experiments.runs.store import Origin, ReplayFile, RunInfo, RunQuery, RunUpdate, absent_from, nan_steps_of

if TYPE_CHECKING:
    import pandas as pd

    from experiments.project.trainers.value import Metrics

_PAGE = 50
_ASK_ENDED_AGAIN_S = 300.0
_LOG_LINES = 10_000
_REPLAYS = 20


@dataclass
class _Seen:
    """What `poll` handed out of one run.

    Attributes:
        cursor: The last cursor.
        steps: Of each metric, the first step that was not handed out.
        update: The last answer.
        ended_at: When the run was seen to have ended with nothing new; None while it may go on.
    """

    cursor: int
    steps: dict[str, int]
    update: RunUpdate
    ended_at: float | None


class OnlineStore:
    """RunStore over one project of a W&B server, with the user's own key.

    Args:
        entity: W&B entity; the user's default where None.
        project: W&B project; that of W&B's settings where None.
        credentials: Instead of what W&B itself would find.
        cache_dir: Folder for replays that are stored on the server; those are left out where None.
        samples: Rows of one metric that one answer holds at most; of more, the server sends a choice.
        deadline_s: Seconds that one call may take in all.
        ticks: Seconds that never jump.
        sleep: How to wait for so many seconds.
    """

    def __init__(
        self,
        entity: str | None = None,
        project: str | None = None,
        *,
        credentials: Credentials | None = None,
        cache_dir: Path | None = None,
        samples: int = 1000,
        deadline_s: float = 20.0,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._credentials = credentials or find_credentials()
        self._server = Server(self._credentials, deadline_s=deadline_s, ticks=ticks, sleep=sleep)
        self._entity = entity or self._credentials.entity
        project = project or self._credentials.project
        if not project:
            raise UsageError("no W&B project is named. Set one: export WANDB_PROJECT=NAME")
        self.project = project
        self._cache_dir = cache_dir
        self._samples = samples
        self._ticks = ticks
        self._fetcher = Fetcher(self._server, samples, ticks)
        self._seen: dict[str, _Seen] = {}
        self._kept: dict[str, KeptHistory] = {}
        self._links: dict[tuple[str, tuple[str, ...]], list[Link]] = {}
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """Where this store reads, `entity/project`."""
        return f"{self._entity or ''}/{self.project}"

    @property
    def requests(self) -> int:
        """HTTP requests made so far."""
        return self._server.requests

    @property
    def entity(self) -> str:
        """W&B entity, asked of the server where none was named.

        Raises:
            StoreError: The server cannot be reached.
        """
        if not self._entity:
            viewer = self._server.execute(fetching.VIEWER, {}).get("viewer") or {}
            if not viewer.get("entity"):
                raise StoreError(f"{self._credentials.host} names no default entity. Set one: export WANDB_ENTITY=NAME")
            self._entity = str(viewer["entity"])
        return self._entity

    def find(self, query: RunQuery) -> list[RunInfo]:
        """Return the runs that match, in the query's order.

        Raises:
            StoreError: The server cannot be reached or refuses the query.
        """
        variables = {**self._place(), "filters": _filter_text(query), "order": query.order, "after": None}
        page = self._page()
        found: list[RunInfo] = []
        while query.limit is None or len(found) < query.limit:
            wanted = _PAGE if query.limit is None else min(_PAGE, query.limit - len(found))
            data = self._server.execute(fetching.RUNS, {**variables, "first": wanted})
            found += [fetching.info_of(node, page=page) for node in fetching.edges(data, "project", "runs")]
            variables["after"] = fetching.next_page(data, "project", "runs")
            if variables["after"] is None:
                break
        return found

    def poll(
        self, runs: Sequence[str], keys: Sequence[str], since: Mapping[str, int] | None = None
    ) -> dict[str, RunUpdate]:
        """Return what is new in each run that exists; one request for each fifty runs that may have something new.

        Raises:
            StoreError: The server cannot be reached; nothing was read.
        """
        with self._lock:
            cursors = {run: (since or {}).get(run, 0) for run in runs}
            wanted = {
                run: self._from_steps(run, cursor, keys)
                for run, cursor in cursors.items()
                if not self._has_ended(run, cursor, keys)
            }
            fetched = self._fetch(wanted)
            updates: dict[str, RunUpdate] = {}
            for run, cursor in cursors.items():
                if run in fetched:
                    updates[run] = self._update(run, cursor, fetched[run], wanted[run])
                elif run not in wanted:
                    updates[run] = replace(self._seen[run].update, rows={key: [] for key in keys}, sampled=False)
            return updates

    def histories(self, runs: Sequence[str], keys: Sequence[str]) -> dict[str, tuple[pd.DataFrame, Origin]]:
        """Return `history` of each run that exists: one request for all of them, for what is new since the last one.

        Raises:
            StoreError: The server cannot be reached.
        """
        with self._lock:
            self._refresh(runs, keys)
            return {run: self._frame(run, keys) for run in runs if self._kept[run].fetched is not None}

    def history(
        self, run: str, keys: Sequence[str] | None = None, *, complete: bool = False
    ) -> tuple[pd.DataFrame, Origin]:
        """Return rows of a run; see `RunStore.history`.

        Of a long run the server sends a choice of the rows, of each metric by itself, so that their rows need not
        meet. Calls for one run after the other cost one request a round: what the last round asked for is asked for
        together.

        Args:
            run: Run name.
            keys: Metrics; all where None.
            complete: Every row, through W&B's own client; takes a while for a long run.

        Raises:
            StoreError: There is no such run, or the server cannot be reached.
        """
        if complete:
            from experiments.runs.frames import frame_of_rows

            frame = frame_of_rows(scan_history(self._credentials, f"{self.entity}/{self.project}/{run}"), keys)
            origin = self._origin(len(frame), len(frame), complete=True)
            return frame, replace(origin, absent=absent_from(frame.columns, keys))
        if keys is None:
            return self._every_key(run)
        with self._lock:
            self._refresh([run], keys)
            if self._kept[run].fetched is None:
                raise self._unknown(run)
            return self._frame(run, keys)

    def logs(self, run: str, *, last: int | None = None) -> list[str]:
        """Return the newest console lines of the run, at most ten thousand, oldest first."""
        wanted = _LOG_LINES if last is None else max(0, min(last, _LOG_LINES))
        data = self._server.execute(fetching.LOG_TAIL, {**self._place(), "run": run, "last": wanted})
        return [str(node.get("line") or "") for node in fetching.edges(data, "project", "run", "logLines")]

    def replays(self, run: str, metrics: Metrics | None = None) -> list[ReplayFile]:
        """Return the newest twenty replays of the run, by step: those it links to, and those stored with it.

        Stored ones are fetched to the cache folder, if there is one; their files never change.
        """
        keys, forms = (metrics.replays, metrics.replay_links) if metrics is not None else ((), ())
        patterns = ["%replays/%", *(f"media/html/{key.replace('*', '%')}%" for key in keys)]
        addresses = {name: url for pattern in patterns for name, url in self._files(run, pattern).items()}
        pages: dict[int, list[str]] = {}
        for name in addresses:
            if (step := step_of(name, keys)) is not None:
                pages.setdefault(step, []).append(name)
        stored = {step: name for name in addresses if (step := stored_step(name)) is not None}
        found = []
        for step in sorted(pages.keys() | stored.keys())[-_REPLAYS:]:
            of_step = [
                link for name in pages.get(step, ()) for link in self._linked(f"{run}/{name}", addresses[name], forms)
            ]
            links = replays_at(step, list({link.url: link for link in of_step}.values()))
            path = self._stored(run, stored[step], addresses[stored[step]]) if step in stored else None
            if path:
                found.append(ReplayFile(step, path, links[0].url if links else None, f"step {step:,}"))
            found += links[1:] if path else links
        return found

    def _fetch(self, wanted: Mapping[str, Mapping[str, int]]) -> dict[str, Fetched]:
        return self._fetcher.fetch(self._place(), self._page(), wanted) if wanted else {}

    def _from_steps(self, run: str, cursor: int, keys: Iterable[str]) -> dict[str, int]:
        """Return the first step wanted of each metric: a rare one may lag far behind the cursor."""
        seen = self._seen.get(run)
        known = seen.steps if seen is not None and seen.cursor == cursor else {}
        return {key: known.get(key, cursor) for key in keys}

    def _has_ended(self, run: str, cursor: int, keys: Iterable[str]) -> bool:
        seen = self._seen.get(run)
        if seen is None or seen.ended_at is None or seen.cursor != cursor or not seen.steps.keys() >= set(keys):
            return False
        return self._ticks() - seen.ended_at < _ASK_ENDED_AGAIN_S

    def _update(self, run: str, cursor: int, fetched: Fetched, asked: Mapping[str, int]) -> RunUpdate:
        before = self._seen.get(run)
        steps = dict(before.steps) if before is not None and before.cursor == cursor else {}
        for key, first in asked.items():
            points = fetched.points.get(key) or ()
            steps[key] = points[-1][0] + 1 if points else first
        update = RunUpdate(
            info=fetched.info,
            rows={key: fetched.points.get(key, []) for key in asked},
            cursor=max([cursor, *steps.values()]),
            version=fetched.version,
            total=fetched.total,
            sampled=bool(fetched.sampled),
        )
        quiet = fetched.info.state in TRACKER_ENDS and not any(update.rows.values())
        unchanged = before is not None and before.update.version == update.version
        ended_at = self._ticks() if quiet and (unchanged or not asked or cursor > 0) else None
        self._seen[run] = _Seen(update.cursor, steps, update, ended_at)
        return update

    def _refresh(self, runs: Sequence[str], keys: Sequence[str]) -> None:
        """Have the metrics of some runs, no older than a few seconds; others asked for lately come along."""
        now = self._ticks()
        for run in runs:
            self._kept.setdefault(run, KeptHistory()).ask(keys, now)
        if not any(self._kept[run].is_stale(now) for run in runs):
            return
        wanted = {run: kept.next_steps() for run, kept in self._kept.items() if run in runs or kept.is_wanted(now)}
        try:
            fetched = self._fetch({run: steps for run, steps in wanted.items() if steps})
        except StoreError as error:
            if any(self._kept[run].lacks(keys) for run in runs):
                raise
            for run in wanted:
                self._kept[run].problem = str(error)
                self._kept[run].at = now  # the server is not asked again at once for the next run
            return
        for run in wanted:
            self._kept[run].take(fetched.get(run), now, time.time())

    def _frame(self, run: str, keys: Sequence[str]) -> tuple[pd.DataFrame, Origin]:
        from experiments.runs.frames import frame_of

        kept = self._kept[run]
        metrics = [key for key in dict.fromkeys(keys) if key not in NOT_METRICS]
        wanted = [*TIME_KEYS, *(key for key in metrics if key in kept.logged)]
        points = {key: kept.points.get(key, []) for key in wanted}
        frame, nan_steps = frame_of(points), nan_steps_of(points)
        total = kept.fetched.total if kept.fetched is not None else None
        complete = not kept.sampled.intersection(wanted) and not kept.problem
        damage = f"not the newest: {kept.problem}" if kept.problem else ""
        absent = absent_from(frame.columns, keys)
        return frame, Origin(
            self._credentials.host, len(frame), total, complete, kept.as_of, damage, absent, nan_steps=nan_steps
        )

    def _every_key(self, run: str) -> tuple[pd.DataFrame, Origin]:
        from experiments.runs.frames import frame_of_rows

        data = self._server.execute(fetching.HISTORY, {**self._place(), "run": run, "samples": self._samples})
        node = (data.get("project") or {}).get("run")
        if not isinstance(node, dict):
            raise self._unknown(run)
        frame = frame_of_rows([fetching.json_object(line) for line in node.get("history") or ()])
        total = int(node.get("historyLineCount") or len(frame))
        return frame, self._origin(len(frame), total, complete=len(frame) >= total)

    def _origin(self, rows: int, total: int, *, complete: bool) -> Origin:
        return Origin(self._credentials.host, rows, total, complete, time.time())

    def _files(self, run: str, pattern: str) -> dict[str, str]:
        """Return the addresses of files that a run stored, by name.

        Args:
            pattern: As SQL's LIKE has it.
        """
        data = self._server.execute(
            fetching.FILES, {**self._place(), "run": run, "pattern": pattern, "first": 1000, "after": None}
        )
        nodes = fetching.edges(data, "project", "run", "files")
        return {str(node.get("name")): str(node.get("directUrl") or "") for node in nodes}

    def _linked(self, name: str, address: str, forms: tuple[str, ...]) -> list[Link]:
        """Return the replays that a logged page links to; pages never change, so each is read once."""
        key = (name, forms)
        if key not in self._links:
            page = self._server.download(address).decode(errors="replace") if address else ""
            self._links[key] = replay_links(page, forms)
        return self._links[key]

    def _stored(self, run: str, name: str, address: str) -> str | None:
        if self._cache_dir is None or not address:
            return None
        place = (self._credentials.base_url, self.entity, self.project, run)
        return str(stored_replay(self._cache_dir, place, name, lambda: self._server.download(address)))

    def _place(self) -> dict[str, str]:
        return {"entity": self.entity, "project": self.project}

    def _page(self) -> str:
        return f"{self._credentials.app_url}/{quote(self.entity)}/{quote(self.project)}/runs"

    def _unknown(self, run: str) -> StoreError:
        return StoreError(
            f"run {run!r} is not in {self.name!r} on {self._credentials.host}. It may not have started, or may have "
            "logged nothing; the runs there: experiments runs"
        )


def _filter_text(query: RunQuery) -> str:
    try:
        return json.dumps(server_filter(query), allow_nan=False)
    except (TypeError, ValueError):
        raise UsageError(f"query {query!r} holds a value that JSON cannot. Compare with numbers and texts.") from None
