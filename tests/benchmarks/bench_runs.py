"""Reading W&B's files: against W&B's own inspector, from the cache, and polled; and requests to its server.

All times are CPU seconds of the same run of this benchmark, with files of 20 metrics a row.
"""

from __future__ import annotations

import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.project.credentials import Credentials
from experiments.runs.cache import HistoryCache
from experiments.runs.offline.store import OfflineStore
from experiments.runs.server.store import OnlineStore
from experiments.runs.wandb_file.framing import LogTail
from experiments.runs.wandb_file.log import RunLog
from tests.benchmarks import Bar
from tests.benchmarks.measuring import cpu_s, least_cpu_s
from tests.fakes import wandb_files as fake
from tests.fakes.wandb_server import FakeWandb

METRICS = [f"losses/metric_{number:02d}" for number in range(20)]
_READ = """
import json, sys, time
import numpy, pandas, pyarrow, pyarrow.compute
from experiments.runs.wandb_file.log import RunLog
imported = time.process_time()
log = RunLog(sys.argv[1])
log.poll()
frame = log.history()
cpu = time.process_time()
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([cpu - imported, imported, int(peak.split()[1]) / 1024, len(frame)]))
"""


def run() -> list[Bar]:
    """Return every bar of reading offline runs; about two minutes and 3 GB of temporary files."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        records = list(_records(100_000))
        small, large, huge = (place / f"run-{name}.wandb" for name in ("30k", "100k", "1m"))
        _write(small, [records[:60_000]])
        _write(large, [records])
        bars = [_cold(small, 30_000, 0.15), _cold(large, 100_000, 0.2)]
        _write(huge, [records] * 10)
        bars += [_memory(huge), *_cached(large, place / "cache")]
        huge.unlink()
        bars.append(_over_framing(place / "run-narrow.wandb"))
        return [*bars, *_polls(place / "runs"), *_online()]


def gates() -> list[Bar]:
    """Return what is far below its bar or a count, on the smaller files."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        records = list(_records(30_000))
        small = place / "run-30k.wandb"
        _write(small, [records])
        cached = _cached(small, place / "cache")
        return [_cold(small, 30_000, 0.15), *cached, *_online()]


def _records(rows: int) -> Iterator[bytes]:
    rng = random.Random(0)
    for step in range(rows):
        row = {name: rng.gauss(0, 1) for name in METRICS}
        full = {**row, "_step": step, "_timestamp": 1.7e9 + step / 7, "_runtime": step / 7}
        yield fake.summary(full)
        yield fake.history(full, step)


def _write(path: Path, parts: Sequence[Sequence[bytes]]) -> None:
    with path.open("wb") as file:
        size = file.write(fake.frame([fake.run("bench")]))
        for part in parts:
            size += file.write(fake.frame(part, size))


def _child(code: Sequence[str]) -> tuple[float, str]:
    """Return the CPU seconds of a child process and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(code, stdout=subprocess.PIPE, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def _cold(path: Path, rows: int, limit: float) -> Bar:
    theirs, text = _child([str(Path(sys.executable).with_name("wandb")), "leet", "inspect", "--json", str(path)])
    (ours, imports, _, _) = json.loads(_child([sys.executable, "-P", "-c", _READ, str(path)])[1])
    wrong = _differences(path, text)
    note = f"{ours:.2f} s of {theirs:.2f} s, imports ({imports:.2f} s) excluded; {wrong} of {rows * 23:,} values differ"
    return Bar(f"cold read, {rows:,} rows", ours / theirs if not wrong else float("inf"), limit, note=note, gate=True)


def _differences(path: Path, text: str) -> int:
    log = RunLog(path)
    log.poll()
    frame = log.history()
    columns = {name: frame[name].tolist() for name in frame}
    wrong = row = 0
    for line in text.splitlines():
        if '"type":"history"' in line[:60]:
            items = json.loads(line)["history"]["item"]
            wrong += len(items) != len(columns)
            wrong += sum(columns[name][row] != value for name, value in items.items())
            row += 1
    return wrong + abs(row - len(frame))


def _over_framing(path: Path) -> Bar:
    """Return what reading a run of few metrics takes over finding its records alone, which checks every byte."""
    rng = random.Random(0)
    rows = (
        {**{name: rng.gauss(0, 1) for name in METRICS[:4]}, "_timestamp": 1.7e9 + n, "_runtime": n}
        for n in range(100_000)
    )
    _write(path, [[fake.history({**row, "_step": step}, step) for step, row in enumerate(rows)]] * 10)

    def frame() -> None:
        tail = LogTail(path)
        tail.changed()
        while tail.read():
            pass

    def read() -> None:
        log = RunLog(path)
        log.poll()
        log.history()

    framing, reading = least_cpu_s(frame, read, rounds=3)
    note = f"{reading:.2f} s over {framing:.2f} s"
    return Bar("reading 1,000,000 rows x 7 over framing alone", reading / framing, 3, note=note)


def _memory(path: Path) -> Bar:
    _, text = _child([sys.executable, "-P", "-c", _READ, str(path)])
    cpu, _, peak, rows = json.loads(text)
    return Bar("peak memory, 1,000,000 rows", peak, 400, "MB", note=f"{rows:,} rows in {cpu:.1f} s")


def _cached(path: Path, folder: Path) -> list[Bar]:
    def read(cache: HistoryCache | None, keys: list[str] | None) -> None:
        log = RunLog(path, cache)
        log.poll()
        log.history(keys)

    cold = cpu_s(lambda: read(None, None))
    read(HistoryCache(folder), None)
    every = statistics.median(cpu_s(lambda: read(HistoryCache(folder), None)) for _ in range(5))
    one = statistics.median(cpu_s(lambda: read(HistoryCache(folder), METRICS[:1])) for _ in range(5))
    note = f"of {cold:.2f} s cold"
    return [
        Bar("all columns from cache / cold", every / cold, 0.15, note=f"{every * 1e3:.0f} ms, {note}", gate=True),
        Bar("one column from cache / cold", one / cold, 0.02, note=f"{one * 1e3:.1f} ms, {note}", gate=True),
    ]


def _polls(folder: Path) -> list[Bar]:
    names = [f"user.name.arm.s{number}.abcdefgh" for number in range(100)]
    rng = random.Random(1)
    rows = [{name: rng.gauss(0, 1) for name in METRICS} for _ in range(100)]
    writers = [fake.offline_run(folder, name).write(fake.run(name)).log(*rows) for name in names]
    store = OfflineStore(folder)
    cursors = {name: update.cursor for name, update in store.poll(names, METRICS).items()}
    idle = statistics.median(cpu_s(lambda: store.poll(names, METRICS, cursors)) for _ in range(20))
    for writer in writers:
        writer.log(*rows)
    busy = cpu_s(lambda: store.poll(names, METRICS, cursors))
    return [
        Bar("poll with nothing new, 100 runs", idle * 1e3, 5, "ms"),
        Bar("poll with 100 new rows in each of 100 runs", busy, 0.5, "s"),
    ]


def _online() -> list[Bar]:
    names = [f"r{number}" for number in range(40)]
    with FakeWandb() as server:
        for name in names:
            run = server.add_run(name)
            run.history += [{"_step": step, **dict.fromkeys(METRICS, 1.0)} for step in range(50)]
        store = OnlineStore(credentials=Credentials(server.base_url, server.key, entity="me", project="p"))
        first = store.poll(names, METRICS)
        after_first = store.requests
        for run in server.runs.values():
            run.history += [{"_step": 50, **dict.fromkeys(METRICS, 2.0)}]
        later = store.poll(names, METRICS, {name: update.cursor for name, update in first.items()})
        points = sum(len(held) for update in later.values() for held in update.rows.values())
        note = f"40 runs of 20 metrics, {points} new points in the later one; one request a run and more with wandb.Api"
        return [
            Bar("first poll of a server", after_first, 2, "requests", note=note, gate=True),
            Bar("later poll of a server", store.requests - after_first, 1, "requests", note=note, gate=True),
        ]
