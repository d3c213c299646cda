"""What a run of the reference trainer with its defaults takes: CPU, and room on the disk.

`python -m tests.benchmarks.bench_default_run FOLDER` holds a run that is there to the bar of the room: CI has one.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from experiments.cli.upkeep import size_of
from tests.benchmarks import Bar

ROOT = Path(__file__).parents[2]


def run() -> list[Bar]:
    """Measure a whole run: imports, W&B, evaluations, replays and checkpoints included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-P", "-m", "experiments.trainer", "run=bench", f"run_dir={folder}"]
        quiet = {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
        subprocess.run(command, cwd=ROOT, env=os.environ | quiet, stdout=subprocess.DEVNULL, check=True)
        size = size_of(Path(folder))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [
        Bar("default run, CPU seconds in all", spent, 90, unit="s", note="seed 0"),
        room(size),
    ]


def room(size: int) -> Bar:
    """Return the bar of a run's folder."""
    return Bar("default run, size of its folder", size / 1e6, 1.5, unit="MB", note="seed 0, offline", gate=True)


if __name__ == "__main__":
    found = room(size_of(Path(sys.argv[1])))
    print(f"{found.name}: {found.value:.4g} MB, at most {found.limit:g}")
    raise SystemExit(not found.passed)
