"""Charts of large studies: from W&B's cached files to a specification, a slider's move, and its size.

Times are CPU seconds of the same run of this benchmark: 50 runs of 100,000 rows in five arms.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from experiments.notebooks.charts import CurveOptions, RunCurve, learning_curves, read_runs
from experiments.notebooks.charts.runs import forget_runs
from experiments.runs.offline.store import OfflineStore
from experiments.statistics import Curve
from experiments.types import JobRef
from tests.benchmarks import Bar
from tests.benchmarks.measuring import cpu_s
from tests.fakes import wandb_files as fake
from widgets.charts.chart import divided

RUNS, ROWS, ARMS = 50, 100_000, 5
STEP, REWARD = "metric/agent_step", "overview/reward"
MEGABYTE = 1e6


def run() -> list[Bar]:
    """Return every bar of the analysis charts; about a minute and 1 GB of temporary files."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "live").mkdir()
        jobs = _write(root / "runs")
        return [*_curves(root, jobs), *_spikes()]


def gates() -> list[Bar]:
    """Return what is counted: the size of a specification, and spikes that are not drawn."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "live").mkdir()
        # What is drawn, and so the size, does not grow with the rows: a fifth of them takes a fifth of the time.
        return [_size(_drawing(root, _write(root / "runs", ROWS // 5))), *_spikes()]


def _write(runs_dir: Path, count: int = ROWS) -> list[JobRef]:
    """Write the same file for every run, with its own name in it: a history costs most to make."""
    rng = random.Random(0)
    rows = [
        fake.history({STEP: 100 * at, REWARD: rng.gauss(at / count, 0.3), "_step": at, "_runtime": at / 7}, at)
        for at in range(count)
    ]
    jobs = []
    for number in range(RUNS):
        arm, seed = f"arm-{number % ARMS}", number // ARMS
        job = JobRef(run=f"ada.bench.{arm}.s{seed}.abcdefgh", arm=arm, seed=seed)
        fake.offline_run(runs_dir, job.run).write(fake.run(job.run), *rows, fake.exit_record(0))
        jobs.append(job)
    store = OfflineStore(runs_dir)
    for job in jobs:
        store.history(job.run, [STEP, REWARD])  # decodes it once and leaves it in the cache
    return jobs


def _drawing(root: Path, jobs: list[JobRef]) -> Callable[..., dict[str, object]]:
    """Return a function from options to the specification of the curves of all runs."""
    versions = {job.run: "1" for job in jobs}

    def draw(**options: object) -> dict[str, object]:
        store = OfflineStore(root / "runs")
        found = read_runs(jobs, REWARD, store=store, versions=versions, place=str(root))
        return divided(learning_curves(found, CurveOptions(**options)).to_dict(validate=False))

    forget_runs()
    return draw


def _size(draw: Callable[..., dict[str, object]]) -> Bar:
    largest = max(len(json.dumps(draw())), len(json.dumps(draw(smoothing=0.02))))
    note = f"{RUNS} runs, also smoothed"
    return Bar("specification with its rows", largest / MEGABYTE, 1.5, "MB", note=note, gate=True)


def _curves(root: Path, jobs: list[JobRef]) -> list[Bar]:
    files = sorted((root / "cache").rglob("*.parquet"))
    draw = _drawing(root, jobs)
    draw()  # what is imported, and the compiled schemas of altair
    readings, builds = [], []
    for _ in range(3):
        forget_runs()
        readings.append(cpu_s(lambda: [_read(file) for file in files]))
        builds.append(cpu_s(draw))
    reading, build = min(readings), min(builds)
    slider = min(cpu_s(lambda share=share: draw(smoothing=share)) for share in (0.01, 0.02, 0.05))
    grouping = min(cpu_s(lambda: draw(by_run=True)) for _ in range(2))
    size = _size(draw)
    forget_runs()
    note = f"{RUNS} runs x {ROWS:,} rows: {build:.2f} s; pandas.read_parquet takes {reading:.2f} s"
    name = "learning curves from cache to specification / reading the same columns from parquet"
    return [
        Bar(name, build / reading, 3, note=note),
        size,
        Bar("moving the smoothing slider / first build", slider / build, 0.3, note=f"{slider * 1e3:.0f} ms"),
        Bar("changing the grouping / first build", grouping / build, 0.3, note=f"{grouping * 1e3:.0f} ms"),
    ]


def _spikes() -> list[Bar]:
    """Count the spikes of one row among 100,000 that are missing, over windows of every size around them."""
    rng = np.random.default_rng(0)
    missing = tried = 0
    for _ in range(20):
        at = int(rng.integers(1, ROWS - 1))
        values = np.zeros(ROWS)
        values[at] = 9.0
        runs = [RunCurve(Curve(np.arange(ROWS) * 100.0, values, arm="a", run="r"))]
        for rows in (ROWS, 10_000, 1_000, 100, 10):
            low = max(0, at - int(rng.integers(0, rows))) * 100.0
            spec = learning_curves(runs, CurveOptions(window=(low, low + rows * 100.0))).to_dict(validate=False)
            drawn = divided(spec)["datasets"]["k-x-y"]["y"]
            missing += max(drawn) != 9.0
            tried += 1
    return [
        Bar(
            "spikes of one row among 100,000 that are not drawn",
            missing,
            0,
            "spikes",
            note=f"{tried} windows",
            gate=True,
        )
    ]


def _read(file: Path) -> pd.DataFrame:
    """Return the columns that reading a run's history returns: two of W&B's own, and the two asked for."""
    names = {field.metadata[b"name"].decode(): field.name for field in pq.read_schema(file)}
    return pd.read_parquet(file, columns=[names[key] for key in ("_step", "_runtime", STEP, REWARD)])
