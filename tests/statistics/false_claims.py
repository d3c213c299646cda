"""How often arms are called different: of one law in both arms, of equal means and unequal shapes, and of a real gap.

`python -m tests.statistics.false_claims` prints the three tables. Everything goes through `difference_of`, as pages and
verdicts do: a claim is an interval that excludes 0.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.statistics import Options, Scores
from experiments.statistics.differences import Compared, difference_of

SEEDS = (20_250_301, 20_250_302, 20_250_303)
"""Of the random numbers: three days, and none of them chosen by what came out."""

_OPTIONS = Options(resamples=1_000)
Draw = Callable[[np.random.Generator, int], np.ndarray]


def collapsing(share: float) -> Draw:
    """Return scores about 1 of which a share are 0."""
    return lambda rng, n: np.where(rng.random(n) < share, 0.0, rng.normal(1.0, 0.2, n))


def steady(mean: float) -> Draw:
    """Return scores that hardly vary."""
    return lambda rng, n: rng.normal(mean, 0.1, n)


SHAPES: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "log-normal": lambda rng, n: np.exp(rng.normal(size=n)),
    "30 % at 0": collapsing(0.3),
    "coin": lambda rng, n: (rng.random(n) < 0.5).astype(float),
    "coin, some noise": lambda rng, n: (rng.random(n) < 0.5) + 0.01 * rng.normal(size=n),
    "70 % coin, some noise": lambda rng, n: (rng.random(n) < 0.7) + 0.01 * rng.normal(size=n),
}
"""What one run scores, in both arms alike."""

UNEQUAL: dict[str, tuple[Draw, Draw]] = {
    "spread 1 and 3": (SHAPES["normal"], lambda rng, n: rng.normal(0.0, 3.0, n)),
    "steady, log-normal": (steady(np.exp(0.5)), SHAPES["log-normal"]),
    "steady, 30 % at 0": (steady(0.7), collapsing(0.3)),
    "steady, 10 % at 0": (steady(0.9), collapsing(0.1)),
    "steady, coin": (steady(0.5), SHAPES["coin"]),
}
"""Two arms with the same mean and other shapes: what no method repairs."""


@dataclass(frozen=True)
class Design:
    """How two arms are compared.

    Attributes:
        paired: Whether both have the same seeds.
    """

    ours: int
    theirs: int
    statistic: Compared = "mean"
    paired: bool = False

    def __str__(self) -> str:
        name = f"{self.ours} pairs" if self.paired else f"{self.ours} against {self.theirs}"
        return f"{name}, IQM" if self.statistic == "iqm" else name

    def claims(self, first: Draw, second: Draw, trials: int, seed: int, gap: float = 0.0) -> float:
        """Return the share of trials in which the arms are called different.

        Args:
            gap: What the first arm scores more.
        """
        rng = np.random.default_rng([seed, self.ours, self.theirs, 1])
        found = 0
        for _ in range(trials):
            pair = (self._arm(rng, first, self.ours, "a", gap), self._arm(rng, second, self.theirs, "b"))
            interval = difference_of(*pair, self.statistic, options=_OPTIONS).interval
            found += interval.bounds is not None and not interval.contains(0.0)
        return found / trials

    def _arm(self, rng: np.random.Generator, draw: Draw, n: int, name: str, gap: float = 0.0) -> Scores:
        return Scores.of(draw(rng, n) + gap, arm=name, seeds=range(n) if self.paired else None)


EVEN = [Design(n, n) for n in (3, 5, 10)]
UNEVEN = [Design(*sizes) for sizes in ((4, 6), (3, 5), (3, 10), (5, 10), (5, 20), (10, 20))]
PAIRS = [Design(n, n, paired=True) for n in (3, 5, 10)]
OTHERS = [
    *(Design(*sizes, "iqm") for sizes in ((6, 6), (8, 12), (10, 20))),
    *(Design(n, n, "iqm", paired=True) for n in (6, 10)),
]


def of_one_law(design: Design, trials: int) -> dict[str, float]:
    """Return the share of false claims by shape, the mean over the three seeds."""
    return {
        shape: float(np.mean([design.claims(draw, draw, trials, seed) for seed in SEEDS]))
        for shape, draw in SHAPES.items()
    }


def of_equal_means(design: Design, trials: int) -> dict[str, float]:
    """Return the same for arms of equal means and unequal shapes."""
    return {
        name: float(np.mean([design.claims(*pair, trials, seed) for seed in SEEDS])) for name, pair in UNEQUAL.items()
    }


def of_a_gap(design: Design, trials: int, gaps: Sequence[float] = (1.0, 1.5, 2.0, 3.0)) -> dict[str, float]:
    """Return the share of true claims by gap, in standard deviations of normal scores."""
    normal = SHAPES["normal"]
    return {
        f"{gap:g} deviations": float(np.mean([design.claims(normal, normal, trials, seed, gap) for seed in SEEDS]))
        for gap in gaps
    }


def head(title: str, columns: Iterable[str]) -> str:
    """Return the first line of a table."""
    return f"{title:28}" + "".join(f"{column:>23}" for column in columns)


def line(design: Design, found: dict[str, float]) -> str:
    """Return a design's row of a table, in percent."""
    return f"{design!s:28}" + "".join(f"{100 * share:21.1f} %" for share in found.values())


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    everything = [*EVEN, *UNEVEN, *PAIRS]
    for about, of, designs in (
        ("one law in both arms", of_one_law, [*everything, *OTHERS]),
        ("equal means, other shapes", of_equal_means, everything),
        ("a real gap", of_a_gap, everything),
    ):
        print(head(about, of(Design(1, 1), 1)))
        for one in designs:
            print(line(one, of(one, number)), flush=True)
        print()
