"""Budgets: each job draws once, in the transaction that records it; what is spent, over or ended starts nothing."""

from __future__ import annotations

import time

import pytest

from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.ledger.budgets import Cost, cost_of
from experiments.jobs.ledger.mending import rebuild
from experiments.jobs.submission import retry, start_next, submit
from experiments.launch import allow_launch
from experiments.project.errors import LaunchError, UsageError
from experiments.types import TrainingJobConfig
from tests.fakes.launching import plan_in, shell, starts, trainer_command, wait_for_end, workspace_at


@pytest.fixture
def workspace(tmp_path):
    return workspace_at(tmp_path, command=trainer_command("count"), in_place=True)


def granted(workspace, name="night", **limits):
    with open_ledger(workspace) as ledger:
        ledger.grant(name, Limits(**limits), "test")


def state_of(workspace, name="night"):
    with open_ledger(workspace, read_only=True) as ledger:
        [budget] = [one for one in ledger.budgets() if one.name == name]
    return budget


def submitted(workspace, plan, budget="night"):
    with allow_launch() as permit:
        return submit(plan, permit, workspace, budget=budget)


def test_a_plan_draws_once_however_often_it_is_submitted(workspace):
    granted(workspace, jobs=5)
    plan = plan_in(workspace, seeds=range(3))
    jobs = submitted(workspace, plan)
    submitted(workspace, plan)
    assert (state_of(workspace).jobs, state_of(workspace).is_open) == (3, True)
    wait_for_end(workspace, [job.run_name for job in jobs])
    start_next(workspace)
    assert (state_of(workspace).jobs, state_of(workspace).reserved) == (3, 0)


def test_a_plan_that_a_budget_has_no_room_for_is_recorded_nowhere(workspace):
    granted(workspace, jobs=5)
    submitted(workspace, plan_in(workspace, seeds=range(3)))
    more = plan_in(workspace, seeds=range(3, 6))
    with pytest.raises(LaunchError, match="has 2 of 5 jobs left, and 3 further jobs would take 3") as refused:
        submitted(workspace, more)
    assert "experiments budget set night jobs=6" in str(refused.value)
    with open_ledger(workspace) as ledger:
        assert not ledger.has_plan(more.key)
    assert not list((workspace.state / "plans").glob(f"{more.key[:32]}*"))
    granted(workspace, jobs=6)
    assert len(submitted(workspace, more)) == 3


def test_gpu_hours_are_reserved_by_the_longest_time_and_settled_by_the_time_that_was_taken(workspace):
    granted(workspace, gpu_hours=4.0)
    plan = plan_in(workspace, seeds=range(1), gpus=2, max_runtime_hours=1.5, trainer="generous")
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan, budget="night")
        assert ledger.budgets()[0].gpu_hours == pytest.approx(3.0)
        ledger.settle({plan.jobs[0].run_name: {"word": "SUCCEEDED", "started_at": 1000.0, "ended_at": 2800.0}})
        assert ledger.budgets()[0].gpu_hours == pytest.approx(1.0)
        assert ledger.budgets()[0].reserved == 0


def test_what_nobody_can_bound_is_refused_where_the_budget_counts_it(workspace):
    granted(workspace, gpu_hours=4.0)
    with pytest.raises(LaunchError, match="Give its config max_runtime_hours"):
        submitted(workspace, plan_in(workspace, seeds=range(1), gpus=1, trainer="generous"))
    assert cost_of(TrainingJobConfig(curriculum="arena", gpus=0), "local") == Cost(0.0, 0.0)
    assert cost_of(TrainingJobConfig(curriculum="arena"), "skypilot") == Cost(None, None)
    priced = TrainingJobConfig(curriculum="arena", gpus=8, nodes=2, max_runtime_hours=3, max_hourly_cost=10)
    assert cost_of(priced, "skypilot") == Cost(48.0, 60.0)


def test_a_further_attempt_draws_on_the_budget_of_the_one_before_it(workspace):
    granted(workspace, jobs=2)
    [job] = submitted(workspace, plan_in(workspace, seeds=range(1)))
    wait_for_end(workspace, [job.run_name])
    with allow_launch() as permit:
        again = retry(job.run_name, permit, workspace)
        assert state_of(workspace).jobs == 2
        wait_for_end(workspace, [again.run_name])
        with pytest.raises(LaunchError, match="has 0 of 2 jobs left"):
            retry(again.run_name, permit, workspace)
    assert len(starts(workspace)) == 2


def test_jobs_that_wait_for_a_slot_do_not_start_when_their_budget_has_ended(tmp_path):
    workspace = workspace_at(tmp_path, command=shell("echo {run} >> ../../started; sleep 60"), max_parallel=1)
    granted(workspace, jobs=3)
    jobs = submitted(workspace, plan_in(workspace, seeds=range(3)))
    with open_ledger(workspace) as ledger:
        assert ledger.end_budget("night", "enough")
        assert not ledger.end_budget("night", "enough")
    start_next(workspace)
    with open_ledger(workspace) as ledger:
        states = {job.run_name: (job.state, job.error) for job in ledger.jobs(run_names=[job.run_name for job in jobs])}
    assert sorted(state for state, _ in states.values()) == ["refused", "refused", "submitted"]
    assert {error for _, error in states.values()} == {None, "budget 'night' has ended (enough)"}
    from experiments.jobs.submission import cancel

    with allow_launch() as permit:
        cancel([job.run_name for job in jobs], permit, workspace)
        wait_for_end(workspace, [jobs[0].run_name])


def test_a_budget_whose_time_is_over_opens_for_no_clock_that_is_set_back(workspace, monkeypatch):
    granted(workspace, jobs=5, until=time.time() + 100)
    later = time.time() + 200
    monkeypatch.setattr(time, "time", lambda: later)
    with open_ledger(workspace) as ledger, pytest.raises(LaunchError, match="its time is over"):
        ledger.record_plan(plan_in(workspace, seeds=range(1)), budget="night")  # what it refuses is undone; this is not
    monkeypatch.undo()
    with pytest.raises(LaunchError, match="has ended \\(its time is over\\)"):
        submitted(workspace, plan_in(workspace, seeds=range(1)))
    granted(workspace, jobs=5)
    assert submitted(workspace, plan_in(workspace, seeds=range(1)))


def test_a_ledger_that_is_made_again_voids_what_was_open(workspace):
    granted(workspace, jobs=5)
    [job] = submitted(workspace, plan_in(workspace, seeds=range(1)))
    wait_for_end(workspace, [job.run_name])
    for file in workspace.state.glob("ledger.sqlite*"):
        file.unlink()
    rebuild(workspace.state)
    with pytest.raises(LaunchError, match="the ledger was made again, which voids what was open"):
        submitted(workspace, plan_in(workspace, seeds=range(1, 2)))
    with open_ledger(workspace) as ledger:
        assert [event.data["name"] for event in ledger.events(kind="budget")] == ["night"]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({}, "limits jobs, GPU hours or dollars"),
        ({"jobs": 0}, "starts nothing"),
        ({"gpu_hours": -1.0}, "starts nothing"),
        ({"usd": float("nan")}, "starts nothing"),
        ({"until": 5.0}, "limits jobs"),
        ({"jobs": 1, "until": 5.0}, "over before it begins"),
    ],
)
def test_a_budget_that_could_start_nothing_is_refused(workspace, limits, said):
    with pytest.raises(UsageError, match=said):
        granted(workspace, **limits)


def test_a_job_without_a_budget_is_a_persons_and_draws_nothing(workspace):
    granted(workspace, jobs=1)
    submitted(workspace, plan_in(workspace, seeds=range(3)), budget=None)
    assert state_of(workspace).jobs == 0


def test_what_was_launched_without_a_limit_is_not_taken_for_nothing_when_the_budget_counts_it_later(workspace):
    granted(workspace, jobs=9)
    endless = plan_in(workspace, seeds=range(1), gpus=2, trainer="generous")
    with open_ledger(workspace) as ledger:
        ledger.record_plan(endless, budget="night")
    granted(workspace, jobs=9, gpu_hours=4.0)
    assert "nobody knows how many of 4 GPU hours" in state_of(workspace).sentence
    more = plan_in(workspace, seeds=range(1, 2), gpus=1, max_runtime_hours=1, trainer="generous")
    with open_ledger(workspace) as ledger:
        with pytest.raises(LaunchError, match="nobody knows how many its earlier jobs take"):
            ledger.record_plan(more, budget="night")
        ledger.settle({endless.jobs[0].run_name: {"word": "SUCCEEDED", "started_at": 0.0, "ended_at": 3600.0}})
        assert ledger.budgets()[0].gpu_hours == pytest.approx(2.0)
        assert ledger.record_plan(more, budget="night")


def test_an_attempt_after_a_job_that_was_cancelled_before_its_launch_draws_on_the_same_budget(workspace):
    granted(workspace, jobs=1)
    plan = plan_in(workspace, seeds=range(1))
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan, budget="night")
        assert ledger.cancel_unlaunched(plan.jobs[0].run_name)
    assert (state_of(workspace).jobs, state_of(workspace).reserved) == (0, 0)
    with allow_launch() as permit:
        again = retry(plan.jobs[0].run_name, permit, workspace)
    assert state_of(workspace).jobs == 1
    wait_for_end(workspace, [again.run_name])


def test_a_retry_on_a_budget_that_has_ended_says_that_nothing_was_launched(workspace):
    granted(workspace, jobs=2)
    plan = plan_in(workspace, seeds=range(1))
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan, budget="night")
        ledger.end_budget("night", "enough")
    with allow_launch() as permit, pytest.raises(LaunchError, match="budget 'night' has ended"):
        retry(plan.jobs[0].run_name, permit, workspace)
    assert starts(workspace) == []
