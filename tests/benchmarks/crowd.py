"""A crowd that looks at the fleet page: websocket clients of the real server that check each update, and real pages."""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import http.client
import itertools
import json
import math
import statistics
import threading
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil

from tests.benchmarks.measuring import tell, widget_states
from tests.fakes.monitored import Fleet
from tests.fakes.served import Served
from tests.fakes.serving import chromium

FLEET, ONE = "/apps/fleet/", "/notebooks/experiments/scratch/one_nb/"
MOVE_S = 2.5
_TOLD_EVERY_S = 30.0
_OPENS_WITHIN_S = 90.0


@dataclass
class Viewer:
    """One page as its server sees it: it holds the rows, applies each patch and checks what comes of it.

    Attributes:
        seen: When each step of the running jobs was first on the page.
        wrong: What was not as it should be; also the reason why the page did not open or ended.
    """

    rows: dict[str, dict] = field(default_factory=dict)
    version: int = 0
    seen: dict[int, float] = field(default_factory=dict)
    updates: int = 0
    wrong: list[str] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

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


@dataclass
class Watched:
    """What a crowd saw.

    Attributes:
        moves: When each step of the running jobs was done.
        polls: A second.
        memory: Bytes that the server took for the crowd.
        opened_s: Seconds until all pages showed what they are for.
        silence_s: The longest time in which a page that should have changed did not.
    """

    viewers: list[Viewer]
    moves: dict[int, float]
    seconds: float
    polls: float
    memory: float
    cpu_s: float
    opened_s: float

    @property
    def delays(self) -> list[float]:
        """Seconds from each change to each page that shows it; endless where none does."""
        return [at - moved for moved, at in self._shown] or [math.inf]

    @property
    def published(self) -> list[int]:
        """The changes that came to at least one page."""
        return sorted({step for viewer in self.viewers for step in viewer.seen if step in self.moves})

    @property
    def missing(self) -> int:
        """How many times a page did not get what others got; the last two changes may still be on their way."""
        return sum(step not in viewer.seen for viewer in self.viewers for step in self.published[:-2])

    @property
    def wrong(self) -> list[str]:
        """What was not as it should be."""
        return [each for viewer in self.viewers for each in viewer.wrong]

    @property
    def updates(self) -> int:
        """How many updates all pages got."""
        return sum(viewer.updates for viewer in self.viewers)

    @property
    def silence_s(self) -> float:
        """The longest time between two changes of a page, from the first change to the last."""
        first, last = min(self.moves.values()), max(self.moves.values())
        times = [[first, *sorted(at for at in viewer.seen.values() if at > first), last] for viewer in self.viewers]
        return max(after - before for each in times for before, after in itertools.pairwise(each))

    def most_polls_until_shown(self, fleet: Fleet) -> float:
        """Return the most polls from a change to a page that shows it; endless where none does."""
        times = fleet.poll_times
        return max((bisect.bisect(times, at) - bisect.bisect(times, by) for by, at in self._shown), default=math.inf)

    def __str__(self) -> str:
        delays = self.delays
        updates = [viewer.updates for viewer in self.viewers]
        return (
            f"{self.updates:,} updates ({min(updates)} to {max(updates)} a page) of {len(self.published)} changes in "
            f"{self.seconds:.0f} s; missed {self.missing}, wrong {len(self.wrong)}; delay median "
            f"{statistics.median(delays):.2f} s, slowest {max(delays):.2f} s; longest silence {self.silence_s:.2f} s"
        )

    @property
    def _shown(self) -> list[tuple[float, float]]:
        seen = [(step, at) for viewer in self.viewers for step, at in viewer.seen.items()]
        return [(self.moves[step], at) for step, at in seen if step in self.moves]


async def watch(
    server: Served, cookie: str, path: str, count: int, seconds: float, fleet: Fleet | None = None
) -> Watched:
    """Open `count` pages for a while; the fleet, where there is one, moves meanwhile."""
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    viewers = [Viewer() for _ in range(count)]
    stop, came = asyncio.Event(), time.monotonic()
    tasks = [asyncio.create_task(_view(server, cookie, path, viewer, stop)) for viewer in viewers]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_OPENS_WITHIN_S):
            await asyncio.gather(*(viewer.ready.wait() for viewer in viewers))
    for viewer in viewers:
        if not viewer.ready.is_set():
            viewer.wrong.append(f"showed nothing within {_OPENS_WITHIN_S:g} s")
    opened_s = time.monotonic() - came
    await asyncio.sleep(3)
    began, cpu = time.monotonic(), sum(process.cpu_times()[:2])
    polls = fleet.polls["launcher"] if fleet else 0
    moves: dict[int, float] = {}
    told = began
    while time.monotonic() - began < seconds:
        if fleet:
            fleet.tick += 1
            moves[fleet.step_of(fleet.jobs[0].run_name)] = time.monotonic()
        if time.monotonic() - told > _TOLD_EVERY_S:
            told = time.monotonic()
            wrong = sum(len(viewer.wrong) for viewer in viewers)
            tell(f"{count} pages after {told - began:.0f} of {seconds:g} s: {wrong} wrong")
        await asyncio.sleep(MOVE_S)
    await asyncio.sleep(3)
    took = time.monotonic() - began
    memory, used = process.memory_info().rss - before, sum(process.cpu_times()[:2]) - cpu
    asked = (fleet.polls["launcher"] - polls) / took if fleet else 0.0
    stop.set()
    await asyncio.gather(*tasks)
    return Watched(viewers, moves, took, asked, memory, used, opened_s)


async def opened_s(server: Served, cookie: str, path: str) -> float:
    """Open one page; return the seconds until it showed what it is for.

    Raises:
        OSError: It did not.
    """
    viewer, stop, began = Viewer(), asyncio.Event(), time.monotonic()
    task = asyncio.create_task(_view(server, cookie, path, viewer, stop))
    async with asyncio.timeout(30):
        await viewer.ready.wait()
    took = time.monotonic() - began
    stop.set()
    await task
    if viewer.wrong:
        raise OSError(viewer.wrong[0])
    return took


async def _view(server: Served, cookie: str, path: str, viewer: Viewer, stop: asyncio.Event) -> None:
    from websockets.asyncio.client import connect

    address = f"{server.url.replace('http', 'ws')}{path}ws?session_id=s_{uuid.uuid4().hex[:6]}"
    headers = {"Cookie": cookie, "Origin": server.url}
    try:
        async with connect(address, additional_headers=headers, max_size=None) as socket:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    text = str(await asyncio.wait_for(socket.recv(), 0.5))
                    viewer.hear(text)
                    if viewer.updates if path == FLEET else "completed-run" in text:
                        viewer.ready.set()
    except Exception as error:  # noqa: BLE001 - whatever it is, the page is not live
        viewer.wrong.append(f"ended by {type(error).__name__}: {error}")
    finally:
        viewer.ready.set()  # who waits for all must not wait for one that is gone


@contextlib.contextmanager
def real_pages(server: Served) -> Iterator[list[str]]:
    """Keep two real pages of the fleet open in a thread; yield what goes wrong in them."""
    errors: list[str] = []
    stop, opened = threading.Event(), threading.Event()

    def look() -> None:
        with chromium() as browser:
            pages = [browser.new_page() for _ in range(2)]
            for page in pages:
                page.on("pageerror", lambda error: errors.append(str(error)))
                page.goto(server.entry)
                page.goto(f"{server.url}{FLEET}?open=all")
                page.locator(".jobs-row").first.wait_for(timeout=90_000)
            opened.set()
            while not stop.is_set():
                pages[0].wait_for_timeout(500)

    def look_or_say() -> None:
        try:
            look()
        except Exception as error:  # noqa: BLE001 - whatever it is, the page is not live
            errors.append(f"{type(error).__name__}: {error}")
        opened.set()

    thread = threading.Thread(target=look_or_say)
    thread.start()
    opened.wait(120)
    try:
        yield errors
    finally:
        stop.set()
        thread.join(60)


def log_in(server: Served, timeout_s: float = 30.0) -> str:
    """Return the cookie that the token is traded for."""
    parts = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout_s)
    try:
        connection.request("GET", f"/?token={server.token}")
        answer = connection.getresponse()
        if answer.status != 303:
            raise http.client.HTTPException(f"the token was answered by {answer.status}")
        return str(answer.headers["set-cookie"]).split(";")[0]
    finally:
        connection.close()


async def log_in_again_and_again(server: Served, failed: list[str]) -> int:
    """Log in every two seconds until cancelled; return how often, and note in `failed` what went wrong."""
    tried = 0
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            tried += 1
            try:
                await asyncio.to_thread(log_in, server)
            except (OSError, http.client.HTTPException) as error:
                failed.append(f"{type(error).__name__}: {error}")
            await asyncio.sleep(2)
    return tried


def errors_in(server: Served) -> list[str]:
    """Return the lines in which the server wrote down that something failed."""
    lines = server.log.read_text().splitlines()
    return [line for line in lines if any(word in line for word in ("Traceback", "ERROR", "Exception", "Error:"))]
