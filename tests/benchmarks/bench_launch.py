"""Submitting 200 local jobs, against what it cannot do without: as many commits, and the starts of the first few."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments.launch import allow_launch, cancel, submit
from tests.benchmarks import Bar
from tests.fakes.launching import plan_in, shell, wait_for_end, workspace_at

JOBS = 200
MAX_PARALLEL = 2


def run() -> list[Bar]:
    """Measure in turn, five times, and compare the best of each."""
    bare, start, submits = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(5):
            bare.append(_bare_commits(Path(folder) / f"bare-{number}"))
            start.append(_process_starts())
            submits.append(_submit(Path(folder) / f"submit-{number}"))
    return [
        Bar(
            "submit of 200 local jobs / (200 bare commits + max_parallel process starts)",
            min(submits) / (min(bare) + min(start)),
            3.0,
            note=f"submit {min(submits):.3f} s, commits {min(bare):.3f} s, {MAX_PARALLEL} starts {min(start):.3f} s",
        )
    ]


def _bare_commits(folder: Path) -> float:
    folder.mkdir()
    connection = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE jobs (name TEXT)")
    started = time.perf_counter()
    for number in range(JOBS):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO jobs VALUES (?)", [f"job-{number}"])
        connection.execute("COMMIT")
    elapsed = time.perf_counter() - started
    connection.close()
    return elapsed


def _process_starts() -> float:
    started = time.perf_counter()
    for _ in range(MAX_PARALLEL):
        subprocess.run([sys.executable, "-P", "-c", "pass"], check=True)
    return time.perf_counter() - started


def _submit(folder: Path) -> float:
    folder.mkdir()
    workspace = workspace_at(folder, command=shell("sleep 600"), max_parallel=MAX_PARALLEL)
    plan = plan_in(workspace, seeds=range(JOBS))
    with allow_launch() as permit:
        started = time.perf_counter()
        submit(plan, permit, workspace)
        elapsed = time.perf_counter() - started
        names = [job.run_name for job in plan.jobs]
        # Those that wait first, or each end would start the next.
        cancel(names[::-1], permit, workspace)
    wait_for_end(workspace, names)
    return elapsed
