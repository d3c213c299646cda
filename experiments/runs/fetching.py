"""States and new rows of many runs from a W&B server, in as few requests as it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from experiments.runs import queries
from experiments.runs.server import QueryRefused, Server, ServerBusy
from experiments.runs.store import RunInfo

BATCH = 50
_ASK_AGAIN_S = 600.0
Points = list[tuple[int, float]]


@dataclass(frozen=True)
class Fetched:
    """What the server says of one run.

    Attributes:
        points: New (step, number) of each metric asked for, by step.
        sampled: Metrics of which there was more than one answer holds, so that `points` are a choice.
        total: History rows that the run has.
    """

    info: RunInfo
    version: str
    total: int
    points: dict[str, Points] = field(default_factory=dict)
    sampled: frozenset[str] = frozenset()


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
            histories = node.get("sampledHistory")
            of_keys = histories if isinstance(histories, list) else []
            points = {key: queries.points(rows, key) for key, rows in zip(keys, of_keys, strict=False)}
            found[run] = self._fetched(node, page, points, keys)
        return found

    def _fetched(
        self, node: Mapping[str, object], page: str, points: Mapping[str, Points], keys: Mapping[str, int]
    ) -> Fetched:
        sampled = frozenset(key for key, held in points.items() if len(held) >= self._samples)
        # A server that does not know `minStep` sends what was had before once more.
        fresh = {key: [point for point in points.get(key, ()) if point[0] >= keys[key]] for key in keys}
        total = node.get("historyLineCount")
        count = int(total) if isinstance(total, (int, float)) else 0
        return Fetched(queries.info_of(node, page=page), queries.version_of(node), count, fresh, sampled)

    def _through_client(
        self, place: Mapping[str, str], page: str, wanted: Mapping[str, Mapping[str, int]]
    ) -> dict[str, Fetched]:
        from experiments.runs.sdk import read_run

        found = {}
        for run, keys in wanted.items():
            path = f"{place['entity']}/{place['project']}/{run}"
            answer = read_run(self._server.credentials, path, list(keys), self._samples)
            if answer is not None:
                node, rows = answer
                points = {key: queries.points(rows.get(key), key) for key in keys}
                found[run] = self._fetched(node, page, points, keys)
        return found
