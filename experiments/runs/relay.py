"""A run store in another process, which has the credentials that this one does not have, and knows what is secret.

Over a socket in a folder that only its owner can open: a request is one line of JSON, an answer one line of JSON,
followed by a table as an Arrow stream where there is one. Nothing that comes over it is executed.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.project.errors import ExperimentsError, StoreError
from experiments.project.files import parse_json
from experiments.project.redaction import mask_text
from experiments.project.trainers.value import Metrics
from experiments.runs.store import Origin, ReplayFile, RunInfo, RunQuery, RunStore, RunUpdate

if TYPE_CHECKING:
    import pandas as pd

READER = "EXPERIMENTS_READER"
"""Variable with the socket of the process that polls and reads for this one."""

READER_ONLINE = "EXPERIMENTS_READER_ONLINE"
"""Variable that is 1 where that process is logged in to W&B."""

PATIENCE_S = 60.0
_START_S = 10.0
_MAX_REQUEST = 20_000_000
_NOT_SHOWN = "(not shown: the process that knows what is secret does not answer; start the server again)"
_CALLS = frozenset({"mask", "find", "poll", "history", "logs", "replays"})


def reader_socket() -> str | None:
    """Return the socket of the process that polls and reads for this one; None where this process does it itself."""
    return os.environ.get(READER) or None


def online_is_relayed() -> bool:
    """Say whether another process, which is logged in to W&B, reads it for this one."""
    return reader_socket() is not None and os.environ.get(READER_ONLINE) == "1"


class RelayStore:
    """RunStore that asks the reader's store.

    Args:
        path: The reader's socket.
        name: `entity/project`, each empty for the default.
    """

    def __init__(self, path: str, name: str = "/") -> None:
        self.name, self._path = name, path

    def find(self, query: RunQuery) -> list[RunInfo]:
        """Return the runs that match, in the query's order."""
        answer, _ = self._ask("find", {"query": asdict(query)})
        return [_info(item) for item in answer]

    def poll(
        self, runs: Sequence[str], keys: Sequence[str], since: Mapping[str, int] | None = None
    ) -> dict[str, RunUpdate]:
        """Return what is new in each run that exists."""
        asked = {"runs": list(runs), "keys": list(keys), "since": dict(since or {})}
        answer, _ = self._ask("poll", asked)
        return {
            run: RunUpdate(**{**item, "info": _info(item["info"]), "rows": _rows(item["rows"])})
            for run, item in answer.items()
        }

    def history(self, run: str, keys: Sequence[str] | None = None) -> tuple[pd.DataFrame, Origin]:
        """Return all rows of a run; see `RunStore.history`."""
        import pyarrow as pa

        origin, table = self._ask("history", {"run": run, "keys": None if keys is None else list(keys)})
        return pa.ipc.open_stream(table).read_pandas(), _origin(origin)

    def logs(self, run: str, *, last: int | None = None) -> list[str]:
        """Return the console lines of the run, oldest first."""
        return [str(line) for line in self._ask("logs", {"run": run, "last": last})[0]]

    def replays(self, run: str, metrics: Metrics | None = None) -> list[ReplayFile]:
        """Return the replays of the run, by step; see `RunStore.replays`."""
        named = None if metrics is None else metrics.model_dump(mode="json")
        return [ReplayFile(**item) for item in self._ask("replays", {"run": run, "metrics": named})[0]]

    def masked(self, text: str) -> str:
        """Return a text without the secrets that the reader knows; a sentence in its place where it does not answer."""
        try:
            return str(self._ask("mask", {"text": text})[0])
        except StoreError:
            return _NOT_SHOWN

    def _ask(self, call: str, values: Mapping[str, Any]) -> tuple[Any, bytes]:
        """Return what the reader answers, and the table behind it.

        Raises:
            StoreError: The store said no, or there is no reader.
        """
        request = json.dumps({"call": call, "store": self.name, **values})
        try:
            with _connected(self._path) as link, link.makefile("rwb") as stream:
                stream.write(request.encode() + b"\n")
                stream.flush()
                answer = parse_json(stream.readline())
                table = stream.read(answer["bytes"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise StoreError(
                f"the process that reads W&B for this server does not answer ({error}). Start the server again: "
                "experiments serve"
            ) from None
        if answer["error"]:
            raise StoreError(answer["error"])
        return answer["value"], table


def serve_relay(path: Path, store_of: Callable[[str], RunStore]) -> None:
    """Answer requests at the socket `path` for ever, each in a thread of its own.

    Args:
        store_of: Returns the store called `entity/project`.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(64)
        while True:
            link, _ = listener.accept()
            threading.Thread(target=_serve_one, args=(link, store_of), name="relay", daemon=True).start()


def answered(request: Any, store_of: Callable[[str], RunStore]) -> tuple[Any, bytes]:  # noqa: ANN401 - JSON
    """Return the answer to one request as JSON values, and a table as an Arrow stream.

    Raises:
        StoreError: The request is none, or the store said no.
    """
    if not isinstance(request, dict) or request.get("call") not in _CALLS:
        raise StoreError("this is no request to a run store")
    if request["call"] == "mask":
        return mask_text(request["text"]), b""
    store, call = store_of(str(request.get("store", "/"))), request["call"]
    if call == "find":
        return [asdict(info) for info in store.find(RunQuery(**request["query"]))], b""
    if call == "poll":
        updates = store.poll(request["runs"], request["keys"], request["since"])
        return {run: asdict(update) for run, update in updates.items()}, b""
    if call == "history":
        frame, origin = store.history(request["run"], request["keys"])
        return asdict(origin), _stream_of(frame)
    if call == "logs":
        return store.logs(request["run"], last=request["last"]), b""
    named = request.get("metrics")
    metrics = None if named is None else Metrics.model_validate(named)
    return [asdict(replay) for replay in store.replays(request["run"], metrics)], b""


def _serve_one(link: socket.socket, store_of: Callable[[str], RunStore]) -> None:
    with link, link.makefile("rwb") as stream:
        value: Any = None
        table, problem = b"", ""
        try:
            value, table = answered(parse_json(stream.readline(_MAX_REQUEST)), store_of)
        except ExperimentsError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a server does, who asked is told and the reader lives on
            problem = f"{type(error).__name__}: {error}"
        try:
            head = json.dumps({"value": value, "error": problem, "bytes": len(table)}, default=str)
            stream.write(head.encode() + b"\n" + table)
            stream.flush()
        except OSError:
            return  # who asked has gone


def _connected(path: str) -> socket.socket:
    """Return a link to the reader, which may be starting still."""
    deadline = time.monotonic() + _START_S
    while True:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.settimeout(PATIENCE_S)
        try:
            link.connect(path)
        except OSError:
            link.close()
            if time.monotonic() > deadline or not Path(path).parent.is_dir():
                raise
            time.sleep(0.1)
        else:
            return link


def _stream_of(frame: pd.DataFrame) -> bytes:
    import pyarrow as pa

    plain = frame.copy(deep=False)
    for name in [name for name in plain.columns if plain[name].dtype.kind == "O"]:
        plain[name] = plain[name].map(lambda value: value if value is None else str(value))
    table = pa.Table.from_pandas(plain, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _info(item: Mapping[str, Any]) -> RunInfo:
    return RunInfo(**{**item, "tags": tuple(item["tags"])})


def _origin(item: Mapping[str, Any]) -> Origin:
    nan_steps = {key: tuple(steps) for key, steps in item["nan_steps"].items()}
    return Origin(**{**item, "absent": tuple(item["absent"]), "nan_steps": nan_steps})


def _rows(rows: Mapping[str, Any]) -> dict[str, list[tuple[int, float]]]:
    return {key: [(int(step), float(value)) for step, value in points] for key, points in rows.items()}
