"""Every interval that the code can choose covers what it says, where it is chosen; `simulation.py` lists the cases."""

from __future__ import annotations

import math

import pytest

from experiments.statistics import methods
from experiments.statistics.values import Method
from tests.share import share
from tests.statistics import simulation

QUICK = {methods.STUDENT, methods.ORDER, methods.WINS}
TRIALS = {"normal": 10_000, "log-normal": 2_000}  # as the table has them
FEWER = {"normal": share(10_000, 2_000), "log-normal": share(2_000, 500)}  # of what goes one after the other


def chance(shape, trials, covered):
    """Three standard errors, for a hundred cases are looked at; nothing where they are the table's own trials."""
    return 0.0 if trials == TRIALS[shape] else 3 * math.sqrt(covered * (1 - covered) / trials)


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
    trials = TRIALS if is_quick(case) else FEWER
    _, normal, skewed, line = next(simulation.table([case], *trials.values()))
    with capsys.disabled():
        print(f"\n{line}", end="")
    more = chance("normal", trials["normal"], 0.95)
    more_skewed = chance("log-normal", trials["log-normal"], case.method.skewed[0])
    assert normal >= 0.93 - more
    assert normal <= 0.97 + more or case.method in (methods.UNEVEN, methods.ANY_TIME, methods.FEWEST)
    assert case.method.normal[0] - 0.003 - more <= normal <= case.method.normal[1] + 0.003 + more
    assert case.method.skewed[0] - 0.02 - more_skewed <= skewed <= case.method.skewed[1] + 0.02 + more_skewed


def test_every_method_is_simulated():
    declared = {value for value in vars(methods).values() if isinstance(value, Method)}
    assert declared == {case.method for case in simulation.CASES}
