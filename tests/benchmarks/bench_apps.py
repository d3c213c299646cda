"""What the server costs: the fleet page against a page of one cell, fifty viewers against one, and a day in minutes.

The viewers are websocket clients of the real server that apply and check each update; two more are real pages. Then as
many look beside strangers without the token, who do all they can to keep them out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from tests.benchmarks import Bar
from tests.benchmarks.beside_strangers import beside_strangers, small_servers
from tests.benchmarks.crowd import FLEET, ONE, Watched, errors_in, log_in, real_pages, watch
from tests.benchmarks.day import day
from tests.benchmarks.measuring import tell
from tests.fakes.monitored import Fleet, monitored
from tests.fakes.served import Served, served
from tests.fakes.serving import chromium

POOL = min(32, (os.cpu_count() or 1) + 4)  # asyncio's own threads for file work stay until it ends
VIEWERS, SECONDS, TICKS = 50, 300.0, 10_000
ROUNDS = 5
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
        seconds: How long they look, without strangers and beside them.
        ticks: Polls of the day.
        rounds: Loads of each page.
    """
    with _project() as (folder, fleet):
        tell("the fleet page against a page of one cell")
        with served(folder) as server:
            bars = [_load(server, fleet, rounds)]
        with served(folder) as server:
            bars += asyncio.run(_crowds(server, fleet, viewers, seconds))
        bars += small_servers(folder)
    tell(f"a day of {ticks:,} polls")
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
    row.filter(has_text="succeeded").filter(has_text="1M / 1M").wait_for(timeout=60_000)
    return time.perf_counter() - began


async def _crowds(server: Served, fleet: Fleet, viewers: int, seconds: float) -> list[Bar]:
    """Watch alone, as a crowd, and as a crowd beside strangers."""
    cookie = await asyncio.to_thread(log_in, server)
    process = psutil.Process(server.process.pid)
    tell("one page alone, and marimo's own sessions")
    await watch(server, cookie, ONE, 2, 3.0)
    await watch(server, cookie, FLEET, 2, 5.0, fleet)
    await asyncio.sleep(20)
    plain = await watch(server, cookie, ONE, viewers, 5.0)
    await asyncio.sleep(20)
    alone = await watch(server, cookie, FLEET, 1, min(30.0, seconds), fleet)
    await asyncio.sleep(20)
    threads = process.num_threads()
    tell(f"{viewers} pages for {seconds:g} s")
    with real_pages(server) as errors:
        crowd = await watch(server, cookie, FLEET, viewers, seconds, fleet)
    await asyncio.sleep(25)
    left = process.num_threads() - threads
    tell(f"{viewers} pages beside strangers for {seconds:g} s")
    return [
        *_crowd_bars(fleet, plain, alone, crowd, errors + errors_in(server)),
        Bar("threads left when all have gone", left, POOL, "threads", note=f"{viewers} viewers"),
        *await beside_strangers(server, fleet, cookie, crowd, seconds),
    ]


def _crowd_bars(fleet: Fleet, plain: Watched, alone: Watched, crowd: Watched, errors: list[str]) -> list[Bar]:
    """Return what a crowd cost and whether everybody saw everything."""
    viewers = len(crowd.viewers)
    what = f"{viewers} websocket viewers and 2 pages, 500 jobs, {crowd}"
    cpu = f"processor time {crowd.cpu_s / crowd.seconds:.2f} s a second, {alone.cpu_s / alone.seconds:.2f} alone"
    per = f"{crowd.memory / viewers / 1e6:.1f} MB a viewer, marimo's own {plain.memory / viewers / 1e6:.1f} MB"
    extra, wrong = (crowd.memory - plain.memory) / viewers / 1e6, alone.wrong + crowd.wrong
    polls = crowd.most_polls_until_shown(fleet)
    return [
        Bar("polls from a change to every viewer's page, most", polls, 2, "polls", note=what, gate=True),
        Bar("polls with the crowd against one viewer", crowd.polls / alone.polls, 1.1, note=cpu),
        Bar("memory a viewer over marimo's own session", extra, 40.0, "MB", note=per, gate=True),
        Bar("updates missed or wrong", crowd.missing + len(wrong), 0, "updates", note=f"{wrong[:3]}", gate=True),
        Bar("errors of the pages and the server", len(errors), 0, "errors", note=f"{errors[:3]}", gate=True),
    ]
