"""Every interval that the code can choose covers what it says, where it is chosen; `simulation.py` lists the cases."""

from __future__ import annotations

import math

import pytest

from experiments.statistics import methods
from experiments.statistics.values import Method
from tests.statistics import simulation

QUICK = {methods.STUDENT, methods.ORDER, methods.WINS}


def named(case):
    return f"{case.method.name}, {case.name}".replace(" ", "_")


def is_quick(case):
    return case.method in QUICK and case.name.count(" ") < 5  # not one trial after the other


@pytest.mark.parametrize("case", [case for case in simulation.CASES if is_quick(case)], ids=named)
def test_a_cheap_interval_covers_93_to_97_percent_on_normal_scores(case):
    assert 0.93 <= case.coverage("normal", 10_000) <= 0.97


@pytest.mark.parametrize("case", [case for case in simulation.CASES if not is_quick(case)], ids=named)
def test_a_costly_interval_covers_about_what_it_says_in_few_trials(case):
    trials = 150
    slack = 4 * math.sqrt(0.05 * 0.95 / trials)
    assert 0.95 - 0.02 - slack <= case.coverage("normal", trials)


@pytest.mark.slow
@pytest.mark.parametrize("case", simulation.CASES, ids=named)
def test_every_interval_covers_93_to_97_percent_on_normal_scores_or_more_where_it_says_so(case, capsys):
    _, normal, skewed, line = next(simulation.table([case]))
    with capsys.disabled():
        print(f"\n{line}", end="")
    assert normal >= 0.93
    assert normal <= 0.97 or case.method in (methods.UNEVEN, methods.ANY_TIME, methods.FEWEST)
    assert case.method.normal[0] - 0.003 <= normal <= case.method.normal[1] + 0.003
    assert case.method.skewed[0] - 0.02 <= skewed <= case.method.skewed[1] + 0.02


def test_every_method_is_simulated():
    declared = {value for value in vars(methods).values() if isinstance(value, Method)}
    assert declared == {case.method for case in simulation.CASES}
