"""A search on a budget: each job draws once, what is spent asks no more, and what has ended starts nothing."""

from __future__ import annotations

import time

import pytest

from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.submission import retry
from experiments.jobs.sweeps.search import choosing_seeds, end_search
from experiments.launch import allow_launch
from experiments.project.errors import LaunchError
from experiments.project.values import replaced
from experiments.results import searching
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


def dies(*_):
    raise KeyboardInterrupt


def step(workspace, **options):
    with allow_launch() as permit:
        return take_step(workspace, permit, **options)


def test_every_job_of_a_search_draws_once_and_its_budget_ends_with_it(begin):
    workspace, cluster = begin(search_of(trials=3, budget="study"), jobs=6)
    to_the_end(workspace)
    assert len(cluster.jobs()) == 6
    assert budget_of(workspace).jobs == 6
    assert budget_of(workspace).sentence == "6 of 6 jobs; ended: what it was for has ended"


def test_a_step_that_is_killed_before_it_ends_the_budget_of_a_search_leaves_that_to_the_next(begin, monkeypatch):
    workspace, _ = begin(search_of(trials=1, budget="study"), jobs=6)
    with monkeypatch.context() as patched:
        patched.setattr(searching, "_close_budget", dies)
        with pytest.raises(KeyboardInterrupt):
            to_the_end(workspace)
    assert (course(workspace).is_open, budget_of(workspace).is_open) == (False, True)
    assert step(workspace).goes_on == 0
    assert not budget_of(workspace).is_open
    granted(workspace, jobs=9)  # by a person, for something else
    assert step(workspace).done == []
    assert budget_of(workspace).is_open


def test_a_search_of_which_no_more_is_asked_ends_its_budget_though_no_trial_is_out(begin):
    workspace, _ = begin(search_of(trials=3, at_once=1, budget="study"), jobs=2)
    step(workspace)
    step(workspace)  # the first trial is told, and there is nothing left for a second
    with open_ledger(workspace) as ledger, allow_launch() as permit:
        end_search(ledger, course(workspace).search, permit)
    assert not course(workspace).is_open
    assert step(workspace).goes_on == 0
    assert not budget_of(workspace).is_open


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


def remove(workspace, name):
    with open_ledger(workspace) as ledger, ledger._writing() as execute:
        execute("DELETE FROM jobs WHERE run_name = ?", [name])


def test_a_job_that_a_person_took_out_of_the_ledger_is_a_lost_seed_and_no_seed_that_was_never_there(begin):
    workspace, cluster = begin(search_of(trials=2, at_once=2, budget="study"), jobs=4)
    cluster.runs_on = {"all"}
    step(workspace)
    first, second = (course(workspace).trials[number].plan_key for number in (0, 1))
    with open_ledger(workspace, read_only=True) as ledger:
        names = [ledger.rows(plan_key=first)[0].run_name, *(row.run_name for row in ledger.rows(plan_key=second))]
    for name in names:
        remove(workspace, name)
    step(workspace)
    found = course(workspace)
    half, none = found.trials
    assert (half.lost, half.reason) == (1, "1 of 2 seeds lost (its job is no longer in the ledger)")
    assert (none.lost, none.score) == (2, None)
    assert found.best is None


def test_a_job_that_no_poll_tells_of_keeps_its_trial_waiting_and_is_named(begin, monkeypatch):
    workspace, cluster = begin(search_of(trials=1, budget="study"), jobs=4)
    step(workspace)
    hidden = cluster.jobs()[0]["name"]
    real = searching.poll_once

    def polled(*given, **options):
        seen = real(*given, **options)
        return replaced(seen, jobs=tuple(job for job in seen.jobs if job.run_name != hidden))

    monkeypatch.setattr(searching, "poll_once", polled)
    [problem] = step(workspace).problems
    assert f"trial 0 waits: nobody knows what became of job '{hidden}'" in problem
    assert not course(workspace).trials[0].is_told
    monkeypatch.setattr(searching, "poll_once", real)
    step(workspace)
    assert course(workspace).trials[0].lost == 0


def test_a_trial_that_was_told_is_not_told_anew_by_an_attempt_and_that_is_said(begin):
    workspace, cluster = begin(search_of(trials=1, **ONE_SEED), lambda _seed, _said: True, jobs=3)
    to_the_end(workspace)
    granted(workspace, jobs=3)
    [before] = course(workspace).trials
    cluster.dies = lambda _seed, _said: False
    with allow_launch() as permit:
        attempt = retry(cluster.jobs()[0]["name"], permit, workspace)
    [said] = searching.told_already(workspace, attempt)
    assert "trial 0 of the search is told already (all of its seeds are lost" in said
    assert "changes neither its score nor what is tried next" in said
    step(workspace)
    assert course(workspace).trials == (before,)
    assert len(cluster.jobs()) == budget_of(workspace).jobs == 2


def test_an_attempt_after_a_machine_failed_counts_where_its_trial_is_not_told_yet(begin):
    workspace, cluster = begin(search_of(trials=1, budget="study"), lambda _seed, _said: True, jobs=4)
    step(workspace)
    broken, other = (job["name"] for job in cluster.jobs())
    cluster.runs_on = {other}
    cluster.words = {broken: "FAILED_SETUP"}
    step(workspace)
    cluster.dies = lambda _seed, _said: False
    with allow_launch() as permit:
        again = retry(broken, permit, workspace).run_name
    cluster.dies = lambda seed, _said: seed == 1_000_001
    cluster.runs_on = set()
    step(workspace)
    [trial] = course(workspace).trials
    assert trial.is_told
    assert (trial.seeds["1000000"] is None, trial.seeds["1000001"]) == (False, None)
    assert again != broken
