"""What is asked of a W&B server, and what its answers mean.

`sampledHistory(specs:)` beside a run's other fields is how W&B's own sweep controller polls; a spec takes `keys`,
`samples`, `minStep` and `maxStep` (both inclusive), and returns the rows that have all of its keys.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zlib import crc32

from experiments.project.json_text import parse_json, real_number
from experiments.runs.filters import unix_time
from experiments.runs.store import RunInfo
from experiments.runs.wandb_file.trees import flatten

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


def points(rows: object, key: str) -> list[tuple[int, float]]:
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
