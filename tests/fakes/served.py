"""The real server as a process, as `experiments serve` starts it."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apps.serving.tokens import token_file

ROOT = Path(__file__).parents[2]

NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    mo.md("hello from the notebook")
    return


if __name__ == "__main__":
    app.run()
"""


def project_at(root: Path) -> Path:
    """Make the folder of a project with one notebook, and return it."""
    scratch = root / "experiments" / "scratch"
    scratch.mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.experiments]\n[tool.marimo.runtime]\nauto_instantiate = true\n")
    (scratch / "hello_nb.py").write_text(NOTEBOOK)
    return root


@dataclass
class Served:
    """A server that runs.

    Attributes:
        log: All that it printed.
    """

    process: subprocess.Popen[bytes]
    url: str
    token: str
    log: Path

    @property
    def entry(self) -> str:
        """The address that logs a browser in."""
        return f"{self.url}/?token={self.token}"

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Send a signal; return the seconds until the process had ended."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(20)
        return time.monotonic() - began


@contextlib.contextmanager
def served(root: Path, *arguments: str, files: int | None = None, **environment: str) -> Iterator[Served]:
    """Yield `experiments serve` over the project at `root`, with so many open files; it ends with the block."""
    log = root / "serve.log"
    command = [sys.executable, "-P", "-m", "experiments.cli", "serve", "--port", "0", *arguments]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **environment}
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=root, env=environ, stdout=file, stderr=file, start_new_session=True)
    if files is not None:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (files, files))
    try:
        url = _address(log, process)
        path = token_file(Path(environ.get("EXPERIMENTS_HOME") or root / ".experiments"))
        yield Served(process, url, path.read_text() if path.exists() else "", log)
    finally:
        process.kill()
        process.wait()


def _address(log: Path, process: subprocess.Popen[bytes], timeout_s: float = 60.0) -> str:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("Serving ") and "Read-only" in log.read_text():
                return line.split(" at ")[1].partition("?")[0].rstrip("/")
        time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")
