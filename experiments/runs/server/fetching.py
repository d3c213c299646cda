"""States and new rows of many runs from a W&B server, in as few requests as it takes, and what is kept of them.

Where a server refuses the query, W&B's own client asks: slow, one request and more for each run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from experiments.project.credentials import Credentials
from experiments.project.errors import StoreError
from experiments.project.files import unset_empty
from experiments.project.state_words import TRACKER_ENDS
from experiments.runs.server import queries
from experiments.runs.server.requests import QueryRefused, Server, ServerBusy
from experiments.runs.store import RunInfo

if TYPE_CHECKING:
    import pandas as pd


BATCH = 50
_ASK_AGAIN_S = 600.0
Points = list[tuple[int, float]]


@dataclass(frozen=True)
class Fetched:
    """What the server says of one run.

    Attributes:
        points: New (step, number) of each metric asked for, by step.
        sampled: Metrics of which there was more than one answer holds, so that `points` are a choice.
        logged: Metrics of which the server has rows, whether or not numbers stand in them.
        total: History rows that the run has.
    """

    info: RunInfo
    version: str
    total: int
    points: dict[str, Points] = field(default_factory=dict)
    sampled: frozenset[str] = frozenset()
    logged: frozenset[str] = frozenset()


class Fetcher:
    """Asks for runs in batches; a server that fails gets smaller ones, one that refuses the query W&B's own client."""

    def __init__(self, server: Server, samples: int, ticks: Callable[[], float]) -> None:
        self._server = server
        self._samples = samples
        self._ticks = ticks
        self._batch = BATCH
        self._refused_at: float | None = None

    def fetch(self, place: Mapping[str, str], page: str, wanted: Mapping[str, Mapping[str, int]]) -> dict[str, Fetched]:
        """Return what is known of each run that exists.

        Args:
            place: `entity` and `project`.
            page: Address of the project's runs.
            wanted: Run name to the first step wanted of each metric.

        Raises:
            StoreError: The server gave no whole answer; nothing was read.
        """
        if self._refused_at is not None and self._ticks() - self._refused_at < _ASK_AGAIN_S:
            return self._through_client(place, page, wanted)
        runs = list(wanted)
        found: dict[str, Fetched] = {}
        for start in range(0, len(runs), self._batch):
            batch = {run: wanted[run] for run in runs[start : start + self._batch]}
            try:
                found.update(self._fetch_batch(place, page, batch))
            except QueryRefused:
                self._refused_at = self._ticks()
                return self._through_client(place, page, wanted)
            except ServerBusy:
                self._batch = max(1, len(batch) // 2)
                raise
        self._refused_at = None
        self._batch = min(BATCH, self._batch * 2)
        return found

    def _fetch_batch(
        self, place: Mapping[str, str], page: str, batch: Mapping[str, Mapping[str, int]]
    ) -> dict[str, Fetched]:
        specs = {
            run: [queries.spec(key, samples=self._samples, from_step=step) for key, step in keys.items()]
            for run, keys in batch.items()
        }
        query, variables = queries.poll_query(specs)
        project = self._server.execute(query, {**place, **variables}).get("project") or {}
        found = {}
        for index, (run, keys) in enumerate(batch.items()):
            node = project.get(f"r{index}")
            if not isinstance(node, dict):
                continue
            histories = node.get("sampledHistory") if keys else []
            if not isinstance(histories, list) or len(histories) != len(keys):
                # What was not answered must not be taken for what the run did not log.
                raise QueryRefused(f"{self._server.credentials.host} did not answer for every metric asked for.")
            found[run] = self._fetched(node, page, dict(zip(keys, histories, strict=True)), keys)
        return found

    def _fetched(
        self, node: Mapping[str, object], page: str, rows: Mapping[str, object], keys: Mapping[str, int]
    ) -> Fetched:
        points = {key: queries.points(rows.get(key), key) for key in keys}
        logged = frozenset(key for key in keys if rows.get(key))
        sampled = frozenset(key for key, held in points.items() if len(held) >= self._samples)
        # A server that does not know `minStep` sends what was had before once more.
        fresh = {key: [point for point in points.get(key, ()) if point[0] >= keys[key]] for key in keys}
        total = node.get("historyLineCount")
        count = int(total) if isinstance(total, (int, float)) else 0
        return Fetched(queries.info_of(node, page=page), queries.version_of(node), count, fresh, sampled, logged)

    def _through_client(
        self, place: Mapping[str, str], page: str, wanted: Mapping[str, Mapping[str, int]]
    ) -> dict[str, Fetched]:
        found = {}
        for run, keys in wanted.items():
            path = f"{place['entity']}/{place['project']}/{run}"
            answer = read_run(self._server.credentials, path, list(keys), self._samples)
            if answer is not None:
                node, rows = answer
                found[run] = self._fetched(node, page, rows, keys)
        return found


TIME_KEYS = ("_timestamp", "_runtime")
NOT_METRICS = frozenset({"_step", *TIME_KEYS})
FRESH_S = 5.0
WANTED_S = 120.0


class KeptHistory:
    """The metrics of one run that were asked for, and when.

    Attributes:
        points: (step, number) of each metric, by step.
        sampled: Metrics of which the server once sent a choice.
        answered: Metrics that the server was asked for and has answered; only of these is it known whether they exist.
        logged: Those of which it has rows.
        fetched: The newest answer; None where the run does not exist or was not asked about.
        at: Ticks of the newest answer or attempt.
        as_of: Unix seconds of the newest answer.
        problem: Why the newest attempt failed; empty where it did not.
    """

    def __init__(self) -> None:
        self.points: dict[str, Points] = {}
        self.sampled: set[str] = set()
        self.answered: set[str] = set()
        self.logged: set[str] = set()
        self.fetched: Fetched | None = None
        self.at: float | None = None
        self.as_of = 0.0
        self.problem = ""
        self._keys = dict.fromkeys(TIME_KEYS)
        self._asked_at = 0.0
        self._has_ended = False

    def ask(self, keys: Sequence[str], now: float) -> None:
        """Note that these metrics are wanted."""
        fresh = [key for key in keys if key not in NOT_METRICS and key not in self._keys]
        if fresh:
            self._keys.update(dict.fromkeys(fresh))
            self.at, self._has_ended = None, False
        self._asked_at = now

    def is_stale(self, now: float) -> bool:
        """Return whether the server may know more than is kept."""
        return self.at is None or (now - self.at >= FRESH_S and not self._has_ended)

    def is_wanted(self, now: float) -> bool:
        """Return whether it is worth refreshing along with another run."""
        return self.is_stale(now) and now - self._asked_at < WANTED_S

    def lacks(self, keys: Sequence[str]) -> bool:
        """Return whether the server has not yet said of the run, or of one of these metrics, what there is."""
        return self.fetched is None or not self.answered.issuperset(set(keys) - NOT_METRICS)

    def next_steps(self) -> dict[str, int]:
        """Return the first step of each metric that is not kept."""
        return {key: self.points[key][-1][0] + 1 if self.points.get(key) else 0 for key in self._keys}

    def take(self, fetched: Fetched | None, now: float, clock: float) -> None:
        """Add an answer; None where there is no such run."""
        self.at, self.as_of, self.problem = now, clock, ""
        if fetched is None:
            return
        for key, points in fetched.points.items():
            self.points.setdefault(key, []).extend(points)
        self.sampled |= fetched.sampled
        self.answered |= fetched.points.keys()
        self.logged |= fetched.logged
        self._has_ended = fetched.info.state in TRACKER_ENDS and not any(fetched.points.values())
        self.fetched = fetched


TIMEOUT_S = 30
_PAGE = 10_000


def read_run(
    credentials: Credentials, path: str, keys: Sequence[str], samples: int
) -> tuple[Mapping[str, Any], dict[str, list[dict[str, Any]]]] | None:
    """Return a run's fields as GraphQL names them and sampled rows of each metric; None where there is no such run.

    Raises:
        StoreError: The server cannot be reached or refuses.
    """
    run = _run(credentials, path)
    if run is None:
        return None
    try:
        run.load(force=True)
        rows = {key: run.history(keys=[key], samples=samples, pandas=False) for key in keys}
    except Exception as error:  # noqa: BLE001 - W&B's client raises whatever its parts do
        raise _failure(credentials, error) from None
    names = ("name", "state", "tags", "group", "notes", "createdAt", "heartbeatAt", "historyLineCount", "displayName")
    node = {name: run._attrs.get(name) for name in names}  # noqa: SLF001 - the public names differ between versions
    node["config"], node["summaryMetrics"] = dict(run.config), dict(run.summary_metrics or {})
    node["user"] = run._attrs.get("user")  # noqa: SLF001
    return node, rows


def scan_history(credentials: Credentials, path: str, keys: Sequence[str] | None) -> pd.DataFrame:
    """Return every row of a run: `_step`, `_timestamp`, `_runtime` and one column a key.

    Raises:
        StoreError: There is no such run, or the server cannot be reached.
    """
    from experiments.runs.frames import frame_of_rows

    run = _run(credentials, path)
    if run is None:
        raise StoreError(f"run {path!r} is not on {credentials.host}. The runs that are: experiments runs")
    try:
        # With keys, W&B returns only the rows that have all of them.
        rows = list(run.scan_history(page_size=_PAGE))
    except Exception as error:  # noqa: BLE001 - W&B's client raises whatever its parts do
        raise _failure(credentials, error) from None
    return frame_of_rows(rows, keys)


def _run(credentials: Credentials, path: str) -> Any:  # noqa: ANN401 - W&B has no types
    unset_empty()
    import wandb

    try:
        overrides = {"base_url": credentials.base_url}
        api = wandb.Api(overrides=overrides, timeout=TIMEOUT_S, api_key=credentials.key)
        api.flush()
        return api.run(path)
    except ValueError:
        return None
    except Exception as error:  # noqa: BLE001 - W&B's client raises whatever its parts do
        if "could not find run" in str(error).lower():
            return None
        raise _failure(credentials, error) from None


def _failure(credentials: Credentials, error: Exception) -> StoreError:
    text = str(error) or type(error).__name__
    if credentials.key:
        text = text.replace(credentials.key, "***")
    return StoreError(f"{credentials.host} did not answer W&B's client: {text[:300]}. It is asked again later.")
