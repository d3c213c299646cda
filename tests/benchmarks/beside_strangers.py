"""What strangers without the token can do to who has one: fifty pages beside hundreds of them, and small servers."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import statistics
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.benchmarks import Bar
from tests.benchmarks.crowd import (
    FLEET,
    ONE,
    Watched,
    errors_in,
    log_in,
    log_in_again_and_again,
    opened_s,
    real_pages,
    watch,
)
from tests.benchmarks.measuring import tell
from tests.benchmarks.strangers import strangers_at
from tests.fakes.monitored import Fleet
from tests.fakes.served import Served, served

_GONE_S = 25.0  # marimo keeps a session a while after its page has gone


@dataclass(frozen=True)
class _Holds:
    """What a server holds at one moment."""

    memory: int
    files: int
    threads: int
    log_bytes: int
    log_lines: int

    @classmethod
    def of(cls, server: Served) -> _Holds:
        process, text = psutil.Process(server.process.pid), server.log.read_bytes()
        return cls(
            process.memory_info().rss, process.num_fds(), process.num_threads(), len(text), len(text.splitlines())
        )

    def __str__(self) -> str:
        return f"{self.memory / 1e6:.0f} MB, {self.files} files, {self.threads} threads"


async def beside_strangers(server: Served, fleet: Fleet, cookie: str, without: Watched, seconds: float) -> list[Bar]:
    """Let as many pages as in `without` come and look as long, while strangers do all they can."""
    count, before = len(without.viewers), _Holds.of(server)
    known, failed = len(errors_in(server)), list[str]()
    with strangers_at(server.url) as done:
        await asyncio.sleep(5)
        log_ins = asyncio.create_task(log_in_again_and_again(server, failed))
        with real_pages(server) as errors:
            crowd = await watch(server, cookie, FLEET, count, seconds, fleet)
            amid = _Holds.of(server)
        log_ins.cancel()
        tried = await log_ins
    await asyncio.sleep(_GONE_S)
    after = _Holds.of(server)
    errors += errors_in(server)[known:]
    lines = after.log_lines - before.log_lines
    growth = (after.memory - before.memory) / 1e6
    ratio = statistics.median(crowd.delays) / statistics.median(without.delays)
    strangers = ", ".join(f"{count:,} {what}" for what, count in sorted(done.items()))
    held = f"before {before}; amid {amid}; after {after}"
    cost = f"processor time {crowd.cpu_s / crowd.seconds:.2f} s a second, {without.cpu_s / without.seconds:.2f} without"
    return [
        Bar(
            "beside strangers: updates missed or wrong",
            crowd.missing + len(crowd.wrong),
            0,
            "updates",
            note=f"{crowd}; all open after {crowd.opened_s:.1f} s, {without.opened_s:.1f} s without {crowd.wrong[:3]}",
            gate=True,
        ),
        Bar(
            "beside strangers: errors of the pages and the server",
            len(errors),
            0,
            "errors",
            note=f"{errors[:3]}",
            gate=True,
        ),
        Bar(
            "beside strangers: log-ins that fail",
            len(failed),
            0,
            "log-ins",
            note=f"of {tried}, beside {strangers} {failed[:3]}",
            gate=True,
        ),
        Bar("beside strangers: median delay against without", ratio, 2.0, note=cost),
        Bar(
            "beside strangers: log lines a minute",
            60 * lines / seconds,
            5,
            "lines",
            note=f"{lines} lines, {after.log_bytes - before.log_bytes:,} bytes",
            gate=True,
        ),
        Bar("files left after strangers", after.files - before.files, 8, "files", note=held, gate=True),
        Bar("memory left after strangers", growth, 100.0, "MB", note=held),
    ]


def small_servers(folder: Path) -> list[Bar]:
    """Hold silent sockets at servers that may have one page or few files open; return what they then refuse."""
    bars = []
    for arguments, files, silent in ((("--max-viewers", "1"), None, 115), ((), 160, 200)):
        named = " ".join(arguments) or f"ulimit -n {files}"
        tell(f"{silent} silent sockets at a server with {named}")
        with served(folder, *arguments, files=files) as server, _silent_sockets(server, silent) as held:
            took, failed = asyncio.run(_visits(server))
            note = f"slowest {max(took, default=float('nan')):.2f} s, {held()} of {silent} still held {failed[:3]}"
            bars.append(Bar(f"{named}, {silent} silent sockets: visits that fail", len(failed), 0, "visits", note=note))
    return bars


async def _visits(server: Served, times: int = 10) -> tuple[list[float], list[str]]:
    """Log in and open a page a few times; return the seconds that each took, and why others failed."""
    took, failed = [], list[str]()
    for _ in range(times):
        began = time.monotonic()
        try:
            cookie = await asyncio.to_thread(log_in, server, 5.0)
            await opened_s(server, cookie, ONE)
        except (OSError, http.client.HTTPException) as error:
            failed.append(f"{type(error).__name__}: {error}")
        else:
            took.append(time.monotonic() - began)
    return took, failed


@contextlib.contextmanager
def _silent_sockets(server: Served, count: int) -> Iterator[Callable[[], int]]:
    """Hold connections that say nothing; yield how to count those that the server has not ended."""
    parts = urllib.parse.urlsplit(server.url)
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=5))
            for _ in range(count)
        ]
        yield lambda: sum(_is_open(each) for each in sockets)


def _is_open(link: socket.socket) -> bool:
    link.setblocking(False)
    try:
        return bool(link.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False
