from __future__ import annotations

import numpy as np

from experiments.statistics import Curve, same_seeds

STEPS = np.arange(6.0)


def curve(seed, values, arm="a", **more):
    return Curve(STEPS[: len(values)], np.array(values, float), arm=arm, seed=seed, run=f"{arm}{seed}", **more)


def test_seeds_of_one_arm_with_one_curve_are_named():
    curves = [curve(seed, [1, 2, 3, 4, 5, 6]) for seed in (3, 1)] + [curve(2, [1, 2, 3, 4, 5, 7])]
    assert same_seeds(curves) == [
        "seeds 1, 3 of a have the same values at every step: does the program use its seed?",
    ]


def test_what_may_well_be_the_same_is_not_named():
    same = [1, 2, 3, 4, 5, 6]
    assert same_seeds([curve(0, same), curve(0, same, arm="b")]) == []
    assert same_seeds([curve(0, [1, 2, 3]), curve(1, [1, 2, 3])]) == []
    assert same_seeds([curve(0, [2.0] * 6), curve(1, [2.0] * 6)]) == []
    assert same_seeds([curve(0, same), curve(0, same, role="replicate", replicate=1)]) == []


def test_long_curves_that_differ_in_one_value_or_one_step_are_not_the_same():
    values = np.arange(1000.0) % 7
    other, steps = values.copy(), np.arange(1000.0)
    other[3] += 1
    later = np.append(steps[:-1], 2000.0)
    runs = [
        Curve(steps, values, arm="a", seed=0),
        Curve(steps, other, arm="a", seed=1),
        Curve(later, values, arm="a", seed=2),
    ]
    assert same_seeds(runs) == []
    assert same_seeds([*runs, Curve(steps, other.copy(), arm="a", seed=5)])[0].startswith("seeds 1, 5 of a ")
