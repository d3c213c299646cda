"""The editor that `--open` starts: a marimo server in the background, which outlives the command."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from experiments.project.errors import NotebookError
from experiments.project.settings import runs_when_opened
from experiments.project.workspace import Workspace

_READY_WITHIN_S = 60.0
_RUN_AT_ONCE = "_MARIMO_CONFIG_OVERLOAD_RUNTIME_AUTO_INSTANTIATE"


@dataclass(frozen=True)
class Editor:
    """A marimo server in the background.

    Attributes:
        address: With the access token.
        pid: Of the server, to end it.
    """

    address: str
    pid: int


def start_editor(notebook: Path, workspace: Workspace) -> Editor:
    """Start `marimo edit` on a notebook, detached from this terminal, and wait until it answers.

    Raises:
        NotebookError: The editor did not come up; its output is in the state folder.
    """
    port = _free_port()
    token = secrets.token_urlsafe(16)
    log = workspace.state / "marimo-edit.log"
    command = [sys.executable, "-m", "marimo", "edit", str(notebook), "--port", str(port), "--no-sandbox", "--watch"]
    # The token goes in by standard input: a command line can be read by every user of the machine.
    command += ["--token-password-file", "-", "--skip-update-check", *([] if _has_screen() else ["--headless"])]
    environment = dict(os.environ)
    if runs_when_opened(workspace.root) is None:
        environment |= {_RUN_AT_ONCE: "true"}  # whoever asks for a page is not shown one without content
    log.unlink(missing_ok=True)
    # marimo prints the token there.
    log.touch(mode=0o600)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )
    assert process.stdin is not None
    process.stdin.write(token.encode())
    process.stdin.close()
    deadline = time.monotonic() + _READY_WITHIN_S
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotebookError(f"marimo did not start; see {log}. Start it yourself: marimo edit {notebook}")
        time.sleep(0.1)
    return Editor(address=f"http://127.0.0.1:{port}/?access_token={token}", pid=process.pid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _has_screen() -> bool:
    if os.environ.get("CI"):
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
