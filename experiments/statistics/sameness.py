"""Seeds that are none: runs of different seeds whose values are the same at every step."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from experiments.statistics.curves import Curve

_LEAST_VALUES = 5
_GLIMPSED = 16


def same_seeds(curves: Iterable[Curve]) -> list[str]:
    """Return, of each arm, which seeds have one curve, in a sentence each; none where all differ.

    A program that does not use its seed gives one draw several times, and an interval over it says nothing. Curves of
    fewer than five values, and those that never move, may well be the same.
    """
    alike: list[tuple[Curve, list[int]]] = []
    # A page asks at each move of a slider: only curves that look alike at a glance are compared as a whole.
    likely: dict[tuple[str, int, bytes], list[tuple[Curve, list[int]]]] = {}
    for curve in curves:
        if not curve.counts or not _moves(curve.values):
            continue
        glimpsed = curve.values[:: max(1, len(curve.values) // _GLIMPSED)].tobytes()
        known = likely.setdefault((curve.arm, len(curve.values), glimpsed), [])
        seeds = next((seeds for other, seeds in known if _is_same(curve, other)), None)
        if seeds is None:
            seeds = []
            known.append((curve, seeds))
            alike.append((curve, seeds))
        seeds.append(curve.seed)
    return [
        f"seeds {', '.join(map(str, sorted(seeds)))} of {curve.arm} have the same values at every step: does the "
        "program use its seed?"
        for curve, seeds in alike
        if len(set(seeds)) > 1
    ]


def _moves(values: npt.NDArray[np.float64]) -> bool:
    return len(values) >= _LEAST_VALUES and bool(values[-1] != values[0] or (values != values[0]).any())


def _is_same(one: Curve, other: Curve) -> bool:
    return np.array_equal(one.values, other.values) and np.array_equal(one.steps, other.steps)
