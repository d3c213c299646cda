"""What a granted permit covers, in a real ledger with real jobs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from experiments.jobs.journal import entries, write_entry
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.ledger.granted import new
from experiments.jobs.permits import allow_launch, command_permit
from experiments.jobs.submission import cancel, retry, submit
from experiments.jobs.tokens import digest_of, new_token
from experiments.project.errors import LaunchError, LaunchRefused, UsageError
from tests.fakes.launching import COUNTED, plan_in, shell, starts, wait_for_end, workspace_at

LASTING = shell(f"{COUNTED}; sleep 60")


def grant(workspace, name="night", *, may=("launch", "retry", "cancel"), recipes=(), **limits):
    token = new_token(name)
    with open_ledger(workspace) as ledger:
        permit = new(name, digest_of(token), may, recipes, "a person")
        ledger.grant_permit(permit, Limits(**({"jobs": 10} | limits)))
    return token


def budget(workspace, name="night"):
    with open_ledger(workspace, read_only=True) as ledger:
        return next(one for one in ledger.budgets() if one.name == name)


@pytest.fixture
def workspace(tmp_path):
    return workspace_at(tmp_path)


def test_each_job_that_a_permit_launches_draws_on_it_and_says_so(workspace):
    plan = plan_in(workspace, seeds=range(3))
    with allow_launch(grant(workspace)) as permit:
        jobs = submit(plan, permit, workspace)
        submit(plan, permit, workspace)
    wait_for_end(workspace, [job.run_name for job in jobs])
    assert (budget(workspace).jobs, len(starts(workspace))) == (3, 3)
    assert "3 jobs launched with permit night" in [entry.text for entry in entries(workspace, "exp")]


def test_a_plan_that_it_has_no_room_for_is_refused_whole(workspace):
    with allow_launch(grant(workspace, jobs=2)) as permit, pytest.raises(LaunchError, match="2 of 2 jobs left"):
        submit(plan_in(workspace, seeds=range(3)), permit, workspace)
    assert (budget(workspace).jobs, starts(workspace)) == (0, [])


def test_what_a_person_planned_and_a_permit_completes_is_drawn_then(workspace):
    plan = plan_in(workspace, seeds=range(2))
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan)
    with allow_launch(grant(workspace, jobs=2)) as permit:
        submit(plan, permit, workspace)
    assert budget(workspace).jobs == 2


@pytest.mark.parametrize("text", ["forged", "other project", "rebuilt"])
def test_a_token_that_was_not_granted_here_gives_no_leave(workspace, text):
    token = new_token("night")
    if text == "forged":
        grant(workspace)
    with allow_launch(token) as permit:
        for act in (
            lambda: submit(plan_in(workspace), permit, workspace),
            lambda: write_entry("exp", "hello", permit, workspace),
        ):
            with pytest.raises(LaunchRefused, match=r"no permit 'night' with this token.*experiments permit"):
                act()
    assert starts(workspace) == []


def test_one_that_has_ended_or_whose_time_is_over_gives_none(workspace, monkeypatch):
    tokens = grant(workspace), grant(workspace, "day", until=time.time() + 3600)
    with open_ledger(workspace) as ledger:
        ledger.end_budget("night", "ended by a person")
    monkeypatch.setattr(time, "time", lambda clock=time.time: clock() + 7200)
    for token, why in zip(tokens, ("ended by a person", "its time is over"), strict=True):
        with allow_launch(token) as permit, pytest.raises(LaunchRefused, match=f"has ended .{why}"):
            submit(plan_in(workspace), permit, workspace)


def test_two_who_share_one_never_use_more_than_it_covers(workspace):
    token = grant(workspace, jobs=7)
    plans = [plan_in(workspace, arms=(f"arm{number}",), seeds=range(2)) for number in range(8)]
    with allow_launch(token) as permit:

        def launch(plan):
            try:
                return len(submit(plan, permit, workspace))
            except LaunchError:
                return 0

        with ThreadPoolExecutor(4) as pool:
            launched = sum(pool.map(launch, plans))
    assert launched == budget(workspace).jobs == 6


def test_it_covers_the_acts_that_it_names_alone(workspace):
    plan = plan_in(workspace, seeds=[0])
    with allow_launch(grant(workspace, may=("launch",))) as permit:
        [job] = submit(plan, permit, workspace)
        for act in (lambda: cancel([job.run_name], permit, workspace), lambda: retry(job.run_name, permit, workspace)):
            with pytest.raises(LaunchRefused, match="covers launch, and not"):
                act()


def test_it_cancels_and_tries_again_only_what_draws_on_it(tmp_path):
    workspace = workspace_at(tmp_path, command=LASTING)
    with allow_launch() as person:
        [theirs] = submit(plan_in(workspace, seeds=[0]), person, workspace)
    with allow_launch(grant(workspace)) as permit:
        [own] = submit(plan_in(workspace, arms=("mine",), seeds=[0]), permit, workspace)
        with pytest.raises(LaunchRefused, match="was not launched with permit 'night'"):
            cancel([own.run_name, theirs.run_name], permit, workspace)
        cancel([own.run_name], permit, workspace)
        wait_for_end(workspace, [own.run_name])
        again = retry(own.run_name, permit, workspace)
        assert (again.attempt, budget(workspace).jobs) == (2, 2)
        with pytest.raises(LaunchRefused, match="was not launched with permit"):
            retry(theirs.run_name, permit, workspace)
        cancel([again.run_name], permit, workspace)
    with allow_launch() as person:
        cancel([theirs.run_name], person, workspace)
    wait_for_end(workspace, [again.run_name, theirs.run_name])


def test_it_covers_the_recipes_that_it_names_and_what_they_launched_before(workspace, monkeypatch):
    recipe, other = workspace.root / "study.py", workspace.root / "other.py"
    [theirs] = submit(plan_in(workspace, seeds=[0]), command_permit("study.py", recipe=recipe), workspace)
    wait_for_end(workspace, [theirs.run_name])
    token = grant(workspace, recipes=["study.py"])
    with (
        allow_launch(token) as permit,
        pytest.raises(LaunchRefused, match=r"is for study.py, and this is of no recipe"),
    ):
        submit(plan_in(workspace, arms=("b",), seeds=[0]), permit, workspace)
    monkeypatch.setenv("EXPERIMENTS_PERMIT_TOKEN", token)
    with pytest.raises(LaunchRefused, match=r"is for study.py, and this is of other.py"):
        submit(plan_in(workspace, arms=("b",), seeds=[0]), command_permit("other.py", recipe=other), workspace)
    monkeypatch.chdir(workspace.root)
    submit(plan_in(workspace, arms=("b",), seeds=[0]), command_permit("x", recipe=Path("study.py")), workspace)
    assert retry(theirs.run_name, command_permit("x"), workspace).attempt == 2


def test_a_note_written_with_one_bears_its_name(workspace):
    with allow_launch(grant(workspace)) as permit:
        write_entry("exp", "arm b looks flat", permit, workspace)
    assert [entry.text for entry in entries(workspace, "exp")] == ["[permit night] arm b looks flat"]


def test_a_name_that_a_budget_had_is_not_granted_again(workspace):
    grant(workspace)
    with pytest.raises(UsageError, match="another name"):
        grant(workspace)
