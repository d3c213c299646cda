"""Playing a policy on held-out maps, for a figure or for a replay."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.trainer import checkpoint as checkpoints
from experiments.trainer.arena import Curriculum, Task, game, load_curriculum
from experiments.trainer.environments import HELD_OUT, Environments
from experiments.trainer.features import Encoder
from experiments.trainer.network import ActorCritic, sample_actions

ACTION_SEED = 20_000
"""Seed of the actions drawn in evaluations, the same for every policy."""


@dataclass(frozen=True)
class Evaluation:
    """Returns of one policy on held-out maps.

    Attributes:
        curriculum: Full name of the curriculum played.
        returns: For each task by name, the mean return of the agents in each episode.
    """

    curriculum: str
    returns: dict[str, tuple[float, ...]]

    @property
    def reward(self) -> float:
        """Mean over the episodes of a task, then over tasks."""
        return float(np.mean([np.mean(returns) for returns in self.returns.values()]))


def held_out_seeds(episodes: int) -> range:
    """Return the map seeds of `episodes` held-out episodes: the same in every run, never used in training."""
    return range(HELD_OUT, HELD_OUT + episodes)


def evaluate(
    policy: Path | ActorCritic | None,
    curriculum: str,
    *,
    episodes: int = 4,
    seeds: Sequence[int] | None = None,
    check: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Return how `policy` does on held-out maps of `curriculum`; the same call gives the same figures.

    Args:
        policy: A checkpoint file, a network, or None for actions drawn uniformly at random.
        curriculum: Name of the curriculum; it need not be the one that the policy was trained on.
        episodes: Episodes of each task, if `seeds` is None.
        seeds: Map seeds of the episodes of each task.
        check: Called before each step; it may raise to end the evaluation.

    Raises:
        DamagedCheckpoint: `policy` is a file that cannot be read.
        UsageError: The curriculum is unknown.
    """
    played = load_curriculum(curriculum)
    network = load_network(policy) if isinstance(policy, Path) else policy
    maps = held_out_seeds(episodes) if seeds is None else seeds
    return Evaluation(played.name, _play(network, played, maps, check))


def load_network(path: Path) -> ActorCritic:
    """Return the network of a checkpoint file."""
    return ActorCritic(checkpoints.load(path).group("policy"))


def record_replay(policy: Path | ActorCritic | None, curriculum: str, path: Path, *, seed: int = HELD_OUT) -> float:
    """Play one episode of the curriculum's first task, write its replay to `path` and return its mean return.

    Args:
        policy: A checkpoint file, a network, or None for random actions.
        curriculum: Name of the curriculum.
        path: Replay file to write: MettaScope format 4, zlib-compressed JSON.
        seed: Map seed of the episode.
    """
    from mettagrid.simulator.replay_log_writer import InMemoryReplayWriter
    from mettagrid.simulator.simulator import Buffers, Simulation

    network = load_network(policy) if isinstance(policy, Path) else policy
    task = load_curriculum(curriculum).tasks[0]
    config = game(task, map_seed=seed)
    agents = task.agents
    buffers = Buffers(
        observations=np.zeros((agents, config.game.obs.num_tokens, 3), np.uint8),
        terminals=np.zeros(agents, np.bool_),
        truncations=np.zeros(agents, np.bool_),
        rewards=np.zeros(agents, np.float32),
        masks=np.ones(agents, np.bool_),
        actions=np.zeros(agents, np.int32),
        teacher_actions=np.zeros(agents, np.int32),
    )
    writer = InMemoryReplayWriter()
    simulation = Simulation(config, seed=seed, buffers=buffers, event_handlers=[writer])
    choose = _Chooser(network, task)
    while not simulation.is_done():
        buffers.actions[:] = choose(buffers.observations)
        simulation.step()
    # Asking the writer twice for its data damages it, so it is asked once and written here.
    data = json.dumps(writer.get_completed_replays()[0].get_replay_data(), separators=(",", ":"))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(zlib.compress(data.encode()))
    temporary.replace(path)
    return float(simulation.episode_rewards.mean())


class _Chooser:
    """Draws the actions of a network, or random ones, with a generator that always starts from the same seed."""

    def __init__(self, network: ActorCritic | None, task: Task) -> None:
        rules = game(task, map_seed=0).game
        self._network = network
        self._encoder = Encoder(rules)
        self._action_count = len(rules.actions.actions())
        self._rng = np.random.default_rng(ACTION_SEED)

    def __call__(self, tokens: NDArray[np.uint8]) -> NDArray[np.int64]:
        if self._network is None:
            return self._rng.integers(0, self._action_count, len(tokens))
        _, logits, _ = self._network.forward(self._encoder.encode(tokens))
        return sample_actions(logits, self._rng)


def _play(
    network: ActorCritic | None, curriculum: Curriculum, seeds: Sequence[int], check: Callable[[], None]
) -> dict[str, tuple[float, ...]]:
    """Play one episode of each task on each map, all side by side."""
    tasks, maps = curriculum.tasks, len(seeds)
    environments = Environments(len(tasks) * maps, tasks[0])
    for index in range(len(environments)):
        environments.start(index, tasks[index // maps], seeds[index % maps])
    choose = _Chooser(network, tasks[0])
    returns = [0.0] * len(environments)
    playing = set(range(len(environments)))
    while playing:
        check()
        for index in playing.intersection(environments.step(choose(environments.tokens))):
            returns[index] = environments.episode_return(index)
            playing.remove(index)
    return {task.name: tuple(returns[part * maps : (part + 1) * maps]) for part, task in enumerate(tasks)}
