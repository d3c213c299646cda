"""Who may hold a connection, and for how long: strangers briefly and not many, so that they never shut anybody out.

uvicorn has no deadline for a request's head and counts silent connections as load; asyncio takes connections for as
long as there are file descriptors. A *stranger* here is a connection that has not carried a request with a session.

uvicorn keeps a connection whose request its HTTP parser took for a websocket and its websocket parser did not, for
ever and uncounted. marimo's page sends nothing over its socket, it posts; only answers to pings come.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ipaddress
import resource
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from apps.serving.allowance import Allowance

if TYPE_CHECKING:
    import socket

    import h11

DEADLINE_S = 15.0
"""Seconds for a request's head, for the log-in form, and for a stranger altogether."""

FILES_A_PAGE = 8
"""An open page holds its socket, and a browser up to six connections for what is in it."""

MOST_STRANGERS = 1_024
"""Where 1,000 come a second, each has three quarters of one for the request that makes it known."""

ACCEPTED_AT_ONCE = 16
"""Each holds a file for three turns of the event loop before the gate has ended another for it."""

WAITING = 1_024
"""Connections that the kernel holds until the server accepts them."""

_FILES_KEPT = 256
"""For what is no connection: libraries, the ledger, kernels, logs."""

_WANTED_FILES = 65_536


MOST_AT_ONCE = 8_192
"""Bytes that a page may send at once: each frame of six bytes costs the event loop as much as a whole request."""

_BYTES_A_SECOND = 256
_NOT_TAKEN = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class Gate:
    """Counts connections and ends those that hold a place without using it.

    Attributes:
        most_strangers: Strangers at once; the one that came first goes when another comes.
        most_of_a_network: The same for each network (`network_of`); the others are left for who comes from elsewhere.
        trusted_proxy: Address whose connections are no strangers.
        most_idle: Connections with a session that wait for a next request; the one idle longest goes.
        ended: How many were ended, by reason.
    """

    most_strangers: int = MOST_STRANGERS
    most_of_a_network: int = MOST_STRANGERS * 3 // 4
    most_idle: int = 1_600
    deadline_s: float = DEADLINE_S
    trusted_proxy: str | None = None
    ended: Counter[str] = field(default_factory=Counter)
    _strangers: dict[Connection, str] = field(default_factory=dict)
    _of_network: dict[str, dict[Connection, None]] = field(default_factory=dict)
    _idle: dict[Connection, None] = field(default_factory=dict)

    @property
    def strangers(self) -> int:
        """How many connections have not carried a request with a session."""
        return len(self._strangers)

    def came(self, connection: Connection) -> None:
        """Take a new connection in, in the place of an older stranger where there are too many."""
        address = connection.client[0] if connection.client else ""
        if address == self.trusted_proxy:
            return  # one connection carries many people, and the proxy has limits of its own
        network = network_of(address)
        self._strangers[connection] = network
        same = self._of_network.setdefault(network, {})
        same[connection] = None
        if len(same) > self.most_of_a_network:
            self.end(next(iter(same)), "too many of one network")
        elif len(self._strangers) > self.most_strangers:
            self.end(next(iter(self._strangers)), "too many strangers")

    def known(self, connection: Connection) -> None:
        """Note that a connection carried a request with a session."""
        network = self._strangers.pop(connection, None)
        if network is not None:
            same = self._of_network[network]
            del same[connection]
            if not same:
                del self._of_network[network]

    def rests(self, connection: Connection) -> None:
        """Note that a connection waits for its next request."""
        if connection in self._strangers:
            return
        self._idle.pop(connection, None)
        self._idle[connection] = None
        if len(self._idle) > self.most_idle:
            self.end(next(iter(self._idle)), "too many idle")

    def works(self, connection: Connection) -> None:
        """Note that a request came in over a connection."""
        self._idle.pop(connection, None)

    def left(self, connection: Connection) -> None:
        """Forget a connection that is gone, or that became a websocket."""
        self.known(connection)
        self._idle.pop(connection, None)

    def is_stranger(self, connection: Connection) -> bool:
        """Say whether a connection has not carried a request with a session."""
        return connection in self._strangers

    def end(self, connection: Connection, why: str) -> None:
        """End a connection at once, without an answer that it would have to read."""
        self.ended[why] += 1
        self.left(connection)
        connection.transport.abort()


class Connection(H11Protocol):
    """One connection of uvicorn's that a gate watches; requests carry it as `scope["state"]["connection"]`."""

    gate: Gate

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - an asyncio.Transport, as uvicorn has it
        """Begin: as a stranger, with a deadline."""
        super().connection_made(transport)
        self._head: asyncio.TimerHandle | None = None
        self._stranger = self.loop.call_later(self.gate.deadline_s, self._still_a_stranger)
        app = self.app

        async def named(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
            scope["state"]["connection"] = self
            await app(scope, receive, send)

        self.app = named
        self.gate.came(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop_waiting()
        self.gate.left(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; a head that has begun has to end in time."""
        super().data_received(data)
        if self.conn.trailing_data[0] and not self._is_answering:
            self._head = self._head or self.loop.call_later(self.gate.deadline_s, self._no_whole_head)
        elif self._head is not None:
            self._head.cancel()
            self._head = None
        if self._is_answering:
            self.gate.works(self)

    def on_response_complete(self) -> None:
        """Rest after an answer."""
        super().on_response_complete()
        if not self.transport.is_closing() and not self._is_answering:
            self.gate.rests(self)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand over to the websocket, which takes its head at once or ends; the guard counts it."""
        self._stop_waiting()
        self.gate.left(self)
        super().handle_websocket_upgrade(event)

    def is_known(self) -> None:
        """Be told that a request with a session came over this connection."""
        self._stranger.cancel()
        self.gate.known(self)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _still_a_stranger(self) -> None:
        if self._is_answering:
            self._stranger = self.loop.call_later(self.gate.deadline_s, self._still_a_stranger)
        elif self.gate.is_stranger(self):
            self.gate.end(self, "no session in time")

    def _no_whole_head(self) -> None:
        self.gate.end(self, "no whole head in time")

    def _stop_waiting(self) -> None:
        self._stranger.cancel()
        if self._head is not None:
            self._head.cancel()


def watched_by(gate: Gate) -> type[Connection]:
    """Return the connections of a server as uvicorn's `http` setting takes them."""
    return type("WatchedConnection", (Connection,), {"gate": gate})


class Socket(WebSocketsSansIOProtocol):
    """The websocket of an open page, as uvicorn's `ws` setting takes it: its head is taken or it ends."""

    @functools.cached_property
    def allowance(self) -> Allowance:
        """Bytes that the page may send."""
        return Allowance(MOST_AT_ONCE, _BYTES_A_SECOND, self.loop.time)

    def data_received(self, data: bytes) -> None:
        """Take bytes in: first the head, which is whole, then what a page sends."""
        if self.handshake_initiated and not self._may_bring(len(data)):
            self.transport.abort()
            return
        super().data_received(data)
        if not self.handshake_initiated:
            self.transport.write(_NOT_TAKEN)
            self.transport.close()

    def _may_bring(self, size: int) -> bool:
        may = size <= self.allowance.left()
        self.allowance.take(size)
        return may


class Server(uvicorn.Server):
    """Accepts few connections in a row, however many wait: asyncio would take as many as its backlog."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, with a longer queue than what is accepted at once."""
        await super().startup(sockets)
        for each in sockets or []:
            each.listen(WAITING)


def network_of(address: str) -> str:
    """Return what an address has in common with all others that whoever has it can take: a machine, or a /64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    if found.is_loopback:
        return "loopback"
    return str(found if found.version == 4 else ipaddress.ip_network((found, 64), strict=False))


def raise_file_limit() -> int:
    """Raise how many files this process may have open as far as it may, and return how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _WANTED_FILES if soft == resource.RLIM_INFINITY else soft
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft


def room_for(files: int) -> tuple[int, int]:
    """Return how many pages may be open, and how many strangers there may be, with so many open files allowed."""
    strangers = min(MOST_STRANGERS, max(8, files // 5))
    return max(1, (files - _FILES_KEPT - strangers) // FILES_A_PAGE), strangers
