"""What the server costs: the fleet page against a page of one cell, fifty viewers against one, and a day in minutes.

The viewers are websocket clients of the real server that apply and check each update; two more are real pages.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import gc
import json
import os
import statistics
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.benchmarks import Bar
from tests.benchmarks.measuring import widget_states
from tests.fakes.job_sources import FakeClock
from tests.fakes.monitored import Fleet, monitored
from tests.fakes.served import Served, served
from tests.fakes.serving import chromium

POOL = min(32, (os.cpu_count() or 1) + 4)  # asyncio's own threads for file work stay until it ends
VIEWERS, SECONDS, TICKS = 50, 300.0, 10_000
ROUNDS = 5
MOVE_S = 2.5
ONE_CELL = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    mo.md("the one cell")
    return


if __name__ == "__main__":
    app.run()
"""


def run(viewers: int = VIEWERS, seconds: float = SECONDS, ticks: int = TICKS, rounds: int = ROUNDS) -> list[Bar]:
    """Measure all bars of the apps.

    Args:
        viewers: Websocket clients beside two real pages.
        seconds: How long they look.
        ticks: Polls of the day.
        rounds: Loads of each page.
    """
    with _project() as (folder, fleet):
        with served(folder) as server:
            bars = [_load(server, fleet, rounds)]
        with served(folder) as server:
            bars += asyncio.run(_crowd(server, fleet, viewers, seconds))
    return [*bars, *day(ticks)]


@contextlib.contextmanager
def _project():
    """Yield a project with a notebook of one cell and a fleet of 500 jobs in 50 experiments that moves."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "experiments" / "scratch").mkdir(parents=True)
        (folder / "experiments" / "scratch" / "one_nb.py").write_text(ONE_CELL)
        (folder / "pyproject.toml").write_text("[tool.experiments]\n[tool.marimo.runtime]\nauto_instantiate = true\n")
        fleet = Fleet(50, 10)
        with monitored(folder / ".experiments", fleet):
            yield folder, fleet


def _load(server: Served, fleet: Fleet, rounds: int) -> Bar:
    """Load both pages in turn, with a warm cache; return how much longer the fleet takes."""
    one, whole = [], []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(server.entry)
        for number in range(rounds + 1):
            times = (_time_one(page, server), _time_fleet(page, server, fleet))
            if number:  # the first load fills the caches of browser and server
                one.append(times[0])
                whole.append(times[1])
    ratio = statistics.median(whole) / statistics.median(one)
    note = f"medians of {rounds} loads: {statistics.median(whole):.2f} s against {statistics.median(one):.2f} s"
    return Bar("fleet page, last of 500 rows visible, against one cell", ratio, 2.0, note=note)


def _time_one(page, server: Served) -> float:
    began = time.perf_counter()
    page.goto(f"{server.url}/notebooks/experiments/scratch/one_nb/")
    page.get_by_text("the one cell").wait_for(timeout=60_000)
    return time.perf_counter() - began


def _time_fleet(page, server: Served, fleet: Fleet) -> float:
    began = time.perf_counter()
    page.goto(f"{server.url}/apps/fleet/?open=all")
    row = page.locator(".jobs-row").nth(len(fleet.jobs) - 1)
    row.scroll_into_view_if_needed(timeout=60_000)
    row.filter(has_text="succeeded").filter(has_text="1M / 1M").filter(has_text="1.00").wait_for(timeout=60_000)
    return time.perf_counter() - began


@dataclass
class Viewer:
    """One page as its server sees it: it holds the rows, applies each patch and checks what comes of it.

    Attributes:
        seen: When each step of the running jobs was first on the page.
    """

    rows: dict[str, dict] = field(default_factory=dict)
    version: int = 0
    seen: dict[int, float] = field(default_factory=dict)
    updates: int = 0
    wrong: list[str] = field(default_factory=list)

    def hear(self, text: str) -> None:
        """Take in one message of the server."""
        if '"version"' not in text and '"patch"' not in text:
            return
        for state in widget_states(json.loads(text)):
            if state.get("version", 0) > self.version and "rows" in state:
                self.rows, self.version = {row["run"]: row for row in state["rows"]}, state["version"]
                self._check()
            if state.get("patch", {}).get("at", 0) > self.version:
                self._apply(state["patch"])

    def _apply(self, patch: dict) -> None:
        if patch["at"] != self.version + 1:
            self.wrong.append(f"missed a patch: {self.version} then {patch['at']}")
        self.version = patch["at"]
        self.rows.update({row["run"]: row for row in patch["rows"]})
        for run in patch["gone"]:
            self.rows.pop(run, None)
        self._check()

    def _check(self) -> None:
        self.updates += 1
        steps = {row["step"] for row in self.rows.values() if row["state"] == "running"}
        if len(self.rows) != 500 or len(steps) != 1:
            self.wrong.append(f"{len(self.rows)} rows, steps {sorted(map(str, steps))[:4]}")
            return
        step = steps.pop()
        if self.seen and step < max(self.seen):
            self.wrong.append(f"went back to {step}")
        self.seen.setdefault(step, time.monotonic())


async def _crowd(server: Served, fleet: Fleet, viewers: int, seconds: float) -> list[Bar]:
    """Watch alone, then as a crowd; return what it cost and whether everybody saw everything."""
    cookie = await asyncio.to_thread(_log_in, server)
    process = psutil.Process(server.process.pid)
    await _sessions(server, cookie, "/notebooks/experiments/scratch/one_nb/", 2, 3.0, None)
    await _sessions(server, cookie, "/apps/fleet/", 2, 5.0, fleet)
    await asyncio.sleep(20)
    plain = await _sessions(server, cookie, "/notebooks/experiments/scratch/one_nb/", viewers, 5.0, None)
    await asyncio.sleep(20)
    alone = await _sessions(server, cookie, "/apps/fleet/", 1, min(30.0, seconds), fleet)
    await asyncio.sleep(20)
    threads = process.num_threads()
    with _pages(server) as errors:
        crowd = await _sessions(server, cookie, "/apps/fleet/", viewers, seconds, fleet)
    await asyncio.sleep(25)
    seen = [
        (crowd.moves[step], at) for viewer in crowd.viewers for step, at in viewer.seen.items() if step in crowd.moves
    ]
    delays = [at - moved for moved, at in seen]
    polls = [bisect.bisect(fleet.poll_times, at) - bisect.bisect(fleet.poll_times, moved) for moved, at in seen]
    published = {step for viewer in crowd.viewers for step in viewer.seen if step in crowd.moves}
    missing = sum(step not in viewer.seen for viewer in crowd.viewers for step in sorted(published)[:-2])
    wrong = [each for viewer in (*alone.viewers, *crowd.viewers) for each in viewer.wrong]
    extra = (crowd.memory - plain.memory) / viewers / 1e6
    updates = sum(viewer.updates for viewer in crowd.viewers)
    what = f"{viewers} websocket viewers and 2 pages, {seconds:g} s, 500 jobs, {updates:,} updates"
    cpu = f"processor time {crowd.cpu_s / crowd.seconds:.2f} s a second, {alone.cpu_s / alone.seconds:.2f} alone"
    per = f"{crowd.memory / viewers / 1e6:.1f} MB a viewer, marimo's own {plain.memory / viewers / 1e6:.1f} MB"
    said = f"{what} of {len(published)} changes; median {statistics.median(delays):.2f} s, slowest {max(delays):.2f} s"
    return [
        Bar("polls from a change to every viewer's page, most", max(polls), 2, "polls", note=said, gate=True),
        Bar("polls with the crowd against one viewer", crowd.polls / alone.polls, 1.1, note=f"{what}; {cpu}"),
        Bar("memory a viewer over marimo's own session", extra, 40.0, "MB", note=f"{what}; {per}", gate=True),
        Bar("updates missed or wrong", missing + len(wrong), 0, "updates", note=f"{what} {wrong[:3]}", gate=True),
        Bar(
            "errors of the pages and the server",
            len(errors) + _errors(server),
            0,
            "errors",
            note=f"{errors[:3]}",
            gate=True,
        ),
        Bar("threads left when all have gone", process.num_threads() - threads, POOL, "threads", note=what),
    ]


@dataclass
class _Watched:
    viewers: list[Viewer]
    moves: dict[int, float]
    seconds: float
    polls: float
    memory: float
    cpu_s: float


async def _sessions(
    server: Served, cookie: str, path: str, count: int, seconds: float, fleet: Fleet | None
) -> _Watched:
    """Open `count` pages for a while; the fleet, where there is one, moves meanwhile."""
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    viewers = [Viewer() for _ in range(count)]
    ready, stop = asyncio.Barrier(count + 1), asyncio.Event()
    tasks = [asyncio.create_task(_view(server, cookie, path, viewer, ready, stop)) for viewer in viewers]
    async with asyncio.timeout(180):
        await ready.wait()
    await asyncio.sleep(3)
    began, cpu = time.monotonic(), sum(process.cpu_times()[:2])
    polls = dict(fleet.polls) if fleet else {"launcher": 0}
    moves: dict[int, float] = {}
    while time.monotonic() - began < seconds:
        if fleet:
            fleet.tick += 1
            moves[fleet.step_of(fleet.jobs[0].run_name)] = time.monotonic()
        await asyncio.sleep(MOVE_S)
    await asyncio.sleep(3)
    took = time.monotonic() - began
    memory, used = process.memory_info().rss - before, sum(process.cpu_times()[:2]) - cpu
    asked = (fleet.polls["launcher"] - polls["launcher"]) / took if fleet else 0.0
    stop.set()
    await asyncio.gather(*tasks)
    return _Watched(viewers, moves, took, asked, memory, used)


async def _view(
    server: Served, cookie: str, path: str, viewer: Viewer, ready: asyncio.Barrier, stop: asyncio.Event
) -> None:
    from websockets.asyncio.client import connect

    address = f"{server.url.replace('http', 'ws')}{path}ws?session_id=s_{uuid.uuid4().hex[:6]}"
    headers = {"Cookie": cookie, "Origin": server.url}
    async with connect(address, additional_headers=headers, max_size=None) as socket:
        is_ready = False
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                text = str(await asyncio.wait_for(socket.recv(), 0.5))
                viewer.hear(text)
                is_done = viewer.updates if "fleet" in path else "completed-run" in text
                if is_done and not is_ready:
                    is_ready = True
                    await ready.wait()


@contextlib.contextmanager
def _pages(server: Served):
    """Keep two real pages of the fleet open in a thread; yield what goes wrong in them."""
    errors: list[str] = []
    stop, opened = threading.Event(), threading.Event()

    def look() -> None:
        with chromium() as browser:
            pages = [browser.new_page() for _ in range(2)]
            for page in pages:
                page.on("pageerror", lambda error: errors.append(str(error)))
                page.goto(server.entry)
                page.goto(f"{server.url}/apps/fleet/?open=all")
                page.locator(".jobs-row").first.wait_for(timeout=90_000)
            opened.set()
            while not stop.is_set():
                pages[0].wait_for_timeout(500)

    thread = threading.Thread(target=look)
    thread.start()
    opened.wait(120)
    try:
        yield errors
    finally:
        stop.set()
        thread.join(60)


def day(ticks: int = TICKS) -> list[Bar]:
    """Poll for 24 hours of a fake clock, with pages that come, look for a while and go."""
    from apps.feed import FleetFeed
    from experiments.polling import Poller

    clock, fleet = FakeClock(), Fleet(6, 10)
    poller = Poller(fleet.sources(), clock=clock, ticks=clock)
    feed = FleetFeed()
    pages: list[_Page] = []
    process = psutil.Process()
    missed, seen, early = 0, 0, 0
    handles: tuple[int, int] = (0, 0)
    for tick in range(ticks):
        clock.pass_s(86_400 / ticks)
        fleet.tick = tick % 900
        poller.step_all(10.0)
        state = feed.state(poller.snapshot())
        if tick % 7 == 0:
            pages.append(_Page(state))
        for page in pages:
            missed += page.follow(feed, state)
            seen += 1
        while len(pages) > 20 or (pages and tick % 11 == 0):
            pages.pop(0).close()
        if tick == ticks // 5:
            gc.collect()
            early, handles = process.memory_info().rss, (process.num_threads(), process.num_fds())
    for page in pages:
        page.close()
    pages.clear()
    gc.collect()
    time.sleep(0.5)
    growth = 100 * (process.memory_info().rss / early - 1)
    left = max(0, process.num_threads() - handles[0]) + max(0, process.num_fds() - handles[1])
    what = f"{ticks:,} polls of 60 jobs over 24 hours of a fake clock; {seen:,} page updates"
    return [
        Bar("memory after a day against its first fifth", growth, 5.0, "%", note=what),
        Bar("updates that a page of the day missed", missed, 0, "updates", note=what, gate=True),
        Bar("threads and handles left after a day", left, 0, "handles", note=what, gate=True),
    ]


class _Page:
    """A page of the day: a real table widget, and the rows that its browser would hold."""

    def __init__(self, state) -> None:
        from widgets.fleet import FleetTable

        self.table = FleetTable(rows=state.rows, version=state.version)
        self.rows, self.version = {row["run"]: row for row in state.rows}, state.version

    def follow(self, feed, state) -> int:
        """Take what is sent for a state; return 1 where the page is then not what it should be."""
        if state.version != self.version:
            patch = feed.patch_to(state.version) if state.version == self.version + 1 else None
            if patch is None:
                return 1
            self.table.update(patch=patch)
            self.rows.update({row["run"]: row for row in self.table.patch["rows"]})
            self.version = state.version
        return int(list(self.rows.values()) != state.rows)

    def close(self) -> None:
        self.table.close()


def _log_in(server: Served) -> str:
    import http.client
    import urllib.parse

    parts = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.request("GET", f"/?token={server.token}")
    cookie = connection.getresponse().headers["set-cookie"].split(";")[0]
    connection.close()
    return cookie


def _errors(server: Served) -> int:
    return sum(word in server.log.read_text() for word in ("Traceback", "ERROR", "Exception"))
