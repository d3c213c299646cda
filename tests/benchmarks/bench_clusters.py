"""What runs on clusters cost this machine: joined starts, run_root beside the own runs, a pull without news, doctor."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from experiments.runs.offline.store import OfflineStore
from experiments.runs.transfer.pull import pull_runs
from tests.benchmarks import Bar
from tests.benchmarks.measuring import least_cpu_s
from tests.fakes import wandb_files as fake

_ROWS, _RUNS = 30_000, 100


def run() -> list[Bar]:
    """Return every bar of runs on clusters; about a minute."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        return [_joined(place / "joined"), *_rooted(place), _doctor(place / "project")]


def _joined(place: Path) -> Bar:
    """A recovered run against one that was never interrupted, with as many rows that count."""
    _write(place / "one", "r", 0, _ROWS)
    _write(place / "two", "r", 0, _ROWS // 2 + 1_000)
    _write(place / "two", "r", _ROWS // 2, _ROWS // 2, stamp="20260102_120000")
    whole, joined = least_cpu_s(
        *(lambda kind=kind: OfflineStore(place / kind).history("r") for kind in ("one", "two")), rounds=3
    )
    return Bar("history of a recovered run over that of a whole one", joined / whole, 1.5, note="CPU, 30,000 rows")


def _rooted(place: Path) -> list[Bar]:
    names = [f"r{number}" for number in range(_RUNS)]
    for name in names:
        _write(place / "share", name, 0, 20)
        (place / "share" / name / "checkpoints").mkdir()
        for step in range(3):
            (place / "share" / name / "checkpoints" / f"step_{step}.npz").write_bytes(bytes(1_000))
    pull_runs(names, place / "share", place / "runs")
    plain, rooted = OfflineStore(place / "runs"), OfflineStore(place / "runs", run_root=place / "share")
    for store in (plain, rooted):
        store.poll(names, ["loss"])

    def polls(store: OfflineStore) -> Callable[[], object]:
        cursors = {name: update.cursor for name, update in store.poll(names, ["loss"]).items()}
        return lambda: [store.poll(names, ["loss"], cursors) for _ in range(20)]

    there, here = least_cpu_s(polls(rooted), polls(plain), rounds=3)
    ratio = there / here
    [again] = least_cpu_s(lambda: pull_runs(names, place / "share", place / "runs"), rounds=3)
    return [
        Bar("idle poll of 100 runs on run_root over that of 100 runs here", ratio, 1.5, note="CPU"),
        Bar("pull of 100 runs without news", again, 0.5, "s", note="CPU, 500 files"),
    ]


def _doctor(project: Path) -> Bar:
    project.mkdir()
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections and never says a word
    address = f"http://127.0.0.1:{silent.getsockname()[1]}"
    environment = {**os.environ, "WANDB_BASE_URL": address, "WANDB_API_KEY": "k" * 40, "HOME": str(project)}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "experiments.cli", "doctor", "--json"],
        cwd=project,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - began
    silent.close()
    [server] = [finding for finding in json.loads(done.stdout)["data"]["findings"] if finding["name"] == "W&B server"]
    return Bar("doctor with a network that never answers", took, 8.0, "s", note=f"wall; {server['text'][:60]}")


def _write(folder: Path, name: str, first: int, rows: int, *, stamp: str = "20260101_120000") -> None:
    writer = fake.offline_run(folder, name, stamp=stamp).write(fake.run(name, started_at=1.7e9 + first))
    writer.step = first
    writer.log(*({f"metric/{at}": step / 7 for at in range(5)} | {"loss": float(step)} for step in range(rows)))
