"""Which task the next episode plays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from experiments.trainer.arena import Curriculum, Task

EXPLORE = 0.2
"""Part of the episodes that take any task, so that none is forgotten."""
RATES = {"fast": 0.3, "slow": 0.05}


class TaskSampler:
    """Draws tasks uniformly, or in proportion to the learning progress on each.

    Learning progress of a task is the distance between a fast and a slow running mean of its episode returns.

    Attributes:
        tasks: Tasks of the curriculum.
        means: `fast` and `slow` running mean of each task's return; NaN before its first episode.
    """

    def __init__(self, curriculum: Curriculum) -> None:
        self.tasks = curriculum.tasks
        self._by_progress = curriculum.sampling == "learning_progress"
        self.means = {name: np.full(len(self.tasks), np.nan) for name in RATES}

    def probabilities(self) -> NDArray[np.float64]:
        """Return the chance of each task; equal until every task has been played and one has moved."""
        count = len(self.tasks)
        uniform = np.full(count, 1 / count)
        progress = np.abs(self.means["fast"] - self.means["slow"])
        if not self._by_progress or not np.isfinite(progress).all() or progress.sum() <= 0:
            return uniform
        mixed: NDArray[np.float64] = EXPLORE * uniform + (1 - EXPLORE) * progress / progress.sum()
        return mixed

    def draw(self, rng: np.random.Generator) -> Task:
        """Return the task of the next episode."""
        return self.tasks[int(rng.choice(len(self.tasks), p=self.probabilities()))]

    def record(self, task: Task, episode_return: float) -> None:
        """Take note of an episode that has ended."""
        index = self.tasks.index(task)
        for name, rate in RATES.items():
            means = self.means[name]
            first = np.isnan(means[index])
            means[index] = episode_return if first else means[index] + rate * (episode_return - means[index])
