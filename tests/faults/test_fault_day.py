"""A fault day: everything of a project at once, while all of it is killed, filled, damaged and misled."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time

import pytest

from tests.fakes.project import Project
from tests.fakes.served import served
from tests.fakes.serving import chromium, marimo_server, scratch_folder
from tests.fakes.skypilot import RUNNER, FakeSky
from tests.fakes.wandb_server import FakeWandb
from tests.faults.day import TRAINER, UNENDED, Day, Exporting, experiment_of
from tests.faults.processes import kill, strays, supervisors, trainers
from tests.faults.small_disk import full, small_disk

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(1500)]
LOCAL, SKY = 12, 2
STUDY = ("study", "--arms", "2", "--seeds", "4", "--wandb-mode", "offline")
ONLINE = ("online", "--arms", "1", "--seeds", "4", "--wandb-mode", "online")
CLUSTER = (
    "cluster",
    "--seeds",
    "2",
    "--launcher",
    "skypilot",
    "--wandb-mode",
    "offline",
    "--gpus",
    "0",
    "--yes",
    "--skip-git-check",
)


@pytest.fixture
def day(monkeypatch):
    """A project whose state lies on a small disk, with a W&B server and a SkyPilot beside it."""
    wanted = {"root, to mount a small disk": os.geteuid() == 0, "apt-get install faketime": shutil.which("faketime")}
    if missing := [what for what, is_there in wanted.items() if not is_there]:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"a fault day wants {' and '.join(missing)}")
    with scratch_folder() as folder, small_disk(folder / "disk", 200) as disk:
        for name, value in {
            "EXPERIMENTS_HOME": str(disk / "state"),
            "EXPERIMENTS_SKY_PYTHON": shlex.join([sys.executable, str(RUNNER)]),
            "FAKE_SKY_DIR": str(folder / "sky"),
            "SKYPILOT_API_SERVER_ENDPOINT": "http://fake:1",
        }.items():
            monkeypatch.setenv(name, value)
        project = Project(folder, max_parallel=2, train_command=TRAINER, run_root="/shared/runs")
        project.state = disk / "state"
        # A repository of its own: what is sent to SkyPilot is this project, not the checkout around it.
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        try:
            yield Day(project)
        finally:
            kill(*supervisors(folder).values(), *trainers(folder).values())


@pytest.fixture
def wandb(monkeypatch):
    with FakeWandb() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


def test_after_a_day_of_faults_no_job_is_lost_or_doubled_and_every_word_is_true(day, wandb):
    sky = FakeSky(day.project.root / "sky")
    for plan in (STUDY, ONLINE, CLUSTER):
        day.launch(*plan)
    exporting = Exporting(day.project.notebook(), day.project.root)
    with chromium() as browser, marimo_server("edit", day.project.notebook("online"), cwd=day.project.root) as editor:
        with served(day.project.root) as first:
            pages = Pages(browser, first, editor)
            pages.show(set(day.launched()))
            exporting.start()
            day.note("three pages show their jobs; an export runs in a loop")
            go_wrong(day, wandb, first)
        port = first.url.rpartition(":")[2]
        day.launch_all_again("+2h")
        day.kill_a_trainer()
        day.kill_a_supervisor()
        with served(day.project.root, "--port", port):
            day.note("the server is back")
            day.launch_all_again("-1h")
            for number in range(1, SKY + 1):
                sky.change(number, status="SUCCEEDED", end_at=time.time())
            verdicts = settled(day)
            exporting.over.set()
            exporting.join(400)
            pages.show(verdicts)
            day.note("every page, none opened again, shows every job as the command line does")
    look_back(day, sky, verdicts, exporting)
    assert strays(day.project.root) == []
    day.note("no process is left")


def go_wrong(day, wandb, server):
    day.kill_a_trainer()
    day.kill_a_supervisor()
    day.kill_the_bridge()
    day.launch_all_again()
    day.damage_a_log()
    with wandb.stopped(), full(day.project.state.parent):
        day.note("the W&B server is gone and the disk is full")
        day.starve(5)
        kill(server.process)
        day.note("killed the server of the pages")
        day.starve(1)
    day.note("the W&B server is back and the disk has room")


def settled(day):
    def all_ended():
        found = day.verdicts()
        return found if found and not UNENDED & set(found.values()) else None

    return day.until(all_ended, "every job ends", 600)


def look_back(day, sky, verdicts, exporting):
    """Check what the day left behind."""
    clustered = {name for name in verdicts if experiment_of(name) == "cluster"}
    assert verdicts.keys() == day.launched()
    assert (len(verdicts) - len(clustered) >= LOCAL, len(clustered)) == (True, SKY)
    assert sorted(job["name"] for job in sky.jobs()) == sorted(clustered)
    assert {verdicts[name] for name in clustered} == {"succeeded"}
    local = verdicts.keys() - clustered
    starts = day.starts()
    # One that the full disk kept from starting says so.
    reasons = {name: row["reason"] for name, row in day.statuses().items() if name in local - starts.keys()}
    assert [reason for reason in reasons.values() if "No space left" not in reason] == []
    assert max(starts.values()) == 1
    # One that was killed as it started, or could not write, did not print its first line.
    assert {name for name, number in starts.items() if not number} <= day.wounded | day.starved
    succeeded = {name for name in local if verdicts[name] == "succeeded"}
    failed = {name for name in local if verdicts[name] == "failed"}
    assert succeeded | failed == local
    assert succeeded <= day.finished() - day.wounded
    # Who saw no fault succeeded.
    assert failed <= day.wounded | day.orphaned | day.starved | reasons.keys()
    day.note(f"of {len(local)} local jobs {len(succeeded)} succeeded and {len(failed)} failed; none was started twice")
    with contextlib.closing(sqlite3.connect(day.project.state / "ledger.sqlite")) as ledger:
        assert ledger.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    day.note("the ledger is whole")
    assert exporting.broken == []
    assert 0 in exporting.codes
    day.note(f"{len(exporting.codes)} exports, exit codes {sorted(set(exporting.codes))}, every file whole")


class Pages:
    """The fleet, a notebook served to look at, and another one that is edited."""

    def __init__(self, browser, server, editor):
        self.fleet, self.reader, self.edited = (
            # As tall as a notebook: marimo draws a cell when it comes into view.
            browser.new_page(viewport={"width": 1280, "height": 7000})
            for _ in range(3)
        )
        self.fleet.goto(server.entry)
        self.fleet.goto(f"{server.url}/apps/fleet/?open=all")
        self.reader.goto(server.entry)
        self.reader.goto(f"{server.url}/notebooks/experiments/scratch/study_nb/")
        self.edited.goto(editor)

    def show(self, jobs):
        """Wait until each page has a row for each of its jobs, in its state where `jobs` has states."""
        for page, experiments in (
            (self.fleet, ("study", "online", "cluster")),
            (self.reader, ("study",)),
            (self.edited, ("online",)),
        ):
            for name in sorted(jobs):
                if experiment_of(name) in experiments:
                    state = f'[data-state="{jobs[name]}"]' if isinstance(jobs, dict) else ""
                    page.locator(f'[data-run="{name}"]{state}').first.wait_for(timeout=300_000, state="attached")
