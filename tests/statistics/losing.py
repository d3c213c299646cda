"""How often a rule confirms what is not so, where arms are exchangeable and seeds are lost."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from experiments.jobs.journal import Journal, Rule
from experiments.results.scores import ScoredRuns
from experiments.results.verdict import judge
from experiments.statistics import Scores, SeedScore, Summary

FLOOR, CEILING = 0.0, 10.0
Draw = Callable[[np.random.Generator, int], np.ndarray]

SHAPES: dict[str, Draw] = {
    "normal": lambda rng, n: np.clip(5 + rng.standard_normal(n), FLOOR, CEILING),
    "log-normal": lambda rng, n: np.clip(np.exp(rng.standard_normal(n)), FLOOR, CEILING),
    "30 % of seeds at 0": lambda rng, n: np.where(rng.random(n) < 0.3, 0.0, np.clip(5 + rng.standard_normal(n), 0, 10)),
}
SIZES = ((3, 3), (3, 10), (5, 5), (5, 20), (10, 10))
WAYS = ("bounds of the rule", "only the others", "worst seen")


@dataclass(frozen=True)
class Losing:
    """Seeds that are lost.

    Attributes:
        name: For a table.
        share: How many, on average.
        kind: `chance`: any seed of both arms. `worst`: the worst of the arm that should win, as of a training that
            crashes when it goes badly. `crash`: any of that arm; a crash is worth 0, the others are lifted so far that
            the arm is still 10 % worse than the other; where few seeds are drawn, often none of them crashes.
    """

    name: str
    share: float
    kind: Literal["chance", "worst", "crash"] = "chance"


LOSSES = (
    Losing("none", 0.0),
    Losing("20 % by chance", 0.2),
    Losing("30 % by chance", 0.3),
    Losing("the worst 30 % of b", 0.3, "worst"),
    Losing("40 % of b crash, b is worse", 0.4, "crash"),
)


def confirmed(
    shape: str, sizes: tuple[int, int], losing: Losing, trials: int, ways: Sequence[str] = WAYS
) -> dict[str, float]:
    """Return how often "b is higher than a" is confirmed, by each of some ways to count what was lost."""
    rng = np.random.default_rng(zlib.crc32(f"{shape} {sizes} {losing.name}".encode()))
    draw, found = SHAPES[shape], dict.fromkeys(ways, 0)
    mean = float(draw(np.random.default_rng(1), 100_000).mean())
    lift = 0.9 * mean / (1 - losing.share) - mean if losing.kind == "crash" else 0.0
    for _ in range(trials):
        ours = np.clip(draw(rng, sizes[0]) + lift, FLOOR, CEILING)
        theirs = draw(rng, sizes[1])
        lost = rng.random(sizes[0]) < losing.share, rng.random(sizes[1]) < losing.share
        if losing.kind != "chance":
            lost = lost[0], np.zeros(sizes[1], bool)
        if losing.kind == "worst":
            lost = np.argsort(np.argsort(ours)) < lost[0].sum(), lost[1]
        for way in ways:
            found[way] += _decides(way, (ours, theirs), lost)
    return {way: number / trials for way, number in found.items()}


def _decides(way: str, values: tuple[np.ndarray, np.ndarray], lost: tuple[np.ndarray, np.ndarray]) -> bool:
    """Return whether the product's own verdict confirms; the other ways only choose what it is handed."""
    bounds = {"floor": FLOOR, "ceiling": CEILING} if way == "bounds of the rule" else {}
    rule = Rule(metric="m", direction="higher", effect=0.0, arm="b", baseline="a", **bounds)
    arms = []
    for name, scores, gone in zip("ba", values, lost, strict=True):
        runs = [
            (seed, None if miss else float(value)) for seed, (value, miss) in enumerate(zip(scores, gone, strict=True))
        ]
        if way == "only the others":
            runs = [run for run in runs if run[1] is not None]
        elif way == "worst seen":
            seen = [value for _, value in runs if value is not None]
            worst = (min(seen) if name == "b" else max(seen)) if seen else FLOOR
            runs = [(seed, worst if value is None else value) for seed, value in runs]
        arms.append(_scores(name, runs))
    if any(not arm.runs for arm in arms):
        return False
    scored = ScoredRuns("m", {arm.arm: arm for arm in reversed(arms)}, Summary(), "")
    return judge(Journal(hypothesis="b is higher", rule=rule), scored).decision == "confirmed"


def _scores(arm: str, runs: list[tuple[int, float | None]]) -> Scores:
    made = tuple(SeedScore(seed, value, "finished" if value is not None else "failed") for seed, value in runs)
    return Scores(arm, made, metric="m")


def table(trials: int):
    """Yield one line a case: shape, seeds, losses, and how often each way confirms."""
    for losing in LOSSES:
        for shape in SHAPES:
            for sizes in SIZES:
                found = confirmed(shape, sizes, losing, trials)
                shares = "  ".join(f"{100 * found[way]:5.1f} %" for way in WAYS)
                yield losing, found, f"{losing.name:40} {shape:20} {sizes[0]:2} against {sizes[1]:2}  {shares}"


if __name__ == "__main__":
    print(f"{'lost':40} {'scores':20} {'seeds':14} {'  '.join(WAYS)}")
    for *_, line in table(2_000):
        print(line, flush=True)
