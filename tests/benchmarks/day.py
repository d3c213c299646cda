"""A day of the fleet page's server in minutes: polls by a fake clock, and pages that come, look for a while and go."""

from __future__ import annotations

import gc
import time

import psutil

from tests.benchmarks import Bar
from tests.fakes.job_sources import FakeClock
from tests.fakes.monitored import Fleet


def day(ticks: int) -> list[Bar]:
    """Poll for 24 hours of a fake clock, with pages that come, look for a while and go."""
    from apps.parts.feed import FleetFeed
    from experiments.jobs.watch.poller import Poller

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
