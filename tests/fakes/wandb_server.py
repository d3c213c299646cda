"""A W&B server on the loopback: enough of the real one for the real client, counting requests and failing on demand.

`with FakeWandb() as server:` gives `server.base_url`; runs come from `server.add_run(...)` or from a client that logs
online or syncs. What a client asked for that is not here stands in `server.unknown`.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import re
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from experiments.runs.filters import ABSENT, evaluate, lookup
from tests.fakes import graphql

_STAMP = re.compile(r"^(ERROR )?\d{4}-\d\d-\d\dT[\d:.]+Z? ")  # the client sends each line with its time
KEY = "k" * 40
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
        rows = [
            {key: row[key] for key in keys}
            for row in self.run.history
            if low <= row["_step"] <= high and all(key in row for key in keys)
        ]
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


@dataclass
class Faults:
    """What goes wrong: each request takes one of `statuses` first, if there is any; 0 stands for a good answer."""

    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    drip: bool = False
    half: bool = False
    nonsense: bool = False
    refuse: str = ""
    expired: bool = False


class FakeWandb:
    """The server; a context manager.

    Attributes:
        runs: By (entity, project, name).
        requests: How often each operation or path was asked for.
        unknown: Fields and paths that are not answered.
        faults: What goes wrong.
        key: The only key that opens it.
    """

    def __init__(self) -> None:
        self.runs: dict[tuple[str, str, str], FakeRun] = {}
        self.requests: Counter[str] = Counter()
        self.queries: list[str] = []
        self.unknown: list[str] = []
        self.faults = Faults()
        self.key = KEY
        self.lock = threading.RLock()
        self._http = _Quiet(self, 0)
        self.base_url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._http.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.stop()

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Answer nobody for the time of the block, and then again at the same address, with all that was there."""
        port = self._http.server_port
        self._http.stop()
        try:
            yield
        finally:
            self._http = _Quiet(self, port)
            self._http.start()

    def environment(self) -> dict[str, str]:
        """Return the variables that point a W&B client here."""
        return {
            "WANDB_BASE_URL": self.base_url,
            "WANDB_API_KEY": self.key,
            "WANDB_ENTITY": ENTITY,
            "WANDB_ERROR_REPORTING": "false",
            "WANDB_SILENT": "true",
        }

    def add_run(self, name: str, *, rows: int = 0, **values: Any) -> FakeRun:
        """Add a run; `rows` of history have `loss` and `reward`."""
        run = FakeRun(name, base_url=self.base_url, **values)
        run.history += [
            {"_step": n, "_timestamp": 1e9 + n, "loss": 1 / (n + 1), "reward": float(n)} for n in range(rows)
        ]
        self.runs[run.entity, run.project, name] = run
        return run

    def answer(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return what `POST /graphql` answers."""
        try:
            document = graphql.parse(query)
        except ValueError as error:
            return {"errors": [{"message": str(error)}]}
        with self.lock:
            self.requests[document.name or "?"] += 1
            self.queries.append(query)
            if self.faults.refuse:
                return {"errors": [{"message": self.faults.refuse}]}
            roots = {"query": Query(self), "mutation": Mutation(self)}
            return {"data": graphql.execute(document, variables, roots, self.unknown.append)}

    def stream(self, entity: str, project: str, name: str, data: Mapping[str, Any]) -> None:
        """Take in what a live run sends."""
        with self.lock:
            self.requests["file_stream"] += 1
            run = self.runs.get((entity, project, name))
            if run is None:
                return
            run.heartbeat_at = time.time()
            for file, chunk in (data.get("files") or {}).items():
                at, lines = chunk.get("offset", 0), chunk["content"]
                if file == "wandb-history.jsonl":
                    run.history[at:] = [json.loads(line) for line in lines]
                elif file == "wandb-events.jsonl":
                    run.events += [json.loads(line) for line in lines]
                elif file == "wandb-summary.json":
                    run.summary = json.loads(lines[-1])
                elif file == "output.log":
                    run.logs[at : at + len(lines)] = [_STAMP.sub("", line).rstrip("\n") for line in lines]
            if data.get("complete"):
                run.state = "failed" if data.get("exitcode") else "finished"


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fake: FakeWandb, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.fake, self.is_over = fake, False
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.is_over = True
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def fake(self) -> FakeWandb:
        found: FakeWandb = self.server.fake  # type: ignore[attr-defined]
        return found

    def parse_request(self) -> bool:
        # A connection that a client kept open ends with the server that it was made to.
        self.close_connection = self.server.is_over  # type: ignore[attr-defined]
        return not self.close_connection and super().parse_request()

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self._body()
        stream = re.fullmatch(r"/files/([^/]+)/([^/]+)/([^/]+)/file_stream", self.path)
        if stream:
            self.fake.stream(*stream.groups(), json.loads(body))
            self._send(200, b'{"limits":{}}')
        elif self.path == "/graphql":
            self._graphql(json.loads(body))
        else:
            self.fake.unknown.append(f"POST {self.path}")
            self._send(404, b"{}")

    def _graphql(self, request: Mapping[str, Any]) -> None:
        faults = self.fake.faults
        sent = self.headers.get("Authorization", "").removeprefix("Basic ")
        if faults.delay_s:
            time.sleep(faults.delay_s)
        if faults.statuses and (status := faults.statuses.pop(0)):
            self.fake.requests[f"status {status}"] += 1
            self._send(status, b'{"errors":[{"message":"fault on demand"}]}', faults.headers)
        elif faults.expired or base64.b64decode(sent).decode().partition(":")[2] != self.fake.key:
            self.fake.requests["status 401"] += 1
            self._send(401, b'{"errors":[{"message":"invalid API key","code":401}]}')
        elif faults.nonsense:
            self._send(200, b"<html>not JSON</html>")
        else:
            answer = self.fake.answer(request["query"], request.get("variables") or {})
            self._send(200, json.dumps(answer).encode(), half=faults.half, drip=faults.drip)

    def do_PUT(self) -> None:
        body = self._body()
        run, name = self._stored()
        if run is not None:
            run.files[name] = body
        self._send(200 if run is not None else 404, b"")

    def do_GET(self) -> None:
        run, name = self._stored()
        self.fake.requests["GET file"] += 1
        found = run.files.get(name) if run is not None else None
        self._send(404 if found is None else 200, found or b"")

    def do_HEAD(self) -> None:
        self._send(200, b"")

    def _stored(self) -> tuple[FakeRun | None, str]:
        parts = urllib.parse.unquote(self.path.partition("?")[0]).split("/", 5)
        if len(parts) < 6 or parts[1] != "storage":
            self.fake.unknown.append(f"{self.command} {self.path}")
            return None, ""
        return self.fake.runs.get((parts[2], parts[3], parts[4])), parts[5]

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _send(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        half: bool = False,
        drip: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if half:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif drip:
            self._drip(body)
        else:
            self.wfile.write(body)

    def _drip(self, body: bytes) -> None:
        try:
            for at in range(len(body)):
                self.wfile.write(body[at : at + 1])
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            self.close_connection = True
