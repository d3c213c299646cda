"""What a ledger answers: its jobs by what is asked for, the newest of them, and the repeats of a plan."""

from __future__ import annotations

import pytest

from experiments.jobs import leases
from experiments.jobs.ledger import open_ledger
from tests.fakes.launching import plan_in, workspace_at


@pytest.fixture
def workspace(tmp_path):
    return workspace_at(tmp_path)


@pytest.fixture
def ledger(workspace):
    with open_ledger(workspace) as opened:
        yield opened


def recorded(ledger, workspace, **options):
    plan = plan_in(workspace, **options)
    ledger.record_plan(plan)
    return plan, [job.run_name for job in plan.jobs]


def test_jobs_are_found_by_all_that_is_given(ledger, workspace):
    _, names = recorded(ledger, workspace)
    with leases.tenure() as owner:
        ledger.intend({names[0]: {}}, "there", owner)
        ledger.conclude(owner, accepted={names[0]: "2979"})
    assert [job.run_name for job in ledger.jobs(state="submitted")] == [names[0]]
    assert ledger.jobs(state="submitted", experiment="other") == []
    assert [job.run_name for job in ledger.jobs(run_names=[names[3], names[1]])] == [names[1], names[3]]
    assert len(ledger.jobs(state="planned")) == 4
    assert ledger.experiments() == ["exp"]


def test_the_latest_repeat_is_found_by_what_the_repeats_share(ledger, workspace):
    first, _ = recorded(ledger, workspace)
    assert ledger.latest_repeat(first.family) == (1, first.key)
    second, _ = recorded(ledger, workspace, repeat=2)
    assert second.family == first.family
    assert ledger.latest_repeat(first.family) == (2, second.key)
    assert ledger.latest_repeat("other") is None


def test_the_newest_jobs_come_with_those_whose_end_nobody_noted_and_the_others_are_counted(ledger, workspace):
    _, names = recorded(ledger, workspace, seeds=range(6))
    with leases.tenure() as owner:
        ledger.intend({name: {} for name in names[:5]}, "here", owner)
        ledger.conclude(owner, accepted={name: name for name in names[:5]})
    ledger.settle({name: {"word": "SUCCEEDED"} for name in names[1:5]})
    found, earlier = ledger.recent(2)
    assert [row.run_name for row in found] == [names[0], names[4], names[5]]
    assert earlier == 3
    ledger.settle({names[0]: {"word": "FAILED"}})
    assert [row.run_name for row in ledger.recent(1)[0]] == [names[5]]
    assert ledger.recent(99)[1] == 0
    # And all of one experiment, however old.
    name = ledger.rows()[0].experiment
    assert [row.run_name for row in ledger.recent(0, name)[0]] == names
    assert ledger.recent(1, "none") == ledger.recent(1)


def test_jobs_are_found_by_what_people_call_them_by_an_index_each(ledger, workspace):
    """A launcher's id is a run name of another job, too, where somebody called it so."""
    _, names = recorded(ledger, workspace)
    with leases.tenure() as owner:
        ledger.intend({name: {} for name in names[:2]}, "there", owner)
        ledger.conclude(owner, accepted={names[0]: "2979", names[1]: names[2]})
    assert [row.run_name for row in ledger.rows(named=["2979"])] == [names[0]]
    assert [row.run_name for row in ledger.rows(named=[names[2], "none"])] == [names[1], names[2]]
    assert ledger.rows(named=[]) == []
    assert len(ledger.rows(launcher="local", role="seed")) == 5
    assert ledger.rows(role="fork") == []


@pytest.mark.parametrize("wanted", [{"named": ["a"]}, {"run_names": ["a"]}, {"experiment": "exp"}])
def test_what_one_job_is_asked_by_reads_no_table_from_end_to_end(ledger, wanted):
    asked = []
    ledger._connection.set_trace_callback(asked.append)
    ledger.rows(**wanted)
    ledger._connection.set_trace_callback(None)
    plan = ledger._connection.execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall()
    assert [row["detail"] for row in plan if row["detail"].startswith("SCAN jobs")] == []
