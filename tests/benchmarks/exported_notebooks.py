"""Notebooks whose export is measured: the arena notebook over runs that are written for it, with replays."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from experiments.notebooks.data_cells import add_jobs
from experiments.types import JobRef
from tests.fakes import wandb_files as fake
from tests.fakes.studies import REWARD, STEP, Study
from tests.widgets.replays import shipped

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "experiments" / "recipes" / "arena_experiment.py"
METRICS = (REWARD, "overview/sps", "losses/policy_loss", "losses/value_loss", "losses/entropy")


def arena_notebook(folder: Path, *, runs: int, rows: int, replays: int) -> Path:
    """Return the arena notebook of a project in `folder` with so many runs of so many rows and replays in all."""
    study = Study(folder)
    names = [f"ada.arena.arm-{number % 2}.s{number:02d}.abcdefgh" for number in range(runs)]
    body = b""
    for name in names:
        start = fake.frame([fake.run(name, {"seed": 0})])
        # Names of one length: what follows the first record is then the same in every file.
        body = body or fake.frame([*_records(rows), fake.exit_record(0)], len(start))
        place = fake.offline_run(study.workspace.runs, name).path
        place.write_bytes(start + body)
    _add_replays(study.workspace.runs, names, replays)
    command = [sys.executable, str(RECIPE), "--no-launch", "--output-dir", str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    notebook = folder / "arena_nb.py"
    add_jobs(
        notebook,
        [JobRef(run=name, arm=f"arm-{i % 2}", seed=i // 2, launcher="elsewhere") for i, name in enumerate(names)],
    )
    return notebook


def _records(rows: int) -> Iterator[bytes]:
    rng = random.Random(0)
    for step in range(rows):
        row = {name: rng.gauss(0, 1) for name in METRICS} | {STEP: 100 * (step + 1)}
        full = {**row, "_step": step, "_timestamp": 1.7e9 + step, "_runtime": float(step)}
        yield fake.summary(full)
        yield fake.history(full, step)


def _add_replays(runs: Path, names: list[str], count: int) -> None:
    replay = max(shipped(), key=lambda path: path.stat().st_size if path.suffix == ".z" else 0)
    for number in range(count):
        folder = runs / names[number % len(names)] / "replays"
        folder.mkdir(exist_ok=True)
        (folder / f"step_{1000 * number}.json.z").write_bytes(replay.read_bytes())
