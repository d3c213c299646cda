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
