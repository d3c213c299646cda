"""What `experiments status` asked about is published for who only reads, with how the others had ended before."""

from __future__ import annotations

import pytest

from experiments import cli
from experiments.cli import status
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.jobs.plan import Placement, RecordedJob, make_plan
from experiments.jobs.watch.monitor import LOCK
from experiments.jobs.watch.publishing import publish_polled
from experiments.jobs.watch.snapshots import write_live
from experiments.monitoring import poll_once, publish_once, snapshot
from experiments.project.files import locked
from experiments.project.values import replaced
from experiments.results.subject import subject_of
from experiments.types import TrainingJobConfig
from tests.benchmarks.many_jobs import project_of
from tests.fakes.launching import workspace_at


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A project of five jobs that have ended, of which a command asks about the newest two."""
    made = workspace_at(tmp_path)
    monkeypatch.setattr(status, "_RECENT", 2)
    monkeypatch.chdir(made.root)
    with open_ledger(made) as ledger, tenure() as owner:
        place = Placement(user="ada", ledger_id=ledger.id, launcher="local", target="here", train_command=("train",))
        jobs = [RecordedJob("base", TrainingJobConfig(curriculum="arena"))]
        plan = make_plan("exp", jobs, place, seeds=tuple(range(5)))
        ledger.record_plan(plan)
        names = [planned.run_name for planned in plan.jobs]
        ledger.conclude(owner, accepted={key: key for key in ledger.intend({key: {} for key in names}, "here", owner)})
        ledger.settle({key: {"word": "SUCCEEDED", "exit_code": 0} for key in names})
    return made


def test_what_a_command_asked_about_is_published_with_how_the_others_had_ended(workspace):
    publish_once(workspace.state)
    before = snapshot(workspace.state)
    # As if the newest job were known as running yet.
    *others, last = before.jobs
    going_on = replaced(before, jobs=(*others, replaced(last, verdict="running")))
    write_live(workspace.state / "live", going_on, with_metrics=True)
    assert snapshot(workspace.state).jobs[-1].verdict == "running"
    assert cli.run(["status"]) == 0
    after = snapshot(workspace.state)
    assert [job.run_name for job in after.jobs] == [job.run_name for job in before.jobs]
    assert [job.verdict for job in after.jobs] == [job.verdict for job in poll_once(workspace.state).jobs]
    assert after.written_at > before.written_at


def test_nothing_is_published_while_of_some_job_nobody_knows_anything(workspace):
    assert cli.run(["status"]) == 0
    assert snapshot(workspace.state).damage.startswith("nothing has polled")
    assert cli.run(["status", "--all"]) == 0
    assert len(snapshot(workspace.state).jobs) == 5


def test_where_a_monitor_polls_a_command_leaves_publishing_to_it(workspace):
    publish_once(workspace.state)
    before = snapshot(workspace.state)
    with locked(workspace.state / "live" / LOCK, wait_s=0.0) as mine:
        assert mine
        assert cli.run(["status", "--all"]) == 0
    assert snapshot(workspace.state) == before


def test_what_a_monitor_published_during_the_poll_stays(workspace):
    found = poll_once(workspace.state)
    publish_once(workspace.state)
    newer = snapshot(workspace.state)
    publish_polled(workspace, found)
    assert snapshot(workspace.state) == newer


def test_who_asks_of_an_experiment_keeps_how_its_jobs_ended(tmp_path):
    workspace = project_of(tmp_path / "ended", 3, with_files=3)
    subject = subject_of(workspace, "exp")
    kept = snapshot(workspace.state)
    assert {job.run_name: job for job in kept.jobs} == subject.statuses
    assert kept.settled.keys() == subject.statuses.keys()


def test_a_process_that_only_reads_keeps_no_ends(tmp_path, monkeypatch):
    workspace = project_of(tmp_path / "ended", 3, with_files=3)
    monkeypatch.setenv("EXPERIMENTS_READ_ONLY", "1")
    subject_of(workspace, "exp")
    assert not snapshot(workspace.state).jobs
