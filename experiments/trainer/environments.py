"""Several MettaGrid simulations stepped side by side on shared buffers."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from mettagrid.config.mettagrid_c_config import convert_to_cpp_game_config, rename_map_agents
from mettagrid.mettagrid_c import MettaGrid
from numpy.typing import NDArray

from experiments.trainer.arena import NUM_TOKENS, Task, game
from experiments.trainer.features import FloatArray, Tokens

HELD_OUT = 10**9
"""Map seeds from here on are for evaluation; training draws its maps below."""


class Environments:
    """Simulations of tasks that have one number of agents, and so one batch of agents.

    Agent `a` of simulation `i` is row `i * agents + a` of every array.

    Attributes:
        agents: Agents of one simulation.
        tokens: What each agent observes now, (rows, tokens, 3).
        rewards: Rewards of the last step, (rows,).
    """

    def __init__(self, simulations: int, task: Task) -> None:
        rows = simulations * task.agents
        self.agents = task.agents
        self.tokens: Tokens = np.zeros((rows, NUM_TOKENS, 3), np.uint8)
        self.rewards: FloatArray = np.zeros(rows, np.float32)
        self._terminals = np.zeros(rows, np.bool_)
        self._truncations = np.zeros(rows, np.bool_)
        self._actions = np.zeros(rows, np.int32)
        self._vibes = np.zeros(rows, np.int32)
        self._simulations: list[Any] = [None] * simulations  # each a MettaGrid once started

    def __len__(self) -> int:
        return len(self._simulations)

    def start(self, index: int, task: Task, seed: int) -> None:
        """Begin an episode of `task` in simulation `index`; `seed` draws the map and the chances in it."""
        rules, renames = _rules(task)
        builder = game(task, map_seed=seed).game.map_builder
        grid = builder.create().build_for_num_agents(self.agents).grid.tolist()
        simulation = MettaGrid(rules, rename_map_agents(grid, renames) if renames else grid, seed)
        part = slice(index * self.agents, (index + 1) * self.agents)
        simulation.set_buffers(
            self.tokens[part],
            self._terminals[part],
            self._truncations[part],
            self.rewards[part],
            self._actions[part],
            self._vibes[part],
        )
        self._simulations[index] = simulation

    def step(self, actions: NDArray[np.integer[Any]]) -> list[int]:
        """Let every agent act and return the simulations whose episode has just ended."""
        self._actions[:] = actions
        for simulation in self._simulations:
            simulation.step()
        over = (self._truncations | self._terminals).reshape(len(self), -1).all(axis=1)
        return [int(index) for index in np.flatnonzero(over)]

    def episode_return(self, index: int) -> float:
        """Return the mean over agents of the rewards of simulation `index` in its episode."""
        return float(self._simulations[index].get_episode_rewards().mean())


@cache
def _rules(task: Task) -> tuple[Any, dict[str, list[str]]]:
    """Return the compiled rules of a task; compiling them costs more than an episode's map."""
    rules, renames = convert_to_cpp_game_config(game(task, map_seed=0).game)
    return rules, renames
