"""Opening a log in chromium, against marimo's own export of the same notebook with its assets served on loopback."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.benchmarks import Bar
from tests.benchmarks.exported_notebooks import ROOT
from tests.fakes.serving import chromium

CHARTS = 3
_ROUNDS = 5
_CDN = re.compile(r"https://cdn\.jsdelivr\.net/npm/(@marimo-team/frontend@[^/\"']+)/dist")
# Plain charts and a table: what marimo's own export can draw too without Python.
_NOTEBOOK = """
import marimo

app = marimo.App()

with app.setup:
    import altair as alt
    import marimo as mo
    import numpy as np
    import pandas as pd


@app.cell
def data():
    steps = np.arange(1_000) * 1_000.0
    runs = ((f"run{seed}", np.sqrt(steps) * (seed + 9) / 100) for seed in range(3))
    frame = pd.concat(pd.DataFrame({"step": steps, "value": values, "run": run}) for run, values in runs)
    return (frame,)


@app.cell
def charts(frame):
    lines = alt.Chart(frame).mark_line().encode(x="step", y="value", color="run", tooltip=["run", "value"])
    mo.vstack([mo.md("# Three runs"), *(mo.ui.altair_chart(lines.properties(height=size)) for size in (200, 220, 240))])
    return


@app.cell
def table(frame):
    mo.ui.table(frame.head(200), page_size=50)
    return


if __name__ == "__main__":
    app.run()
"""
_OURS = """wanted => document.documentElement.dataset.charts === 'drawn'
  && document.querySelectorAll('figure.drawn').length === wanted && document.querySelector('.table tbody tr')"""
_THEIRS = """wanted => {
  const all = (root) => [...root.querySelectorAll('*')].flatMap(
    (node) => [node, ...(node.shadowRoot ? all(node.shadowRoot) : [])]);
  const nodes = all(document);
  const drawn = nodes.filter((node) => node.matches('.vega-embed') && node.querySelector('canvas, svg.marks'));
  return drawn.length >= wanted && nodes.some((node) => node.matches('tbody tr td'));
}"""


def run() -> list[Bar]:
    """Return the bars of opening a log; about a minute."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        folder = Path(place)
        log, stock = _pages(folder)
        with _assets(folder, stock) as address, chromium() as browser:
            pairs = [
                (_opened(browser, log.as_uri(), _OURS), _opened(browser, address, _THEIRS)) for _ in range(_ROUNDS)
            ]
        ours, theirs = (statistics.median(each) for each in zip(*((a[0], b[0]) for a, b in pairs), strict=True))
        asked = sum(a[1] for a, _ in pairs)
        note = f"median of {_ROUNDS}: {ours:.2f} s against {theirs:.2f} s, {CHARTS} charts of 3,000 rows and a table"
        return [
            Bar("last chart and table of a log, against marimo's own export", ours / theirs, 0.4, note=note),
            _requests(asked),
        ]


def gates() -> list[Bar]:
    """Return how many requests a log makes that is opened once."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place, chromium() as browser:
        log, _ = _pages(Path(place), names=["log"])
        return [_requests(_opened(browser, log.as_uri(), _OURS)[1])]


def _requests(asked: int) -> Bar:
    return Bar("requests that an opened log makes", asked, 0, "requests", gate=True)


def _pages(folder: Path, names: Sequence[str] = ("log", "stock")) -> tuple[Path, Path]:
    """Write the notebook, our log of it and marimo's export, or only what is named."""
    (folder / "pyproject.toml").write_text("[tool.experiments]\n")
    notebook = folder / "runs_nb.py"
    notebook.write_text(_NOTEBOOK)
    log, stock = folder / "log.html", folder / "stock.html"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    commands = {
        "log": ["experiments.cli", "export", str(notebook), "-o", str(log)],
        "stock": ["marimo", "-q", "export", "html", str(notebook), "-o", str(stock), "--no-sandbox"],
    }
    for name in names:
        arguments = [sys.executable, "-P", "-m", *commands[name]]
        subprocess.run(arguments, cwd=folder, env=environment, check=True, capture_output=True)
    return log, stock


@contextmanager
def _assets(folder: Path, stock: Path) -> Iterator[str]:
    """Serve marimo's export with its assets, and yield its address."""
    import marimo

    (folder / "@marimo-team").symlink_to(Path(marimo.__file__).parent / "_static")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    base = f"http://127.0.0.1:{server.server_port}"
    stock.write_text(_CDN.sub(f"{base}/@marimo-team", stock.read_text(encoding="utf-8")), encoding="utf-8")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{base}/{stock.name}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files without telling the terminal."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base calls it so
        """Say nothing."""


def _opened(browser: Any, address: str, drawn: str) -> tuple[float, int]:
    """Return the seconds until all is drawn in a fresh window, and how many requests left the page."""
    context = browser.new_context(offline=address.startswith("file:"))
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    started = time.monotonic()
    page.goto(address, wait_until="commit")
    page.wait_for_function(drawn, arg=CHARTS, polling=20, timeout=120_000)
    seconds = time.monotonic() - started
    context.close()
    return seconds, sum(not url.startswith(("blob:", "data:", "about:", address)) for url in asked)
