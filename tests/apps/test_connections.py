"""Strangers who hold connections: each is ended in time, and none takes the place of somebody with a session."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from dataclasses import dataclass, field
from functools import partial

import pytest
import uvicorn
from uvicorn.server import ServerState

from apps.serving.connections import FILES_A_PAGE, Gate, network_of, raise_file_limit, room_for, watched_by
from apps.serving.guard import LOOPBACK, Guard, Rules
from apps.serving.tokens import Sessions

DEADLINE_S = 0.4
TOKEN = "t" * 43


async def page(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"page"})


class Client:
    """One connection of a client; `ask` sends a whole request over it."""

    def __init__(self, place, reader, writer):
        self.place, self.reader, self.writer = place, reader, writer

    async def ask(self):
        """Return the status of one request with a session."""
        self.writer.write(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{self.place.port}\r\nCookie: {self.place.cookie}\r\n\r\n".encode()
        )
        async with asyncio.timeout(5):
            head = await self.reader.readuntil(b"\r\n\r\n")
            await self.reader.readexactly(4)
        return int(head.split()[1])

    async def is_ended(self):
        """Wait for the server to end this connection."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(5):
                return await self.reader.read() == b""
        return True


@dataclass
class Place:
    """A real server on loopback, and the connections that a test opened to it."""

    gate: Gate
    port: int = 0
    cookie: str = ""
    clients: list[Client] = field(default_factory=list)

    async def connect(self, own="127.0.0.1"):
        """Connect under one of the addresses that this machine has for itself."""
        self.clients.append(Client(self, *await asyncio.open_connection("127.0.0.1", self.port, local_addr=(own, 0))))
        return self.clients[-1]


@contextlib.asynccontextmanager
async def serving(**limits):
    place, sessions = Place(Gate(**{"deadline_s": DEADLINE_S, **limits})), Sessions(TOKEN)
    config = uvicorn.Config(page, http=watched_by(place.gate), log_config=None)
    config.load()
    made = partial(watched_by(place.gate), config=config, server_state=ServerState(), app_state={})
    async with await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0) as server:
        place.port = server.sockets[0].getsockname()[1]
        place.cookie = f"experiments_{place.port}={sessions.new_cookie()}"
        config.loaded_app = Guard(page, Rules(LOOPBACK, place.port, sessions))
        try:
            yield place
        finally:
            for client in place.clients:
                client.writer.close()
                with contextlib.suppress(ConnectionError):
                    await client.writer.wait_closed()
            async with asyncio.timeout(5):
                while place.gate.strangers or place.gate._idle:  # noqa: ASYNC110 - the gate tells nobody
                    await asyncio.sleep(0.01)


def test_who_says_nothing_or_half_a_head_is_ended_in_time():
    async def check():
        async with serving() as place:
            silent, half = await place.connect(), await place.connect()
            half.writer.write(b"GET / HTTP/1.1\r\nHost: x")
            assert await silent.is_ended()
            assert await half.is_ended()
            assert place.gate.strangers == 0

    asyncio.run(check())


def test_a_connection_with_a_session_stays_until_it_begins_a_head_and_does_not_end_it():
    async def check():
        async with serving() as place:
            client = await place.connect()
            assert await client.ask() == 200
            await asyncio.sleep(2 * DEADLINE_S)
            assert await client.ask() == 200
            client.writer.write(b"GET / HT")
            assert await client.is_ended()
            assert place.gate.ended["no whole head in time"] == 1

    asyncio.run(check())


@pytest.mark.parametrize("limits", [{"most_strangers": 20}, {"most_of_a_network": 20}])
def test_strangers_in_any_number_leave_room_for_who_has_a_session(limits):
    async def check():
        async with serving(**limits) as place:
            for _ in range(200):
                await place.connect()
            assert [await (await place.connect()).ask() for _ in range(20)] == [200] * 20
            assert place.gate.strangers <= 20

    asyncio.run(check())


@pytest.mark.parametrize("own", ["127.0.0.1", "127.0.{}.1"])
def test_a_flood_of_strangers_leaves_a_newcomer_time_to_say_who_it_is(own):
    async def check():
        async with serving(deadline_s=30) as place:
            newcomers = [await place.connect() for _ in range(5)]
            for number in range(300):
                await place.connect(own.format(number % 250))
            assert [await client.ask() for client in newcomers] == [200] * 5

    asyncio.run(check())


@dataclass(eq=False)
class Seen:
    """A connection as a gate sees it."""

    client: tuple[str, int]
    aborted: bool = False

    @property
    def transport(self):
        return self

    def abort(self):
        self.aborted = True


@pytest.mark.parametrize("taken", ["127.{}.{}.1", "2001:db8::{}:{}", "::ffff:127.{}.{}.1"])
def test_all_addresses_of_one_machine_leave_room_for_who_comes_from_elsewhere(taken):
    gate, other = Gate(most_strangers=40, most_of_a_network=30), Seen(("192.0.2.1", 1))
    gate.came(other)
    for number in range(500):
        gate.came(Seen((taken.format(number // 200, number % 200), 1)))
    assert not other.aborted
    assert gate.strangers == 31


def test_a_network_is_forgotten_with_its_last_stranger():
    gate = Gate()
    connections = [Seen((f"192.0.2.{number}", 1)) for number in range(100)]
    for connection in connections:
        gate.came(connection)
    for connection in connections:
        gate.left(connection)
    assert (gate.strangers, gate._of_network) == (0, {})


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        ("127.0.0.1", "127.255.3.4", True),
        ("127.0.0.1", "::1", True),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("", "10.0.0.1", False),
    ],
)
def test_addresses_that_one_machine_can_take_are_one_network(one, another, same):
    assert (network_of(one) == network_of(another)) is same


def test_connections_that_rest_make_room_for_others():
    async def check():
        async with serving(most_idle=5, deadline_s=30.0) as place:
            clients = [await place.connect() for _ in range(8)]
            assert [await client.ask() for client in clients] == [200] * 8
            assert await clients[0].is_ended()
            assert place.gate.ended["too many idle"] == 3
            assert await clients[-1].ask() == 200

    asyncio.run(check())


@pytest.mark.parametrize("files", [64, 256, 1_024, 4_096, 65_536])
def test_pages_and_strangers_fit_into_the_files_that_there_may_be(files):
    pages, strangers = room_for(files)
    assert pages >= 1
    assert strangers >= 8
    assert files < 512 or pages * FILES_A_PAGE + strangers < files


def test_the_file_limit_is_raised_to_what_is_allowed():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
        assert raise_file_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
