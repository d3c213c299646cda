"""What every request must pass before any page sees it: the host it names, where it comes from, who sent it.

A plain ASGI middleware, so that websockets are held to the same rules as pages. It looks at nothing that a client can
choose freely: the address of a client is the socket's, and headers of a proxy count only from the one that is trusted.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from apps.pages import message_page, pass_page
from apps.tokens import COOKIE_VALID_S, Sessions, Tries

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_BODY = 1_000_000
_MAX_QUERY = 4_096
_MAX_FORM = 1_000
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9][a-z0-9.-]*))(?::([0-9]{1,5}))?", re.ASCII)
# Whatever a path says when a decoder or a file system reads it otherwise than we do.
_TRICKS = re.compile(rb"%(?:2e|2f|5c|00|25)|\\|//|[\x00-\x20\x7f]", re.IGNORECASE)
# marimo's page needs inline scripts, and vega compiles its expressions; nothing is fetched from or sent to elsewhere.
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:;"
    " media-src 'self' data: blob:; frame-src 'self' data: blob:; object-src 'none'; base-uri 'self';"
    " form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_DROPPED = frozenset({b"server", b"x-powered-by"})


@dataclass(frozen=True)
class Rules:
    """What a server lets in.

    Attributes:
        hosts: Names, in lower case, under which it may be asked for.
        port: Its port.
        sessions: Checks tokens and cookies; None where nobody has to log in.
        trusted_proxy: Address of the proxy whose `X-Forwarded-*` headers count; None where none do.
        max_sockets: Open pages at once.
    """

    hosts: frozenset[str]
    port: int
    sessions: Sessions | None = None
    trusted_proxy: str | None = None
    max_sockets: int = 200

    @property
    def cookie(self) -> str:
        """Name of the session cookie; browsers share cookies among the ports of a host."""
        return f"experiments_{self.port}"


@dataclass
class Figures:
    """What the guard counted, for the health page."""

    sockets: int = 0
    most_sockets: int = 0
    requests: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, why: str) -> None:
        """Count a refusal under a word."""
        self.refused[why] = self.refused.get(why, 0) + 1


class _RefusedError(Exception):
    def __init__(self, status: int, why: str, text: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(text)
        self.status, self.why, self.text, self.headers = status, why, text, list(headers)


@dataclass(frozen=True)
class _Caller:
    """Where a request comes from, once its proxy is taken into account."""

    address: str
    host: str
    scheme: str
    is_proxied: bool


class Guard:
    """Lets requests through to `app` that pass `rules`, and answers all others itself."""

    def __init__(self, app: App, rules: Rules) -> None:
        self._app, self.rules = app, rules
        self.figures, self.tries = Figures(), Tries()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        self.figures.requests += 1
        try:
            caller = self._checked(scope)
            answer = await self._login(scope, receive, caller)
        except _RefusedError as refusal:
            self.figures.refuse(refusal.why)
            answer = _page(refusal.status, message_page(refusal.status, refusal.text), refusal.headers)
        if answer is not None:
            await _refuse(scope, send, answer)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif self.is_full and scope["path"].startswith(("/apps/", "/notebooks/")) and scope["path"].endswith("/"):
            self.figures.refuse("full")
            text = f"{self.rules.max_sockets} pages are open, which is all that this server allows. Try again later."
            await _refuse(scope, send, _page(503, message_page(503, text), [(b"retry-after", b"60")]))
        else:
            await self._app(scope, _bounded(receive), _hardened(scope, send))

    @property
    def is_full(self) -> bool:
        """Whether as many pages are open as may be."""
        return self.figures.sockets >= self.rules.max_sockets

    def _checked(self, scope: Scope) -> _Caller:
        path = scope.get("raw_path") or quote(scope["path"]).encode()
        if _TRICKS.search(path) or b"/../" in path + b"/" or b"/./" in path + b"/" or len(path) > 2_000:
            raise _RefusedError(404, "path", "There is no such page.")
        if len(scope.get("query_string", b"")) > _MAX_QUERY:
            raise _RefusedError(414, "query", "This address is too long.")
        if scope["type"] == "http" and scope["method"] not in {"GET", "HEAD", "POST"}:
            raise _RefusedError(405, "method", "Pages here can only be looked at.")
        caller = _caller(scope, self.rules.trusted_proxy)
        self._check_host(caller)
        origin = _only(scope, b"origin")
        site = _only(scope, b"sec-fetch-site") or ""
        must_match = scope["type"] == "websocket" or scope["method"] == "POST"
        if must_match and (origin or "").lower() != f"{caller.scheme}://{caller.host}":
            raise _RefusedError(403, "origin", "This request does not come from a page of this server.")
        if site in {"cross-site", "same-site"} and _only(scope, b"sec-fetch-mode") != "navigate":
            raise _RefusedError(403, "foreign page", "Pages of other sites can read nothing here.")
        return caller

    def _check_host(self, caller: _Caller) -> None:
        found = _HOST.fullmatch(caller.host)
        name = (found[1] or found[2]) if found else ""
        port = int(found[3]) if found and found[3] else (443 if caller.scheme == "https" else 80)
        if name not in self.rules.hosts or (port != self.rules.port and not caller.is_proxied):
            raise _RefusedError(
                421,
                "host",
                "This server is not known under that name. Whoever runs it can add it: "
                "experiments serve --allow-host NAME",
            )

    async def _login(self, scope: Scope, receive: Receive, caller: _Caller) -> _Answer | None:
        """Return what a caller without a session is told; None for one who may pass."""
        sessions = self.rules.sessions
        if sessions is None:
            return None
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == "/login":
            form = dict(parse_qsl((await _body(receive, _MAX_FORM)).decode("latin-1")))
            return self._trade(sessions, caller, form.get("token", ""), _own_path(form.get("next", "/")))
        given = [value for name, value in query if name == "token"]
        if given and scope["type"] == "http":
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            target = _own_path(quote(scope["path"]) + (f"?{rest}" if rest else ""))
            return self._trade(sessions, caller, given[-1], target)
        if any(sessions.is_valid(value) for value in _cookies(scope, self.rules.cookie)):
            return None
        return _ask_to_log_in(scope)

    def _trade(self, sessions: Sessions, caller: _Caller, token: str, target: str) -> _Answer:
        wait_s = self.tries.wait_s(caller.address)
        if wait_s > 0:
            text = f"Too many wrong tokens came from your address. Try again in {math.ceil(wait_s)} s."
            raise _RefusedError(429, "too many tries", text, [(b"retry-after", str(math.ceil(wait_s)).encode())])
        if not sessions.is_token(token):
            self.tries.failed(caller.address)
            self.figures.refuse("token")
            return _page(401, message_page(401, "That is not the token.", login=True, target=target))
        cookie = f"{self.rules.cookie}={sessions.new_cookie()}; Path=/; HttpOnly; SameSite=Strict"
        cookie += f"; Max-Age={COOKIE_VALID_S}" + ("; Secure" if caller.scheme == "https" else "")
        return _page(303, b"", [(b"location", target.encode()), (b"set-cookie", cookie.encode())])

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        figures = self.figures
        if self.is_full:
            figures.refuse("full")
            await _refuse(scope, send, _page(503, b"full"))
            return
        figures.sockets += 1
        figures.most_sockets = max(figures.most_sockets, figures.sockets)
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            raise
        except RuntimeError as error:
            # The page went away while something was sent to it.
            if "websocket" not in str(error):
                raise
        finally:
            figures.sockets -= 1


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    headers: list[tuple[bytes, bytes]]


def _page(status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> _Answer:
    given = list(headers)
    if not any(name == b"content-type" for name, _ in given):
        given.append((b"content-type", b"text/html; charset=utf-8"))
    return _Answer(status, body, [*given, (b"cache-control", b"no-store")])


def _ask_to_log_in(scope: Scope) -> _Answer:
    if scope["type"] == "websocket":
        raise _RefusedError(401, "no session", "Open the page again and log in.")
    if scope["path"] == "/healthz":
        return _page(200, b"ok", [(b"content-type", b"text/plain")])
    target = _own_path(quote(scope["path"]) + _query_text(scope))
    if _only(scope, b"sec-fetch-site") == "cross-site":
        # A link on another site: browsers hold the strict cookie back until a page of ours asks again.
        return _page(200, pass_page(target))
    return _page(401, message_page(401, "", login=True, target=target))


async def _refuse(scope: Scope, send: Send, answer: _Answer) -> None:
    if scope["type"] == "websocket":
        # Before it is accepted, closing a websocket is an HTTP 403: no page ever sees it open.
        await send({"type": "websocket.close", "code": 1008, "reason": str(answer.status)})
        return
    out = _hardened(scope, send)
    length = (b"content-length", str(len(answer.body)).encode())
    await out({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]})
    await out({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})


def _hardened(scope: Scope, send: Send) -> Send:
    """Return `send` that puts our headers on every answer, over those of the page."""
    is_asset = "/assets/" in scope["path"]

    async def out(message: Message) -> None:
        if message["type"] == "http.response.start":
            theirs = {name.lower() for name, _ in message.get("headers", [])}
            ours = dict(_HEADERS)
            if b"content-security-policy" not in theirs:
                ours[b"content-security-policy"] = CONTENT_POLICY.encode()
            if is_asset and message["status"] == 200:
                ours[b"cache-control"] = b"private, max-age=31536000, immutable"  # their names hold a hash
            elif b"cache-control" not in theirs:
                ours[b"cache-control"] = b"private, no-cache"
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if name.lower() not in ours
                and name.lower() not in _DROPPED
                and not name.lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": [*kept, *ours.items()]}
        await send(message)

    return out


def _bounded(receive: Receive) -> Receive:
    """Return `receive` that ends a request whose body is too long."""
    taken = 0

    async def take() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if taken > MAX_BODY else message

    return take


async def _body(receive: Receive, limit: int) -> bytes:
    content = b""
    while len(content) <= limit:
        message = await receive()
        content += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    return content[:limit]


def _caller(scope: Scope, trusted_proxy: str | None) -> _Caller:
    address = (scope.get("client") or ("", 0))[0]
    host = _only(scope, b"host")
    if host is None:
        raise _RefusedError(400, "host", "A request names exactly one host.")
    scheme = "https" if scope.get("scheme") in {"https", "wss"} else "http"
    is_proxied = trusted_proxy is not None and address == trusted_proxy
    if is_proxied:
        forwarded = _only(scope, b"x-forwarded-for") or address
        address = forwarded.rsplit(",", 1)[-1].strip()[:64]
        host = _only(scope, b"x-forwarded-host") or host
        scheme = "https" if (_only(scope, b"x-forwarded-proto") or scheme).lower() == "https" else "http"
    return _Caller(address, host.lower(), scheme, is_proxied)


def _only(scope: Scope, name: bytes) -> str | None:
    """Return the value of a header that is there exactly once."""
    values = [value for key, value in scope["headers"] if key == name]
    return values[0].decode("latin-1") if len(values) == 1 else None


def _cookies(scope: Scope, name: str) -> list[str]:
    found = []
    for key, value in scope["headers"]:
        if key == b"cookie":
            jar: SimpleCookie = SimpleCookie()
            try:
                jar.load(value.decode("latin-1"))
            except CookieError:
                continue
            found += [jar[name].value] if name in jar else []
    return found


def _query_text(scope: Scope) -> str:
    text = scope.get("query_string", b"").decode("latin-1")
    return f"?{text}" if text else ""


def _own_path(target: str) -> str:
    """Return `target` where it is a path of this server, else the first page: nobody is sent elsewhere."""
    safe = re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", target)
    return target if safe and "\\" not in target else "/"
