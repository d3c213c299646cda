"""Open pages where not all have room: nobody who opens many keeps anybody else out."""

from __future__ import annotations

import asyncio

import pytest

from apps.serving.guard import LOOPBACK, Guard, Rules
from apps.serving.places import Places, until_given_up
from apps.serving.tokens import Sessions
from tests.fakes.asking import ask

MANY = 20


def full_of(*pages):
    """Return places that are all taken, in this order, each by an address and a log-in."""
    places = Places(len(pages))
    return places, [places.take(address, login) for address, login in pages]


def test_who_has_all_pages_open_gives_the_oldest_up_to_who_has_none():
    places, taken = full_of(*[("mallory", "m")] * MANY)
    assert places.has_room("ada", "a")
    assert places.take("ada", "a") is not None
    assert [place.given_up.is_set() for place in taken] == [True] + [False] * (MANY - 1)
    assert len(places) == MANY


@pytest.mark.parametrize("login", ["m", "another"])
def test_who_has_most_pages_open_gets_none_of_anothers(login):
    places, taken = full_of(("ada", "a"), ("ada", "a"), *[("mallory", f"m{number}") for number in range(MANY)])
    for number in range(MANY):
        if places.take("mallory", f"{login}{number}") is None:
            assert not places.has_room("mallory", f"{login}{number}")
    assert not taken[0].given_up.is_set()
    assert not taken[1].given_up.is_set()


def test_a_client_with_many_addresses_leaves_everybody_a_page():
    places, taken = full_of(("ada", "a"), ("eve", "e"), *[("mallory", "m")] * MANY)
    for number in range(10 * MANY):
        places.take(f"mallory {number}", f"m{number}")
    assert not taken[0].given_up.is_set()
    assert not taken[1].given_up.is_set()


def test_where_all_come_from_one_address_the_log_in_with_most_pages_gives_one_up():
    places, taken = full_of(("here", "a"), *[("here", "m")] * MANY)
    assert places.take("here", "e") is not None
    assert [place.given_up.is_set() for place in taken[:3]] == [False, True, False]


def test_pages_that_are_shared_out_evenly_stay():
    places, taken = full_of(("ada", "a"), ("eve", "e"))
    assert places.take("bob", "b") is None
    assert not places.has_room("bob", "b")
    places.leave(taken[0])
    assert places.take("bob", "b") is not None


def test_a_place_that_is_given_up_ends_its_socket():
    sent = []

    async def never():
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message["type"])

    async def check():
        _, (place,) = full_of(("mallory", "m"))
        place.given_up.set()
        async with asyncio.timeout(5):
            return await until_given_up(place, never, send)()

    assert asyncio.run(check())["type"] == "websocket.disconnect"
    assert sent == ["websocket.close"]


def test_a_viewer_cannot_shut_others_out_by_opening_all_pages_there_may_be():
    token = "t" * 43
    sessions = Sessions(token)
    ended = []

    async def page(scope, receive, send):
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                pass
            ended.append(scope["client"][0])
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})

    guard = Guard(page, Rules(LOOPBACK, 80, sessions, max_sockets=3))

    async def hold(address, cookie):
        """Open a page and keep it; return what ends it."""
        asking = {"type": "websocket", "scheme": "ws", "path": "/apps/fleet/ws", "raw_path": b"/apps/fleet/ws"}
        headers = [(b"host", b"localhost:80"), (b"origin", b"http://localhost:80"), (b"cookie", cookie.encode())]
        opened, gone = asyncio.Event(), asyncio.Event()

        async def receive():
            await gone.wait()
            return {"type": "websocket.disconnect", "code": 1000}

        async def send(message):
            opened.set()

        scope = {**asking, "query_string": b"", "headers": headers, "client": (address, 1)}
        task = asyncio.create_task(guard(scope, receive, send))
        await opened.wait()
        return task, gone

    async def check():
        cookies = [f"experiments_80={sessions.new_cookie()}" for _ in range(2)]
        pages = [await hold("10.0.0.6", cookies[0]) for _ in range(3)]
        pages.append(await hold("10.0.0.7", cookies[1]))
        async with asyncio.timeout(5):
            await pages[0][0]
        assert ended == ["10.0.0.6"]
        assert guard.figures.sockets == 3
        answer = await asyncio.to_thread(
            ask, guard, "/apps/fleet/", client="10.0.0.6", cookie=cookies[0], sec_fetch_site="same-origin"
        )
        assert answer.status == 503
        for _, gone in pages:
            gone.set()
        await asyncio.gather(*(task for task, _ in pages))
        assert guard.figures.sockets == 0

    asyncio.run(check())
