"""What a command costs before it does anything."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from tests.benchmarks import Bar

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "experiments" / "recipes" / "arena_experiment.py"
STARTS = {
    "arena_experiment.py --help": [str(RECIPE), "--help"],
    "experiments --help": ["-m", "experiments.cli", "--help"],
    "experiments status --help": ["-m", "experiments.cli", "status", "--help"],
}
_TRIES = 9


def run() -> list[Bar]:
    """Return the CPU of a start over that of importing what it is made with, each the least of some taken in turn."""
    commands = [["-c", "import pydantic, tyro"], *STARTS.values()]
    yardstick, *spent = [min(tries) for tries in zip(*(map(_cpu_s, commands) for _ in range(_TRIES)), strict=True)]
    return [
        Bar(f"{name} over importing pydantic and tyro", found / yardstick, 2, note=f"{found * 1e3:.0f} ms")
        for name, found in zip(STARTS, spent, strict=True)
    ]


def _cpu_s(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
