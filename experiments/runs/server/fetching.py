"""States and new rows of many runs from a W&B server, in as few requests as it takes, and what is kept of them.

`sampledHistory(specs:)` beside a run's other fields is how W&B's own sweep controller polls; a spec takes `keys`,
`samples`, `minStep` and `maxStep` (both inclusive), and returns the rows that have all of its keys. Where a server
refuses the query, W&B's own client asks: slow, one request and more for each run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from experiments.project.files import parse_json, real_number
from experiments.project.state_words import TRACKER_ENDS
from experiments.runs.filters import unix_time
from experiments.runs.server.requests import QueryRefused, Server, ServerBusy, read_run
from experiments.runs.store import RunInfo
from experiments.runs.wandb_file.records import flatten

BATCH = 50
_ASK_AGAIN_S = 600.0
Points = list[tuple[int, float]]
_FIELDS = (
    "name displayName state tags group notes createdAt heartbeatAt historyLineCount config summaryMetrics "
    "user { username }"
)

RUNS = f"""query Runs(
 $entity: String!, $project: String!, $filters: JSONString, $order: String, $first: Int!, $after: String
) {{
 project(name: $project, entityName: $entity) {{
  runs(filters: $filters, order: $order, first: $first, after: $after) {{
   edges {{ node {{ {_FIELDS} }} }}
   pageInfo {{ endCursor hasNextPage }}
  }}
 }}
}}"""

VIEWER = "query Viewer { viewer { entity } }"

LOG_TAIL = """query RunConsoleLogTail($entity: String!, $project: String!, $run: String!, $last: Int!) {
 project(name: $project, entityName: $entity) {
  run(name: $run) { logLines(last: $last) { edges { node { line } } } }
 }
}"""

FILES = """query RunFiles(
 $entity: String!, $project: String!, $run: String!, $pattern: String, $first: Int!, $after: String
) {
 project(name: $project, entityName: $entity) {
  run(name: $run) {
   files(pattern: $pattern, first: $first, after: $after) {
    edges { node { name directUrl sizeBytes } }
    pageInfo { endCursor hasNextPage }
   }
  }
 }
}"""

HISTORY = """query RunFullHistory($entity: String!, $project: String!, $run: String!, $samples: Int!) {
 project(name: $project, entityName: $entity) {
  run(name: $run) { historyLineCount history(samples: $samples) }
 }
}"""


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
            run: [spec(key, samples=self._samples, from_step=step) for key, step in keys.items()]
            for run, keys in batch.items()
        }
        query, variables = poll_query(specs)
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
        points = {key: points_of(rows.get(key), key) for key in keys}
        logged = frozenset(key for key in keys if rows.get(key))
        sampled = frozenset(key for key, held in points.items() if len(held) >= self._samples)
        # A server that does not know `minStep` sends what was had before once more.
        fresh = {key: [point for point in points.get(key, ()) if point[0] >= keys[key]] for key in keys}
        total = node.get("historyLineCount")
        count = int(total) if isinstance(total, (int, float)) else 0
        return Fetched(info_of(node, page=page), version_of(node), count, fresh, sampled, logged)

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


def poll_query(specs: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[str, dict[str, Any]]:
    """Return the one query that asks for several runs, each with its own history specs, and its variables.

    The answer has one field `r<n>` for each run, in the order of `specs`.
    """
    declared, fields = [], []
    variables: dict[str, Any] = {}
    for index, (run, of_run) in enumerate(specs.items()):
        declared.append(f"$n{index}: String!")
        variables[f"n{index}"] = run
        history = ""
        if of_run:
            declared.append(f"$s{index}: [JSONString!]!")
            variables[f"s{index}"] = [json.dumps(spec) for spec in of_run]
            history = f" sampledHistory(specs: $s{index})"
        fields.append(f"r{index}: run(name: $n{index}) {{ {_FIELDS}{history} }}")
    head = f"query PollRuns($entity: String!, $project: String!, {', '.join(declared)})"
    return f"{head} {{ project(name: $project, entityName: $entity) {{ {' '.join(fields)} }} }}", variables


def spec(key: str, *, samples: int, from_step: int = 0) -> dict[str, Any]:
    """Return the history spec of one metric."""
    return {"keys": ["_step", key], "samples": samples, **({"minStep": from_step} if from_step else {})}


def info_of(node: Mapping[str, Any], *, page: str) -> RunInfo:
    """Return what a run's node says; `page` is the address of its project's runs."""
    config = {
        key: value.get("value") if isinstance(value, dict) and "value" in value else value
        for key, value in json_object(node.get("config")).items()
        if key not in ("_wandb", "wandb_version")
    }
    summary = {key: value for key, value in json_object(node.get("summaryMetrics")).items() if key != "_wandb"}
    name = str(node.get("name") or "")
    return RunInfo(
        name=name,
        state=str(node.get("state") or ""),
        display_name=str(node.get("displayName") or name),
        user=str((node.get("user") or {}).get("username") or ""),
        group=str(node.get("group") or ""),
        tags=tuple(map(str, node.get("tags") or ())),
        notes=str(node.get("notes") or ""),
        created_at=unix_time(str(node.get("createdAt"))),
        heartbeat_at=unix_time(str(node.get("heartbeatAt"))),
        config=config,
        summary=flatten(summary),
        url=f"{page}/{name}",
    )


def version_of(node: Mapping[str, Any]) -> str:
    """Return a text that changes whenever anything of the run changed."""
    facts = [node.get(name) for name in ("state", "tags", "notes", "displayName", "config", "summaryMetrics")]
    return f"{node.get('historyLineCount')}-{node.get('heartbeatAt')}-{crc32(json.dumps(facts).encode()):08x}"


def points_of(rows: object, key: str) -> list[tuple[int, float]]:
    """Return (step, number) of the rows that a history spec of one metric returned, by step."""
    found: dict[int, float] = {}
    for row in rows if isinstance(rows, list) else ():
        value = number(row.get(key)) if isinstance(row, dict) else None
        step = row.get("_step") if isinstance(row, dict) else None
        # A step that is no number or infinite is none.
        if value is not None and isinstance(step, (int, float)) and abs(step) < 1 << 63:
            found[int(step)] = value
    return sorted(found.items())


def number(value: object) -> float | None:
    """Return a history value as a number; W&B's JSON writes those that are not finite as texts."""
    if isinstance(value, (int, float)):
        return real_number(value)
    return (
        {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.get(value) if isinstance(value, str) else None
    )


def edges(data: object, *path: str) -> Iterator[Mapping[str, Any]]:
    """Yield the nodes of a connection at a path of an answer; nothing where any part of the path is missing."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    for edge in (data.get("edges") or ()) if isinstance(data, dict) else ():
        if isinstance(edge, dict) and isinstance(edge.get("node"), dict):
            yield edge["node"]


def next_page(data: object, *path: str) -> str | None:
    """Return where the page behind that of an answer starts; None where there is none."""
    for name in (*path, "pageInfo"):
        data = data.get(name) if isinstance(data, dict) else None
    if isinstance(data, dict) and data.get("hasNextPage") and isinstance(data.get("endCursor"), str):
        return str(data["endCursor"])
    return None


def json_object(text: object) -> dict[str, Any]:
    """Return the JSON object that a field holds as text; empty where it holds none."""
    try:
        value = parse_json(text) if isinstance(text, str) else text
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
