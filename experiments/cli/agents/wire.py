"""What a server reads and writes: lines of bounded length, and as many requests at once as it can hold.

The SDK reads lines of any length, and begins whatever it reads: a client that floods would fill the memory. Here a line
that is too long is dropped, and no further line is read while too many requests are not answered yet: the client's own
pipe holds the rest. Reading and writing are done in threads that nobody waits for when the server ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse, jsonrpc_message_adapter
from pydantic import ValidationError

LONGEST = 1 << 20
"""Bytes of a line: no call of a tool takes as much."""

AT_ONCE = 64
"""Requests that are read and not answered yet."""

_UNREADABLE = "{}\n"

T = TypeVar("T")


async def apart(call: Callable[[], T]) -> T:
    """Return what a call returns in a thread that ends with the process, whatever it does then."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if done.done():  # nobody waits any more
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = call()
        except BaseException as caught:  # noqa: BLE001 - it is raised where somebody waits
            error = caught
        with contextlib.suppress(RuntimeError):  # the server has ended
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="experiments mcp", daemon=True).start()
    return await done


class Wire:
    """Standard input and output of this process, taken away from everybody else: stray output goes to standard error.

    It is an async iterator of lines and has `write` and `flush`, as the SDK wants of both.
    """

    def __init__(self) -> None:
        # Never closed: a thread may be reading still when the server ends.
        self._in = os.fdopen(_taken(0, os.open(os.devnull, os.O_RDONLY)), "rb", closefd=False)
        self._out = os.fdopen(_taken(1, os.dup(2)), "wb", closefd=False)
        self._open: Counter[str] = Counter()
        self._room = asyncio.Event()
        self._room.set()

    def __aiter__(self) -> Wire:
        """Return itself."""
        return self

    async def __anext__(self) -> str:
        """Return the next line, as soon as there is room for what it asks."""
        await self._room.wait()
        line = await apart(self._line)
        if not line:
            raise StopAsyncIteration
        self._count(line, +1)
        return line

    async def write(self, text: str) -> None:
        """Write a line, as soon as the client takes it."""
        await apart(lambda: self._out.write(text.encode()))
        self._count(text, -1)

    async def flush(self) -> None:
        """Write what was kept back."""
        await apart(self._out.flush)

    def _line(self) -> str:
        line = self._in.readline(LONGEST)
        if len(line) < LONGEST or line.endswith(b"\n"):
            return line.decode("utf-8", "replace")
        while rest := self._in.readline(LONGEST):
            if rest.endswith(b"\n"):
                break
        return _UNREADABLE

    def _count(self, line: str, change: int) -> None:
        """Count a request that was read, or one that was answered; one that the client takes back gets no answer."""
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValidationError:  # the SDK drops it, too
            return
        match message:
            case JSONRPCRequest(id=name) if change > 0:
                self._open[repr(name)] += 1
            case JSONRPCResponse(id=name) | JSONRPCError(id=name) if change < 0:
                self._open[repr(name)] -= 1
            case JSONRPCNotification(method="notifications/cancelled", params=parameters) if change > 0:
                self._open.pop(repr((parameters or {}).get("requestId")), None)
        self._open = +self._open
        if self._open.total() < AT_ONCE:
            self._room.set()
        else:
            self._room.clear()


def _taken(number: int, instead: int) -> int:
    """Return a descriptor of a stream, which leads elsewhere from now on."""
    kept = os.dup(number)
    os.dup2(instead, number)
    os.close(instead)
    return kept
