"""A generated notebook in a real `marimo edit`, driven by chromium."""

from __future__ import annotations

import contextlib
import difflib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path

import pytest

from experiments.notebooks.generation import write_notebook
from tests.notebooks.specs import REFS, ROOT, sample_spec

pytestmark = pytest.mark.browser


@pytest.fixture
def folder():
    """A folder outside the system's temporary one, where marimo would take every notebook for an unnamed one."""
    path = ROOT / ".experiments" / f"editor-{uuid.uuid4().hex[:8]}"
    path.mkdir(parents=True)
    yield path
    shutil.rmtree(path)


@contextlib.contextmanager
def editor(path: Path):
    """Run `marimo edit` on a notebook and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--headless", "--no-token", "--skip-update-check", "--port", str(port)]
    command = [sys.executable, "-m", "marimo", "-q", "edit", str(path), *options]
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(f"{address}/health") or server.poll() is not None)
            assert server.poll() is None
            yield address
        finally:
            server.terminate()


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


def wait_until(condition, *, pause=lambda: None, tries=3000):
    for _ in range(tries):
        if condition():
            return
        pause()
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def test_saving_one_changed_cell_changes_no_other_line_and_every_cell_runs(folder):
    from playwright.sync_api import expect, sync_playwright

    path = folder / "sample_nb.py"
    write_notebook(path, sample_spec(jobs=REFS))
    before = path.read_text()
    with editor(path) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 1600})
        page.goto(address, wait_until="domcontentloaded")
        cell = page.locator(".cm-content", has_text="runs = {job.run")
        cell.first.wait_for(timeout=60_000)
        page.keyboard.press("Control+Shift+r")
        expect(page.get_by_text("Mean: 0.0 reward")).to_be_visible(timeout=60_000)
        expect(page.get_by_role("heading", name="What a generated notebook looks like")).to_be_visible()
        assert page.locator(".marimo-error").count() == 0
        cell.first.click()
        page.keyboard.press("Control+End")
        page.keyboard.type("\n# seen in the editor")
        page.keyboard.press("Control+s")
        wait_until(lambda: "seen in the editor" in path.read_text(), pause=lambda: page.wait_for_timeout(50))
        browser.close()
    changed = difflib.unified_diff(before.split("\n"), path.read_text().split("\n"), n=0, lineterm="")
    assert [line for line in changed if not line.startswith(("---", "+++", "@@"))] == ["+    # seen in the editor"]
    result = write_notebook(path, sample_spec(jobs=REFS))
    assert (result.kept, result.changed) == (("tracked",), False)
