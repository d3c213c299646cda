"""Where each address leads: the apps, the notebooks, the exported logs, the first page and the health page."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from apps.serving.files import OddFileError, PlainFile, opened, why_odd
from apps.serving.mounts import BrokenNotebookError, Mount
from apps.serving.pages import APPS, Link, figures_page, index_page, message_page, rest_page
from apps.serving.requests import Receive, RefusedError, Scope, Send, query_text
from experiments.jobs.watch.snapshots import age_in_words
from experiments.notebooks.export.placing import LOGBOOK, log_folder
from experiments.project.look import printable
from experiments.project.workspace import Workspace

APPS_FOLDER = Path(__file__).parents[1]
_LISTED_AGAIN_S = 2.0
_MOST_LISTED = 5_000
_CLOSING_S = 2.0
# A log is somebody's page: it may run its own scripts, but it is a stranger to everything else on this server.
_LOG_POLICY = (
    "sandbox allow-scripts allow-popups allow-downloads allow-top-navigation-by-user-activation; default-src 'none';"
    " script-src 'unsafe-inline' 'unsafe-eval' blob: data:; style-src 'unsafe-inline'; img-src data: blob:;"
    " font-src data:; connect-src data: blob:; worker-src blob:; media-src data: blob:; frame-ancestors 'none'"
)

Figures = Sequence[tuple[str, Sequence[tuple[str, str]]]]


@dataclass
class Site:
    """The server's pages behind its guard.

    Attributes:
        notebooks: Files and folders given by hand; beside them, all in `experiments/scratch`.
        figures: Makes the tables of the health page.
    """

    workspace: Workspace
    notebooks: Sequence[Path] = ()
    figures: Callable[[], Figures] = tuple
    _mounts: dict[str, Mount] = field(default_factory=dict)
    _listed: dict[str, Path] = field(default_factory=dict)
    _listed_at: float = float("-inf")
    _odd_notebooks: list[str] = field(default_factory=list)
    _logs_seen: tuple[list[Link], list[str]] = ([], [])
    _logs_at: float = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path = scope["path"]
        if path.startswith(("/apps/", "/notebooks/")):
            await self._notebook(scope, receive, send)
        elif scope["type"] == "websocket":
            await _not_found(scope, send)
        elif scope["method"] == "POST":
            await _say(send, 405, "Pages here can only be looked at.")
        elif path == "/":
            await _answer(send, 200, self._index())
        elif path == "/health":
            await _answer(send, 200, figures_page(self.figures()))
        elif path == "/rest":
            await _answer(send, 200, rest_page())
        elif path == "/healthz":
            await _answer(send, 200, b"ok", "text/plain")
        elif path.startswith("/log/"):
            await self._log(send, unquote(path.removeprefix("/log/")))
        else:
            await _not_found(scope, send)

    @property
    def sessions(self) -> int:
        """Sessions whose kernels run."""
        return sum(mount.sessions for mount in self._mounts.values())

    @property
    def mounted(self) -> int:
        """Notebooks that somebody has asked for."""
        return len(self._mounts)

    async def close(self) -> None:
        """End all sessions."""
        await asyncio.gather(*(mount.close() for mount in self._mounts.values()))

    def known_notebooks(self) -> dict[str, Path]:
        """Return every notebook that is served, by the part of its address after `/notebooks/`."""
        if time.monotonic() - self._listed_at > _LISTED_AGAIN_S:
            self._odd_notebooks = []
            found = {self._key(path): path for path in self._files() if self._is_plain(path)}
            self._listed = dict(sorted(found.items())[:_MOST_LISTED])
            self._listed_at = time.monotonic()
        return self._listed

    def _files(self) -> Iterator[Path]:
        scratch = self.workspace.root / "experiments" / "scratch"
        for place in [scratch, *self.notebooks]:
            if place.is_dir():
                folder = place.resolve()
                inside = (path.resolve() for path in sorted(place.rglob("*_nb.py")))
                yield from (path for path in inside if path.is_relative_to(folder) and not path.is_dir())
            elif place.is_file():
                yield place.resolve()

    def _is_plain(self, path: Path) -> bool:
        reason = why_odd(path)
        if reason:
            self._odd_notebooks.append(f"{printable(path.name)} ({reason})")
        return not reason

    @property
    def _root(self) -> Path:
        return self.workspace.root.resolve()

    def _key(self, path: Path) -> str:
        inside = path.relative_to(self._root) if path.is_relative_to(self._root) else Path("elsewhere", path.name)
        return inside.with_suffix("").as_posix()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.close(), _CLOSING_S)
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _notebook(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._find(scope["path"])
        if found is None:
            await _not_found(scope, send)
            return
        prefix, file = found
        inner = scope["path"].removeprefix(prefix)
        if not inner and scope["type"] == "http":
            target = f"{quote(prefix)}/{query_text(scope)}"
            await _answer(send, 307, b"", headers=[(b"location", target.encode("latin-1"))])
            return
        mount = self._mounts.setdefault(str(file), Mount(file))
        try:
            if not await mount(scope, receive, send, inner):
                await _not_found(scope, send)
        except RefusedError as refusal:
            # What is left of the body is not waited for.
            page = message_page(refusal.status, refusal.text)
            await _answer(send, refusal.status, page, headers=[(b"connection", b"close")])
        except BrokenNotebookError as error:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1011, "reason": "422"})
            else:
                await _say(send, 422, str(error))

    def _find(self, path: str) -> tuple[str, Path] | None:
        """Return the address of a notebook, without a last slash, and its file; only what is listed is found."""
        parts = path.split("/")
        if parts[1] == "apps":
            return (f"/apps/{parts[2]}", APPS_FOLDER / f"{parts[2]}.py") if self._is_app(parts[2]) else None
        known = self.known_notebooks()
        for end in range(len(parts), 2, -1):
            key = "/".join(parts[2:end])
            if key in known:
                return f"/notebooks/{key}", known[key]
        return None

    @staticmethod
    def _is_app(name: str) -> bool:
        return name in APPS and (APPS_FOLDER / f"{name}.py").is_file()

    def _index(self) -> bytes:
        notebooks = [
            Link(f"/notebooks/{quote(key)}/", key, _written(path)) for key, path in self.known_notebooks().items()
        ]
        logs, odd = self._logs()
        apps = [name for name in APPS if self._is_app(name)]
        return index_page(self.workspace.root.name, apps, notebooks, logs, [*self._odd_notebooks, *odd])

    def _logs(self) -> tuple[list[Link], list[str]]:
        """Return the logs, and what is left out with the reason; many who ask have the folder read once."""
        if time.monotonic() - self._logs_at <= _LISTED_AGAIN_S:
            return self._logs_seen
        links: list[Link] = []
        odd: list[str] = []
        found = sorted(log_folder(self.workspace.root).glob("*.html"), key=lambda path: path.name, reverse=True)
        for path in found[:_MOST_LISTED]:
            if path.name == LOGBOOK:
                continue  # the list of these very logs, for those who open the folder
            if reason := why_odd(path):
                odd.append(f"{printable(path.name)} ({reason})")
            else:
                links.append(Link(f"/log/{quote(path.name)}", path.stem, _written(path)))
        self._logs_seen, self._logs_at = (links, odd), time.monotonic()
        return self._logs_seen

    async def _log(self, send: Send, name: str) -> None:
        folder = log_folder(self.workspace.root)
        try:
            if not re.fullmatch(r"\w[\w. +@-]*\.html", name) or not folder.resolve().is_relative_to(self._root):
                raise FileNotFoundError(name)
            with opened(folder / name) as file:
                await _send_file(send, file, [(b"content-security-policy", _LOG_POLICY.encode())])
        except OddFileError as error:
            await _say(send, 404, str(error))
        except OSError:
            await _say(send, 404, "The overview lists all logs.")


def _written(path: Path) -> str:
    try:
        return f"written {age_in_words(time.time() - path.stat().st_mtime)} ago"
    except OSError:
        return ""


async def _say(send: Send, status: int, text: str) -> None:
    """Answer with a page that says one thing to a viewer who is in, and leads on to the others."""
    await _answer(send, status, message_page(status, text, with_nav=True))


async def _not_found(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "404"})
    else:
        await _say(send, 404, "The overview lists all that there is.")


async def _send_file(send: Send, file: PlainFile, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Send a file in pieces that a thread reads: a slow disk holds up nobody else."""
    sized = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(file.length).encode()), *headers]
    await send({"type": "http.response.start", "status": 200, "headers": sized})
    left, pieces = file.length, file.pieces()
    while (piece := await asyncio.to_thread(next, pieces, b"")) and left > 0:
        left -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    # Where the file was cut meanwhile, what is left of the promised length is blank.
    await send({"type": "http.response.body", "body": b" " * left})


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    kind: str = "text/html; charset=utf-8",
    *,
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    sized = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": sized})
    await send({"type": "http.response.body", "body": body})
