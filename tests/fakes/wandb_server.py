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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.fakes import graphql
from tests.fakes.wandb_schema import ENTITY, FakeRun, Mutation, Query

_STAMP = re.compile(r"^(ERROR )?\d{4}-\d\d-\d\dT[\d:.]+Z? ")  # the client sends each line with its time
KEY = "k" * 40


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
