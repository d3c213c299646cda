"""What a page of 1,000 runs costs its server, from the open to the table and the chart drawn."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from tests.benchmarks import Bar
from tests.benchmarks.measuring import tell
from tests.benchmarks.thousand import study_of
from tests.fakes.serving import chromium, marimo_process, scratch_folder

ARMS, SEEDS, ROWS = 20, 50, 1_000
TIMEOUT_MS = 300_000
CHART, TABLE = ".chart-root[data-drawn]", ".runs-row"


def run() -> list[Bar]:
    """Measure on 20 arms of 50 seeds, each of 1,000 rows."""
    with scratch_folder() as folder:
        tell(f"writing {ARMS * SEEDS} runs of {ROWS} rows")
        notebook = study_of(folder, arms=ARMS, seeds=SEEDS, rows=ROWS)
        tell("the first open of all, which reads every file")
        first = opened(notebook, seen=(CHART, TABLE))
        tell("again, with what the first one left in the cache")
        again = opened(notebook, seen=(CHART, TABLE))
    note = f"{ARMS} arms of {SEEDS} seeds, {ROWS} rows each; `marimo run`, 1440 px wide, all processes of the server"
    told = f"{note}; the very first open, which reads every file: {first}"
    return [
        Bar("page of 1,000 runs to table and chart: CPU of its server", again.cpu_s, 3.0, "s", note=f"{told}; {again}"),
        Bar("page of 1,000 runs: memory of its server", again.memory / 1e6, 400.0, "MB", note=told),
    ]


class Opened:
    """What one open of a page took.

    Attributes:
        wall_s: Seconds from the request.
        cpu_s: CPU seconds of the server and all that it started, from the request.
        memory: Bytes that they hold for themselves once all is drawn.
    """

    def __init__(self, wall_s: float, cpu_s: float, memory: int) -> None:
        self.wall_s, self.cpu_s, self.memory = wall_s, cpu_s, memory

    def __str__(self) -> str:
        return f"{self.wall_s:.1f} s wall, {self.cpu_s:.1f} s CPU, {self.memory / 1e6:.0f} MB"


def opened(notebook: Path, *, seen: Sequence[str] = (CHART,)) -> Opened:
    """Open a notebook with a fresh server; return what it took from the request until all of `seen` was there.

    What the server spent before, on its own start, is not among it.
    """
    with served(notebook) as (server, url), chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 9000})
        spent, began = cpu_s(server), time.monotonic()
        page.goto(url)
        for each in seen:
            page.locator(each).first.wait_for(timeout=TIMEOUT_MS, state="attached")
        took, used = time.monotonic() - began, cpu_s(server) - spent
        time.sleep(3)
        return Opened(took, used, memory(server))


@contextlib.contextmanager
def served(notebook: Path) -> Iterator[tuple[psutil.Process, str]]:
    """Yield the server of a notebook as a process, and its address."""
    with marimo_process("run", notebook, cwd=notebook.parents[2]) as (process, url):
        yield psutil.Process(process.pid), url


def family(server: psutil.Process) -> list[psutil.Process]:
    """Return a server and all that it started and that lives."""
    return [server, *server.children(recursive=True)]


def cpu_s(server: psutil.Process) -> float:
    """Return the CPU seconds of a server, of all that it started and of what of that has ended."""
    total = 0.0
    for process in family(server):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def memory(server: psutil.Process) -> int:
    """Return the bytes that a server and all that it started hold for themselves."""
    total = 0
    for process in family(server):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().uss
    return total
