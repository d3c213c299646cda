"""What goes on by itself, carried on by steps that may be killed, come twice, and find what cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import fmean

import pytest

from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.launchers.local.supervisor import GOES_ON
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.jobs.rule import Rule
from experiments.jobs.sweeps.search import choosing_seeds, courses, end_search, open_search
from experiments.launch import allow_launch
from experiments.project.errors import LaunchRefused
from experiments.results import steps
from experiments.results.steps import LEASE, take_step
from tests.fakes import stepped
from tests.fakes.stepped import course, opened, search_of, to_the_end
from tests.share import share

HIGHER = {"metric": "score", "direction": "higher", "effect": 0.5}


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Return a function that opens a search whose jobs end at once."""

    def begun(search, dies=lambda _seed, _said: False):
        workspace, cluster = opened(tmp_path, search, dies)
        monkeypatch.setitem(LAUNCHERS, "skypilot", lambda _: cluster)
        return workspace, cluster

    return begun


def step(workspace, **options):
    with allow_launch() as permit:
        return take_step(workspace, permit, **options)


def killed(folder, *numbers):
    command = [sys.executable, stepped.__file__, str(folder), *map(str, numbers)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_a_search_ends_with_every_trial_launched_once_and_scored_by_the_mean_of_its_seeds(begin):
    workspace, cluster = begin(search_of(trials=5))
    to_the_end(workspace)
    found = course(workspace)
    names = [job["name"] for job in cluster.jobs()]
    assert (len(names), len(set(names)), len(found.trials)) == (10, 10, 5)
    for trial in found.trials:
        assert list(trial.seeds) == ["1000000", "1000001"]
        assert trial.score == fmean(trial.seeds.values())
    assert step(workspace).goes_on == 0
    assert not (workspace.state / GOES_ON).exists()


def test_as_many_trials_are_out_as_may_be_and_the_next_comes_when_one_has_ended(begin):
    workspace, cluster = begin(search_of(trials=5, seeds=choosing_seeds(1), at_once=2))
    cluster.runs_on = OnlyKnown(ended=set())
    assert step(workspace).goes_on == 1
    assert [trial.number for trial in course(workspace).out] == [0, 1]
    assert (workspace.state / GOES_ON).exists()
    assert step(workspace).done == []
    cluster.runs_on.ended.add(cluster.jobs()[1]["name"])
    step(workspace)
    assert [trial.number for trial in course(workspace).out] == [0]  # trial 2 is to know of trial 0
    cluster.runs_on.ended.add(cluster.jobs()[0]["name"])
    step(workspace)
    assert [trial.number for trial in course(workspace).out] == [2, 3]


class OnlyKnown:
    """Every run goes on but those that were said to have ended."""

    def __init__(self, ended):
        self.ended = ended

    def __contains__(self, name):
        return name not in self.ended


def test_a_trial_whose_seeds_all_failed_has_failed_and_is_told_so(begin):
    workspace, _ = begin(search_of(trials=4), lambda _seed, said: float(said["rate"]) < 1e-3)
    to_the_end(workspace)
    failed = [trial for trial in course(workspace).trials if trial.values["rate"] < 1e-3]
    assert failed
    assert {(trial.score, trial.lost) for trial in failed} == {(None, 2)}
    assert all("all of its seeds are lost" in trial.reason for trial in failed)


def test_a_lost_seed_counts_as_the_floor_where_one_is_stated_and_is_said_where_none_is(begin, tmp_path):
    dies = lambda seed, _said: seed == choosing_seeds(1)[0]  # noqa: E731
    workspace, _ = begin(search_of(trials=1), dies)
    to_the_end(workspace)
    [trial] = course(workspace).trials
    assert (trial.score, trial.reason) == (trial.seeds["1000001"], "1 of 2 seeds lost (failed, no value logged)")
    assert course(workspace).best is None
    with allow_launch() as permit, open_ledger(workspace) as ledger:
        open_search(ledger, search_of(trials=1, experiment="floored", rule=Rule(**HIGHER, floor=0.0)), permit)
    step(workspace)
    step(workspace)
    with open_ledger(workspace) as ledger:
        [floored] = courses(ledger, "floored")
    assert floored.best.score == floored.best.seeds["1000001"] / 2


def test_a_metric_that_no_run_logged_makes_every_trial_fail_and_the_search_end(begin):
    workspace, _ = begin(search_of(trials=2, rule=Rule(metric="other", direction="higher", effect=0.0)))
    to_the_end(workspace)
    assert [trial.score for trial in course(workspace).trials] == [None, None]
    assert course(workspace).best is None


def test_what_a_launcher_refused_is_said_and_tried_again_only_when_a_person_asks(begin):
    workspace, cluster = begin(search_of(trials=1))
    step(workspace, experiment="other")
    assert course(workspace).trials == ()
    cluster.refuses = RefusesOnce()
    [problem] = step(workspace).problems
    assert "no machine for" in problem
    assert "experiments step study" in step(workspace).problems[0]
    assert len(cluster.jobs()) == 1
    step(workspace, retry=True)
    assert len(cluster.jobs()) == 2
    to_the_end(workspace)


class RefusesOnce:
    """The first job is refused, whichever it is."""

    def __init__(self):
        self.is_done = False

    def __contains__(self, _name):
        was, self.is_done = self.is_done, True
        return not was

    def discard(self, _name):
        pass


def test_a_scheduler_that_cannot_be_asked_ends_no_trial(begin):
    # These have logged nothing: a run that says itself that it finished needs no scheduler.
    workspace, cluster = begin(search_of(trials=3, at_once=1), lambda _seed, _said: True)
    step(workspace)
    cluster.unreachable = "down"
    assert step(workspace).goes_on == 1
    assert [trial.is_told for trial in course(workspace).trials] == [False]
    cluster.unreachable = ""
    to_the_end(workspace)
    assert len({job["name"] for job in cluster.jobs()}) == len(cluster.jobs()) == 6


def test_an_ended_search_tells_what_is_out_and_asks_no_more(begin):
    workspace, cluster = begin(search_of(trials=9, at_once=2))
    step(workspace)
    with allow_launch() as permit, open_ledger(workspace) as ledger:
        end_search(ledger, course(workspace).search, permit)
    to_the_end(workspace)
    assert [trial.is_told for trial in course(workspace).trials] == [True, True]
    assert len(cluster.jobs()) == 4


def test_a_step_waits_for_another_and_says_who_has_it(begin, monkeypatch):
    workspace, _ = begin(search_of(trials=1))
    monkeypatch.setattr(steps, "_TURN_S", 0.3)
    with tenure() as owner, open_ledger(workspace) as ledger:
        assert ledger.take_lease(LEASE, owner) is None
        found = step(workspace)
        assert (found.done, found.goes_on) == ([], None)
        assert "is at it" in found.problems[0]
        ledger.conclude(owner)
    assert step(workspace).problems == []


def test_nobody_who_may_not_launch_takes_a_step(begin):
    workspace, _ = begin(search_of(trials=1))
    with pytest.raises(LaunchRefused):
        take_step(workspace, None)
    assert course(workspace).trials == ()


def test_one_search_that_cannot_go_on_keeps_no_other_from_it(begin):
    workspace, cluster = begin(search_of(trials=1, launcher="local", train_command=("/bin/true",)))
    broken = search_of(trials=1, experiment="broken", template={"cases": []})
    with allow_launch() as permit, open_ledger(workspace) as ledger:
        open_search(ledger, broken, permit)
        open_search(ledger, search_of(trials=1, experiment="third"), permit)
    found = step(workspace)
    assert any(problem.startswith("broken: ") for problem in found.problems)
    assert {job["name"].split(".")[1] for job in cluster.jobs()} == {"third"}


def test_after_kills_at_random_moments_every_job_is_launched_once_and_the_trials_are_the_same(tmp_path):
    whole = killed(tmp_path / "whole", 6, 2, 0, 0, 0)
    found = killed(tmp_path / "killed", 6, 2, 6, 1, whole["took"])
    assert found["killed"] == 6
    assert found["trials"] == whole["trials"]
    assert len(set(found["names"])) == len(found["names"]) == found["drawn"] == 12


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [3, 11, 2026][: share(3, 1)])
def test_forty_trials_of_three_seeds_killed_at_thirty_random_moments_are_those_of_nobody_killed(tmp_path, seed):
    whole = killed(tmp_path / "whole", 40, 3, 0, 0, 0)
    found = killed(tmp_path / "killed", 40, 3, 30, seed, whole["took"])
    assert found["killed"] == 30
    assert found["trials"] == whole["trials"]
    assert len(set(found["names"])) == len(found["names"]) == found["drawn"] == 120
