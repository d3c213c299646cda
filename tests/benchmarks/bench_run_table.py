"""What the table of 500 runs costs beyond marimo's own table of the same columns, and beyond reading the curves."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import marimo as mo

from experiments.jobs.watch.snapshots import METRICS_FILE
from experiments.notebooks.tables.runs import run_frame, run_table
from experiments.results.rows import run_rows
from tests.benchmarks import Bar
from tests.benchmarks.measuring import least_cpu_s
from tests.fakes.studies import REWARD, Study

RUNS, ROWS = 500, 50
REPEATS = 5


def gates() -> list[Bar]:
    """Return the size of the table, built once."""
    return [bar for bar in run(1) if bar.gate]


def run(repeats: int = REPEATS) -> list[Bar]:
    """Measure on 500 runs of 50 rows; CPU time, the best of five."""
    with tempfile.TemporaryDirectory() as folder:
        study = Study(Path(folder))
        for at in range(RUNS):
            config = {"trainer": {"rate": 0.001 * (1 + at // 50), "size": 64, "deep": {str(n): n for n in range(30)}}}
            study.add(f"arm-{at // 5}", at % 5, [float(row * at % 97) for row in range(ROWS)], config=config)
        study.publish()
        versions = {"runs": {job.run: "1" for job in study.jobs}}
        (study.workspace.state / "live" / METRICS_FILE).write_text(json.dumps(versions))
        context = study.context
        frame, _ = run_frame(context, study.jobs, [REWARD])
        bare, rows, whole = least_cpu_s(
            lambda: mo.ui.table(frame, selection="multi", pagination=True, page_size=20),
            lambda: run_rows(study.jobs, context.store, metrics=[REWARD]),
            lambda: run_table(context, study.jobs, [REWARD]),
            rounds=repeats,
        )
        text = run_table(context, study.jobs, [REWARD]).text
    on_what = f"{RUNS} runs of {ROWS} rows"
    return [
        Bar("run table over reading the runs and marimo's bare table", whole / (bare + rows), 3.0, note=on_what),
        Bar("run table of 500 runs, as sent to the page", len(text) / 1e3, 500.0, unit="kB", note=on_what, gate=True),
        Bar("run table of 500 runs, built again", whole, 2.0, unit="s", note=on_what),
    ]
