"""Leave to launch in `marimo edit` comes with a person's click, and never with code that runs in the same kernel."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.fakes.serving import chromium, marimo_server, scratch_folder
from tests.fakes.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NOTEBOOK = '''
import marimo

app = marimo.App()

with app.setup:
    import json
    import threading
    from pathlib import Path

    import anywidget
    import marimo as mo
    import traitlets

    from experiments.jobs.permits import is_edited, page_permit

    def told(where):
        with Path(__file__).with_name("told.jsonl").open("a") as file:
            file.write(json.dumps([where, page_permit() is not None, is_edited()]) + "\\n")

    class Widget(anywidget.AnyWidget):
        _esm = """export default { render({ model, el }) {
            const button = document.createElement("button");
            button.textContent = "In a widget";
            button.onclick = () => { model.set("count", model.get("count") + 1); model.save_changes(); };
            el.appendChild(button);
        } }"""
        count = traitlets.Int(0).tag(sync=True)


@app.cell
def _():
    told("a cell that is opened")
    return


@app.cell
def _():
    button = mo.ui.button(label="A button", on_click=lambda _: told("a click on a button"))
    runs = mo.ui.run_button(label="A run button")
    form = mo.ui.text(label="Text").form(submit_button_label="Send", on_change=lambda _: told("a form that is sent"))
    widget = Widget()
    widget.observe(lambda _: told("a message of a widget"), names=["count"])
    shown = mo.ui.anywidget(widget)
    held = lambda: (button, widget)  # a cell that names the button runs with its click
    mo.vstack([button, runs, form, shown])
    return button, held, runs


@app.cell
def _(runs):
    told("a cell after a click on its run button" if runs.value else "a cell before")
    return


@app.cell
def _(held):
    told("code before it calls what a click calls")
    _button, _widget = held()
    _button._update(1)
    _widget.count += 1
    thread = threading.Thread(target=told, args=("a thread",))
    thread.start()
    thread.join()
    return


if __name__ == "__main__":
    app.run()
'''
PAIRED = """
told("a program beside the person")
button._update(2)
import marimo._code_mode as cm
async with cm.get_context() as ctx:
    ctx.set_ui_value(runs, 1)
"""


@pytest.fixture(scope="module")
def answers():
    """Return what each way in which code comes to run was told on an open page: leave or none."""
    with scratch_folder() as folder:
        (folder / "asks.py").write_text(NOTEBOOK)
        record = folder / "told.jsonl"

        def lines():
            return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []

        def said(where):
            return [line for line in lines() if line[0] == where]

        with marimo_server("edit", folder / "asks.py", cwd=folder) as url, chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 1800})
            page.goto(url)
            wait_until(lambda: said("a thread"), timeout_s=60)
            wait_until(lambda: said("a message of a widget"), timeout_s=60)
            by_code = lines()
            record.unlink()
            expect(page.get_by_role("button", name="A button", exact=True)).to_be_visible()
            page.get_by_role("button", name="A button", exact=True).click()
            wait_until(lambda: said("a click on a button"))
            page.get_by_role("button", name="A run button", exact=True).click()
            wait_until(lambda: said("a cell after a click on its run button"))
            page.get_by_role("textbox", name="Text").fill("words")
            page.get_by_role("button", name="Send", exact=True).click()
            wait_until(lambda: said("a form that is sent"))
            page.get_by_role("button", name="In a widget", exact=True).click()
            wait_until(lambda: said("a message of a widget"))
            by_person = lines()
            record.unlink()
            command = [sys.executable, "-m", "marimo", "pair", "execute", "--url", url, "-c", PAIRED]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            assert done.returncode == 0, done.stderr + done.stdout
            wait_until(lambda: said("a cell after a click on its run button"))
            by_program = lines()
    return by_code, by_person, by_program


def test_a_click_of_any_kind_has_leave(answers):
    _, by_person, _ = answers
    assert {where for where, leave, _ in by_person if leave} == {
        "a click on a button",
        "a cell after a click on its run button",
        "a form that is sent",
        "a message of a widget",
    }


def test_a_cell_that_runs_has_none_though_a_person_edits_the_page(answers):
    by_code, _, _ = answers
    assert not [where for where, leave, _ in by_code if leave]
    assert {where for where, _, edited in by_code if edited} >= {"a cell that is opened", "a cell before"}
    assert {"a click on a button", "a message of a widget", "a thread"} <= {where for where, *_ in by_code}


def test_a_program_that_works_in_the_kernel_beside_the_person_has_none(answers):
    _, _, by_program = answers
    assert {"a program beside the person", "a click on a button"} <= {where for where, *_ in by_program}
    assert not [where for where, leave, _ in by_program if leave]
