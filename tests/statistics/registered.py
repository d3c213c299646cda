"""How often a registered design claims what is not so, and how many seeds it takes to see what is.

`python -m tests.statistics.registered` prints the tables; a number after it is that of trials, for each of three seeds.
What looks once and is not paired goes through `difference_of`, one trial after the other; what is paired is counted for
all trials at once, by the limits that the intervals of `sequential` are made of: `test_registered.py` compares the two.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from experiments.statistics import Options, Scores, Spending, look_limits, methods
from experiments.statistics.differences import difference_of
from experiments.statistics.looks import CALIBRATED, DEFAULT_SPENDING
from experiments.statistics.sequential import anytime_limit
from tests.statistics.false_claims import SEEDS, SHAPES, UNEQUAL, collapsing

Draw = Callable[[np.random.Generator, int | tuple[int, int]], np.ndarray]
FLOOR, CEILING = 0.0, 10.0
NORMAL, OTHER = 0.055, 0.065
"""The largest share of claims of what is not so: for normal scores, and for what else both arms may have."""


@dataclass(frozen=True)
class Law:
    """What two arms score whose means are equal.

    Attributes:
        most: The largest share of false claims; None where it is tabulated only.
        lost: Share of the seeds of both arms that end without a score, and count as the rule's floor or ceiling.
    """

    name: str
    ours: Draw
    theirs: Draw
    most: float | None
    lost: float = 0.0

    def arms(self, rng: np.random.Generator, trials: int, sizes: tuple[int, int]) -> list[np.ndarray]:
        """Return the scores (trials, n) of both arms, with NaN for a lost seed."""
        arms = [draw(rng, (trials, n)) for draw, n in zip((self.ours, self.theirs), sizes, strict=True)]
        return [np.where(rng.random(arm.shape) < self.lost, np.nan, arm) for arm in arms] if self.lost else arms


def _both(name: str, draw: Draw, most: float, lost: float = 0.0) -> Law:
    return Law(name, draw, draw, most, lost)


def _bounded(rng: np.random.Generator, size: int | tuple[int, int]) -> np.ndarray:
    return np.clip(5 + rng.standard_normal(size), FLOOR, CEILING)


LAWS = (
    _both("normal", SHAPES["normal"], NORMAL),
    Law("normal, spread 1 and 4", SHAPES["normal"], lambda rng, n: 4 * rng.standard_normal(n), NORMAL),
    _both("log-normal", SHAPES["log-normal"], OTHER),
    _both("t(2)", lambda rng, n: rng.standard_t(2, n), OTHER),
    _both("30 % at 0", collapsing(0.3), OTHER),
    Law("normal, spread 4 and 1", lambda rng, n: 4 * rng.standard_normal(n), SHAPES["normal"], NORMAL),
    _both("10 % lost", _bounded, OTHER, 0.1),
    _both("30 % lost", _bounded, OTHER, 0.3),
)
UNEQUAL_LAWS = tuple(Law(name, *draws, None) for name, draws in UNEQUAL.items())


@dataclass(frozen=True)
class Pairs:
    """A design of paired seeds.

    Attributes:
        limits: Of |t| after each pair; infinite where nobody looks.
    """

    name: str
    limits: np.ndarray = field(repr=False)

    @classmethod
    def once(cls, n: int, level: float = 0.05 * CALIBRATED) -> Pairs:
        """One t test at the end."""
        return cls._of(f"{n} pairs, once", {n: -float(special.stdtrit(n - 1, level / 2))})

    @classmethod
    def looking(cls, looks: tuple[int, ...], level: float = 0.05, spending: Spending = DEFAULT_SPENDING) -> Pairs:
        """Planned looks."""
        limits = look_limits(looks, level, spending)
        name = f"looks {', '.join(map(str, looks))}"
        return cls._of(
            name if spending == DEFAULT_SPENDING else f"{name}, {spending}", dict(zip(looks, limits, strict=True))
        )

    @classmethod
    def any_time(cls, until: int, level: float = 0.05) -> Pairs:
        """A look after each pair."""
        counts = range(methods.FEWEST_PAIRS, until + 1)
        return cls._of(f"any time, up to {until}", {n: anytime_limit(n, level) for n in counts})

    @classmethod
    def _of(cls, name: str, limits: dict[int, float]) -> Pairs:
        return cls(name, np.array([limits.get(n, math.inf) for n in range(1, max(limits) + 1)]))

    @property
    def most(self) -> int:
        """Pairs at the end."""
        return len(self.limits)

    def __str__(self) -> str:
        return self.name

    def outcomes(self, differences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is found of differences (..., pairs) where it stops: -1, 0 or 1; and after how many pairs."""
        t = t_statistics(differences[..., : self.most])
        beyond = np.abs(t) > self.limits
        at = beyond.argmax(axis=-1)
        found = beyond.any(axis=-1)
        sign = np.sign(np.take_along_axis(t, at[..., None], -1)[..., 0])
        return np.where(found, sign, 0.0), np.where(found, at + 1, self.most)

    def claims(self, law: Law, trials: int, seed: int) -> float:
        """Return the share of trials in which two arms are called different."""
        rng = np.random.default_rng([seed, self.most, trials])
        ours, theirs = law.arms(rng, trials, (self.most, self.most))
        worst, best = filled(ours, FLOOR) - filled(theirs, CEILING), filled(ours, CEILING) - filled(theirs, FLOOR)
        return float(((self.outcomes(worst)[0] > 0) | (self.outcomes(best)[0] < 0)).mean())


@dataclass(frozen=True)
class Arms:
    """A design that looks once at arms that share no seeds."""

    ours: int
    theirs: int
    level: float = 1 - 0.05 * CALIBRATED

    def __str__(self) -> str:
        return f"{self.ours} against {self.theirs}, once"

    def claims(self, law: Law, trials: int, seed: int) -> float:
        """Return the share of trials in which two arms are called different."""
        rng = np.random.default_rng([seed, self.ours, self.theirs])
        ours, theirs = law.arms(rng, trials, (self.ours, self.theirs))
        worst = zip(filled(ours, FLOOR), filled(theirs, CEILING), strict=True)
        best = zip(filled(ours, CEILING), filled(theirs, FLOOR), strict=True)
        found = [self._low(*one) > 0 or self._low(*two, -1) > 0 for one, two in zip(worst, best, strict=True)]
        return float(np.mean(found))

    def _low(self, ours: np.ndarray, theirs: np.ndarray, sign: int = 1) -> float:
        """Return the lower end of what ours are more, or of what they are less; minus infinity without an interval."""
        options = Options(level=self.level, resamples=1_000)
        interval = difference_of(Scores.of(sign * ours), Scores.of(sign * theirs), options=options).interval
        return -math.inf if interval.low is None else interval.low


def t_statistics(differences: np.ndarray) -> np.ndarray:
    """Return t of the first n of differences (..., pairs), for each n; NaN where they do not vary."""
    n = np.arange(1, differences.shape[-1] + 1)
    shifted = differences - differences[..., :1]  # equal ones leave no rounding
    mean = shifted.cumsum(axis=-1) / n
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.maximum((shifted**2).cumsum(axis=-1) - n * mean**2, 0.0) / (n - 1)
        return (mean + differences[..., :1]) / np.sqrt(np.where(variance > 0, variance, np.nan) / n)


def filled(scores: np.ndarray, value: float) -> np.ndarray:
    """Return scores with one in place of those that were lost."""
    return np.where(np.isnan(scores), value, scores)


TWELVE, TWENTY_FIVE = (4, 6, 8, 10, 12), (5, 10, 15, 20, 25)
DESIGNS = (
    *(Pairs.once(n) for n in (3, 5, 10, 20)),
    *(Pairs.looking(looks) for looks in (TWELVE, TWENTY_FIVE)),
    Pairs.any_time(30),
)
_SPENT: tuple[Spending, ...] = ("kim-demets", "pocock", "obrien-fleming")
COSTS = tuple(Pairs.looking(looks, spending=spending) for looks in (TWELVE, TWENTY_FIVE) for spending in _SPENT)
UNPAIRED = tuple(Arms(*sizes) for sizes in ((3, 3), (5, 5), (3, 10), (5, 20)))


def false_positives(design: Pairs | Arms, law: Law, trials: int) -> float:
    """Return the share of false claims, the mean over the three seeds."""
    return float(np.mean([design.claims(law, trials, seed) for seed in SEEDS]))


def level_of(k: int) -> float:
    """Return the level of the k-th design of a family; all of them together have 0.05."""
    return 0.05 * 6 / (math.pi * k) ** 2


MEMBERS = 100
FAMILIES: dict[str, Callable[[float], Pairs]] = {
    "10 pairs, once": lambda level: Pairs.once(10, CALIBRATED * level),
    "looks 4, 6, 8, 10, 12": lambda level: Pairs.looking(TWELVE, level),
    "any time, up to 30": lambda level: Pairs.any_time(30, level),
}


def families_with_a_better(
    make: Callable[[float], Pairs], draw: Draw, trials: int, level: float | None = None, *, controls: int = 1
) -> float:
    """Return the share of families in which any of 100 equal candidates is better than the one baseline.

    Args:
        level: Of each design alike; by default that of its place in the family.
        controls: Of how many equal arms the baseline is the worst: each design then has so small a part of its level.
    """
    found = []
    for seed in SEEDS:
        rng = np.random.default_rng([seed, trials])
        kept, any_better = draw(rng, (controls, trials, 30)), np.zeros(trials, bool)
        baseline = kept[kept.mean(axis=2).argmin(axis=0), np.arange(trials)]
        for k in range(1, MEMBERS + 1):
            candidate = draw(rng, (trials, 30))
            any_better |= (
                make((level_of(k) if level is None else level) / controls).outcomes(candidate - baseline)[0] > 0
            )
        found.append(any_better.mean())
    return float(np.mean(found))


def best_of_sweep(trials: int, draw: Draw, arms: int = 20, seeds: int = 3) -> tuple[float, float]:
    """Return how often the best of equal arms is called better by the seeds that chose it, and by 10 fresh pairs."""
    chose, fresh = [], []
    for seed in SEEDS:
        rng = np.random.default_rng([seed, arms])
        scores, baseline = draw(rng, (trials * arms, seeds)).reshape(trials, arms, seeds), draw(rng, (trials, seeds))
        best = scores.mean(axis=-1).argmax(axis=-1)
        winner = scores[np.arange(trials), best]
        chose.append((Pairs.once(seeds).outcomes(winner - baseline)[0] > 0).mean())
        # The winner is one of equal arms: its fresh seeds are of the same law, whichever it is.
        fresh.append((Pairs.once(10).outcomes(draw(rng, (trials, 10)) - draw(rng, (trials, 10)))[0] > 0).mean())
    return float(np.mean(chose)), float(np.mean(fresh))


@dataclass(frozen=True)
class Cost:
    """What a design takes to see an effect.

    Attributes:
        effect: In standard deviations of the paired differences.
        mean: Pairs that it uses, on average.
        fixed: The fewest pairs with which a design that looks once, calibrated as the other, has at least that power.
    """

    effect: float
    power: float
    mean: float
    fixed: int

    @property
    def ratio(self) -> float:
        """Pairs used, of those of the fixed design."""
        return self.mean / self.fixed


def cost(design: Pairs, effect: float, trials: int, seed: int) -> Cost:
    """Return what a design takes to see an effect, and what one look would have taken."""
    standard = np.random.default_rng([seed, 3]).standard_normal((trials, 60))
    sign, pairs = design.outcomes(standard + effect)
    power = float((sign > 0).mean())
    fixed = next(n for n in range(3, 60) if (Pairs.once(n).outcomes(standard + effect)[0] > 0).mean() >= power)
    return Cost(effect, power, float(pairs.mean()), fixed)


def effect_of_power(design: Pairs, power: float, trials: int, seed: int) -> float:
    """Return the effect that a design sees with a power, by halving."""
    standard = np.random.default_rng([seed, 3]).standard_normal((trials, design.most))
    low, high = 0.0, 3.0
    for _ in range(12):
        middle = (low + high) / 2
        enough = (design.outcomes(standard + middle)[0] > 0).mean() >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


def tables(trials: int) -> Iterator[str]:
    """Yield the lines of all tables."""
    few = max(1, trials // 50)  # of those that go one after the other
    for about, laws in (("equal means, of which", LAWS), ("equal means, other shapes", UNEQUAL_LAWS)):
        yield f"{about:30}" + "".join(f"{law.name:>24}" for law in laws)
        for design in (*DESIGNS, *UNPAIRED):
            number = trials if isinstance(design, Pairs) else few
            found = (false_positives(design, law, number) for law in laws)
            yield f"{design!s:30}" + "".join(f"{100 * share:22.1f} %" for share in found)
        yield ""
    yield f"{'families of 100, any better':30}" + "".join(
        f"{name:>24}" for name in (*_OF_FAMILIES, "normal, all at 0.05")
    )
    for name, make in FAMILIES.items():
        shares = [families_with_a_better(make, draw, few) for draw in _OF_FAMILIES.values()]
        shares.append(families_with_a_better(make, SHAPES["normal"], few, 0.05))
        yield f"{name:30}" + "".join(f"{100 * share:22.1f} %" for share in shares)
    yield ""
    yield f"{'best of 20 arms of a sweep':30}{'by the seeds that chose':>24}{'by 10 fresh pairs':>24}"
    for name, draw in _OF_FAMILIES.items():
        yield f"{name:30}" + "".join(f"{100 * share:22.1f} %" for share in best_of_sweep(few, draw))
    yield ""
    yield f"{'pairs used':40}{'effect':>10}{'power':>10}{'mean':>10}{'fixed':>10}{'ratio':>10}"
    for design in (*COSTS, Pairs.any_time(30)):
        for seed in SEEDS:
            for effect in (1.5, effect_of_power(design, 0.8, trials, seed)):
                one = cost(design, effect, trials, seed)
                figures = f"{one.effect:10.2f}{one.power:10.3f}{one.mean:10.2f}{one.fixed:10}{one.ratio:10.3f}"
                yield f"{design!s:40}{figures}"


_OF_FAMILIES: dict[str, Draw] = {name: SHAPES[name] for name in ("normal", "log-normal", "30 % at 0")}

if __name__ == "__main__":
    for line in tables(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000):
        print(line, flush=True)
