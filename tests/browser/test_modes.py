"""Who gets leave to launch: every way in which code comes to run, in every mode that marimo knows.

The means that each origin tries are those of `experiments.jobs.permits`: a direct call, a typed command, the page's own
permit and an `allow_launch` block.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.fakes.embedding import wall_of
from tests.fakes.origins import RESULTS, results
from tests.fakes.project import Project, jobs_of
from tests.fakes.serving import ROOT, chromium, marimo_server, scratch_folder
from tests.fakes.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

INSIDE = {"setup", "cell", "Thread", "mo.Thread"}
SCRIPT = {"direct", "command", "allow_launch"}
PRESSES = {"on_change", "on_click", "on_change of what a thread made"}
FROM_THE_PAGE = {*PRESSES, "widget message", "widget trait", "news"}
A_PERSONS_OWN = {origin: {"page"} for origin in (*PRESSES, "widget message", "widget trait")}
FAILS = "echo 'ValueError: no such map'; exit 3"


@pytest.fixture
def folder(monkeypatch):
    with scratch_folder() as found:
        shutil.copy(ROOT / "tests" / "fakes" / "modes_nb.py", found / "modes_nb.py")
        monkeypatch.setenv(RESULTS, str(found / "results"))
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        yield found


@pytest.fixture
def outside_of_pytest(monkeypatch):
    """Return a function that hides from new processes that a test starts them; marimo would say "test" in all."""
    return lambda: monkeypatch.delenv("PYTEST_CURRENT_TEST")


def granted(folder, *, but_for=()):
    """Return what each origin was granted; `but_for` are origins that cannot happen in this mode."""
    found = results(folder / "results")
    assert set(found) >= (INSIDE | FROM_THE_PAGE) - set(but_for), sorted(found)
    return {origin: means for origin, means in found.items() if means}


def press_everything(url, *, run_all=False):
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 3000})
        page.goto(url)
        if run_all:
            page.locator(".cm-content").first.wait_for()
            page.keyboard.press("Control+Shift+r")
        page.get_by_text("ready", exact=True).first.wait_for(timeout=60_000)
        for name in ("Press", "Touch", "Send"):
            page.get_by_role("button", name=name, exact=True).click(timeout=60_000)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not set(results(Path(os.environ[RESULTS]))) >= FROM_THE_PAGE:
            page.wait_for_timeout(50)


def run(*command, folder):
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_an_editor_gives_leave_to_a_persons_own_act_only(folder, outside_of_pytest):
    outside_of_pytest()
    with marimo_server("edit", folder / "modes_nb.py", cwd=folder) as url:
        press_everything(url, run_all=True)
    assert granted(folder) == A_PERSONS_OWN


def test_a_read_only_editor_gives_leave_to_nothing(folder, outside_of_pytest, monkeypatch):
    outside_of_pytest()
    monkeypatch.setenv("EXPERIMENTS_READ_ONLY", "1")
    with marimo_server("edit", folder / "modes_nb.py", cwd=folder) as url:
        press_everything(url, run_all=True)
    assert granted(folder) == {}


def test_a_served_page_gives_leave_to_nothing(folder, outside_of_pytest):
    outside_of_pytest()
    with marimo_server("run", folder / "modes_nb.py", cwd=folder) as url:
        press_everything(url)
    assert granted(folder) == {}


def test_a_page_that_embeds_a_notebook_gives_the_leave_that_it_has_itself(folder, outside_of_pytest):
    outside_of_pytest()
    # In an app that another embeds, no cell runs again for what a thread sets.
    wall = wall_of(folder / "modes_nb.py")
    with marimo_server("run", wall, cwd=folder) as url:
        press_everything(url)
    assert granted(folder, but_for={"news"}) == {}
    with marimo_server("edit", wall, cwd=folder) as url:
        press_everything(url, run_all=True)
    assert granted(folder, but_for={"news"}) == A_PERSONS_OWN


def test_an_embedded_study_offers_its_acts_only_in_an_editor(folder, outside_of_pytest):
    outside_of_pytest()
    project = Project(folder, FAILS)
    project.run("--seeds", "2", "--sections", "launch,monitor,log,export", "--follow", code=None)
    wall = wall_of(project.notebook())
    assert acts_offered("run", wall) == []
    assert len(jobs_of(project)) == 2
    assert acts_offered("edit", wall) == [
        "Cancel jobs",
        "Keep the note",
        "Launch 1 job",
        "Note on 2 jobs",
        "Retry 2 jobs",
        "Retry these 2 runs",
        "Rule, log and notes",
        "Tag 2 jobs",
        "Untag 2 jobs",
        "Write the log",
    ]


def acts_offered(mode, notebook):
    """Return the buttons of an open page that would change something, with all of its jobs selected."""
    with marimo_server(mode, notebook, cwd=notebook.parent) as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 5000})
        page.goto(url)
        page.get_by_text("2 failed runs, 1 cause").first.wait_for(timeout=150_000)
        page.get_by_label("Select all jobs shown").check()
        page.locator(".jobs-row[aria-selected=true]").nth(1).wait_for()
        page.get_by_role("heading", name="Launch", exact=True).wait_for(timeout=60_000)
        for folded in page.get_by_role("button", name="Rule, log and notes").all():
            folded.click()
            page.get_by_role("button", name="Keep the note").wait_for(timeout=60_000)
        names = [button.inner_text().strip() for button in page.get_by_role("button").all()]
    return sorted(
        name
        for name in names
        if any(word in name.lower() for word in ("launch", "cancel", "retry", "note", "tag", "write"))
    )


def test_a_mounted_app_gives_leave_to_nothing(folder, outside_of_pytest):
    outside_of_pytest()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = f"""
        import marimo, uvicorn
        server = marimo.create_asgi_app(include_code=False).with_app(path="", root="modes_nb.py")
        uvicorn.run(server.build(), host="127.0.0.1", port={port}, log_level="warning")
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=folder)
    try:
        wait_until(lambda: answers(port))
        press_everything(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()
    assert granted(folder) == {}


def test_an_export_gives_leave_to_nothing(folder, outside_of_pytest):
    outside_of_pytest()
    run("-m", "marimo", "export", "html", "modes_nb.py", "-o", "out.html", folder=folder)
    assert granted(folder, but_for=FROM_THE_PAGE) == {}


@pytest.mark.parametrize("command", [("modes_nb.py",), ("-c", "from modes_nb import app; app.run()")])
def test_a_notebook_run_as_a_script_launches_only_where_it_says_so(folder, outside_of_pytest, command):
    outside_of_pytest()
    run(*command, folder=folder)
    # The setup block is the module's own code, which runs before there is an app.
    assert granted(folder, but_for=FROM_THE_PAGE) == {"setup": SCRIPT, "cell": {"allow_launch"}}


def test_under_pytest_a_test_launches_and_a_notebook_only_where_it_says_so(folder):
    code = """
        from modes_nb import app
        from tests.fakes.origins import attempt

        def test_notebook():
            app.run()

        def test_function():
            attempt("test")
    """
    (folder / "test_it.py").write_text(textwrap.dedent(code))
    run("-m", "pytest", "-q", "-c", os.devnull, "-p", "no:importnb", "test_it.py", folder=folder)
    found = granted(folder, but_for=FROM_THE_PAGE)
    assert found == {"setup": SCRIPT, "cell": {"allow_launch"}, "test": SCRIPT}


def test_a_plain_command_launches_on_its_main_thread(folder, outside_of_pytest):
    outside_of_pytest()
    run("-m", "tests.fakes.origins", folder=folder)
    found = results(folder / "results")
    assert found == {"main": SCRIPT, "Thread": set()}
