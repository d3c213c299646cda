"""A real marimo server on loopback and a real browser page, for tests that look at what a person sees."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

# Debian's chromium; without its windows where that is installed: the same pages in half the time.
_SHELL = Path("/usr/bin/chromium-headless-shell")
CHROMIUM = _SHELL if _SHELL.exists() else Path("/usr/bin/chromium")
ROOT = Path(__file__).parents[2]
_QUIET = ("--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync")


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield the folder of an empty project whose notebooks run when opened.

    It is in the checkout, or in /var/tmp where the checkout itself is in the system's temporary folder: marimo takes
    files there for unnamed ones and saves none of them.
    """
    home = Path("/var/tmp") if ROOT.is_relative_to(tempfile.gettempdir()) else ROOT / ".experiments" / "tests"
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="experiments-", dir=home))
    (folder / "pyproject.toml").write_text("[tool.experiments]\n[tool.marimo.runtime]\nauto_instantiate = true\n")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def marimo_server(command: str, notebook: Path, *, cwd: Path) -> Iterator[str]:
    """Yield the address of `marimo edit|run NOTEBOOK`; the server ends with the block."""
    with marimo_process(command, notebook, cwd=cwd) as (_, url):
        yield url


@contextlib.contextmanager
def marimo_process(
    command: str, notebook: Path, *, cwd: Path, packages: Path = ROOT
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Yield the process and the address of `marimo edit|run NOTEBOOK`, with the packages of one folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [
        sys.executable,
        "-m",
        "marimo",
        command,
        str(notebook),
        "--headless",
        "--no-token",
        "--port",
        str(port),
    ]
    arguments += ["--no-sandbox", "--skip-update-check"] if command == "edit" else ["--no-sandbox"]
    environment = {**os.environ, "PYTHONPATH": str(packages)}
    with (cwd / "server.log").open("wb") as log:
        process = subprocess.Popen(arguments, cwd=cwd, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/health", process)
        yield process, url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def chromium():
    """Yield a headless Chromium, closed with the block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        try:
            yield browser
        finally:
            browser.close()


def _wait_for(address: str, process: subprocess.Popen[bytes], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=1) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"marimo did not answer at {address}")
