"""One process that serves the apps, every notebook and every log, read-only: `python -P -m apps.serving.server`.

Started with a user's environment, it first starts the reader (the process that may log in to W&B and SkyPilot), then
replaces itself by a process that has no credentials at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from apps.serving.environment import clean_environment, is_clean, make_home
from apps.serving.pages import pass_page
from apps.serving.tokens import Sessions, load_token, token_file
from experiments.cli.terminal import report_error
from experiments.jobs.permits import READ_ONLY
from experiments.project import streams
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.files import parse_json
from experiments.project.redaction import mask_elsewhere
from experiments.project.workspace import Workspace
from experiments.runs.relay import READER, READER_ONLINE, RelayStore, reader_socket

DRAIN_S = 2.0


@dataclass(frozen=True)
class Options:
    """What the flags of `experiments serve` say, where people read about each."""

    notebooks: tyro.conf.Positional[tuple[Path, ...]] = ()
    host: str = "127.0.0.1"
    port: int = 2719
    no_token: bool = False
    new_token: bool = False
    open: bool = False
    print_address: bool = False
    allow_host: tuple[str, ...] = ()
    trusted_proxy: str | None = None
    max_viewers: int = 200

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return self.host == "localhost"


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until a signal ends it: 0 ended as asked, 1 failed, 2 not understood."""
    streams.prepare()
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = tyro.cli(Options, args=given, prog="experiments serve", config=(tyro.conf.FlagCreatePairsOff,))
    try:
        workspace = Workspace.find(Path.cwd())
        check(options)
        if options.print_address:
            sys.stdout.write(f"{entry_of(workspace)}\n")
            raise SystemExit(0)
        if not is_clean(os.environ):
            start_over(workspace, given)
        code = serve(options, workspace)
    except (ExperimentsError, OSError) as error:
        code = report_error(error)
    os._exit(streams.written(code))  # kernels are threads, some of which may be in the middle of a cell


def check(options: Options) -> None:
    """Refuse what would be open to strangers, or cannot work.

    Raises:
        UsageError: Says which option, and what is allowed.
    """
    if not options.host.strip("[] "):
        # To the system, no name means every address of this machine.
        raise UsageError("--host '' names no address. Take this machine's own: experiments serve --host 127.0.0.1")
    if options.no_token and not options.is_loopback:
        raise UsageError(
            f"--no-token with --host {options.host!r} would let everybody who can reach that address in. Leave one of "
            "them out: experiments serve --no-token"
        )
    if options.no_token and options.trusted_proxy:
        raise UsageError(
            f"--no-token with --trusted-proxy {options.trusted_proxy!r} would let in everybody whom the proxy does. "
            "Leave --no-token out."
        )
    if not 0 <= options.port < 65_536:
        raise UsageError(f"--port {options.port} is not a port. Allowed: 0 to 65535; 0 takes a free one.")
    if options.max_viewers < 1:
        raise UsageError(f"--max-viewers {options.max_viewers} lets nobody in. Allowed: 1 or more.")
    for path in options.notebooks:
        if not path.exists():
            raise UsageError(f"notebook {str(path)!r} does not exist. List them: ls experiments/scratch")


def start_over(workspace: Workspace, arguments: Sequence[str]) -> None:
    """Start the reader and replace this process by one without credentials; does not return."""
    environment = {**clean_environment(os.environ, make_home(workspace.state)), **start_reader(workspace)}
    command = [sys.executable, "-P", "-m", "apps.serving.server", *arguments]
    os.execve(sys.executable, command, environment)  # noqa: S606 - the same interpreter, an argument list


def start_reader(workspace: Workspace) -> dict[str, str]:
    """Start the process that polls, reads W&B and raises alerts; return what the server has to know of it.

    It ends with the pipe that this process, and what it becomes, holds open.
    """
    folder = Path(tempfile.mkdtemp(prefix="experiments-"))
    command = [sys.executable, "-P", "-m", "apps.serving.reader", str(folder / "reader")]
    environment = {**os.environ, READ_ONLY: "1"}
    process = subprocess.Popen(command, cwd=workspace.root, env=environment, stdin=subprocess.PIPE)
    assert process.stdin is not None
    os.set_inheritable(process.stdin.fileno(), True)
    online = workspace.wandb_mode() == "online"
    return {READER: str(folder / "reader"), READER_ONLINE: "1" if online else "0"}


def serve(options: Options, workspace: Workspace) -> int:
    """Serve until a signal comes; return the exit code."""
    import uvicorn

    from apps.serving.connections import (
        ACCEPTED_AT_ONCE,
        FILES_A_PAGE,
        MOST_AT_ONCE,
        Gate,
        Server,
        Socket,
        raise_file_limit,
        room_for,
        watched_by,
    )
    from apps.serving.guard import LOOPBACK, Guard, Rules
    from apps.serving.health import figures
    from apps.serving.log_lines import hold_lines
    from apps.serving.site import Site

    hold_lines()
    pages, strangers = room_for(raise_file_limit())
    viewers = min(options.max_viewers, pages)

    token = None if options.no_token else load_token(workspace.state, renew=options.new_token)
    os.chdir(workspace.root)
    if (reader := reader_socket()) is not None:
        mask_elsewhere(RelayStore(reader).masked)
    with _listening(options) as listener:
        port = listener.getsockname()[1]
        names = LOOPBACK | {options.host.lower().strip("[]"), *(name.lower() for name in options.allow_host)}
        rules = Rules(
            hosts=frozenset(names - {"0.0.0.0", "::"}),  # noqa: S104 - taken out, not listened at
            port=port,
            sessions=Sessions(token) if token else None,
            trusted_proxy=options.trusted_proxy,
            max_sockets=viewers,
        )
        site = Site(workspace, [path.resolve() for path in options.notebooks])
        guard = Guard(site, rules)
        gate = Gate(strangers, strangers * 3 // 4, viewers * FILES_A_PAGE, trusted_proxy=options.trusted_proxy)
        config = uvicorn.Config(
            guard,
            http=watched_by(gate),
            backlog=ACCEPTED_AT_ONCE,
            log_config=None,
            log_level="warning",
            access_log=False,  # it would write tokens down
            server_header=False,
            date_header=False,
            proxy_headers=False,
            ws=Socket,
            ws_max_size=MOST_AT_ONCE,
            h11_max_incomplete_event_size=65_536,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=int(DRAIN_S),
        )
        site.figures = lambda: figures(site, guard, gate, workspace)
        address = _address(options, port)
        note_address(workspace, address, has_token=token is not None)
        if viewers < options.max_viewers:
            sys.stdout.write(
                f"At most {viewers} pages at once instead of {options.max_viewers}: this process may have few files "
                "open (raise it: ulimit -Hn).\n"
            )
        _say(workspace, address, token)
        threading.Thread(target=_warm_up, name="warm up", daemon=True).start()
        if options.open:
            _open_browser(workspace, address, token)
        _run(Server(config), listener)
    return 0


def _run(server: Any, listener: socket.socket) -> None:  # noqa: ANN401 - a uvicorn.Server
    # uvicorn raises the signal once more when it has drained; by then it has been obeyed.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: None)
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        server.run(sockets=[listener])


@contextlib.contextmanager
def _listening(options: Options) -> Iterator[socket.socket]:
    from apps.serving.connections import WAITING

    host = options.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, options.port))
            listener.listen(WAITING)  # who comes before the server is ready waits
        except (OSError, UnicodeError, TypeError) as error:
            if isinstance(error, socket.gaierror | UnicodeError | TypeError):
                raise UsageError(
                    f"--host {host!r} is no address of this machine ({error}). Take its own: "
                    "experiments serve --host 127.0.0.1"
                ) from None
            raise UsageError(
                f"cannot listen at {host!r} port {options.port} ({error.strerror}). Take a free port: "
                "experiments serve --port 0"
            ) from None
        yield listener


def _address(options: Options, port: int) -> str:
    host = options.host if options.host not in {"0.0.0.0", "::"} else "localhost"  # noqa: S104 - what people type
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _warm_up() -> None:
    """Import what every page needs, so that the first viewer does not wait for it."""
    time.sleep(0.2)
    import importlib

    for name in ("marimo", "experiments.notebooks.study", "widgets.fleet"):
        with contextlib.suppress(Exception):  # the page that wants it says what is wrong with it
            importlib.import_module(name)


def _say(workspace: Workspace, address: str, token: str | None) -> None:
    # Only a person at a terminal is told the token: anything else that takes the output in is a log.
    tells = token is not None and sys.stdout.isatty()
    lines = [f"Serving {workspace.root.name} at {address}/{f'?token={token}' if tells else ''}"]
    if token is not None and not tells:
        lines.append(
            f"Log in with the token in {workspace.shown(token_file(workspace.state))}, or by the address that this "
            "prints: experiments serve --print-address"
        )
    sys.stdout.write("\n".join([*lines, "Read-only; Ctrl-C ends it.", ""]))
    sys.stdout.flush()


def note_address(workspace: Workspace, address: str, *, has_token: bool) -> None:
    """Keep where this process serves, for `--print-address`."""
    import psutil

    began = psutil.Process().create_time()
    content = {"address": address, "has_token": has_token, "pid": os.getpid(), "began": began}
    _write_for_owner(_address_file(workspace), json.dumps(content).encode())


def entry_of(workspace: Workspace) -> str:
    """Return the address that logs a browser in to the server which runs here.

    Raises:
        UsageError: None runs.
    """
    import psutil

    try:
        found = parse_json(_address_file(workspace).read_text(encoding="utf-8"))
        lives = psutil.Process(found["pid"]).create_time() == found["began"]
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        lives = False
    if not lives:
        raise UsageError(f"no server of {workspace.root.name!r} runs on this machine. Start one: experiments serve")
    return f"{found['address']}/" + (f"?token={load_token(workspace.state)}" if found["has_token"] else "")


def _address_file(workspace: Workspace) -> Path:
    return token_file(workspace.state).with_name("address.json")


def _write_for_owner(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - its mode
        file.write(content)


def _open_browser(workspace: Workspace, address: str, token: str | None) -> None:
    """Open the first page by a file that only its owner can read: a browser's arguments are everybody's to see."""
    import webbrowser

    page = token_file(workspace.state).with_name("open.html")
    _write_for_owner(page, pass_page(f"{address}/{f'?token={token}' if token else ''}"))
    threading.Timer(1.0, webbrowser.open, [page.as_uri()]).start()


if __name__ == "__main__":
    main()
