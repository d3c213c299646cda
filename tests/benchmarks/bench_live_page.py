"""What an open page costs while its runs train: its server's work, and what it sends to the browser.

A real `marimo run` of a generated notebook in a real browser; forty jobs log a row a second each.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Page

from experiments.notebooks.generation import generate
from experiments.notebooks.template import SECTIONS, NotebookSpec
from experiments.types import BaseExperimentConfig
from tests.benchmarks import Bar
from tests.benchmarks.measuring import tell
from tests.fakes.going import Going, going
from tests.fakes.serving import chromium, marimo_process, scratch_folder

ARMS, SEEDS, ROWS = ("base", "fast", "slow", "wide"), 10, 1_000
SECONDS, REST_S = 20.0, 8.0
WIDE = {"width": 1440, "height": 9000}


@dataclass
class Heard:
    """What a page hears from its server.

    Attributes:
        page: The page itself; messages are counted while it waits.
    """

    page: Page
    messages: int = 0
    size: int = 0

    def hear(self, payload: str | bytes) -> None:
        """Count one message."""
        self.messages += 1
        self.size += len(payload)


@dataclass(frozen=True)
class Cost:
    """What a while of a page cost: its server's CPU seconds, messages, and bytes in them."""

    cpu_s: float
    messages: int
    size: int

    def __str__(self) -> str:
        return f"{self.cpu_s:.2f} s CPU, {self.messages} messages, {self.size / 1e6:.2f} MB"


def run(seconds: float = SECONDS) -> list[Bar]:
    """Measure a page at rest and the same page while all of its jobs log."""
    with trained(ARMS, SEEDS) as (jobs, notebook), page_of(notebook) as (server, heard):
        tell(f"a page of {len(jobs.jobs)} jobs at rest")
        rest = watched(server, heard, REST_S, lambda: None)
        tell("the same while all log a row a second")
        busy = watched(server, heard, seconds, jobs.log)
    what = f"{len(jobs.jobs)} jobs, a row a second each, {seconds:g} s; {REST_S:g} s at rest: {rest}"
    a_minute = 60 / seconds
    return [
        Bar("live page: sent a minute", busy.size / 1e6 * a_minute, 1.5, "MB", note=what, gate=True),
        Bar("live page: messages a minute", busy.messages * a_minute, 400, "messages", note=what, gate=True),
        Bar("live page: CPU of its server a minute", busy.cpu_s * a_minute, 5.0, "s", note=what),
    ]


def gates() -> list[Bar]:
    """Return what is sent."""
    return [bar for bar in run() if bar.gate]


def watched(server: psutil.Process, heard: Heard, seconds: float, work: Callable[[], None]) -> Cost:
    """Do something every second for a while; return what the page's server did and sent meanwhile."""
    before, cpu, began = (heard.messages, heard.size), cpu_s(server), time.monotonic()
    for second in range(round(seconds)):
        work()
        heard.page.wait_for_timeout(max(0.0, began + second + 1 - time.monotonic()) * 1000)
    return Cost(cpu_s(server) - cpu, heard.messages - before[0], heard.size - before[1])


def cpu_s(server: psutil.Process) -> float:
    """Return the CPU seconds of a server and its children."""
    return sum(sum(process.cpu_times()[:2]) for process in [server, *server.children(recursive=True)])


@contextlib.contextmanager
def trained(arms: Sequence[str], seeds: int, rows: int = ROWS) -> Iterator[tuple[Going, Path]]:
    """Yield jobs that train, and the notebook of their experiment."""
    with scratch_folder() as folder, going(folder, arms=arms, seeds=seeds, rows=rows) as jobs:
        notebook = folder / "exp_nb.py"
        spec = NotebookSpec(
            name="exp", config=BaseExperimentConfig(), sections=tuple(SECTIONS), jobs=jobs.jobs, root=folder
        )
        notebook.write_text(generate(spec))
        yield jobs, notebook


@contextlib.contextmanager
def page_of(notebook: Path) -> Iterator[tuple[psutil.Process, Heard]]:
    """Yield the server of a notebook as a process, and what its page hears, once the page is drawn and still."""
    with marimo_process("run", notebook, cwd=notebook.parent) as (process, url), chromium() as browser:
        page = browser.new_page(viewport=WIDE)
        heard = Heard(page)
        page.on("websocket", lambda socket: socket.on("framereceived", heard.hear))
        page.goto(url)
        page.locator(".chart-root[data-drawn]").first.wait_for(timeout=180_000)
        page.wait_for_timeout(REST_S * 1000)
        yield psutil.Process(process.pid), heard
