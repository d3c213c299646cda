"""One notebook as a web page: made when somebody first asks for it, and never more than a page to look at."""

from __future__ import annotations

import ast
import asyncio
import logging
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from apps.guard import App, Receive, Scope, Send
from apps.theme import THEME_COOKIE, marimo_head

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
_log = logging.getLogger(__name__)


class BrokenNotebookError(Exception):
    """A notebook cannot be made into a page; the message says why, for a reader of the page."""


@dataclass
class Mount:
    """A notebook's pages, one marimo app for each colour theme: its kernels draw for the theme of their app.

    Attributes:
        path: The notebook's file.
    """

    path: Path
    _apps: dict[str, Any] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, inner: str) -> bool:
        """Answer what is asked of this notebook under the path `inner`; False where it is nothing for viewers.

        Raises:
            BrokenNotebookError: The file is gone or is no notebook.
        """
        if not _may_pass(scope, inner):
            return False
        app: App = self._app_of_session(scope) or await asyncio.to_thread(self._app, _theme(scope))
        await app({**scope, "path": inner, "raw_path": inner.encode(), "root_path": ""}, receive, send)
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

    def _app_of_session(self, scope: Scope) -> Any:  # noqa: ANN401 - a Starlette app, or None
        """Return the app that has the session which a request is about: its theme may have been changed since."""
        named = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_id", [])
        named += [value.decode("latin-1") for name, value in scope["headers"] if name == b"marimo-session-id"]
        for app in self._apps.values():
            if any(name in app.state.session_manager.sessions for name in named):
                return app
        return None

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


def _may_pass(scope: Scope, inner: str) -> bool:
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    if _FOREIGN_KEYS & query.keys() and (scope["type"] == "websocket" or inner == "/"):
        return False
    if scope["type"] == "websocket":
        return inner == "/ws"
    allowed = _POST if scope["method"] == "POST" else _GET
    return allowed.fullmatch(inner) is not None and ".." not in inner.split("/")


def _theme(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"cookie":
            found = re.search(rb"(?:^|;\s*)" + THEME_COOKIE.encode() + rb"=(light|dark)(?:;|$)", value)
            if found:
                return found[1].decode()
    return THEMES[0]


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
    app = base.routes[0].app
    manager = app.state.session_manager
    # marimo takes these only from the user's own config file.
    chosen = app.state.config_manager.with_overrides({"display": {"theme": theme}})
    app.state.config_manager = manager._config_manager = chosen  # noqa: SLF001
    return app
