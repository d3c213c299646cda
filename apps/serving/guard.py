"""What every request must pass before any page sees it: the host it names, where it comes from, who sent it.

A plain ASGI middleware, so that websockets are held to the same rules as pages. It looks at nothing that a client can
choose freely: the address of a client is the socket's, and headers of a proxy count only from the one that is trusted.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode

from apps.serving.connections import DEADLINE_S
from apps.serving.pages import message_page, pass_page
from apps.serving.places import Places, until_given_up
from apps.serving.requests import (
    Answer,
    App,
    Caller,
    Message,
    Receive,
    RefusedError,
    Scope,
    Send,
    answer_page,
    body_of,
    caller_of,
    cookies,
    only,
    own_path,
    query_text,
)
from apps.serving.tokens import COOKIE_VALID_S, Sessions, Tries

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
    # `no-referrer` would have browsers post the form with `Origin: null`, as a foreign page does.
    b"referrer-policy": b"same-origin",
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
    refused: Counter[str] = field(default_factory=Counter)


class Login:
    """Knows who may pass, and trades the token, in an address or in the form, for a cookie.

    Args:
        refused: Where wrong tokens are counted.
    """

    def __init__(self, sessions: Sessions, cookie: str, refused: Counter[str]) -> None:
        self._sessions, self._cookie, self._refused = sessions, cookie, refused
        self._tries = Tries()

    async def answer(self, scope: Scope, receive: Receive, caller: Caller) -> Answer | None:
        """Return what a caller without a session is told; None for one who may pass.

        Raises:
            RefusedError: Too many wrong tokens came from there, or a websocket has no session.
        """
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == "/login":
            form = dict(parse_qsl((await body_of(receive, _MAX_FORM, DEADLINE_S)).decode("latin-1")))
            return self._trade(caller, form.get("token", ""), own_path(form.get("next", "/")))
        given = [value for name, value in query if name == "token"]
        if given and scope["type"] == "http":
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            return self._trade(caller, given[-1], own_path(quote(scope["path"]) + (f"?{rest}" if rest else "")))
        return None if self.session_of(scope) else _ask(scope)

    def session_of(self, scope: Scope) -> str:
        """Return the cookie of the session that a request has; empty where it has none."""
        return next((value for value in cookies(scope, self._cookie) if self._sessions.is_valid(value)), "")

    def _trade(self, caller: Caller, token: str, target: str) -> Answer:
        # The right one always passes: at 256 bits, the limit is there against noise, not against guessing.
        if not self._sessions.is_token(token):
            return self._wrong(caller, target)
        cookie = f"{self._cookie}={self._sessions.new_cookie()}; Path=/; HttpOnly; SameSite=Strict"
        cookie += f"; Max-Age={COOKIE_VALID_S}" + ("; Secure" if caller.scheme == "https" else "")
        return answer_page(303, b"", [(b"location", target.encode()), (b"set-cookie", cookie.encode())])

    def _wrong(self, caller: Caller, target: str) -> Answer:
        self._refused["token"] += 1
        # A page of another site can make anybody's browser ask; that must lock nobody out.
        if not caller.is_foreign:
            wait_s = math.ceil(self._tries.wait_s(caller.address))
            if wait_s > 0:
                text = f"Too many wrong tokens came from your address. Try another in {wait_s} s."
                raise RefusedError(429, "too many tries", text, [(b"retry-after", str(wait_s).encode())])
            self._tries.failed(caller.address)
        return answer_page(401, message_page(401, "That is not the token.", login=True, target=target))


def _ask(scope: Scope) -> Answer:
    if scope["type"] == "websocket":
        raise RefusedError(401, "no session", "Open the page again and log in.")
    if scope["path"] == "/healthz":
        return answer_page(200, b"ok", [(b"content-type", b"text/plain")])
    target = own_path(quote(scope["path"]) + query_text(scope))
    if only(scope, b"sec-fetch-site") == "cross-site":
        # A link on another site: browsers hold the strict cookie back until a page of ours asks again.
        return answer_page(200, pass_page(target))
    return answer_page(401, message_page(401, "", login=True, target=target))


class Guard:
    """Lets requests through to `app` that pass `rules`, and answers all others itself."""

    def __init__(self, app: App, rules: Rules) -> None:
        self._app, self.rules, self.figures = app, rules, Figures()
        self._places = Places(rules.max_sockets)
        self._login = Login(rules.sessions, rules.cookie, self.figures.refused) if rules.sessions is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        self.figures.requests += 1
        try:
            caller = self._checked(scope)
            answer = await self._login.answer(scope, receive, caller) if self._login is not None else None
        except RefusedError as refusal:
            self.figures.refused[refusal.why] += 1
            answer = answer_page(refusal.status, message_page(refusal.status, refusal.text), refusal.headers)
        if answer is not None:
            await _refuse(scope, send, answer)
            return
        if (connection := scope.get("state", {}).get("connection")) is not None:
            connection.is_known()
        who = caller.address, self._login.session_of(scope) if self._login is not None else ""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send, who)
        elif _opens_page(scope["path"]) and not self._places.has_room(*who):
            self.figures.refused["full"] += 1
            text = f"{self.rules.max_sockets} pages are open, which is all that this server allows. Try again later."
            await _refuse(scope, send, answer_page(503, message_page(503, text), [(b"retry-after", b"60")]))
        else:
            await self._app(scope, _bounded(receive), _hardened(scope, send))

    def _checked(self, scope: Scope) -> Caller:
        path = scope.get("raw_path") or quote(scope["path"]).encode()
        if _TRICKS.search(path) or b"/../" in path + b"/" or b"/./" in path + b"/" or len(path) > 2_000:
            raise RefusedError(404, "path", "There is no such page.")
        if len(scope.get("query_string", b"")) > _MAX_QUERY:
            raise RefusedError(414, "query", "This address is too long.")
        if scope["type"] == "http" and scope["method"] not in {"GET", "HEAD", "POST"}:
            raise RefusedError(405, "method", "Pages here can only be looked at.")
        caller = caller_of(scope, self.rules.trusted_proxy)
        self._check_host(caller)
        origin = only(scope, b"origin")
        must_match = scope["type"] == "websocket" or scope["method"] == "POST"
        if must_match and (origin or "").lower() != f"{caller.scheme}://{caller.host}":
            raise RefusedError(403, "origin", "This request does not come from a page of this server.")
        if caller.is_foreign and only(scope, b"sec-fetch-mode") != "navigate":
            raise RefusedError(403, "foreign page", "Pages of other sites can read nothing here.")
        return caller

    def _check_host(self, caller: Caller) -> None:
        found = _HOST.fullmatch(caller.host)
        name = (found[1] or found[2]) if found else ""
        port = int(found[3]) if found and found[3] else (443 if caller.scheme == "https" else 80)
        if name in self.rules.hosts and port != self.rules.port and not caller.is_proxied:
            raise RefusedError(
                421,
                "host",
                f"This server is known under that name at port {self.rules.port}. Whoever runs it behind a proxy can "
                "name the proxy: experiments serve --trusted-proxy ADDRESS",
            )
        if name not in self.rules.hosts:
            raise RefusedError(
                421,
                "host",
                "This server is not known under that name. Whoever runs it can add it: "
                "experiments serve --allow-host NAME",
            )

    async def _socket(self, scope: Scope, receive: Receive, send: Send, who: tuple[str, str]) -> None:
        figures = self.figures
        place = self._places.take(*who)
        if place is None:
            figures.refused["full"] += 1
            await _refuse(scope, send, answer_page(503, b"full"))
            return
        figures.sockets = len(self._places)
        figures.most_sockets = max(figures.most_sockets, figures.sockets)
        try:
            await self._app(scope, until_given_up(place, receive, send), send)
        except asyncio.CancelledError:
            raise
        except RuntimeError as error:
            # The page went away while something was sent to it.
            if "websocket" not in str(error):
                raise
        finally:
            self._places.leave(place)
            figures.sockets = len(self._places)


def _opens_page(path: str) -> bool:
    return path.startswith(("/apps/", "/notebooks/")) and path.endswith("/")


async def _refuse(scope: Scope, send: Send, answer: Answer) -> None:
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
    is_asset, is_file = "/assets/" in scope["path"], "/@file/" in scope["path"]

    async def out(message: Message) -> None:
        if message["type"] == "http.response.start":
            theirs = {name.lower() for name, _ in message.get("headers", [])}
            ours = dict(_HEADERS)
            if b"content-security-policy" not in theirs:
                ours[b"content-security-policy"] = CONTENT_POLICY.encode()
            if is_asset and message["status"] == 200:
                ours[b"cache-control"] = b"private, max-age=31536000, immutable"  # their names hold a hash
            elif is_file or b"cache-control" not in theirs:
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
