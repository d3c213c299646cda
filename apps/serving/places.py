"""Who may have a page open where not all can: who has many gives one up to who has fewer."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field

from apps.serving.requests import Message, Receive, Send

_TAKEN = {"code": 1013, "reason": "somebody with fewer pages open took this place"}


@dataclass(eq=False)
class Place:
    """One open page.

    Attributes:
        address: Of the client.
        login: The cookie of its session; one client can have many.
        given_up: Set where another takes the place.
    """

    address: str
    login: str
    given_up: asyncio.Event = field(default_factory=asyncio.Event)


class Places:
    """At most so many open pages."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[Place, None] = {}

    def __len__(self) -> int:
        return len(self._taken)

    def has_room(self, address: str, login: str) -> bool:
        """Say whether one more page could be opened from there."""
        return len(self) < self._most or self._whose(address, login) is not None

    def take(self, address: str, login: str) -> Place | None:
        """Return a place for one more page, if need be that of another; None where there is none."""
        if len(self) >= self._most:
            other = self._whose(address, login)
            if other is None:
                return None
            other.given_up.set()
            self.leave(other)
        place = Place(address, login)
        self._taken[place] = None
        return place

    def leave(self, place: Place) -> None:
        """Give a place back."""
        self._taken.pop(place, None)

    def _whose(self, address: str, login: str) -> Place | None:
        """Return the place to take: the oldest of the address, and there of the log-in, with the most pages.

        By address first: who has the token can log in as often as they like.
        """
        inside = list(self._taken)
        for key, own in ((_address, address), (_login, login)):
            counted = Counter(key(place) for place in inside)
            most, count = counted.most_common(1)[0] if counted else (own, 0)
            if count > counted[own] + 1:
                theirs = [place for place in inside if key(place) == most]
                logins = Counter(place.login for place in theirs)
                return next(place for place in theirs if logins[place.login] == max(logins.values()))
            inside = [place for place in inside if key(place) == own]
        return None


def _address(place: Place) -> str:
    return place.address


def _login(place: Place) -> str:
    return place.login


def until_given_up(place: Place, receive: Receive, send: Send) -> Receive:
    """Return a `receive` that ends a websocket when its place is taken."""

    async def take() -> Message:
        message, given_up = asyncio.ensure_future(receive()), asyncio.ensure_future(place.given_up.wait())
        try:
            await asyncio.wait({message, given_up}, return_when=asyncio.FIRST_COMPLETED)
            if message.done():
                return message.result()
        finally:
            message.cancel()
            given_up.cancel()
        with contextlib.suppress(RuntimeError, OSError):
            await send({"type": "websocket.close", **_TAKEN})
        return {"type": "websocket.disconnect", **_TAKEN}

    return take
