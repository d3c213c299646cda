"""One notebook as a web page: made when somebody first asks for it, and never more than a page to look at.

The kernels are threads of the server. What one page sends is kept until its kernel takes it, and a pattern that a
viewer wrote is matched by Python's `re`, which for some takes years and lets no other thread run. So a page may ask so
much at a time, of so many things, and with no patterns.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

from apps.serving.allowance import Allowance
from apps.serving.connections import DEADLINE_S
from apps.serving.log_lines import hold_lines
from apps.serving.requests import App, Message, Receive, RefusedError, Scope, Send, body_of, cookies
from apps.serving.theme import THEME_COOKIE, marimo_head
from experiments.project.files import parse_json
from experiments.project.look import plain_logger

THEMES = ("light", "dark")
SESSION_TTL_S = 15
"""How long a page that lost its connection may come back to its session; until then the session costs its memory."""

# All that marimo's page asks for in run mode. What is left out could read code and files, or run an export.
_GET = re.compile(
    r"/|/health|/assets/[\w.@+-]+|/@file/[\w.@ -]+|/favicon\.ico|/manifest\.json|/logo\.png|/apple-touch-icon\.png"
    r"|/android-chrome-(?:192x192|512x512)\.png|/public-files-sw\.js|/public/[\w./ -]+"
)
_POST = re.compile(r"/api/kernel/(?:set_ui_element_value|set_model_value|function_call|instantiate)")
# They would name another notebook, or join somebody else's session.
_FOREIGN_KEYS = frozenset({"file", "kiosk", "access_token"})
MOST_AT_ONCE = 131_072
"""Bytes of one request; all rows of a long table chosen are the most that a page sends."""

_BURST = 1_048_576
_BYTES_A_SECOND = 16_384
_EACH_COSTS = 256
_MOST_NAMES = 1_000

_log = plain_logger(__name__)


class BrokenNotebookError(Exception):
    """A notebook cannot be made into a page; the message says why, for a reader of the page."""


class Account:
    """How much one page has asked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowance = Allowance(_BURST, _BYTES_A_SECOND, clock)
        self._names: set[str] = set()  # of controls and traits of widgets: marimo keeps the last value of each

    def charge(self, body: bytes, names: set[str]) -> None:
        """Take a request down.

        Raises:
            RefusedError: It is more than a page asks.
        """
        cost = len(body) + _EACH_COSTS
        if cost > self._allowance.left() or len(self._names | names) > _MOST_NAMES:
            raise RefusedError(429, "asked too much", "This page has asked too much. Wait a moment, or open it again.")
        self._allowance.take(cost)
        self._names |= names


@dataclass
class Mount:
    """A notebook's pages, one marimo app for each colour theme: its kernels draw for the theme of their app.

    Attributes:
        path: The notebook's file.
    """

    path: Path
    _apps: dict[str, Any] = field(default_factory=dict)
    _accounts: WeakKeyDictionary[Any, Account] = field(default_factory=WeakKeyDictionary)
    _making: threading.Lock = field(default_factory=threading.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, inner: str) -> bool:
        """Answer what is asked of this notebook under the path `inner`; False where it is nothing for viewers.

        Raises:
            BrokenNotebookError: The file is gone or is no notebook.
            RefusedError: More is asked than a page may.
        """
        if not _may_pass(scope, inner):
            return False
        found, sessions = self._sessions_of(scope)
        if scope["type"] == "http" and scope["method"] == "POST":
            accounts = [self._accounts.setdefault(session, Account()) for session in sessions]
            body = await take(receive, accounts, is_call=inner.endswith("/function_call"))
            receive = given(body, receive)
        app: App = found or await asyncio.to_thread(self._app, _theme(scope))
        inside = {**scope, "path": inner, "raw_path": inner.encode(), "root_path": ""}
        if inner.startswith("/@file/"):
            return await _file(app, inside, receive, send)
        await app(inside, receive, send)
        return True

    @property
    def sessions(self) -> int:
        """Sessions whose kernels run."""
        return sum(len(manager.sessions) for manager in self._managers())

    async def close(self) -> None:
        """End all sessions."""
        for manager in self._managers():
            await manager.shutdown()

    def _managers(self) -> Iterator[Any]:
        yield from [app.state.session_manager for app in self._apps.values()]

    def _sessions_of(self, scope: Scope) -> tuple[Any, list[Any]]:
        """Return the sessions that a request is about, with their app: its theme may have been changed since."""
        named = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_id", [])
        named += [value.decode("latin-1") for name, value in scope["headers"] if name == b"marimo-session-id"]
        for app in self._apps.values():
            known = app.state.session_manager.sessions
            if found := [known[name] for name in named if name in known]:
                return app, found
        return None, []

    def _app(self, theme: str) -> App:
        with self._making:
            if theme not in self._apps:
                _check(self.path)
                try:
                    self._apps[theme] = _marimo_app(self.path, theme)
                except Exception as error:
                    _log.warning("%s cannot be served: %s", self.path, error)
                    raise BrokenNotebookError(f"{self.path.name} cannot be read as a notebook: {error}") from error
            return self._apps[theme]  # type: ignore[no-any-return] # a Starlette app


async def _file(app: App, scope: Scope, receive: Receive, send: Send) -> bool:
    """Answer with a file of a page; False where it is gone, which marimo finds out after it has promised it."""
    promised: list[Message] = []

    async def out(message: Message) -> None:
        if message["type"] == "http.response.start":
            promised.append(message)
            return
        while promised:
            await send(promised.pop())
        await send(message)

    try:
        await app(scope, receive, out)
    except RuntimeError:  # what starlette makes of marimo's 404 behind the promise
        if not promised:
            raise
    return not promised


async def take(receive: Receive, accounts: list[Account], *, is_call: bool) -> bytes:
    """Return the body of what a page asks, as its kernel may have it.

    Args:
        accounts: Those of the page's session; none where it has no session.
        is_call: Whether it calls a function of a control.

    Raises:
        RefusedError: It is too long, too much, no JSON object, or holds a pattern.
    """
    body = await body_of(receive, MOST_AT_ONCE + 1, DEADLINE_S)
    if len(body) > MOST_AT_ONCE:
        raise RefusedError(413, "asked too much", f"A page may send {MOST_AT_ONCE:,} bytes at once.")
    try:
        asked = parse_json(body)
        patterns = ("operator", "regex") in _scalars(asked)
    except (ValueError, RecursionError):
        asked, patterns = None, False
    if not isinstance(asked, dict):
        raise RefusedError(400, "asked oddly", "A page asks with a JSON object.")
    if patterns:
        raise RefusedError(403, "pattern", "A pattern could stop the server. Filter by a text: contains.")
    for account in accounts:
        account.charge(body, _names(asked))
    # Written anew, so that marimo reads what was judged here.
    return json.dumps(_literal(asked) if is_call else asked).encode()


def given(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body which was taken, and then what else comes."""
    left = [body]

    async def again() -> Any:  # noqa: ANN401 - ASGI's own
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return again


def _literal(asked: dict[str, Any]) -> dict[str, Any]:
    # marimo's tables take what is typed into their search for a pattern.
    args = asked.get("args")
    if asked.get("functionName") == "search" and isinstance(args, dict) and isinstance(args.get("query"), str):
        return {**asked, "args": {**args, "query": re.escape(args["query"])}}
    return asked


def _names(asked: dict[str, Any]) -> set[str]:
    ids, message = asked.get("objectIds"), asked.get("message")
    state = message.get("state") if isinstance(message, dict) else None
    names = {str(one) for one in ids} if isinstance(ids, list) else set()
    return names | ({f"{asked.get('modelId')}/{trait}" for trait in state} if isinstance(state, dict) else set())


def _scalars(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield from ((key, its) for key, its in one.items() if isinstance(its, str))
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _may_pass(scope: Scope, inner: str) -> bool:
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    if _FOREIGN_KEYS & query.keys() and (scope["type"] == "websocket" or inner == "/"):
        return False
    if scope["type"] == "websocket":
        return inner == "/ws"
    allowed = _POST if scope["method"] == "POST" else _GET
    return allowed.fullmatch(inner) is not None and ".." not in inner.split("/")


def _theme(scope: Scope) -> str:
    return next((value for value in cookies(scope, THEME_COOKIE) if value in THEMES), THEMES[0])


def _check(path: Path) -> None:
    try:
        ast.parse(path.read_text(encoding="utf-8"), filename=path.name)
    except OSError as error:
        raise BrokenNotebookError(f"{path.name} cannot be read: {error.strerror}.") from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f" in line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        raise BrokenNotebookError(f"{path.name} is not valid Python{where}: {what}.") from error


def _marimo_app(path: Path, theme: str) -> Any:  # noqa: ANN401 - a Starlette app
    import marimo

    builder = marimo.create_asgi_app(
        quiet=True, include_code=False, session_ttl=SESSION_TTL_S, html_head=marimo_head(theme)
    )
    base: Any = builder.with_app(path="", root=str(path)).build()
    hold_lines()
    app = base.routes[0].app
    manager = app.state.session_manager
    # marimo takes these only from the user's own config file.
    chosen = app.state.config_manager.with_overrides({"display": {"theme": theme}})
    app.state.config_manager = manager._config_manager = chosen  # noqa: SLF001
    return app
