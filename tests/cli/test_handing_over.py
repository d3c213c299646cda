"""A launch on a cluster from the command line: it returns once its jobs are recorded, or waits where that is asked."""

from __future__ import annotations

import sys

import pytest

from experiments.jobs.ledger import Ledger
from tests.fakes.answers import data_in
from tests.fakes.project import Project
from tests.fakes.skypilot import RUNNER, FakeSky
from tests.fakes.waiting import wait_until

ON_A_CLUSTER = ("--launcher", "skypilot", "--skip-git-check", "--yes", "--seeds", "3")


@pytest.fixture
def sky(tmp_path, monkeypatch):
    made = FakeSky(tmp_path / "sky")
    there = {
        "FAKE_SKY_DIR": str(made.folder),
        "SKYPILOT_API_SERVER_ENDPOINT": "http://fake:1",
        "EXPERIMENTS_SKY_PYTHON": f"{sys.executable} {RUNNER}",
        "EXPERIMENTS_SKY_ACCELERATOR": "H100",
        "EXPERIMENTS_RUN_ROOT": str(tmp_path / "shared"),
    }
    for name, value in there.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "shared").mkdir()
    return made


@pytest.fixture
def project(tmp_path, sky):
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder)


def states(project) -> list[str]:
    with Ledger.open(project.state, read_only=True) as ledger:
        return [job.state for job in ledger.jobs()]


def test_a_launch_says_that_its_jobs_are_handed_over_in_the_background_and_they_are(project, sky):
    said = project.run(*ON_A_CLUSTER).stdout
    assert "3 jobs are handed over in the background. How far it is: uv run experiments status" in said
    wait_until(lambda: states(project) == ["submitted"] * 3, timeout_s=60)
    assert len(sky.jobs()) == 3


def test_who_waits_gets_the_ids_and_the_exit_code_of_a_refusal_with_its_reason(project, sky):
    jobs = data_in(project.run(*ON_A_CLUSTER, "--wait", "--json").stdout)["launched"]
    assert sorted(job["launcher_id"] for job in jobs) == ["1", "2", "3"]
    sky.fault(refuse="no such partition")
    refused = project.run("other", *ON_A_CLUSTER, "--wait", code=1)
    assert "0 of 3 jobs launched, 3 failed" in refused.stderr
    assert "no such partition" in refused.stderr
    shown = project.command("status", "other").stdout
    assert shown.count("failed") >= 3
    assert "no such partition" in shown


def test_a_pool_is_one_of_skypilots(project, sky):
    refused = project.run("--pool", "lab", code=2)
    assert "--pool 'lab' is a pool of SkyPilot's. Add: --launcher skypilot" in refused.stderr
    project.command("pool", "apply", "lab", "--workers", "2", "--yes")
    project.run(*ON_A_CLUSTER, "--pool", "lab", "--wait")
    assert [job["pool"] for job in sky.jobs()] == ["lab"] * 3
    assert "2 of 2 workers ready" in project.command("pool").stdout
    assert [path.name for path in (project.root.parent / "shared").iterdir()] == [".experiments-code"]
