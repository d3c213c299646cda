from __future__ import annotations

import importlib.metadata
import random

import pytest

from experiments.jobs.rule import Rule
from experiments.jobs.sweeps.ranges import Choices, Range
from experiments.jobs.sweeps.search import Trial
from experiments.jobs.sweeps.suggesting import seed_of, suggested
from experiments.project.errors import LaunchError
from tests.fakes.stepped import search_of


def scored(values):
    return -abs(values["rate"] - 0.003) if values["batch"] == 512 else None


def course(search, count, out=0):
    trials = []
    for number in range(count):
        values = suggested(search, trials)
        trials.append(Trial(number, values, "key", True, scored(values)))
        if number >= count - out:
            trials[-1] = Trial(number, values, "key")
    return trials


def test_equal_records_give_equal_next_trials_and_others_other_ones():
    search = search_of(trials=30)
    trials = course(search, 20)
    assert suggested(search, trials) == suggested(search_of(trials=99), trials)
    assert len({str(trial.values) for trial in trials}) == 20
    assert suggested(search_of(experiment="other"), trials) != suggested(search, trials)


def test_what_a_trial_of_several_at_once_may_not_know_changes_nothing():
    search = search_of(at_once=3)
    trials = course(search, 15)
    hidden = [*trials[:-2], *(Trial(each.number, each.values, "key") for each in trials[-2:])]
    assert suggested(search, trials) == suggested(search, hidden)


def test_a_known_score_guides_what_is_tried_after_the_first_ten():
    search = search_of(at_once=1, rule=Rule(metric="score", direction="higher", effect=0.0))
    trials = course(search, 40)
    late = [abs(trial.values["rate"] - 0.003) for trial in trials[20:]]
    chance = [Range(low=1e-5, high=0.1, log=True).at(random.Random(n).random()) for n in range(100)]
    assert sorted(late)[10] < sorted(abs(rate - 0.003) for rate in chance)[50]


def test_trials_without_a_score_are_taken_for_failed():
    search = search_of(at_once=1)
    trials = [Trial(n, {"rate": 0.001, "batch": 256}, "key", True, None) for n in range(12)]
    assert suggested(search, trials)["batch"] in {256, 512}


def test_whole_numbers_words_and_truth_values_come_as_themselves():
    space = {
        "layers": Range(low=1, high=4, whole=True),
        "width": Range(low=8, high=512, whole=True, log=True),
        "kind": Choices(values=("adam", "muon")),
        "anneal": Choices(values=(False, True)),
    }
    found = suggested(search_of(space=space), [])
    assert {name: type(value) for name, value in found.items()} == {
        "layers": int,
        "width": int,
        "kind": str,
        "anneal": bool,
    }


def test_chance_is_a_sampler_too():
    search = search_of(sampler="random")
    assert suggested(search, course(search, 5)) != suggested(search, course(search, 4))


def test_each_trial_has_a_seed_of_its_own():
    assert len({seed_of("abc", n) for n in range(1000)} | {seed_of("abd", n) for n in range(1000)}) == 2000


@pytest.mark.parametrize(("version", "said"), [(None, "it is not installed"), ("4.5.0", "4.5.0 is installed")])
def test_optuna_that_is_missing_or_of_another_version_is_said_with_the_command(monkeypatch, version, said):
    def of(name):
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(importlib.metadata, "version", of)
    with pytest.raises(LaunchError, match=said) as refused:
        suggested(search_of(), [])
    assert 'uv pip install "optuna>=5,<6"' in str(refused.value)
