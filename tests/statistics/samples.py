"""Curves and scores that several tests start from."""

from __future__ import annotations

import numpy as np

from experiments.statistics import Curve


def curve(values, steps=None, **options):
    steps = np.arange(len(values)) * 10.0 if steps is None else steps
    return Curve(np.asarray(steps), np.asarray(values), **options)


def learning(arm, gain, seeds=5, *, noise=0.2, seed=0, **options):
    """Curves that rise to `gain`, one a seed, over 100k agent steps."""
    rng = np.random.default_rng([seed, *arm.encode()])
    steps = np.arange(0.0, 100_001.0, 1_000.0)
    shape = gain * (1 - np.exp(-steps / 20_000))
    return [
        Curve(steps, shape + rng.normal() + noise * rng.normal(size=len(steps)), arm=arm, seed=number, **options)
        for number in range(seeds)
    ]
