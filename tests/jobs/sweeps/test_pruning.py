"""The rule of pruning: Optuna's, at the same values, and nothing before a warm-up."""

from __future__ import annotations

import random

import pytest
from optuna import create_study
from optuna.pruners import MedianPruner
from optuna.trial import TrialState, create_trial

from experiments.jobs.sweeps.pruning import Pruned, Pruning, parse_pruning, pruned_at, value_at
from experiments.project.errors import UsageError

BEFORE = [[(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)], [(1.0, 3.0), (2.0, 4.0), (3.0, 5.0)]]


def at(*values):
    return lambda step: dict(enumerate(values, 1)).get(int(step))


def test_a_trial_is_stopped_at_the_first_step_at_which_its_best_is_below_the_median():
    rule = Pruning(trials=2)
    assert pruned_at(at(2.5, 2.0, 9.0), BEFORE, rule, "higher") == Pruned(step=2.0, value=2.5, median=3.0)
    assert pruned_at(at(2.0, 3.0, 4.0), BEFORE, rule, "higher") is None  # as good as the median is not worse
    assert pruned_at(at(2.5, 9.0, 9.0), BEFORE, rule, "lower") == Pruned(step=1.0, value=2.5, median=2.0)


def test_what_is_not_known_yet_stops_nothing_and_no_more_does_a_warm_up():
    assert pruned_at(at(), BEFORE, Pruning(trials=2), "higher") is None
    assert pruned_at(at(0.0), BEFORE, Pruning(trials=3), "higher") is None
    assert pruned_at(at(0.0, 0.0, 0.0), BEFORE, Pruning(trials=2, steps=3), "higher").step == 3.0


def test_a_trial_has_no_value_before_its_first_and_beyond_its_last_evaluation():
    assert [value_at(BEFORE[0], step) for step in (0.5, 1.0, 2.9, 3.0, 3.1)] == [None, 1.0, 2.0, 3.0, None]


@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_the_rule_is_that_of_optuna_s_median_pruner(direction):
    drawn = random.Random(7)
    pruner = MedianPruner(n_startup_trials=3)
    for _ in range(60):
        study = create_study(direction="maximize" if direction == "higher" else "minimize")
        before = [[(float(step), drawn.gauss(0, 1)) for step in range(6)] for _ in range(drawn.randint(1, 6))]
        for each in before:
            values = {int(step): value for step, value in each}
            study.add_trial(create_trial(state=TrialState.COMPLETE, value=1.0, intermediate_values=values))
        own = [drawn.gauss(0, 1) for _ in range(6)]
        theirs = None
        for step in range(6):
            running = create_trial(state=TrialState.RUNNING, intermediate_values=dict(enumerate(own[: step + 1])))
            if pruner.prune(study, running):
                theirs = float(step)
                break
        found = pruned_at(lambda step, own=own: own[int(step)], before, Pruning(trials=3), direction)
        assert (found.step if found is not None else None) == theirs


def test_what_is_typed_is_a_rule_or_one_sentence():
    assert parse_pruning([]) == Pruning()
    assert parse_pruning(["trials=8", "steps=1e5"]) == Pruning(trials=8, steps=1e5)
    for wrong in (
        ["trials=0"],
        ["trials=2.5"],
        ["steps=-1"],
        ["steps=inf"],
        ["steps=nan"],
        ["median"],
        ["trials=1"] * 2,
    ):
        with pytest.raises(UsageError, match="is not 'trials=N' or 'steps=N'"):
            parse_pruning(wrong)
