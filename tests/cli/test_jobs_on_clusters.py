"""What `status` and `show` tell of jobs on a cluster; the scheduler is a file, its events a real SkyPilot's."""

from __future__ import annotations

import re
import time

import pytest

from experiments import cli
from experiments.cli.show import job_record
from experiments.jobs import handover
from experiments.jobs.launchers.base import SchedulerStatus
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import allow_launch
from experiments.launch import submit
from experiments.monitoring import job_statuses
from experiments.project.errors import LaunchError
from experiments.project.workspace import Workspace
from tests.fakes.answers import data_in
from tests.fakes.launching import FileCluster, plan_in


class TellingCluster(FileCluster):
    """A cluster that tells once of a recovery, and later only that the job runs."""

    def __init__(self, folder):
        super().__init__(folder)
        self.said = SchedulerStatus("RUNNING")
        self.printed = []

    def poll(self, jobs):
        return dict.fromkeys(super().poll(jobs), self.said)

    def logs(self, run_name, job_id, *, follow=False):
        if self.unreachable:
            raise LaunchError(self.unreachable)
        yield from self.printed


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    made = TellingCluster(tmp_path)
    monkeypatch.setitem(handover.LAUNCHERS, "skypilot", lambda _: made)
    return made


@pytest.fixture
def workspace(tmp_path, monkeypatch, cluster):
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")
    monkeypatch.chdir(tmp_path)
    found = Workspace.find(tmp_path)
    with allow_launch() as permit:
        submit(plan_in(found, launcher="skypilot", seeds=[0]), permit, found)
    return found


def recovered(now):
    noted = [
        ("RUNNING", "", -600),
        ("RECOVERING", "Cluster preempted or failed, recovering", -344),
        ("RUNNING", "", -300),
    ]
    return tuple((word, reason, now + at) for word, reason, at in noted)


def test_a_recovery_and_the_cost_are_shown_and_stay_known(workspace, cluster, capsys):
    now = time.time()
    cluster.said = SchedulerStatus(
        "RUNNING",
        *("", now - 600),
        events=recovered(now),
        recoveries=1,
        resources="1x(cpus=4)",
        price_per_hour=7.2,
        duration_s=500.0,
    )
    job_statuses(workspace.state)
    cluster.said = SchedulerStatus("RUNNING", started_at=now - 600, recoveries=1, duration_s=510.0)
    [known] = job_statuses(workspace.state)
    assert (known.recoveries, known.cost, known.resources) == (1, "about $1.02 (estimate)", "1x(cpus=4)")
    assert [event[0] for event in known.events] == ["RUNNING", "RECOVERING", "RUNNING"]

    assert cli.run(["show", known.run_name]) == 0
    printed = capsys.readouterr().out
    assert "running again 44 s later" in printed
    assert re.search(r"^cost +about \$1\.02 \(estimate\)$", printed, re.MULTILINE)
    assert cli.run(["status", "--json"]) == 0
    [listed] = data_in(capsys.readouterr().out)["jobs"]
    assert (listed["cost"], listed["cost_usd"]) == ("about $1.02 (estimate)", 1.02)


def test_slurm_knows_no_price(workspace, cluster, capsys):
    cluster.said = SchedulerStatus("RUNNING", started_at=time.time() - 60, price_per_hour=0.0, duration_s=60.0)
    [known] = job_statuses(workspace.state)
    assert (known.cost_usd, known.cost) == (None, "unknown")
    with open_ledger(workspace) as ledger:
        assert job_record(workspace, ledger.jobs()[0])["cost"] == "unknown"
    assert cli.run(["status"]) == 0
    assert "unknown" in capsys.readouterr().out


def test_history_that_cannot_be_kept_is_a_problem_and_hides_nothing(workspace, cluster):
    cluster.said = SchedulerStatus("RUNNING", events=recovered(time.time()))
    (workspace.runs / "in the way").write_text("")
    with open_ledger(workspace) as ledger:
        [job] = ledger.jobs()
    (workspace.runs / job.run_name).write_text("a file where the run's folder should be")
    [known] = job_statuses(workspace.state)
    assert (known.scheduler, len(known.events)) == ("RUNNING", 3)


def test_a_log_that_was_read_is_shown_when_the_cluster_is_down(workspace, cluster, capsys):
    cluster.printed = ["one", "two"]
    assert cli.run(["logs", "1"]) == 0
    cluster.unreachable = "the server is down"
    assert cli.run(["logs", "1", "-n", "1"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["one", "two", "two"]
    assert printed.err == "note: the server is down (shown is what was read before)\n"


def test_a_log_is_followed_to_the_end_of_its_job(workspace, cluster, capsys):
    cluster.printed = ["one", "tw"]
    cluster.said = SchedulerStatus("SUCCEEDED")
    assert cli.run(["logs", "1", "-f"]) == 0
    assert capsys.readouterr().out.splitlines() == ["one", "tw"]
