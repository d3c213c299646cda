"""A search on a budget: each job draws once, what is spent asks no more, and what has ended starts nothing."""

from __future__ import annotations

import time

import pytest

from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.submission import retry
from experiments.jobs.sweeps.search import choosing_seeds
from experiments.launch import allow_launch
from experiments.project.errors import LaunchError
from experiments.results.steps import take_step
from tests.fakes.stepped import course, opened, search_of, to_the_end

ONE_SEED = {"seeds": choosing_seeds(1), "budget": "study"}


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Return a function that opens a search with a budget, whose jobs end at once."""

    def begun(search, dies=lambda _seed, _said: False, **limits):
        workspace, cluster = opened(tmp_path, search, dies)
        monkeypatch.setitem(LAUNCHERS, "skypilot", lambda _: cluster)
        granted(workspace, **limits)
        return workspace, cluster

    return begun


def granted(workspace, **limits):
    with open_ledger(workspace) as ledger:
        ledger.grant("study", Limits(**limits), "test")


def budget_of(workspace):
    with open_ledger(workspace, read_only=True) as ledger:
        [found] = ledger.budgets()
    return found


def step(workspace, **options):
    with allow_launch() as permit:
        return take_step(workspace, permit, **options)


def test_every_job_of_a_search_draws_once_and_its_budget_ends_with_it(begin):
    workspace, cluster = begin(search_of(trials=3, budget="study"), jobs=6)
    to_the_end(workspace)
    assert len(cluster.jobs()) == 6
    assert budget_of(workspace).jobs == 6
    assert budget_of(workspace).sentence == "6 of 6 jobs; ended: what it was for has ended"


def test_a_budget_that_runs_out_asks_no_more_and_says_what_to_do_until_it_is_given_more(begin):
    workspace, cluster = begin(search_of(trials=3, at_once=1, budget="study"), jobs=3)
    step(workspace)
    found = step(workspace)
    assert "has 1 of 3 jobs left, and 2 further jobs would take 2" in found.problems[0]
    assert "experiments budget set study jobs=4" in found.problems[0]
    assert step(workspace).problems == found.problems
    assert ([trial.is_told for trial in course(workspace).trials], len(cluster.jobs())) == ([True], 2)
    granted(workspace, jobs=6)
    to_the_end(workspace)
    assert len(cluster.jobs()) == 6


@pytest.mark.parametrize("how", ["ended", "over"])
def test_a_budget_that_has_ended_ends_its_search_and_tells_what_is_out(begin, monkeypatch, how):
    workspace, cluster = begin(search_of(trials=9, at_once=2, **ONE_SEED), jobs=9, until=time.time() + 3600)
    step(workspace)
    if how == "ended":
        with open_ledger(workspace) as ledger:
            ledger.end_budget("study", "enough")
    else:
        later = time.time() + 7200
        monkeypatch.setattr(time, "time", lambda: later)
    step(workspace)
    monkeypatch.undo()  # the clock is set back: what was over stays so
    monkeypatch.setitem(LAUNCHERS, "skypilot", lambda _: cluster)
    found = course(workspace)
    assert (found.is_open, [trial.is_told for trial in found.trials], len(cluster.jobs())) == (False, [True, True], 2)
    assert found.why == f"its budget has ended ({'enough' if how == 'ended' else 'its time is over'})"
    assert step(workspace).goes_on == 0


def test_jobs_that_never_started_are_taken_back_when_their_budget_has_ended(begin):
    workspace, cluster = begin(search_of(trials=2, at_once=1, budget="study"), jobs=4)
    cluster.refuses = AllButTheFirst()
    step(workspace)
    with open_ledger(workspace) as ledger:
        ledger.end_budget("study", "enough")
    said = step(workspace).done
    assert any("1 job that had not started was taken back" in line for line in said)
    found = course(workspace)
    assert (found.is_open, found.trials[0].lost, found.best, budget_of(workspace).jobs) == (False, 1, None, 1)


class AllButTheFirst:
    """The first job is taken, whichever it is, and no other."""

    def __init__(self):
        self.taken = None

    def __contains__(self, name):
        self.taken = self.taken or name
        return name != self.taken

    def discard(self, _name):
        pass


def test_a_clock_that_jumps_to_and_fro_doubles_and_loses_nothing(begin, monkeypatch):
    workspace, cluster = begin(search_of(trials=6, at_once=2, **ONE_SEED), jobs=6)
    real = time.time
    with allow_launch() as permit:
        for offset in (0, -1e8, 1e8, -1e8, 0, 1e8, -1e8):
            monkeypatch.setattr(time, "time", lambda offset=offset: real() + offset)
            assert take_step(workspace, permit).problems == []
    monkeypatch.setattr(time, "time", real)
    to_the_end(workspace) if course(workspace).is_open else None
    assert len(cluster.jobs()) == len({job["name"] for job in cluster.jobs()}) == budget_of(workspace).jobs == 6


def test_a_further_attempt_of_a_trial_draws_too(begin):
    workspace, cluster = begin(search_of(trials=1, **ONE_SEED), lambda _seed, _said: True, jobs=1)
    step(workspace)
    with allow_launch() as permit, pytest.raises(LaunchError, match="has 0 of 1 jobs left"):
        retry(cluster.jobs()[0]["name"], permit, workspace)
