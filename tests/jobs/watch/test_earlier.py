"""How jobs ended that are too old to be watched is kept, so that nobody asks about them anew."""

from __future__ import annotations

import json
import shutil

import pytest

from experiments.jobs.watch import earlier, publishing
from experiments.jobs.watch.earlier import keep_earlier
from experiments.jobs.watch.snapshots import Snapshot
from experiments.monitoring import snapshot
from experiments.results.subject import subject_of
from experiments.types import JobStatus
from tests.benchmarks.many_jobs import project_of


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A project of four jobs that have ended, of which the newest is watched."""
    monkeypatch.setattr(publishing, "WATCHED", 1)
    monkeypatch.setattr(earlier, "FEW", 0)
    return project_of(tmp_path / "ended", 4, with_files=4)


def kept(workspace):
    return workspace.state / "live" / "earlier" / "exp.json"


def test_how_a_job_ended_that_is_too_old_to_be_watched_is_asked_once(workspace):
    first = subject_of(workspace, "exp").statuses
    assert {status.verdict for status in first.values()} == {"succeeded"}
    watched = {job.run_name for job in snapshot(workspace.state).jobs}
    assert len(json.loads(kept(workspace).read_bytes())["jobs"]) == 3
    for run in first.keys() - watched:
        shutil.rmtree(workspace.runs / run)
    written = kept(workspace).stat().st_mtime_ns
    assert subject_of(workspace, "exp").statuses == first
    assert kept(workspace).stat().st_mtime_ns == written


def test_what_was_kept_of_another_row_of_the_ledger_says_nothing_of_a_job(workspace):
    first = subject_of(workspace, "exp").statuses
    held = json.loads(kept(workspace).read_bytes())
    for job in held["jobs"]:
        job["verdict"] = "failed"
    held["settled"] = dict.fromkeys(held["settled"], "another")
    kept(workspace).write_text(json.dumps(held))
    again = subject_of(workspace, "exp").statuses
    assert {run: status.verdict for run, status in again.items()} == dict.fromkeys(first, "succeeded")
    assert "another" not in kept(workspace).read_text()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"jobs": 1}'])
def test_where_the_file_is_damaged_jobs_are_asked_about_and_kept_again(workspace, text):
    first = subject_of(workspace, "exp").statuses
    kept(workspace).write_text(text)
    assert subject_of(workspace, "exp").statuses.keys() == first.keys()
    assert len(json.loads(kept(workspace).read_bytes())["jobs"]) == 3


def test_who_only_reads_keeps_nothing(workspace, monkeypatch):
    monkeypatch.setenv("EXPERIMENTS_READ_ONLY", "1")
    subject_of(workspace, "exp")
    assert not kept(workspace).exists()


def test_a_name_that_no_experiment_has_leads_to_no_file(tmp_path):
    live = tmp_path / "live"
    found = Snapshot(jobs=(JobStatus(run_name="a", experiment="../../evil", verdict="failed"),), settled={"a": "key"})
    keep_earlier(live, found, ())
    assert list(tmp_path.rglob("*.json")) == []
