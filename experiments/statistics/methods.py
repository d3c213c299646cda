"""The intervals that may be chosen, each with its assumption and the coverage that was measured for it.

A nominal 95 % interval is chosen only at counts of seeds where it covers 93 to 97 % of the time on normal scores.
That rules out the customary ones at the counts that are usual in reinforcement learning: a percentile bootstrap of a
mean covers 85 % at 5 seeds, BCa 85 % as well and 92 % at 20. The figures below were simulated with 10,000 trials by
`tests/statistics/test_coverage.py`, which fails if a figure is no longer true.

A claim that two arms differ is held to more: of two arms with the same scores, whatever their shape (normal,
log-normal, a third of the seeds collapsed, a coin), at most 6 % may be called different. Welch's t holds that while
the larger arm has at most half as many seeds again as the smaller; with 5 against 20 log-normal scores it calls 9 %
different, with 3 against 10 of a coin 20 %. Hence `UNEVEN`, which is often wider than it need be. With 3 to 5 seeds in
an arm it keeps little of levels as strict as those of a family's later designs: hence `FEWEST`.
`python -m tests.statistics.false_claims` prints the table, and `tests/statistics/test_false_claims.py` holds it.
"""

from __future__ import annotations

from experiments.statistics.values import Method

SYMMETRIC = "assumes roughly symmetric scores"
INDEPENDENT = "assumes independent seeds"
ANY_SHAPE = "assumes nothing of the scores but independent seeds"

STUDENT = Method("Student t", SYMMETRIC, (0.94, 0.96), (0.80, 0.90))
PAIRED = Method("paired Student t", "assumes roughly symmetric differences", (0.94, 0.96), (0.96, 0.98))
REPEATED = Method(
    "repeated Student t", "assumes roughly symmetric differences", (0.95, 0.96), (0.96, 0.98), "at all looks together"
)
ANY_TIME = Method(
    "any-time Student t",
    "assumes roughly symmetric differences",
    (0.97, 0.985),
    (0.98, 0.995),
    "at 3 to 30 pairs together",
)
WELCH = Method("Welch t", SYMMETRIC, (0.93, 0.97), (0.87, 0.98))
UNEVEN = Method(
    "Welch t with permutation",
    "assumes roughly symmetric scores, or scores of one shape in both arms",
    (0.935, 0.995),
    (0.82, 0.99),
)
FEWEST = Method("Welch t with the fewest degrees of freedom", SYMMETRIC, (0.955, 0.995), (0.87, 0.999))
YUEN = Method("Yuen t", INDEPENDENT, (0.935, 0.965), (0.92, 0.975))
ORDER = Method("order-statistic", ANY_SHAPE, (0.935, 0.96), (0.935, 0.96))
BCA = Method("BCa bootstrap", INDEPENDENT, (0.93, 0.97), (0.89, 0.97))
WINS = Method("Mann-Whitney score", "assumes scores that spread alike in both arms", (0.935, 0.97), (0.935, 0.97))
FISHER = Method("Fisher z", "assumes normal scores", (0.94, 0.96), (0.73, 0.95))
PREDICTION = Method("Student t prediction", "assumes normal scores", (0.94, 0.96), (0.90, 0.95))
WILSON = Method("pointwise Wilson", ANY_SHAPE, (0.945, 0.96), (0.945, 0.965))

# The fewest seeds (in each arm) with which a nominal 95 % covers 93 to 97 % on normal scores.
FEWEST_T = 2
FEWEST_IQM = 5
FEWEST_BCA = 20
FEWEST_WELCH = 3
FEWEST_PAIRS = 3  # with 2, one coin in both arms is called different in 14 %
FEWEST_IQM_COMPARED = 6  # with 5, in 7 to 8 %
FEWEST_IMPROVEMENT = 5
FEWEST_PROFILE = 2
FEWEST_CORRELATED = 5
FEWEST_PREDICTED = 3

# How many times the smaller arm's seeds the larger may have, so that 6 % of claims at most are false.
EVEN = 1.5
EVEN_IQM = 2.0  # from `MANY` seeds
MANY = 10
MOST_AGAINST_FEWEST = 12

STRICT = 0.96
"""Level beyond which Welch's degrees of freedom are not trusted. Relabelling is none: 3 against 10 have 286 splits."""

_SETTLED = 20  # seeds from which unequal shapes do less harm


def caution(n: int) -> str:
    """Return what no method repairs where the smaller arm has n seeds, for beside a claim; nothing where it is little.

    Measured with equal means, one arm steady, the other log-normal or with a tenth or a third of its seeds collapsed.
    """
    if n >= _SETTLED:
        return ""
    return (
        f"This rests on roughly normal scores, which {n} seeds cannot show: with equal means, a steady arm and "
        "one that is skewed or collapses now and then are called different in up to a quarter of cases (simulated)."
    )
