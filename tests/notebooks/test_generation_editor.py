"""A generated notebook in a real `marimo edit`, driven by chromium."""

from __future__ import annotations

import difflib

import pytest

from experiments.notebooks.generation import write_notebook
from tests.fakes.serving import chromium, marimo_server, scratch_folder
from tests.notebooks.specs import REFS, sample_spec

pytestmark = pytest.mark.browser


def test_saving_one_changed_cell_changes_no_other_line_and_every_cell_runs():
    with scratch_folder() as folder:
        path = folder / "sample_nb.py"
        write_notebook(path, sample_spec(jobs=REFS))
        before = path.read_text()
        with marimo_server("edit", path, cwd=folder) as address, chromium() as browser:
            _change_one_cell(browser, address, path)
        changed = difflib.unified_diff(before.split("\n"), path.read_text().split("\n"), n=0, lineterm="")
        assert [line for line in changed if not line.startswith(("---", "+++", "@@"))] == ["+    # seen in the editor"]
        result = write_notebook(path, sample_spec(jobs=REFS))
        assert (result.kept, result.changed) == (("scratch",), False)


def _change_one_cell(browser, address, path):
    from playwright.sync_api import expect

    # As tall as the notebook: nothing moves under the click.
    page = browser.new_page(viewport={"width": 1200, "height": 6000})
    page.goto(address, wait_until="domcontentloaded")
    cell = page.locator(".cm-content", has_text="A place for your own")
    expect(page.get_by_role("heading", name="Scratch")).to_be_visible(timeout=120_000)
    expect(page.get_by_role("heading", name="sample")).to_be_visible()
    assert page.locator(".marimo-error").count() == 0
    cell.first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\n# seen in the editor")
    page.keyboard.press("Control+s")
    for _ in range(600):
        if "seen in the editor" in path.read_text():
            return
        page.wait_for_timeout(100)
    raise AssertionError("the editor saved nothing")
