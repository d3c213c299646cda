"""What `experiments status` costs where a lab has worked for a year, and a Monitor where nothing happens any more."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments.monitoring import monitor_for
from tests.benchmarks import Bar
from tests.benchmarks.many_jobs import project_of
from tests.benchmarks.measuring import tell

MANY, ENDED = 100_000, 2_000
_TRIES = 3
_REST_S, _WATCHED_S = 10.0, 30.0
ROOT = Path(__file__).parents[2]


def run() -> list[Bar]:
    """Return the CPU of the command and of a Monitor over those of a project without jobs, and the command's memory."""
    with tempfile.TemporaryDirectory() as folder:
        none = project_of(Path(folder) / "none", 0).root
        ended = project_of(Path(folder) / "ended", ENDED, with_files=ENDED).root
        many = project_of(Path(folder) / "many", MANY).root
        tell("the projects are made")
        nothing, _ = _status(none)
        few, _ = _status(ended)
        all_of_them, megabytes = _status(many)
        idle = _idle_s(ended)
    return [
        Bar(f"status of {ENDED:,} jobs over none", few / nothing, 2.5, note=f"CPU {few:.2f} s; {nothing:.2f} s"),
        Bar(f"status of {MANY:,} jobs over none", all_of_them / nothing, 2.5, note=f"CPU {all_of_them:.2f} s"),
        Bar(f"memory of status, {MANY:,} jobs", megabytes, 200, "MB", gate=True),
        Bar(f"a Monitor with {ENDED:,} ended jobs, CPU a minute", 60 * idle / _WATCHED_S, 0.3, "s"),
    ]


def _status(root: Path) -> tuple[float, float]:
    """Return the least CPU seconds of the command and the most memory that it had, in MB."""
    code = (
        "import resource, sys; from experiments.cli.__main__ import run; run(['status']); "
        "used = resource.getrusage(resource.RUSAGE_SELF); "
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1000, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code]
    told = [
        subprocess.run(command, cwd=root, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
        for _ in range(_TRIES)
    ]
    figures = [tuple(map(float, done.stderr.split()[-2:])) for done in told]
    return min(cpu for cpu, _ in figures), max(megabytes for _, megabytes in figures)


def _idle_s(root: Path) -> float:
    """Return the CPU seconds that a Monitor takes while nothing happens, after its first poll."""
    subscription = monitor_for(root / ".experiments").subscribe(lambda _: None)
    try:
        time.sleep(_REST_S)
        before = _cpu_s()
        time.sleep(_WATCHED_S)
        return _cpu_s() - before
    finally:
        subscription.close()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
