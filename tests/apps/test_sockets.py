"""What comes over a websocket: a head that is taken or ends the connection, and then next to nothing."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

import pytest
import uvicorn
from uvicorn.server import ServerState

from apps.serving.connections import MOST_AT_ONCE, Gate, Socket, watched_by

HEAD = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
# Frames of a client, masked with nothing.
BEGUN, EMPTY_PART, PING = b"\x01\x80\0\0\0\0", b"\x00\x80\0\0\0\0", b"\x89\xfd\0\0\0\0" + b"a" * 125
MESSAGE = b"\x81" + PING[1:]


async def page(scope, receive, send):
    """Take a socket and listen to it until it ends, as marimo does."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


@contextlib.asynccontextmanager
async def connected():
    """Yield what reads from, and what writes to, a real server on loopback."""
    config = uvicorn.Config(page, ws=Socket, log_config=None)
    config.load()
    made = partial(watched_by(Gate()), config=config, server_state=ServerState(), app_state={})
    async with await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        yield reader, writer
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def is_ended(reader, within_s=5):
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(within_s):
            while await reader.read(65_536):
                pass
    return True


@pytest.mark.parametrize(
    "more",
    [
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 100000\r\n",
        b"X-Long: " + b"y" * 20_000 + b"\r\n",
        b"".join(b"X-%d: y\r\n" % number for number in range(500)),
    ],
)
def test_a_stranger_cannot_keep_a_connection_by_a_head_that_no_websocket_has(more):
    async def check():
        async with connected() as (reader, writer):
            writer.write(HEAD + more + b"\r\n")
            async with asyncio.timeout(5):
                assert (await reader.readline()).split()[1] == b"400"
            assert await is_ended(reader)

    asyncio.run(check())


@pytest.mark.parametrize(("first", "frame"), [(BEGUN, EMPTY_PART), (b"", PING), (b"", MESSAGE)])
def test_a_viewer_cannot_keep_the_server_busy_with_frames(first, frame):
    async def check():
        async with connected() as (reader, writer):
            writer.write(HEAD + b"\r\n")
            await reader.readuntil(b"\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                writer.write(first + frame * (2 * MOST_AT_ONCE // len(frame)))
                await writer.drain()
            assert await is_ended(reader)

    asyncio.run(check())


def test_a_page_that_answers_pings_keeps_its_socket():
    async def check():
        async with connected() as (reader, writer):
            writer.write(HEAD + b"\r\n")
            await reader.readuntil(b"\r\n\r\n")
            for _ in range(20):
                writer.write(PING)
                async with asyncio.timeout(5):
                    assert await reader.readexactly(127) == b"\x8a\x7d" + b"a" * 125

    asyncio.run(check())
