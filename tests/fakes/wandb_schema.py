"""What the loopback W&B server knows: runs, and the GraphQL types through which a client sees and changes them."""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from experiments.runs.filters import ABSENT, evaluate, lookup
from experiments.runs.wandb_file.records import flatten

if TYPE_CHECKING:
    from tests.fakes.wandb_server import FakeWandb

ENTITY = "me"


def iso(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class FakeRun:
    """A run as the server stores it; `history` is a list of rows with `_step`."""

    name: str
    entity: str = ENTITY
    project: str = "p"
    state: str = "running"
    display_name: str = ""
    tags: list[str] = field(default_factory=list)
    group: str | None = None
    job_type: str | None = None
    notes: str | None = None
    username: str = ENTITY
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)
    created_at: float = field(default_factory=time.time)
    heartbeat_at: float = field(default_factory=time.time)
    base_url: str = ""

    @property
    def id(self) -> str:
        return base64.b64encode(f"Run:v1:{self.name}:{self.project}:{self.entity}".encode()).decode()

    def value(self, name: str) -> Any:
        """Return a field as filters and orders name it."""
        top, _, rest = name.partition(".")
        if top == "config":
            return lookup(self.config, rest)
        if top in ("summary_metrics", "summaryMetrics"):
            return lookup(self.summary, rest)
        plain = {"created_at": self.created_at, "createdAt": self.created_at, "heartbeat_at": self.heartbeat_at}
        names = {"display_name": self.display_name, "displayName": self.display_name, "jobType": self.job_type}
        rest_of = {"name": self.name, "state": self.state, "tags": self.tags, "group": self.group}
        return {**plain, **names, **rest_of, "username": self.username}.get(name, ABSENT)


class RunNode:
    """A run as GraphQL shows it."""

    def __init__(self, run: FakeRun) -> None:
        self.run = run

    def __getattr__(self, name: str) -> Any:
        plain = {
            "field_id": self.run.id,
            "field_name": self.run.name,
            "field_displayName": self.run.display_name or self.run.name,
            "field_state": self.run.state,
            "field_tags": self.run.tags,
            "field_group": self.run.group,
            "field_jobType": self.run.job_type,
            "field_notes": self.run.notes,
            "field_createdAt": iso(self.run.created_at),
            "field_heartbeatAt": iso(self.run.heartbeat_at),
            "field_historyLineCount": len(self.run.history),
            "field_logLineCount": len(self.run.logs),
            "field_eventsLineCount": len(self.run.events),
            "field_fileCount": len(self.run.files),
            "field_config": json.dumps({key: {"desc": None, "value": one} for key, one in self.run.config.items()}),
            "field_summaryMetrics": json.dumps(self.run.summary),
            "field_systemMetrics": "{}",
            "field_user": {"name": self.run.username, "username": self.run.username},
            "field_project": {"id": "1", "name": self.run.project, "entity": {"id": "1", "name": self.run.entity}},
            "field_projectId": "1",
            "field_stopped": False,
            "field_readOnly": False,
            **dict.fromkeys(("field_description", "field_commit", "field_sweepName", "field_wandbConfig")),
            **dict.fromkeys(("field_historyTail", "field_eventsTail"), "[]"),
        }
        if name in plain:
            return lambda **_: plain[name]
        raise AttributeError(name)

    def field_historyKeys(self) -> dict[str, Any]:  # noqa: N802 - GraphQL's names
        keys = {key for row in self.run.history for key in row}
        counts = {key: {"typeCounts": [{"type": "number", "count": 1}], "monotonic": False} for key in keys}
        return {"sets": [], "keys": counts, "lastStep": self.run.history[-1]["_step"] if self.run.history else -1}

    def field_sampledHistory(self, specs: list[str]) -> list[list[dict[str, Any]]]:  # noqa: N802
        return [self._sampled(json.loads(spec)) for spec in specs]

    def _sampled(self, spec: Mapping[str, Any]) -> list[dict[str, Any]]:
        low, high = spec.get("minStep", 0), spec.get("maxStep", 1 << 62)
        keys = spec["keys"]
        # As the server does: only rows with all keys count, so one that nobody logged leaves none; dots are paths.
        flat = [{**flatten(row), **row} for row in self.run.history if low <= row["_step"] <= high]
        rows = [{key: row[key] for key in keys} for row in flat if all(key in row for key in keys)]
        return thinned(rows, spec.get("samples", 500))

    def field_history(
        self,
        samples: int = 500,
        minStep: int = 0,  # noqa: N803 - GraphQL's names
        maxStep: int = 1 << 62,  # noqa: N803
    ) -> list[str]:
        rows = [row for row in self.run.history if (minStep or 0) <= row["_step"] < (maxStep or 1 << 62)]
        return [json.dumps(row) for row in (rows[:samples] if minStep is not None else thinned(rows, samples))]

    def field_events(self, **_: Any) -> list[str]:
        return [json.dumps(row) for row in self.run.events]

    def field_parquetHistory(self, liveKeys: list[str]) -> dict[str, Any]:  # noqa: N802, N803
        return {"parquetUrls": [], "liveData": self.run.history}

    def field_files(
        self, names: list[str] | None = None, after: str | None = None, first: int = 50, **options: Any
    ) -> dict[str, Any]:
        pattern = re.escape(options.get("pattern") or "%").replace("%", ".*").replace("_", ".")
        known = [name for name in self.run.files if re.fullmatch(pattern, name) and (not names or name in names)]
        return page(known, after, first, self._file)

    def _file(self, name: str) -> dict[str, Any]:
        path = "/".join((self.run.entity, self.run.project, self.run.name, urllib.parse.quote(name)))
        url = f"{self.run.base_url}/storage/{path}"
        size = len(self.run.files[name])
        about = {"mimetype": "text/plain", "updatedAt": iso(time.time()), "md5": "", "digest": ""}
        return {"id": name, "name": name, "url": url, "directUrl": url, "sizeBytes": size, **about}

    def field_logLines(  # noqa: N802
        self, first: int | None = None, after: str | None = None, last: int | None = None, **_: Any
    ) -> dict[str, Any]:
        lines = list(enumerate(self.run.logs))
        if last is not None:
            return page(lines[len(lines) - min(last, len(lines)) :], None, last, self._line)
        return page(lines, after, first or 1000, self._line)

    @staticmethod
    def _line(line: tuple[int, str]) -> dict[str, Any]:
        return {"number": line[0], "timestamp": iso(time.time()), "level": "", "label": "", "line": line[1]}


def page(items: list[Any], after: str | None, first: int | None, node: Any) -> dict[str, Any]:
    start = int(after or 0)
    stop = start + (first or 50)
    edges = [{"cursor": str(start + n + 1), "node": node(one)} for n, one in enumerate(items[start:stop])]
    end = {"endCursor": str(start + len(edges)), "hasNextPage": stop < len(items)}
    return {"edges": edges, "pageInfo": end}


def thinned(rows: list[Any], samples: int) -> list[Any]:
    """Sample as the server does: the same number of rows whatever was asked for more."""
    return rows if len(rows) <= samples else [rows[at * len(rows) // samples] for at in range(samples)]


class Project:
    """A project as GraphQL shows it."""

    def __init__(self, server: FakeWandb, entity: str, name: str) -> None:
        self.server, self.entity, self.name = server, entity, name

    def _chosen(self, filters: str | None) -> list[FakeRun]:
        runs = [run for run in self.server.runs.values() if (run.entity, run.project) == (self.entity, self.name)]
        condition = json.loads(filters or "{}")
        return [run for run in runs if evaluate(condition, run.value)]

    def field_id(self) -> str:
        return "1"

    field_internalId = field_id  # noqa: N815 - GraphQL's name

    def field_name(self) -> str:
        return self.name

    def field_entity(self) -> dict[str, Any]:
        return {"id": "1", "name": self.entity}

    def field_readOnly(self) -> bool:  # noqa: N802
        return False

    def field_runCount(self, filters: str | None = None) -> int:  # noqa: N802
        return len(self._chosen(filters))

    def field_run(self, name: str, **_: Any) -> RunNode | None:
        run = self.server.runs.get((self.entity, self.name, name))
        return RunNode(run) if run else None

    field_bucket = field_run

    def field_runs(
        self, filters: str | None = None, order: str | None = None, after: str | None = None, first: int = 50
    ) -> dict[str, Any]:
        runs = self._chosen(filters)
        order = order or "+created_at"
        runs.sort(key=lambda run: str(run.value(order.lstrip("+-"))).zfill(30), reverse=order.startswith("-"))
        return page(runs, after, first, RunNode)


class Query:
    """The root of queries."""

    def __init__(self, server: FakeWandb) -> None:
        self.server = server

    def field_viewer(self) -> dict[str, Any]:
        who = {"id": "1", "entity": ENTITY, "username": ENTITY, "name": "Me", "email": "a@b.c", "admin": False}
        none = {"teams": {"edges": []}, "apiKeys": {"edges": []}, "photoUrl": None, "deletedAt": None}
        return {**who, **none, "flags": "{}", "accountType": None, "defaultEntity": {"name": ENTITY}}

    def field_entity(self, name: str) -> dict[str, Any]:
        return {"id": "1", "name": name, "organization": None}

    def field_serverInfo(self) -> dict[str, Any]:  # noqa: N802
        return {"features": [], "latestLocalVersionInfo": None, "cliVersionInfo": {}}

    def field_project(self, name: str, entityName: str | None = None) -> Project:  # noqa: N803
        return Project(self.server, entityName or ENTITY, name)

    field_model = field_project


class Mutation:
    """The root of mutations."""

    def __init__(self, server: FakeWandb) -> None:
        self.server = server

    def field_upsertBucket(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802
        key = (input.get("entityName") or ENTITY, input.get("modelName") or "uncategorized", input.get("name") or "")
        run = next((one for one in self.server.runs.values() if one.id == input.get("id")), self.server.runs.get(key))
        inserted = run is None
        if run is None:
            run = self.server.add_run(key[2], entity=key[0], project=key[1])
        names = {"displayName": "display_name", "tags": "tags", "groupName": "group", "jobType": "job_type"}
        for theirs, ours in {**names, "notes": "notes", "state": "state"}.items():
            if input.get(theirs) is not None:
                setattr(run, ours, input[theirs])
        if input.get("config"):
            run.config.update({key: one.get("value") for key, one in json.loads(input["config"]).items()})
        if input.get("summaryMetrics"):
            run.summary = json.loads(input["summaryMetrics"])
        return {"inserted": inserted, "bucket": RunNode(run)}

    def field_createRunFiles(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802
        place = "/".join((input.get("entityName") or ENTITY, input["projectName"], input["runName"]))
        address = f"{self.server.base_url}/storage/{place}/"
        files = [{"name": name, "uploadUrl": address + urllib.parse.quote(name)} for name in input["files"]]
        return {"runID": input["runName"], "uploadHeaders": [], "files": files}

    def field_markRunFilesUploaded(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802
        return {"success": True}
