"""Writing a log, against running the same notebook as a script: CPU seconds, memory and size.

The first export of a machine also makes vega's script, which is then kept; it is made before anything is measured.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import Bar
from tests.benchmarks.exported_notebooks import ROOT, arena_notebook


def run() -> list[Bar]:
    """Return every bar of the export; about four minutes."""
    return [*small_export(), *large_export()]


def small_export() -> list[Bar]:
    """Export the arena notebook with 3 runs and 2 replays."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        notebook = arena_notebook(Path(folder), runs=3, rows=1_000, replays=2)
        page = Path(folder) / "page.html"
        _export(notebook, page)
        pairs = [(_script(notebook), _export(notebook, page)) for _ in range(5)]
        cost = statistics.median(export.cpu_s / script.cpu_s for script, export in pairs)
        script, export = pairs[0]
        note = f"CPU, median of 5; {export.cpu_s:.2f} s of {script.cpu_s:.2f} s, {export.wall_s:.1f} s by the clock"
        return [
            Bar("export of the arena notebook against running it as a script", cost, 1.5, note=note),
            Bar("log of the arena notebook, 3 runs and 2 replays", page.stat().st_size / 1e6, 3.0, "MB", gate=True),
        ]


def large_export() -> list[Bar]:
    """Export the arena notebook with 20 runs of 100,000 rows and 20 replays."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        notebook = arena_notebook(Path(folder), runs=20, rows=100_000, replays=20)
        page = Path(folder) / "page.html"
        _export(notebook, page)
        script, export = _script(notebook), _export(notebook, page)
        note = f"{export.cpu_s:.1f} s of {script.cpu_s:.1f} s, {export.wall_s:.1f} s by the clock"
        memory = f"the script needs {script.peak_mb:.0f} MB"
        return [
            Bar("log of 20 runs x 100,000 rows, 20 replays", page.stat().st_size / 1e6, 25.0, "MB", gate=True),
            Bar("its export against running it as a script", export.cpu_s / script.cpu_s, 3.0, note=note),
            Bar("peak memory of its export", export.peak_mb, 1_000.0, "MB", note=memory),
        ]


@dataclass(frozen=True)
class Cost:
    """What one command took, with all its children."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def _script(notebook: Path) -> Cost:
    return _cost([sys.executable, str(notebook)], notebook.parent)


def _export(notebook: Path, page: Path) -> Cost:
    page.unlink(missing_ok=True)
    return _cost(
        [sys.executable, "-P", "-m", "experiments.cli", "export", str(notebook), "-o", str(page)], notebook.parent
    )


_MEASURE = (
    "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode; "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
)


def _cost(command: list[str], folder: Path) -> Cost:
    """Run a command under a parent of its own, so that its peak is not mixed with those before it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "1795356300"}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-S", "-c", _MEASURE, *command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, time.monotonic() - started, int(done.stdout.split()[-1]) / 1024)
