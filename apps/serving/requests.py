"""What is read of a request before any page sees it, and what is answered without one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import cookie_parser

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class RefusedError(Exception):
    """A request that gets no page.

    Attributes:
        status: Of the answer.
        why: What it is counted under.
        text: One sentence for the person.
    """

    def __init__(self, status: int, why: str, text: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(text)
        self.status, self.why, self.text, self.headers = status, why, text, list(headers)


@dataclass(frozen=True)
class Caller:
    """Where a request comes from, once its proxy is taken into account.

    Attributes:
        is_foreign: Whether a page of another site made the browser ask; False also where nobody says.
    """

    address: str
    host: str
    scheme: str
    is_proxied: bool
    is_foreign: bool


@dataclass(frozen=True)
class Answer:
    """What is answered by the guard itself."""

    status: int
    body: bytes
    headers: list[tuple[bytes, bytes]]


def answer_page(status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> Answer:
    """Return a page that nobody may keep."""
    given = list(headers)
    if not any(name == b"content-type" for name, _ in given):
        given.append((b"content-type", b"text/html; charset=utf-8"))
    return Answer(status, body, [*given, (b"cache-control", b"no-store")])


def caller_of(scope: Scope, trusted_proxy: str | None) -> Caller:
    """Return where a request comes from.

    Raises:
        RefusedError: It names no host, or several.
    """
    address = (scope.get("client") or ("", 0))[0]
    host = only(scope, b"host")
    if host is None:
        raise RefusedError(400, "host", "A request names exactly one host.")
    scheme = "https" if scope.get("scheme") in {"https", "wss"} else "http"
    is_proxied = trusted_proxy is not None and address == trusted_proxy
    if is_proxied:
        forwarded = only(scope, b"x-forwarded-for") or address
        address = forwarded.rsplit(",", 1)[-1].strip()[:64]
        host = only(scope, b"x-forwarded-host") or host
        scheme = "https" if (only(scope, b"x-forwarded-proto") or scheme).lower() == "https" else "http"
    is_foreign = (only(scope, b"sec-fetch-site") or "") in {"cross-site", "same-site"}
    return Caller(address, host.lower(), scheme, is_proxied, is_foreign)


def only(scope: Scope, name: bytes) -> str | None:
    """Return the value of a header that is there exactly once."""
    values = [value for key, value in scope["headers"] if key == name]
    return values[0].decode("latin-1") if len(values) == 1 else None


def cookies(scope: Scope, name: str) -> list[str]:
    """Return each value of a cookie, whatever stands before or behind it: other programs set cookies here too."""
    texts = [value.decode("latin-1") for key, value in scope["headers"] if key == b"cookie"]
    return [found[name] for text in texts if name in (found := cookie_parser(text))]


async def body_of(receive: Receive, limit: int, within_s: float) -> bytes:
    """Return at most `limit` bytes of a request's body.

    Raises:
        RefusedError: It was not whole in time.
    """
    content = b""
    try:
        async with asyncio.timeout(within_s):
            while len(content) <= limit:
                message = await receive()
                content += message.get("body", b"")
                if message["type"] != "http.request" or not message.get("more_body"):
                    break
    except TimeoutError:
        raise RefusedError(408, "too slow", "The form did not arrive in time. Send it again.") from None
    return content[:limit]


def query_text(scope: Scope) -> str:
    """Return the query of an address with its question mark; empty where there is none."""
    text = scope.get("query_string", b"").decode("latin-1")
    return f"?{text}" if text else ""


def own_path(target: str) -> str:
    """Return `target` where it is a path of this server, else the first page: nobody is sent elsewhere."""
    safe = re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", target)
    return target if safe and "\\" not in target else "/"
