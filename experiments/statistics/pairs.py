"""Which seeds two arms share, so that their scores can be compared in pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from experiments.look import counted
from experiments.statistics.scores import Scores, SeedScore
from experiments.statistics.values import FloatArray


@dataclass(frozen=True, eq=False)
class Pairing:
    """Differences between two arms at the same seed.

    Attributes:
        differences: float64 (n,) of each task, `arm` minus `baseline`.
        notes: Seeds that have no partner, where there are any.
    """

    differences: tuple[FloatArray, ...]
    notes: tuple[str, ...] = ()


def paired_differences(arm: Scores, baseline: Scores, *, forced: bool = False) -> Pairing | None:
    """Return paired differences where the arms were planned with the same seeds, else None.

    The plan decides, not which seeds happen to have finished: a seed without a score in one arm is left out of the
    pairs and named. Fewer than two pairs in a task are no pairing.

    Args:
        forced: Pair whatever seeds both arms have.
    """
    planned_alike = arm.known_seeds and baseline.known_seeds and arm.seeds == baseline.seeds
    if arm.tasks != baseline.tasks or not (forced or planned_alike):
        return None
    found, notes = [], []
    for task in arm.tasks:
        ours, theirs = arm.by_seed(task), baseline.by_seed(task)
        shared = sorted(ours.keys() & theirs.keys())
        if len(shared) < 2:
            return None
        alone = sorted(ours.keys() ^ theirs.keys())
        if alone:
            where = f" on {task}" if task else ""
            notes.append(f"{counted(len(alone), 'seed')} without a pair{where}: {', '.join(map(str, alone))}")
        found.append(np.array([ours[seed] for seed in shared]) - np.array([theirs[seed] for seed in shared]))
    return Pairing(tuple(found), tuple(notes))


def one_score_a_run(scores: Scores) -> Scores:
    """Return scores of runs that were scored on every task as one score a run: its mean over the tasks.

    A run without a score on every task has none then, and keeps its reason.
    """
    runs = []
    for seed, row in zip(scores.seeds, scores.table, strict=True):
        parts = [run for run in scores.runs if run.seed == seed]
        worst = next((run for run in parts if run.value is None), parts[0])
        whole = len(parts) == len(scores.tasks) and not np.isnan(row).any()
        value = float(row.mean()) if whole else None
        outcome = worst.outcome if whole or worst.outcome != "finished" else "unfinished"
        runs.append(SeedScore(seed, value, outcome, "", worst.reason, worst.run))
    what = f"{scores.what}, averaged over {counted(len(scores.tasks), 'task')}"
    return replace(scores, runs=tuple(runs), what=what)
