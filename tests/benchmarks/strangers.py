"""Strangers without the token, in a process of their own: `python -m tests.benchmarks.strangers URL`.

They hold silent sockets, heads and log-in forms that never end, try tokens and open connections as fast as they can,
half of them under the address of everybody else and half under any of the 16 million others that a machine has for
itself. They go on until their input ends, and then print what came of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import resource
import subprocess
import sys
import urllib.parse
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SILENT, SLOW_HEADS, HALF_FORMS, SOCKETS, GUESSERS, FLOODERS = 200, 100, 100, 10, 4, 8
FLOOD_A_SECOND = 100  # of each flooder
AGAIN_S = 0.5

Talk = Callable[["Strangers", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Strangers:
    """What all strangers have in common.

    Attributes:
        done: How often each thing was done or happened.
    """

    host: str
    port: int
    done: Counter[str] = field(default_factory=Counter)

    @property
    def head(self) -> str:
        """The end of a head that names the right host and origin."""
        return f" HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nOrigin: http://{self.host}:{self.port}\r\n"

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect, every second time under an address that nobody else has."""
        self.done["connections"] += 1
        own = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        local = (own, 0) if self.done["connections"] % 2 and self.host.startswith("127.") else None
        return await asyncio.open_connection(self.host, self.port, local_addr=local)

    async def go_on(self, talk: Talk, pause_s: float) -> None:
        """Connect and talk, again and again."""
        while True:
            try:
                reader, writer = await self.connect()
                try:
                    await talk(self, reader, writer)
                finally:
                    writer.close()
            except (OSError, asyncio.IncompleteReadError) as error:
                self.done[type(error).__name__] += 1
            await asyncio.sleep(pause_s)


async def _silent(strangers: Strangers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _dribble(writer: asyncio.StreamWriter, begin: str) -> None:
    writer.write(begin.encode())
    while True:
        await asyncio.sleep(1)
        writer.write(b"a")
        await writer.drain()


async def _slow_head(strangers: Strangers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _dribble(writer, f"GET /{strangers.head}X-Long: ")


async def _half_form(strangers: Strangers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _dribble(writer, f"POST /login{strangers.head}Content-Length: 900\r\n\r\ntoken=")


async def _socket(strangers: Strangers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    asks = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    writer.write(
        f"GET /apps/fleet/ws{strangers.head}{asks}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.read()


async def _guesses(strangers: Strangers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(100):
        writer.write(f"GET /?token=guess{random.random()}{strangers.head}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        await reader.readexactly(int(head.partition("content-length: ")[2].split()[0]))
        strangers.done[f"guesses answered {head.split()[1]}"] += 1
        await asyncio.sleep(0.02)


async def _flood(strangers: Strangers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0)


async def _all(url: str) -> Counter[str]:
    parts = urllib.parse.urlsplit(url)
    strangers = Strangers(str(parts.hostname), int(parts.port or 80))
    kinds: list[tuple[Talk, int, float]] = [
        (_silent, SILENT, AGAIN_S),
        (_slow_head, SLOW_HEADS, AGAIN_S),
        (_half_form, HALF_FORMS, AGAIN_S),
        (_socket, SOCKETS, AGAIN_S),
        (_guesses, GUESSERS, 0.0),
        (_flood, FLOODERS, 1 / FLOOD_A_SECOND),
    ]
    tasks = [asyncio.create_task(strangers.go_on(talk, pause)) for talk, many, pause in kinds for _ in range(many)]
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    strangers.done["broken"] = sum(not isinstance(each, asyncio.CancelledError) for each in ended)
    return strangers.done


@contextlib.contextmanager
def strangers_at(url: str) -> Iterator[dict[str, int]]:
    """Let strangers do all they can to a server as long as the block lasts; what they did stands in what is yielded."""
    done: dict[str, int] = {}
    command = [sys.executable, "-m", "tests.benchmarks.strangers", url]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield done
        done.update(json.loads(process.communicate(timeout=30)[0]))
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    _soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))
    print(json.dumps(asyncio.run(_all(sys.argv[1]))))
