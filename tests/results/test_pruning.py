"""Trials that are stopped: by the same values at the same step whoever looks when, told as pruned, and never best."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.mending import rebuild
from experiments.jobs.rule import Rule
from experiments.jobs.sweeps import search as searches
from experiments.jobs.sweeps.pruning import Pruning
from experiments.jobs.sweeps.search import choosing_seeds
from experiments.launch import allow_launch
from experiments.results.pruning import Course
from experiments.results.steps import take_step
from experiments.statistics import Curve
from tests.fakes import stepped
from tests.fakes.stepped import course, opened, search_of, to_the_end
from tests.fakes.wandb_files import offline_run, run

PRUNE = Pruning(trials=2)


def curve(steps, values, outcome="finished", seed=0):
    return Curve(np.array(steps, float), np.array(values, float), arm="t", seed=seed, outcome=outcome)


def test_the_value_of_a_trial_is_the_mean_of_its_seeds_once_all_have_got_there():
    both = Course([curve([1, 2], [1, 2]), curve([1, 3], [3, 4], seed=1)])
    assert [both.at(step) for step in (0.5, 1, 2, 3)] == [None, 2.0, 2.5, 4.0]  # the first ended at 2
    waits = Course([curve([1, 2], [1, 2], "unfinished"), curve([1, 3], [3, 4], seed=1)])
    assert [waits.at(step) for step in (1, 2, 3)] == [2.0, 2.5, None]
    cancelled = Course([curve([1, 2], [1, 2], "cancelled"), curve([1, 3], [3, 4], "cancelled", seed=1)])
    assert [cancelled.at(step) for step in (1, 2, 3)] == [2.0, 2.5, 4.0]
    assert Course([curve([], [], "unfinished"), curve([1], [1], seed=1)]).at(1) is None
    assert Course([curve([1, 2], [np.nan, np.inf])]).at(2) is None


def test_of_a_long_run_evaluations_are_recorded_that_lie_evenly_among_all():
    steps = np.arange(1000.0)
    recorded = Course([curve(steps, steps * 2)]).evaluations()
    assert (len(recorded), recorded[0], recorded[-1]) == (60, (0.0, 0.0), (999.0, 1998.0))
    assert Course([curve([], [])]).evaluations() == ()


@pytest.fixture
def begin(tmp_path, monkeypatch):
    def begun(search):
        workspace, cluster = opened(tmp_path, search)
        monkeypatch.setitem(LAUNCHERS, "skypilot", lambda _: cluster)
        return workspace, cluster

    return begun


def step(workspace):
    with allow_launch() as permit:
        return take_step(workspace, permit)


def pruning_search(**changes):
    return search_of(**{"trials": 8, "at_once": 1, "seeds": choosing_seeds(2), "prune": PRUNE, **changes})


def test_trials_below_the_median_are_told_as_pruned_without_a_score_and_are_never_best(begin):
    workspace, _ = begin(pruning_search(rule=Rule(metric="score", direction="higher", effect=0.5, floor=0.0)))
    to_the_end(workspace)
    found = course(workspace)
    pruned = [trial for trial in found.trials if trial.pruned is not None]
    assert 0 < len(pruned) < 7
    assert {(trial.score, trial.lost) for trial in pruned} == {(None, 2)}
    assert all(trial.reason.startswith("pruned at step 10: ") for trial in pruned)
    assert found.best is not None
    assert not {trial.number for trial in pruned} & {trial.number for trial in found.ranking}
    assert all(trial.evaluations for trial in found.trials if trial.score is not None)


def test_nothing_is_pruned_where_nobody_asked_for_it(begin):
    workspace, _ = begin(pruning_search(prune=None))
    to_the_end(workspace)
    assert {(trial.pruned, trial.evaluations) for trial in course(workspace).trials} == {(None, ())}
    assert search_of(prune=PRUNE).id != search_of().id


def test_a_running_trial_is_recorded_as_pruned_first_and_then_its_jobs_are_ended(begin, monkeypatch):
    workspace, cluster = begin(pruning_search(trials=3))
    while len(course(workspace).trials) < 3:
        step(workspace)
    third = [job["name"] for job in cluster.jobs()][-2:]
    cluster.runs_on = set(third)
    for name in third:  # they have logged half of what they will, far below all others
        half_way(workspace, name)
    events = []
    monkeypatch.setattr(
        cluster, "cancel", lambda pairs: events.append((told_of(workspace), sorted(run for run, _ in pairs)))
    )
    said = step(workspace).done
    assert any("trial 2 (" in line and "is pruned at step 10: -50 by then" in line for line in said)
    assert events == [(["trial_pruned"], sorted(third))]
    step(workspace)  # until they have ended they are asked again, and nothing is recorded twice
    assert events[1:] == events[:1]
    assert not course(workspace).trials[2].is_told
    cluster.runs_on, cluster.words = set(), dict.fromkeys(third, "CANCELLED")
    step(workspace)
    [*_, last] = course(workspace).trials
    assert (last.is_told, last.score, last.pruned.step, last.pruned.value) == (True, None, 10.0, -50.0)
    for file in workspace.state.glob("ledger.sqlite*"):
        file.unlink()
    rebuild(workspace.state)
    assert course(workspace).trials[2] == last


def half_way(workspace, name):
    folder = workspace.runs / name / "wandb"
    for file in sorted(folder.rglob("*"), reverse=True):
        file.unlink() if not file.is_dir() else file.rmdir()
    folder.rmdir()
    log = offline_run(workspace.runs, name).write(run(name))
    log.log(*({"step": step, "score": -50.0} for step in range(10, 60, 10)))


def told_of(workspace):
    with open_ledger(workspace, read_only=True) as ledger:
        return [event.kind for event in ledger.events(kind={searches.PRUNED})]


def killed(folder, *numbers):
    command = [sys.executable, stepped.__file__, str(folder), *map(str, numbers), "prune"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("kills", [5, pytest.param(30, marks=pytest.mark.slow)])
def test_killed_at_random_moments_the_same_trials_are_pruned_at_the_same_steps(tmp_path, kills):
    whole = killed(tmp_path / "whole", 10, 2, 0, 0, 0)
    found = killed(tmp_path / "killed", 10, 2, kills, 5, whole["took"])
    assert found["killed"] == kills
    assert found["trials"] == whole["trials"]
    assert found["pruned"] == whole["pruned"]
    assert any(whole["pruned"])
    assert len(set(found["names"])) == len(found["names"]) == 20
