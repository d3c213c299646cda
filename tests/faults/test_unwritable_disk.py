"""A disk that is full, or that nobody may write: whoever only reads sees all that is there."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess

import pytest

from experiments.jobs.ledger import Ledger
from experiments.monitoring import job_statuses
from tests.fakes.project import Project, jobs_of
from tests.fakes.serving import chromium, marimo_server, scratch_folder
from tests.fakes.waiting import wait_until
from tests.fakes.wandb_files import exit_record, offline_run, run
from tests.faults.small_disk import full, small_disk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@contextlib.contextmanager
def read_only(disk):
    """Let nobody write to `disk` for the time of the block."""
    # Not while a supervisor that has just ended its job still holds a file open.
    wait_until(lambda: subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=False).returncode == 0)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


@contextlib.contextmanager
def log_left_behind(disk):
    """Leave the ledger as a machine does that lost its power: the last change is in its log only, and no index."""
    ledger = disk / ".experiments" / "ledger.sqlite"
    with contextlib.closing(sqlite3.connect(ledger)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("INSERT INTO events (at, kind, data) VALUES (1, 'only in the log', '{}')")
        connection.commit()
        kept = {name: ledger.with_name(name).read_bytes() for name in ("ledger.sqlite", "ledger.sqlite-wal")}
    for name, content in kept.items():
        ledger.with_name(name).write_bytes(content)
    yield


STATES = {"read-only": [read_only], "full": [full], "read-only after a power cut": [log_left_behind, read_only]}


@pytest.fixture(scope="module")
def project():
    if os.geteuid():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("a small disk wants root, to mount it")
    with scratch_folder() as folder, small_disk(folder / "disk", 40) as disk:
        project = Project(disk)
        project.run("study", "--seeds", "2", "--wandb-mode", "offline", "--skip-git-check", "--follow")
        for job in jobs_of(project):
            log = offline_run(project.state / "runs", job.run_name)
            log.write(run(job.run_name, {"trainer": {"total_timesteps": 100}}))
            log.log({"metric/agent_step": 100, "overview/reward": 1.0})
            log.write(exit_record(0))
        yield project


@pytest.fixture(params=STATES.values(), ids=STATES.keys())
def unwritable(request, project):
    with contextlib.ExitStack() as stack:
        for state in request.param:
            stack.enter_context(state(project.root))
        yield project


def test_every_command_that_reads_works(unwritable, tmp_path):
    first, second = (job.run_name for job in jobs_of(unwritable))
    assert first in unwritable.command("status").stdout
    assert "succeeded" in unwritable.command("status").stdout
    assert "SUCCEEDED" in unwritable.command("show", first).stdout
    assert first in unwritable.command("runs").stdout
    assert f"hello from {first}" in unwritable.command("logs", first).stdout
    assert f"hello from {first}" in unwritable.command("logs", first, "--follow").stdout
    assert "settings" in unwritable.command("diff", first, second).stdout
    assert "ledger" in unwritable.command("doctor", code=None).stdout
    page = tmp_path / "page.html"
    unwritable.command("export", str(unwritable.notebook()), "--output", str(page))
    assert first in page.read_text()
    assert unwritable.run("study", "--dry-run").stdout.endswith("nothing was written.\n")


def test_what_cannot_be_written_is_one_line(unwritable):
    first = jobs_of(unwritable)[0].run_name
    for refused in (unwritable.command("tag", "x", first, code=1), unwritable.run("other", "--seeds", "1", code=None)):
        assert refused.returncode in {1, 2}
        assert len(refused.stderr.splitlines()) == 1, refused.stderr
        assert "full" in refused.stderr or "written" in refused.stderr or "read" in refused.stderr


@pytest.mark.browser
def test_a_notebook_shows_its_jobs(unwritable, tmp_path):
    with chromium() as browser, marimo_server("run", unwritable.notebook(), cwd=tmp_path) as url:
        page = browser.new_page()
        page.goto(url)
        page.get_by_text("succeeded").first.wait_for(timeout=90_000)
        assert "Traceback" not in (tmp_path / "server.log").read_text()


def test_what_was_only_in_the_log_is_read(project):
    with log_left_behind(project.root), read_only(project.root):
        assert {status.verdict for status in job_statuses(project.state)} == {"succeeded"}
        with Ledger.open(project.state, read_only=True) as ledger:
            assert ledger.events()[-1].kind == "only in the log"


def test_a_project_whose_state_cannot_be_made_has_no_jobs(tmp_path):
    with small_disk(tmp_path / "disk", 1) as disk:
        project = Project(disk)
        with read_only(disk):
            assert "No job yet" in project.command("status").stdout
            refused = project.run("study", "--seeds", "1", code=2).stderr
            assert "export EXPERIMENTS_HOME=DIR" in refused
