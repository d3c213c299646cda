"""Budgets of what goes on by itself: granted once, raised by what is asked for more, and under a name of their own."""

from __future__ import annotations

import pytest

from experiments.jobs.funding import fund, unused_name
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.permits import command_permit
from tests.fakes.launching import plan_in, workspace_at


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(workspace_at(tmp_path)) as ledger:
        yield ledger


def funded(ledger, asked=None, *, jobs=8, more=8):
    return fund(ledger, "study", asked, jobs=jobs, more=more, permit=command_permit("test"))


def jobs_of(ledger):
    return [budget.limits.jobs for budget in ledger.budgets()]


def test_a_budget_is_for_the_jobs_that_were_asked_for_and_stays_so_when_asked_once_more(ledger):
    assert funded(ledger) == "Its budget is 'study': 0 of 8 jobs. End it: uv run experiments budget end study"
    funded(ledger, more=0)
    assert jobs_of(ledger) == [8]


def test_limits_that_a_person_gave_count_and_are_raised_by_no_more_than_is_asked_for_later(ledger, tmp_path):
    funded(ledger, Limits(jobs=5))
    ledger.record_plan(plan_in(workspace_at(tmp_path), seeds=range(2)), budget="study")
    funded(ledger, jobs=10, more=4)
    assert jobs_of(ledger) == [9]


def test_one_that_has_ended_is_granted_anew_with_room_for_what_is_still_to_come(ledger, tmp_path):
    funded(ledger)
    ledger.record_plan(plan_in(workspace_at(tmp_path), seeds=range(2)), budget="study")
    ledger.end_budget("study", "enough")
    funded(ledger, jobs=6, more=0)
    assert (jobs_of(ledger), ledger.budgets()[0].is_open) == ([8], True)


def test_another_use_of_a_name_has_another_budget_but_takes_one_that_nothing_has_used(ledger, tmp_path):
    funded(ledger)
    assert unused_name(ledger, "study", command_permit("test")) == "study"
    ledger.record_plan(plan_in(workspace_at(tmp_path), seeds=range(1)), budget="study")
    assert unused_name(ledger, "study", command_permit("test")) == "study-2"
