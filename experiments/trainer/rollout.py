"""Collecting experience: a batch of agents acting with the present policy."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.trainer.arena import Curriculum, game
from experiments.trainer.environments import HELD_OUT, Environments
from experiments.trainer.features import Encoder, FloatArray, Inputs
from experiments.trainer.network import ActorCritic, log_softmax, sample_actions
from experiments.trainer.sampling import TaskSampler


@dataclass
class Rollout:
    """What a batch of agents saw, did and got; arrays are (steps, rows, ...), a row being one agent.

    Attributes:
        inputs: Encoded observations, of each step (rows, inputs).
        actions: Actions taken.
        log_probs: Their log-probabilities at that time.
        values: Predicted values, (steps + 1, rows): the last row is for what follows the rollout.
        rewards: Rewards; at the end of an episode with the discounted value of what would have followed.
        dones: 1 where an episode ended with this step.
    """

    inputs: list[Inputs]
    actions: NDArray[np.int64]
    log_probs: FloatArray
    values: FloatArray
    rewards: FloatArray
    dones: FloatArray

    @classmethod
    def empty(cls, steps: int, rows: int) -> Rollout:
        """Return a rollout to be filled."""
        grid = (steps, rows)
        return cls(
            inputs=[],
            actions=np.zeros(grid, np.int64),
            log_probs=np.zeros(grid, np.float32),
            values=np.zeros((steps + 1, rows), np.float32),
            rewards=np.zeros(grid, np.float32),
            dones=np.zeros(grid, np.float32),
        )


class Collector:
    """Environments of a curriculum that play on from rollout to rollout.

    Attributes:
        encoder: Turns observations into the network's inputs.
        actions: Number of actions.
        sampler: Chooses the task of each new episode.
        returns: Mean returns of the last episodes that ended, four per environment.
    """

    def __init__(self, curriculum: Curriculum, simulations: int, rng: np.random.Generator) -> None:
        first = curriculum.tasks[0]
        rules = game(first, map_seed=0).game
        self.encoder = Encoder(rules)
        self.actions = len(rules.actions.actions())
        self.sampler = TaskSampler(curriculum)
        self.returns: deque[float] = deque(maxlen=4 * simulations)
        self._environments = Environments(simulations, first)
        self._tasks = [first] * simulations
        self._rng = rng

    @property
    def rows(self) -> int:
        """Agents in all environments together."""
        return len(self._environments.rewards)

    def start(self) -> None:
        """Begin an episode in every environment."""
        for index in range(len(self._environments)):
            self._start(index)

    def fill(self, rollout: Rollout, network: ActorCritic, *, gamma: float, check: Callable[[], None]) -> None:
        """Play one rollout with `network`; `check` is called before each step and may raise to break off."""
        environments = self._environments
        scores = np.empty((*rollout.actions.shape, self.actions), np.float32)
        rollout.inputs.clear()
        for step in range(len(rollout.rewards)):
            check()
            inputs = self.encoder.encode(environments.tokens)
            _, logits, values = network.forward(inputs)
            actions = sample_actions(logits, self._rng)
            rollout.inputs.append(inputs)
            scores[step] = logits
            rollout.actions[step] = actions
            rollout.values[step] = values
            ended = environments.step(actions)
            rollout.rewards[step] = environments.rewards
            rollout.dones[step] = 0
            if ended:
                self._end(ended, rollout, step, network, gamma)
        rollout.values[-1] = self._values(network)
        taken = np.take_along_axis(log_softmax(scores), rollout.actions[:, :, None], axis=2)
        rollout.log_probs[:] = taken[:, :, 0]

    def _end(self, ended: list[int], rollout: Rollout, step: int, network: ActorCritic, gamma: float) -> None:
        """Close the episodes of environments `ended` and begin others.

        Episodes are cut off by a clock that agents do not see, so the value of what would have followed is added.
        """
        environments = self._environments
        following = self._values(network)
        for index in ended:
            rows = slice(index * environments.agents, (index + 1) * environments.agents)
            rollout.rewards[step, rows] += gamma * following[rows]
            rollout.dones[step, rows] = 1
            episode_return = environments.episode_return(index)
            self.returns.append(episode_return)
            self.sampler.record(self._tasks[index], episode_return)
            self._start(index)

    def _values(self, network: ActorCritic) -> FloatArray:
        return network.forward(self.encoder.encode(self._environments.tokens))[2]

    def _start(self, index: int) -> None:
        task = self.sampler.draw(self._rng)
        self._tasks[index] = task
        self._environments.start(index, task, int(self._rng.integers(HELD_OUT)))
