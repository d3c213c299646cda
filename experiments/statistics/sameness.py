"""Seeds that are none: runs of different seeds whose values are the same at every step."""

from __future__ import annotations

from collections.abc import Iterable

from experiments.statistics.curves import Curve

_LEAST_VALUES = 5


def same_seeds(curves: Iterable[Curve]) -> list[str]:
    """Return, of each arm, which seeds have one curve, in a sentence each; none where all differ.

    A program that does not use its seed gives one draw several times, and an interval over it says nothing. Curves of
    fewer than five values, and those that never move, may well be the same.
    """
    alike: dict[tuple[str, bytes, bytes], list[int]] = {}
    for curve in curves:
        moves = len(curve.values) >= _LEAST_VALUES and bool((curve.values != curve.values[0]).any())
        if curve.counts and moves:
            key = (curve.arm, curve.steps.tobytes(), curve.values.tobytes())
            alike.setdefault(key, []).append(curve.seed)
    return [
        f"seeds {', '.join(map(str, sorted(seeds)))} of {arm} have the same values at every step: does the program use "
        "its seed?"
        for (arm, _, _), seeds in alike.items()
        if len(set(seeds)) > 1
    ]
