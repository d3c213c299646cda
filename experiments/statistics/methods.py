"""The intervals that may be chosen, each with its assumption and the coverage that was measured for it.

A nominal 95 % interval is chosen only at counts of seeds where it covers 93 to 97 % of the time on normal scores.
That rules out the customary ones at the counts that are usual in reinforcement learning: a percentile bootstrap of a
mean covers 85 % at 5 seeds, BCa 85 % as well and 92 % at 20. The figures below were simulated with 10,000 trials by
`tests/statistics/test_coverage.py`, which fails if a figure is no longer true.
"""

from __future__ import annotations

from experiments.statistics.values import Method

SYMMETRIC = "assumes roughly symmetric scores"
INDEPENDENT = "assumes independent seeds"
ANY_SHAPE = "assumes nothing of the scores but independent seeds"

STUDENT = Method("Student t", SYMMETRIC, (0.94, 0.96), (0.80, 0.90))
PAIRED = Method("paired Student t", "assumes roughly symmetric differences", (0.94, 0.96), (0.96, 0.98))
WELCH = Method("Welch t", SYMMETRIC, (0.93, 0.97), (0.87, 0.98))
SATTERTHWAITE = Method("Welch-Satterthwaite t", SYMMETRIC, (0.945, 0.97), (0.86, 0.985))
YUEN = Method("Yuen t", INDEPENDENT, (0.935, 0.965), (0.92, 0.975))
ORDER = Method("order-statistic", ANY_SHAPE, (0.935, 0.96), (0.935, 0.96))
BCA = Method("BCa bootstrap", INDEPENDENT, (0.93, 0.97), (0.89, 0.97))
STRATIFIED = Method("stratified bootstrap", INDEPENDENT, (0.945, 0.97), (0.90, 0.98))
BY_SEED = Method("bootstrap over seeds", INDEPENDENT, (0.935, 0.965), (0.92, 0.96))
WINS = Method("Mann-Whitney score", "assumes scores that spread alike in both arms", (0.935, 0.97), (0.935, 0.97))
WILSON = Method("pointwise Wilson", ANY_SHAPE, (0.945, 0.96), (0.945, 0.965))

# The fewest seeds (in each arm, on each task) with which a nominal 95 % covers 93 to 97 % on normal scores.
FEWEST_T = 2
FEWEST_IQM = 5
FEWEST_BCA = 20
FEWEST_WELCH = 3
FEWEST_OVER_TASKS = 3
FEWEST_STRATIFIED = 5
FEWEST_RUNS_STRATIFIED = 15  # of an arm over all tasks, for a difference
FEWEST_BY_SEED = 8
FEWEST_IMPROVEMENT = 5
FEWEST_PROFILE = 2
FEWEST_PROFILE_TASKS = 5
