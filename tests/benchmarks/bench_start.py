"""What a command costs before it does anything."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from tests.benchmarks import Bar

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "experiments" / "recipes" / "arena_experiment.py"
_TRIES = 5


def run() -> list[Bar]:
    """Return the CPU of a start over that of importing what it is made with."""
    yardstick = _cpu_s("-c", "import pydantic, tyro")
    starts = {
        "arena_experiment.py --help": [str(RECIPE), "--help"],
        "experiments --help": ["-m", "experiments.cli", "--help"],
        "experiments status --help": ["-m", "experiments.cli", "status", "--help"],
    }
    return [
        Bar(f"{name} over importing pydantic and tyro", _cpu_s(*arguments) / yardstick, 3)
        for name, arguments in starts.items()
    ]


def _cpu_s(*arguments: str) -> float:
    """Return the least CPU seconds of a few runs of a process: what else the machine does only adds to it."""
    spent = []
    for _ in range(_TRIES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)
